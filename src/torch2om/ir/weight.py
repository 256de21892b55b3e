"""Constant arrays owned by layers, computed only when somebody needs their numbers.

A weight is an expression over the user's parameters: folding a batch norm into a convolution makes a new `Weight`
whose numbers are computed when the writer streams it (in float32) or when the executor runs (in float64). So a
folded copy of all weights never exists in memory, and the float64 meaning is folded in float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from torch2om.ir.op import Array, Shape

Precision = np.dtype[np.floating[Any]]  # Any: the float width is the caller's choice
AnyArray = npt.NDArray[Any]  # Any: parameters come in any dtype

# Vectors (a batch norm's, a bias) are always computed in float64: it costs nothing, and sums such as
# beta - mean * gamma / sqrt(var + eps) cancel. Large arrays are only ever scaled, where float32 loses one rounding.
SMALL = 1 << 16
PIECE = 1 << 17
"""The most numbers of a piece, where a row has not more: they fit in a core's cache with what is made of them."""


@dataclass(frozen=True, eq=False, slots=True)
class Weight:
    """A constant array: its shape, and a pure function that computes it in a given precision on demand.

    `source(dtype)` returns the array computed in `dtype` or better; `array` casts to what is asked. Two weights are
    equal if they are the same object: compare numbers with `array`.

    `parts(dtype)`, where a weight has it, yields what `source` returns piece by piece, as `pieces` splits it.
    """

    shape: Shape
    source: Callable[[Precision], AnyArray]
    parts: Callable[[Precision], Iterator[AnyArray]] | None = None

    def array(self, dtype: npt.DTypeLike = np.float64) -> Array:
        """Return the numbers in `dtype`, C-contiguous and read-only; shape `self.shape`."""
        asked = np.dtype(dtype)
        precise = np.dtype(np.float64 if self.size <= SMALL else np.promote_types(asked, np.float32))
        return _fixed(self.source(precise), asked).reshape(self.shape)

    def pieces(self, dtype: npt.DTypeLike = np.float64) -> Iterator[Array]:
        """Yield `array(dtype)` in pieces, one after the other: some rows each, or all of it if it is not large.

        Whoever passes the numbers on needs no room for all of them, and gets them while they are in the cache.
        """
        asked = np.dtype(dtype)
        if self.size <= PIECE:
            yield self.array(asked)
            return
        precise = np.promote_types(asked, np.float32)
        for piece in self._split(precise) if self.parts is None else self.parts(precise):
            yield _fixed(piece, asked)

    def _split(self, dtype: Precision) -> Iterator[AnyArray]:
        values = self.held(dtype)
        step = max(PIECE * self.shape[0] // self.size, 1)
        return (values[start : start + step] for start in range(0, self.shape[0], step))

    def held(self, dtype: Precision) -> AnyArray:
        """Return the numbers as the source has them, without a copy: exact or in `dtype`, in any layout."""
        return self.source(dtype).reshape(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    def map(self, shape: Shape, function: Callable[[Array], Array]) -> Weight:
        """Return the weight `function(self)`; the function works in the dtype of what it is given."""
        return Weight(shape, lambda dtype: function(self.array(dtype)))


def _fixed(values: AnyArray, dtype: np.dtype[Any]) -> Array:  # Any: whatever is asked for
    """Return values in a dtype, C-contiguous and read-only: a view where they are so already."""
    fixed = np.ascontiguousarray(values, dtype=dtype).view()
    fixed.flags.writeable = False
    return fixed


def constant(values: npt.ArrayLike) -> Weight:
    """Return a weight that holds `values` as they are (no copy where numpy needs none)."""
    array = np.asarray(values)
    return Weight(array.shape, lambda _: array)


def combine(shape: Shape, function: Callable[..., Array], *weights: Weight) -> Weight:
    """Return the weight `function(*weights)`; the function gets all arrays in one dtype and works in it.

    A vector's numbers are kept once computed: a batch norm's scale goes into filters and bias alike.
    """

    def source(dtype: Precision) -> AnyArray:
        return function(*(weight.array(dtype) for weight in weights))

    return Weight(shape, cache(source) if len(shape) == 1 else source)


def scaled(weight: Weight, factor: Weight, beside: Callable[[Array], Array]) -> Weight:
    """Return weight * beside(factor), where `beside` gives the factor dims that are the weight's or 1."""

    def parts(dtype: Precision) -> Iterator[AnyArray]:
        factors, row = beside(factor.array(dtype)), 0
        for piece in weight.pieces(dtype):
            yield piece * (factors if len(factors) == 1 else factors[row : row + len(piece)])
            row += len(piece)

    return Weight(weight.shape, lambda dtype: weight.array(dtype) * beside(factor.array(dtype)), parts)
