"""Sums, means and extremes over any dims, from Reduction, Pooling and Permute."""

from __future__ import annotations

from itertools import groupby
from math import prod

import numpy as np

from torch2om.errors import Refuse
from torch2om.ir.blob import Blob
from torch2om.ir.op import Shape, axis_of
from torch2om.ir.weight import constant
from torch2om.layers import (
    AbsVal,
    Convolution,
    Eltwise,
    EltwiseOperation,
    Pooling,
    PoolMethod,
    Power,
    Reduce,
    ReduceKind,
    Reduction,
    ReductionOperation,
    Slice,
)
from torch2om.layers.dims import axes_of
from torch2om.legalization.permutation import permute
from torch2om.legalization.rules import RuleBuilder, legalizes

SUM, MEAN, MAX, MIN, PROD = ReduceKind.SUM, ReduceKind.MEAN, ReduceKind.MAX, ReduceKind.MIN, ReduceKind.PROD
NEGATIVE = Power(scale=-1.0)
MOST_FACTORS = 1024  # a product of more has no sensible magnitude


def _run(op: Reduce, shape: Shape) -> tuple[Shape, int, Shape]:
    """Return the dims before the reduced ones, the number of elements reduced to one, the dims behind.

    Refuses if dims of more than one element lie between the reduced ones.
    """
    axes = axes_of(op.axes, len(shape))
    first, last = min(axes), max(axes)
    if any(shape[axis] != 1 for axis in range(first, last) if axis not in axes):
        raise Refuse(f"dims lie between the reduced ones {list(axes)}")
    return shape[:first], prod(shape[axis] for axis in axes), shape[last + 1 :]


def _reduced(b: RuleBuilder, op: Reduce, x: Blob, y: Blob) -> Blob:
    """Return y under the dims that reducing x gives."""
    (top,) = op.infer([x.shape], [])
    return b.reshape(y, top)


@legalizes(Reduce)
def reduce_nothing(b: RuleBuilder, op: Reduce, x: Blob) -> Blob:
    """y = reshape(x), where every reduced dim has one element.

    Exact.
    """
    _, length, _ = _run(op, x.shape)
    if length != 1:
        raise Refuse(f"it reduces {length} elements")
    return _reduced(b, op, x, x)


@legalizes(Reduce)
def reduce_image_by_global_pooling(b: RuleBuilder, op: Reduce, x: Blob) -> Blob:
    """mean or max over height and width = Pooling(x, global); a sum is the mean times their number.

    Exact.
    """
    if x.rank != 4 or sorted(axes_of(op.axes, 4)) != [2, 3] or op.kind not in {SUM, MEAN, MAX}:
        raise Refuse("it is no sum, mean or maximum over height and width")
    method = PoolMethod.MAX if op.kind is MAX else PoolMethod.AVE
    y = b.add(Pooling(method, global_pooling=True), x)
    return _reduced(b, op, x, _scaled(b, y, op, x.shape[2] * x.shape[3]))


def _scaled(b: RuleBuilder, mean: Blob, op: Reduce, length: int) -> Blob:
    return b.add(Power(scale=float(length)), mean) if op.kind is SUM and length > 1 else mean


@legalizes(Reduce)
def reduce_tail_by_reduction(b: RuleBuilder, op: Reduce, x: Blob) -> Blob:
    """sum or mean over the last dims = Reduction(x, the first of them).

    Exact.
    """
    before, _, after = _run(op, x.shape)
    if op.kind not in {SUM, MEAN} or prod(after) != 1:
        raise Refuse("it is no sum or mean over the last dims")
    operation = ReductionOperation.SUM if op.kind is SUM else ReductionOperation.MEAN
    return _reduced(b, op, x, b.add(Reduction(operation, len(before)), x))


@legalizes(Reduce)
def reduce_by_pooling(b: RuleBuilder, op: Reduce, x: Blob) -> Blob:
    """mean or max over a run of dims = Pooling of the run as height; a sum is the mean times their number.

    Exact.
    """
    before, length, after = _run(op, x.shape)
    if op.kind not in {SUM, MEAN, MAX}:
        raise Refuse(f"Pooling computes no {op.kind}")
    method = PoolMethod.MAX if op.kind is MAX else PoolMethod.AVE
    image = b.reshape(x, (1, prod(before), length, prod(after)))
    pooling = Pooling(method, global_pooling=True) if prod(after) == 1 else Pooling(method, (length, 1))
    return _reduced(b, op, x, _scaled(b, b.add(pooling, image), op, length))


@legalizes(Reduce)
def reduce_minimum_by_maximum(b: RuleBuilder, op: Reduce, x: Blob) -> Blob:
    """min x = -max(-x).

    Exact.
    """
    if op.kind is not MIN:
        raise Refuse("it is no minimum")
    return b.add(NEGATIVE, b.add(Reduce(MAX, op.axes, op.keepdim), b.add(NEGATIVE, x)))


@legalizes(Reduce)
def reduce_runs_in_turn(b: RuleBuilder, op: Reduce, x: Blob) -> Blob:
    """y = reduce(reduce(x, the last run of dims), the other dims).

    Exact: a mean of means of equally many elements is the mean of all.
    """
    axes = sorted(axes_of(op.axes, x.rank))
    runs = [[axis for _, axis in run] for _, run in groupby(enumerate(axes), key=lambda pair: pair[1] - pair[0])]
    if len(runs) == 1:
        raise Refuse("the reduced dims are neighbours")
    y = b.add(Reduce(op.kind, tuple(runs[-1]), keepdim=True), x)
    others = tuple(axis for run in runs[:-1] for axis in run)
    return _reduced(b, op, x, b.add(Reduce(op.kind, others, keepdim=True), y))


@legalizes(Reduce)
def reduce_after_permuting(b: RuleBuilder, op: Reduce, x: Blob) -> Blob:
    """y = reduce(permute(x, the reduced dims last), the last dims).

    Exact.
    """
    axes = sorted(axes_of(op.axes, x.rank))
    kept = [axis for axis in range(x.rank) if axis not in axes]
    if kept + axes == list(range(x.rank)):
        raise Refuse("the reduced dims are the last")
    rows = permute(b, x, (*kept, *axes))
    return _reduced(b, op, x, b.add(Reduce(op.kind, tuple(range(len(kept), x.rank))), rows))


@legalizes(Reduce)
def reduce_by_convolution(b: RuleBuilder, op: Reduce, x: Blob) -> Blob:
    """sum over k of x[p, k, q] = a Convolution 1 x 1 with weights 1 (a mean: 1 / length).

    Exact.
    """
    before, length, after = _run(op, x.shape)
    if op.kind not in {SUM, MEAN}:
        raise Refuse(f"a Convolution computes no {op.kind}")
    image = b.reshape(x, (prod(before), length, prod(after), 1))
    ones = constant(np.full((1, length, 1, 1), 1.0 if op.kind is SUM else 1 / length))
    return _reduced(b, op, x, b.add(Convolution(1, (1, 1), bias_term=False), image, weights=(ones,)))


@legalizes(Reduce)
def multiply_slices(b: RuleBuilder, op: Reduce, x: Blob) -> Blob:
    """product over k of x[p, k, q] = Eltwise product of the slices x[p, 0, q], x[p, 1, q], ...

    Exact.
    """
    before, length, after = _run(op, x.shape)
    if op.kind is not PROD or not 1 < length <= MOST_FACTORS:
        raise Refuse(f"it is no product of 2 to {MOST_FACTORS} elements")
    parts = b.add_all(Slice(1, tuple(range(1, length)), length), b.reshape(x, (prod(before), length, prod(after))))
    return _reduced(b, op, x, b.add(Eltwise(EltwiseOperation.PROD), *parts))


@legalizes(Reduction)
def reduce_rows(b: RuleBuilder, op: Reduction, x: Blob) -> Blob:
    """Reduction(x, axis) = Reduction(x as a matrix, 1).

    Exact.
    """
    axis = axis_of(op.axis, x.rank) if x.rank else 0
    (top,) = op.infer([x.shape], [])
    rows = b.reshape(x, (prod(x.shape[:axis]), prod(x.shape[axis:])))
    if rows is x:
        raise Refuse("it reduces the rows of a matrix already")
    return b.reshape(b.add(Reduction(op.operation, 1, op.coeff), rows), top)


@legalizes(Reduction)
def reduction_as_reduce(b: RuleBuilder, op: Reduction, x: Blob) -> Blob:
    """Reduction(x) = coeff * reduce(f(x)) over the last dims, f(x) = |x| for ASUM, x^2 for SUMSQ.

    Exact.
    """
    inner = {ReductionOperation.ASUM: AbsVal(), ReductionOperation.SUMSQ: Power(power=2.0)}.get(op.operation)
    first = axis_of(op.axis, x.rank)
    averages = op.operation is not ReductionOperation.MEAN and op.coeff * prod(x.shape[first:]) == 1
    kind = MEAN if averages or op.operation is ReductionOperation.MEAN else SUM
    y = b.add(Reduce(kind, tuple(range(first, x.rank))), x if inner is None else b.add(inner, x))
    return y if averages or op.coeff == 1 else b.add(Power(scale=op.coeff), y)
