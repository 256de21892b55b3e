"""Virtual ops along axes with PyTorch's meaning: reductions, indices of extremes, standardization."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import numpy as np

from torch2om.ir.op import Array, Arrays, Op, Shape, Shapes, axis_of, need
from torch2om.layers.arity import sole
from torch2om.layers.dims import axes_of, reduced
from torch2om.layers.precision import rounded, widened


class ReduceKind(StrEnum):
    """What becomes of the elements along the reduced axes."""

    SUM = "SUM"
    MEAN = "MEAN"
    MAX = "MAX"
    MIN = "MIN"
    PROD = "PROD"


_Reducer = Callable[..., Any]  # Any: numpy's reductions promise no more

_REDUCE: Mapping[ReduceKind, _Reducer] = MappingProxyType(
    {
        ReduceKind.SUM: np.sum,
        ReduceKind.MEAN: np.mean,
        ReduceKind.MAX: np.max,
        ReduceKind.MIN: np.min,
        ReduceKind.PROD: np.prod,
    }
)


@dataclass(frozen=True)
class Reduce(Op):
    """y = kind of x over `axes`: sum, mean, largest, smallest or product; the dims stay as 1 with `keepdim`."""

    kind: ReduceKind
    axes: tuple[int, ...]
    keepdim: bool = False

    def __post_init__(self) -> None:
        need(len(self.axes) >= 1, "needs at least 1 axis")

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return the bottom's shape without the reduced dims, or with 1 in their place."""
        bottom = sole(bottoms, weights)
        return (reduced(bottom, axes_of(self.axes, len(bottom)), keepdim=self.keepdim),)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - has no weights
        """Return the reduced values; a NaN makes every result it enters NaN."""
        values = _REDUCE[self.kind](widened(bottoms[0]), axis=self.axes, keepdims=self.keepdim)
        return (rounded(values, bottoms[0]),)


@dataclass(frozen=True)
class ArgReduce(Op):
    """y = the index (as a floating-point number) of the largest or smallest element along `axis`, the first of equals.

    Caffe's ArgMax gives the last of equals.
    """

    kind: ReduceKind
    axis: int
    keepdim: bool = False

    def __post_init__(self) -> None:
        need(self.kind in {ReduceKind.MAX, ReduceKind.MIN}, f"kind must be MAX or MIN, is {self.kind}")

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return the bottom's shape without the dim, or with 1 in its place."""
        bottom = sole(bottoms, weights)
        return (reduced(bottom, (axis_of(self.axis, len(bottom)),), keepdim=self.keepdim),)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - has no weights
        """Return the indices; a NaN counts as the extreme (torch.argmax)."""
        find = np.argmax if self.kind is ReduceKind.MAX else np.argmin
        return (np.asarray(find(bottoms[0], axis=self.axis, keepdims=self.keepdim), dtype=bottoms[0].dtype),)


@dataclass(frozen=True)
class Standardize(Op):
    """y = (x - mean x) / sqrt(mean (x - mean x)^2 + eps) over `axes`; without `center` x / sqrt(mean x^2 + eps)."""

    axes: tuple[int, ...]
    eps: float
    center: bool = True

    def __post_init__(self) -> None:
        need(len(self.axes) >= 1, "needs at least 1 axis")
        need(self.eps >= 0, f"eps must not be negative, is {self.eps}")

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return the bottom's shape."""
        bottom = sole(bottoms, weights)
        axes_of(self.axes, len(bottom))
        return (bottom,)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - has no weights
        """Return the standardized values."""
        x = widened(bottoms[0])
        if self.center:
            x = x - x.mean(axis=self.axes, keepdims=True)
        power = np.square(x).mean(axis=self.axes, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            return (rounded(x / np.sqrt(power + x.dtype.type(self.eps)), bottoms[0]),)
