"""Sums, means, extremes and their indices, norms and softmax along dims."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from torch2om.errors import Refuse
from torch2om.ir.blob import Blob
from torch2om.layers import (
    AbsVal,
    ArgReduce,
    Arithmetic,
    ArithmeticKind,
    CompareKind,
    Exp,
    Log,
    Reduce,
    ReduceKind,
    Softmax,
)
from torch2om.lowering.comparison import compared
from torch2om.lowering.operands import affine, plus, raised
from torch2om.lowering.registry import Function, lowers
from torch2om.lowering.scope import Scope
from torch2om.lowering.views import reshaped
from torch2om.program.decompositions import MOST_ORDERED

aten = torch.ops.aten
Dims = Sequence[int] | int | None


def reduced(b: Scope, x: Blob, kind: ReduceKind, dims: Dims, *, keepdim: bool = False) -> Blob:
    """Return x reduced over `dims`; none named means all."""
    axes = axes_of(dims, x.rank)
    return b.add(Reduce(kind, axes, keepdim), x) if axes else x


def axes_of(dims: Dims, rank: int) -> tuple[int, ...]:
    """Return PyTorch's dims counted from the front; None and () mean all."""
    named = (dims,) if isinstance(dims, int) else tuple(dims or range(rank))
    return tuple(sorted(dim % rank for dim in named)) if rank else ()


def _over_all(kind: ReduceKind) -> Function:
    def lowering(b: Scope, self: Blob, dtype: torch.dtype | None) -> Blob:  # noqa: ARG001 - all blobs are floats
        return reduced(b, self, kind, None)

    lowering.__doc__ = f"The {kind.lower()} of all elements."
    return lowering


def _over_dims(kind: ReduceKind) -> Function:
    def lowering(b: Scope, self: Blob, dim: Dims, keepdim: bool, dtype: torch.dtype | None) -> Blob:  # noqa: ARG001 - the same
        return reduced(b, self, kind, dim, keepdim=keepdim)

    lowering.__doc__ = f"The {kind.lower()} over the dims `dim`."
    return lowering


def _extreme(kind: ReduceKind) -> Function:
    def lowering(b: Scope, self: Blob) -> Blob:
        return reduced(b, self, kind, None)

    lowering.__doc__ = f"The {kind.lower()} of all elements."
    return lowering


def _extreme_over_dims(kind: ReduceKind) -> Function:
    def lowering(b: Scope, self: Blob, dim: Dims, keepdim: bool) -> Blob:
        return reduced(b, self, kind, dim, keepdim=keepdim)

    lowering.__doc__ = f"The {kind.lower()} over the dims `dim`."
    return lowering


def _index_of_extreme(kind: ReduceKind) -> Function:
    def lowering(b: Scope, self: Blob, dim: int | None, keepdim: bool) -> Blob:
        if dim is not None:
            return b.add(ArgReduce(kind, dim % self.rank, keepdim), self)
        flat = reshaped(b, self, (math.prod(self.shape),))
        return reshaped(b, b.add(ArgReduce(kind, 0, keepdim=True), flat), b.expected[0])

    lowering.__doc__ = f"The place of the {kind.lower()} along `dim`, or among all elements."
    return lowering


lowers(aten.sum.default)(_over_all(ReduceKind.SUM))
lowers(aten.mean.default)(_over_all(ReduceKind.MEAN))
lowers(aten.prod.default)(_over_all(ReduceKind.PROD))
lowers(aten.sum.dim_IntList)(_over_dims(ReduceKind.SUM))
lowers(aten.mean.dim)(_over_dims(ReduceKind.MEAN))
lowers(aten.prod.dim_int)(_over_dims(ReduceKind.PROD))
lowers(aten.max.default)(_extreme(ReduceKind.MAX))
lowers(aten.min.default)(_extreme(ReduceKind.MIN))
lowers(aten.amax.default)(_extreme_over_dims(ReduceKind.MAX))
lowers(aten.amin.default)(_extreme_over_dims(ReduceKind.MIN))
lowers(aten.argmax.default)(_index_of_extreme(ReduceKind.MAX))
lowers(aten.argmin.default)(_index_of_extreme(ReduceKind.MIN))


@lowers(aten.topk.default)
def topk(b: Scope, self: Blob, k: int, dim: int, largest: bool, sorted: bool) -> tuple[Blob, ...]:  # noqa: ARG001 - one is sorted
    """The largest or smallest element along `dim` and its index."""
    if k != 1:
        raise Refuse(
            f"k={k}: Caffe has no sorting, and comparing each with each is for at most {MOST_ORDERED} elements",
            hint="use k=1 or argmax, or sort on the host",
        )
    kind, axis = ReduceKind.MAX if largest else ReduceKind.MIN, dim % self.rank
    return reduced(b, self, kind, axis, keepdim=True), b.add(ArgReduce(kind, axis, keepdim=True), self)


@lowers(aten.var.correction)
def var(b: Scope, self: Blob, dim: Dims, correction: float | None, keepdim: bool) -> Blob:
    """sum (x - mean)^2 / (n - correction), n the number of elements per result."""
    axes = axes_of(dim, self.rank)
    count = math.prod(self.shape[axis] for axis in axes)
    divisor = count - (1 if correction is None else correction)
    if divisor <= 0:
        raise Refuse(f"the variance of {count} elements with correction {correction} divides by {divisor}")
    mean = reduced(b, self, ReduceKind.MEAN, axes, keepdim=True)
    square = raised(b, b.add(Arithmetic(ArithmeticKind.SUB), self, mean), 2)
    return affine(b, reduced(b, square, ReduceKind.MEAN, axes, keepdim=keepdim), scale=count / divisor)


@lowers(aten.linalg_vector_norm.default)
def vector_norm(b: Scope, self: Blob, ord: float, dim: Dims, keepdim: bool, dtype: torch.dtype | None) -> Blob:  # noqa: ARG001 - all blobs are floats
    """(sum |x|^ord)^(1 / ord) over `dim`; the largest or smallest |x| for ord +-inf, how many are not 0 for ord 0."""
    if ord == 0:
        return reduced(b, compared(b, CompareKind.NE, self, 0.0), ReduceKind.SUM, dim, keepdim=keepdim)
    if ord == 2:
        return raised(b, reduced(b, raised(b, self, 2), ReduceKind.SUM, dim, keepdim=keepdim), 0.5)
    size = b.add(AbsVal(), self)
    if math.isinf(ord):
        return reduced(b, size, ReduceKind.MAX if ord > 0 else ReduceKind.MIN, dim, keepdim=keepdim)
    if ord == 1:
        return reduced(b, size, ReduceKind.SUM, dim, keepdim=keepdim)
    return raised(b, reduced(b, raised(b, size, ord), ReduceKind.SUM, dim, keepdim=keepdim), 1 / ord)


@lowers(aten.softmax.int)
def softmax(b: Scope, self: Blob, dim: int, dtype: torch.dtype | None) -> Blob:  # noqa: ARG001 - all blobs are floats
    """y = exp(x) / sum exp(x) along `dim`."""
    return b.add(Softmax(axis=dim % self.rank), self)


@lowers(aten.log_softmax.int)
def log_softmax(b: Scope, self: Blob, dim: int, dtype: torch.dtype | None) -> Blob:  # noqa: ARG001 - all blobs are floats
    """d - log sum exp(d) with d = x - max x along `dim`: a Log of a Softmax is -inf where the share underflows."""
    largest = reduced(b, self, ReduceKind.MAX, dim, keepdim=True)
    d = b.add(Arithmetic(ArithmeticKind.SUB), self, largest)
    total = reduced(b, b.add(Exp(), d), ReduceKind.SUM, dim, keepdim=True)
    return plus(b, d, b.add(Log(), total), alpha=-1)
