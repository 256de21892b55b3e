"""Where numbers lie in half precision's range: above it, below it, or in its subnormal end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from torch2om.ir.op import Array
from torch2om.layers.precision import HALF_BITS, LARGEST_HALF, SMALLEST_NORMAL_HALF

HALF_ROUNDING = 2.0 ** -(HALF_BITS + 1)  # the largest relative error of one rounding


@dataclass(frozen=True, slots=True)
class Span:
    """How many numbers there are, and what half precision makes of them.

    `nonzero` are not zero; of those, `overflowed` become infinite, `vanished` become zero, and `subnormal` lie below
    2^-14, where half precision has ever fewer bits, without vanishing. `largest` is the largest magnitude.
    """

    size: int = 0
    nonzero: int = 0
    largest: float = 0.0
    overflowed: int = 0
    vanished: int = 0
    subnormal: int = 0

    def __add__(self, other: Span) -> Span:
        return Span(
            self.size + other.size,
            self.nonzero + other.nonzero,
            float(np.maximum(self.largest, other.largest)),  # a NaN stays one
            self.overflowed + other.overflowed,
            self.vanished + other.vanished,
            self.subnormal + other.subnormal,
        )

    @property
    def lost(self) -> float:
        """The share of the numbers other than zero that lose bits, or all, because they are small."""
        return self.vanished_share + self.subnormal_share

    @property
    def vanished_share(self) -> float:
        """The share of the numbers other than zero that become zero."""
        return self.vanished / self.nonzero if self.nonzero else 0.0

    @property
    def subnormal_share(self) -> float:
        """The share of the numbers other than zero that become subnormal."""
        return self.subnormal / self.nonzero if self.nonzero else 0.0


def span_of(values: Array, halves: Array) -> Span:
    """Return the span of float32 numbers; `halves` are the same ones rounded to half precision."""
    magnitudes = np.abs(halves)
    tiny = int(np.count_nonzero(magnitudes < SMALLEST_NORMAL_HALF))
    zeros = int(np.count_nonzero(magnitudes == 0)) if tiny else 0
    nonzero = int(np.count_nonzero(values != 0)) if zeros else values.size
    largest, overflowed = magnitudes.max(initial=0.0), 0
    if not largest <= LARGEST_HALF:  # as half precision has it: infinite, or NaN
        largest, overflowed = np.abs(values).max(), int(np.count_nonzero(np.isinf(magnitudes)))
    return Span(values.size, nonzero, float(largest), overflowed, nonzero - (values.size - zeros), tiny - zeros)
