"""The orders in which a compiler may store the numbers of a weight, and whether stored numbers are these."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from torch2om.ir.op import Array
from torch2om.layers import Deconvolution, InnerProduct
from torch2om.matching.wanted import Variant

Values = npt.NDArray[Any]  # Any: an om chooses the number type

_C0 = 16  # inputs of a block
_FAR = 1e30  # times what rounding allows: how far NaN and infinity are from every number
_TOGETHER = 1 << 20  # numbers compared at once
_FOLDING = 4 * 2.0**-24
"""What folding in float32 may add to an error, of the largest number: a folded bias is a difference of such numbers."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How stored numbers compare: `excess` is the largest error over what rounding allows; up to 1 they are equal."""

    how: str
    excess: float
    error: float
    found: float
    expected: float

    @property
    def equal(self) -> bool:
        """Whether rounding explains every difference."""
        return self.excess <= 1


def compare(stored: Values, variant: Variant, index: int, expected: Array) -> Comparison | None:
    """Return the best comparison over all arrangements; None if no arrangement has the stored shape."""
    found = []
    for how, arranged in _arranged(variant, index, expected):
        fitted = _fitted(arranged, stored.shape)
        if fitted is not None:
            found.append(_comparison(stored, fitted, how))
            if found[-1].equal:
                break
    return min(found, key=lambda each: each.excess, default=None)


def _arranged(variant: Variant, index: int, expected: Array) -> Iterator[tuple[str, Array]]:
    yield "", expected
    if index > 0:
        return
    if isinstance(variant.op, InnerProduct):
        yield from _matrices(variant, expected)
    if isinstance(variant.op, Deconvolution) and expected.ndim == 4:
        yield from _kernels(expected)


def _kernels(expected: Array) -> Iterator[tuple[str, Array]]:
    """A transposed convolution: CANN 8.0 keeps its kernels; as a convolution's they are swapped or turned or both."""
    turned = expected[:, :, ::-1, ::-1]
    yield "inputs and outputs swapped", expected.swapaxes(0, 1)
    yield "kernels turned", turned
    yield "inputs and outputs swapped, kernels turned", turned.swapaxes(0, 1)


def _matrices(variant: Variant, expected: Array) -> Iterator[tuple[str, Array]]:
    """A fully connected layer: a matrix product, or a convolution; omg cuts its inputs into blocks of 16 channels.

    omg gives such filters the shape [N, C H W, 1, 1], but the order of [N, C, H, W] in FRACTAL_Z: C1, H, W, C0.
    """
    if expected.ndim != 2:
        return
    yield "transposed", expected.T
    shape = variant.bottoms[0][1:]
    if len(shape) == 3 and not shape[0] % _C0 and expected.shape[1] == np.prod(shape):
        blocks = expected.reshape(-1, shape[0] // _C0, _C0, *shape[1:])
        cut = blocks.transpose(0, 1, 3, 4, 2).reshape(expected.shape)
        yield "inputs in blocks of 16", cut
        yield "inputs in blocks of 16, transposed", cut.T


def _fitted(arranged: Array, shape: tuple[int, ...]) -> Array | None:
    """Return the array in the stored shape, where only axes of one place differ or the first axis stays."""
    if not arranged.size or arranged.size != np.prod(shape):
        return None
    same = [dim for dim in arranged.shape if dim != 1] == [dim for dim in shape if dim != 1]
    first = arranged.ndim > 0 and len(shape) > 0 and arranged.shape[0] == shape[0]
    return arranged.reshape(shape) if same or first else None


def _comparison(stored: Values, expected: Array, how: str) -> Comparison:
    """Return the worst number's comparison; some at a time, so that a large weight is not copied many times."""
    folding = _FOLDING * float(np.max(np.abs(expected), initial=0.0))
    found, wanted = stored.reshape(-1), expected.reshape(-1)
    worst = [
        _worst(found[start : start + _TOGETHER], wanted[start : start + _TOGETHER], folding, how)
        for start in range(0, wanted.size, _TOGETHER)
    ]
    return max(worst, key=lambda each: each.excess)


def _worst(stored: Values, expected: Array, folding: float, how: str) -> Comparison:
    with np.errstate(all="ignore"):  # an om may hold NaN and infinity: they are far from every number
        found = stored.astype(expected.dtype)
        error = np.abs(found - expected)
        excess = np.nan_to_num(error / (_rounding(expected, stored.dtype) + folding), nan=_FAR, posinf=_FAR)
    worst = int(np.argmax(excess))
    return Comparison(how, float(excess[worst]), float(error[worst]), float(found[worst]), float(expected[worst]))


def _rounding(expected: Array, dtype: np.dtype[Any]) -> Array:
    """Half a step of the stored type at each number: 2^-11 of it in float16, 2^-25 below the smallest normal one."""
    if dtype == np.float16:
        return 2.0**-11 * 1.01 * np.abs(expected) + 2.0**-25
    return 2.0**-24 * np.abs(expected) + np.finfo(np.float32).tiny
