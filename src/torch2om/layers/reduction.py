"""Layers that compare or add up along an axis."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from torch2om.ir.op import Array, Arrays, Op, Shape, Shapes, axis_of, elements, need
from torch2om.ir.spelling import Given, Spelling, Unwritten, spelled
from torch2om.layers.arity import sole
from torch2om.layers.dims import with_dim
from torch2om.layers.precision import rounded, widened


class ReductionOperation(StrEnum):
    """What Reduction makes of the elements: their sum, sum of magnitudes, sum of squares, or mean."""

    SUM = "SUM"
    ASUM = "ASUM"
    SUMSQ = "SUMSQ"
    MEAN = "MEAN"


@dataclass(frozen=True)
class Reduction(Op):
    """y = coeff * operation(x over `axis` and every dim behind it).

    The reduced dims vanish: `axis` 0 gives a 0-d blob (Caffe's reduction_layer; golden Reduction/*-axis0).
    """

    caffe_type = "Reduction"
    message = "reduction_param"

    operation: ReductionOperation = ReductionOperation.SUM
    axis: int = 0
    coeff: float = 1.0

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return the dims before `axis`."""
        bottom = sole(bottoms, weights)
        return (bottom[: axis_of(self.axis, len(bottom))],)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - has no weights
        """Return the reduced values."""
        (top,) = self.infer([bottoms[0].shape], [])
        rows = widened(bottoms[0]).reshape(elements(top), -1)
        return (rounded(self._reduced(rows) * rows.dtype.type(self.coeff), bottoms[0]).reshape(top),)

    def _reduced(self, rows: Array) -> Array:
        """Return one value per row."""
        values: Array
        match self.operation:
            case ReductionOperation.SUM:
                values = rows.sum(axis=1)
            case ReductionOperation.ASUM:
                values = np.abs(rows).sum(axis=1)
            case ReductionOperation.SUMSQ:
                values = np.square(rows).sum(axis=1)
            case ReductionOperation.MEAN:
                values = rows.mean(axis=1)
        return values


@dataclass(frozen=True)
class ArgMax(Op):
    """y = the indices (as floating-point numbers) of the `top_k` largest elements, the largest first.

    With `axis`: along it, and with `out_max_val` the values instead of the indices. Without: over all dims but the
    first, top [N, 1, top_k] with as many 1s behind as the bottom's rank needs; with `out_max_val` [N, 2, top_k]:
    indices, then values. Of equal elements the one with the higher index comes first, because Caffe's argmax_layer
    sorts pairs (value, index) downwards; with `first_of_equals` the lower one, as in ATC's kernel (CANN
    tbe/impl/arg_max_with_kd.py, vcmax).
    """

    caffe_type = "ArgMax"
    message = "argmax_param"

    out_max_val: bool = False
    top_k: int = 1
    axis: int | None = spelled(Spelling("axis", always=True), default=None)  # the proto's default 0 is no axis
    first_of_equals: bool = spelled(Unwritten(""), default=False, dialects={"ascend": Given("", value=True)})

    def __post_init__(self) -> None:
        need(self.top_k >= 1, f"top_k must be at least 1, is {self.top_k}")

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return the shape described above; `top_k` must not pass the number of elements compared."""
        bottom = sole(bottoms, weights)
        need(len(bottom) >= 1, "needs a bottom of rank 1 or more")
        length = elements(bottom[1:]) if self.axis is None else bottom[axis_of(self.axis, len(bottom))]
        need(self.top_k <= length, f"top_k {self.top_k} passes the {length} elements compared")
        if self.axis is not None:
            return (with_dim(bottom, axis_of(self.axis, len(bottom)), self.top_k),)
        return ((bottom[0], 2 if self.out_max_val else 1, self.top_k, *(1,) * (len(bottom) - 3)),)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - has no weights
        """Return indices, values or both, as described above."""
        (x,) = bottoms
        (top,) = self.infer([x.shape], [])
        if self.axis is not None:
            indices = self._largest(x, self.axis)
            return (np.take_along_axis(x, indices, self.axis) if self.out_max_val else indices.astype(x.dtype),)
        rows = x.reshape(x.shape[0], -1)
        indices = self._largest(rows, 1)
        found = [indices.astype(x.dtype)]
        if self.out_max_val:
            found.append(np.take_along_axis(rows, indices, 1))
        return (np.stack(found, axis=1).reshape(top),)

    def _largest(self, x: Array, axis: int) -> npt.NDArray[np.intp]:
        """Return the indices of the `top_k` largest elements along `axis`, ordered as the class says."""
        if self.first_of_equals:
            forwards: npt.NDArray[np.intp] = np.argsort(-x, axis=axis, kind="stable").take(range(self.top_k), axis=axis)
            return forwards
        backwards = np.argsort(-np.flip(x, axis), axis=axis, kind="stable")
        largest: npt.NDArray[np.intp] = x.shape[axis] - 1 - backwards.take(range(self.top_k), axis=axis)
        return largest


@dataclass(frozen=True)
class Softmax(Op):
    """y = exp(x - max x) / sum exp(x - max x) along `axis`."""

    caffe_type = "Softmax"
    message = "softmax_param"

    axis: int = 1

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return the bottom's shape."""
        bottom = sole(bottoms, weights)
        axis_of(self.axis, len(bottom))
        return (bottom,)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - has no weights
        """Return the shares; they add up to 1 along `axis`."""
        x = widened(bottoms[0])
        y = x - x.max(axis=self.axis, keepdims=True)
        np.exp(y, out=y)
        y /= y.sum(axis=self.axis, keepdims=True)
        return (rounded(y, bottoms[0]),)
