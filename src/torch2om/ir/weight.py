"""Constant arrays owned by layers, computed only when somebody needs their numbers.

A weight is an expression over the user's parameters: folding a batch norm into a convolution makes a new `Weight`
whose numbers are computed when the writer streams it (in float32) or when the executor runs (in float64). So a
folded copy of all weights never exists in memory, and the float64 meaning is folded in float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from torch2om.ir.op import Array, Shape


@dataclass(frozen=True, eq=False, slots=True)
class Weight:
    """A constant array: its shape, and a pure function that computes it in float64 or float32 on demand.

    `source` computes the array in at least the precision of the stored parameters; `array` casts to what is asked.
    Two weights are equal if they are the same object: compare numbers with `array`.
    """

    shape: Shape
    source: Callable[[], npt.NDArray[Any]]  # Any: parameters come in any float dtype

    def array(self, dtype: npt.DTypeLike = np.float64) -> Array:
        """Return the numbers in `dtype`, C-contiguous and read-only; shape `self.shape`."""
        values = np.ascontiguousarray(self.source(), dtype=dtype).reshape(self.shape)
        values = values.view()
        values.flags.writeable = False
        return values

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    def map(self, shape: Shape, function: Callable[[Array], Array]) -> Weight:
        """Return the weight `function(self)`, computed in float64 on demand."""
        return Weight(shape, lambda: function(self.array()))


def constant(values: npt.ArrayLike) -> Weight:
    """Return a weight that holds `values` as they are (no copy where numpy needs none)."""
    array = np.asarray(values)
    return Weight(array.shape, lambda: array)


def combine(shape: Shape, function: Callable[..., Array], *weights: Weight) -> Weight:
    """Return the weight `function(*weights)`, computed in float64 on demand."""
    return Weight(shape, lambda: function(*(weight.array() for weight in weights)))
