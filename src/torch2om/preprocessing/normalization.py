"""PyTorch's normalization of pictures, y = (x / divisor - mean) / std, and the constants that make AIPP compute it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from torch2om.errors import Diagnostic, PreprocessingError, Problems, Severity, UsageError
from torch2om.ir.op import Array
from torch2om.preprocessing.limits import HALF, RANGES

SMALLEST = 2.0**-14  # the smallest float16 with all of its 11 bits
USUAL = (0.003, 1.0)  # factors of nets in use: 1 / 255 / 0.2 is 0.02, a net that takes pixels has 1


@dataclass(frozen=True)
class Normalization:
    """y = (x / divisor - mean) / std for pixel values x of 0 to 255; one number per channel, or one for all.

    With divisor 255 it is torchvision's ToTensor and Normalize(mean, std).
    """

    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    divisor: float = 255.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", tuple(map(float, self.mean)))
        object.__setattr__(self, "std", tuple(map(float, self.std)))
        numbers = (*self.mean, *self.std, self.divisor)
        if not self.mean or not all(map(math.isfinite, numbers)) or 0 in (*self.std, self.divisor):
            text = f"mean {self.mean}, std {self.std}, divisor {self.divisor:g}: finite numbers, std and divisor not 0"
            raise UsageError(Diagnostic("P811", text))
        if len({len(self.mean), len(self.std)} - {1}) > 1:
            raise UsageError(Diagnostic("P811", f"{len(self.mean)} means and {len(self.std)} stds do not go together"))

    def __str__(self) -> str:
        mean, std = (", ".join(f"{number:.6g}" for number in of) for of in (self.mean, self.std))
        pixels = "x" if self.divisor == 1 else f"x / {self.divisor:g}"
        return f"({pixels} - ({mean})) / ({std})"

    @property
    def channels(self) -> int:
        """The number of channels that it names; 1 fits any."""
        return max(len(self.mean), len(self.std))

    def applied(self, x: Array) -> Array:
        """Return y of a blob (N, C, ...), in the dtype of x and in torchvision's order of steps."""
        mean, std = (np.array(of, x.dtype).reshape(-1, *(1,) * (x.ndim - 2)) for of in (self.mean, self.std))
        y: Array = (x / x.dtype.type(self.divisor) - mean) / std
        return y

    def undone(self, y: Array) -> Array:
        """Return x of y."""
        mean, std = (np.array(of, y.dtype).reshape(-1, *(1,) * (y.ndim - 2)) for of in (self.mean, self.std))
        x: Array = (y * std + mean) * y.dtype.type(self.divisor)
        return x

    def then(self, after: Normalization) -> Normalization:
        """after(self(x)) = (x / d - (m + s d' m')) / (s d' s')."""
        if self == Normalization(divisor=1.0):
            return after
        count = max(self.channels, after.channels)
        pairs = zip(*self._wide(count), *after._wide(count), strict=True)
        numbers = [(m + s * after.divisor * m2, s * after.divisor * s2) for m, s, m2, s2 in pairs]
        mean, std = zip(*numbers, strict=True)
        return replace(self, mean=mean, std=std)

    def _wide(self, channels: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return a mean and a std per channel; raises `UsageError` (P811) if it names another number of channels."""
        if self.channels not in (1, channels):
            text = f"the normalization has numbers for {self.channels} channels, the net's input has {channels}"
            raise UsageError(Diagnostic("P811", text))
        mean, std = (of if len(of) == channels else of * channels for of in (self.mean, self.std))
        return mean, std

    def constants(self, channels: int) -> Constants:
        """Return AIPP's constants: mean + rest = divisor * mean, factor = 1 / (divisor * std).

        Raises `PreprocessingError` (P812) with every channel that AIPP cannot normalize so.
        """
        pairs = list(zip(*self._wide(channels), strict=True))
        means = [self.divisor * mean for mean, _ in pairs]
        factors = [1 / (self.divisor * std) for _, std in pairs]
        problems = Problems([Diagnostic("P812", text) for text in _beyond(means, factors)])
        problems.raise_as(PreprocessingError)
        whole = [min(math.floor(round(mean, 9)), int(_MOST)) for mean in means]
        rest = tuple(max(mean - part, 0.0) for mean, part in zip(means, whole, strict=True))
        return Constants(tuple(whole), rest, tuple(factors))


_MOST = RANGES["mean_chn"].high


@dataclass(frozen=True, slots=True)
class Constants:
    """(x - mean - rest) * factor: `mean` in whole numbers, `rest` the fractions that remain."""

    mean: tuple[int, ...]
    rest: tuple[float, ...]
    factor: tuple[float, ...]


def _beyond(means: list[float], factors: list[float]) -> Iterator[str]:
    for channel, (mean, factor) in enumerate(zip(means, factors, strict=True)):
        if mean < 0:
            yield f"channel {channel}: the mean is {mean:g} in pixels, and AIPP's means are not negative"
        if mean > 2 * _MOST:
            yield f"channel {channel}: the mean is {mean:g} in pixels, and AIPP's go up to {2 * _MOST:g}"
        if not SMALLEST <= abs(factor) <= HALF:
            yield f"channel {channel}: the factor is {factor:g}, and float16 holds {SMALLEST:g} to {HALF:g}"


def doubts(normalization: Normalization) -> Iterator[Diagnostic]:
    """Yield a warning (P823) where the factors are those of no usual net: the 255 forgotten, std not inverted."""
    factors = [abs(1 / (normalization.divisor * std)) for std in normalization.std]
    unusual = [factor for factor in factors if not USUAL[0] <= factor <= USUAL[1]]
    if unusual:
        text = f"a pixel's step of 1 is a step of {unusual[0]:.4g} at the net's input; {USUAL[0]:g} to 1 is usual"
        hint = "is the division by 255 missing (to-tensor+from-model where the caller does it), or done twice?"
        yield Diagnostic("P823", text, hint=hint, severity=Severity.WARNING)


PRESETS: Mapping[str, Normalization] = MappingProxyType(
    {
        "imagenet": Normalization((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        "to-tensor": Normalization(),
        "pixels": Normalization(divisor=1.0),
    }
)
NOTHING = PRESETS["pixels"]


def from_numbers(text: str) -> Normalization:
    """Return the normalization of `mean=A[,B,C],std=D[,E,F][,divisor=255]`; raises `UsageError` (P811)."""
    parts = re.split(r",?(mean|std|divisor)=", text)
    names, values = parts[1::2], parts[2::2]
    try:
        given = {name: tuple(map(float, value.split(","))) for name, value in zip(names, values, strict=True)}
    except ValueError:
        given = {}
    if parts[0] or len(given) != len(names) or not given or len(given.get("divisor", (0,))) != 1:
        text = f"{text} is not mean=A,B,C,std=D,E,F, with one number or one per channel"
        raise UsageError(
            Diagnostic("P811", text, hint="write for example mean=0.485,0.456,0.406,std=0.229,0.224,0.225")
        )
    return Normalization(given.get("mean", (0.0,)), given.get("std", (1.0,)), *given.get("divisor", (255.0,)))
