"""Normalization by the input's own statistics, from means, squares, Power and Scale with two bottoms."""

from __future__ import annotations

from math import prod

import numpy as np

from torch2om.errors import Refuse
from torch2om.ir.blob import Blob
from torch2om.ir.op import Shape
from torch2om.ir.weight import constant
from torch2om.layers import (
    LRN,
    MVN,
    Arithmetic,
    ArithmeticKind,
    BatchNorm,
    Bias,
    Convolution,
    Eltwise,
    EltwiseOperation,
    Normalize,
    NormRegion,
    Pooling,
    PoolMethod,
    Power,
    Reduce,
    ReduceKind,
    Reduction,
    ReductionOperation,
    Scale,
    Standardize,
)
from torch2om.layers.dims import axes_of
from torch2om.legalization.permutation import permute
from torch2om.legalization.rules import RuleBuilder, legalizes

PRODUCT = Eltwise(EltwiseOperation.PROD)


@legalizes(Standardize)
def standardize_rows(b: RuleBuilder, op: Standardize, x: Blob) -> Blob:
    """y = d * (mean d^2 + eps)^-0.5, d = x - mean x, over the rows of x as a matrix: Reduction, Bias, Power, Scale.

    Exact. Without `center` d is x.
    """
    before, length = _rows(op, x.shape)
    rows = b.reshape(x, (prod(before), length))
    if op.center:
        rows = b.add(Bias(0), rows, b.add(Reduction(ReductionOperation.MEAN, 1, -1.0), rows))
    return b.reshape(_divided(b, op, rows), x.shape)


@legalizes(Standardize)
def standardize_after_mvn(b: RuleBuilder, op: Standardize, x: Blob) -> Blob:
    """y = d * (mean d^2 + eps)^-0.5, d = MVN(x) that only takes the mean away.

    Exact. MVN's own division adds its eps outside the root, so it serves for an eps of 0 only.
    """
    if not op.center:
        raise Refuse("MVN always takes the mean away")
    before, length = _rows(op, x.shape)
    image = x if x.rank == 4 and len(before) == 2 else b.reshape(x, (1, prod(before), length, 1))
    if op.eps == 0:
        return b.reshape(b.add(MVN(eps=0.0), image), x.shape)
    centred = b.add(MVN(normalize_variance=False), image)
    return b.reshape(_divided(b, op, b.reshape(centred, (prod(before), length))), x.shape)


def _rows(op: Standardize, shape: Shape) -> tuple[Shape, int]:
    """Return the dims before those that `op` works on, and the number of elements of these, which must be the last."""
    axes = axes_of(op.axes, len(shape))
    first = min(axes)
    if any(shape[axis] != 1 for axis in range(first, len(shape)) if axis not in axes):
        raise Refuse(f"dims {list(axes)} of {list(shape)} are not the last")
    return shape[:first], prod(shape[first:])


def _divided(b: RuleBuilder, op: Standardize, rows: Blob) -> Blob:
    """Return each row divided by its root mean square."""
    power = b.add(Reduction(ReductionOperation.SUMSQ, 1, 1 / rows.shape[1]), rows)
    return b.add(Scale(0), rows, b.add(Power(power=-0.5, shift=op.eps), power))


@legalizes(Standardize)
def standardize_channels(b: RuleBuilder, op: Standardize, x: Blob) -> Blob:
    """y = d * (mean d^2 + eps)^-0.5, d = x - mean x, the means over the channels of images as Convolutions 1 x 1.

    Exact. Without `center` d is x.
    """
    if not _over_channels(op, x):
        raise Refuse("it is not over the channels of images alone")
    d = b.add(Arithmetic(ArithmeticKind.ADD), x, _mean_channel(b, x, -1)) if op.center else x
    power = _mean_channel(b, b.add(Power(power=2.0), d), 1)
    return _times(b, d, b.add(Power(power=-0.5, shift=op.eps), power))


def _over_channels(op: Standardize, x: Blob) -> bool:
    return x.rank == 4 and axes_of(op.axes, 4) == (1,)


def _mean_channel(b: RuleBuilder, x: Blob, sign: int) -> Blob:
    """Return the mean of the channels, or its negative, as the one channel of an image."""
    filters = constant(np.full((1, x.shape[1], 1, 1), sign / x.shape[1]))
    return b.add(Convolution(1, (1, 1), bias_term=False), x, weights=(filters,))


@legalizes(Standardize)
def standardize_by_means(b: RuleBuilder, op: Standardize, x: Blob) -> Blob:
    """y = d * (mean d^2 + eps)^-0.5, d = x - mean x, with the means as reductions that keep their dims.

    Exact. Without `center` d is x.
    """
    if _over_channels(op, x):
        raise Refuse("it is over the channels of images alone: a Convolution takes their mean")
    centred = _centred(b, x, op.axes) if op.center else x
    return _times(b, centred, b.add(Power(power=-0.5, shift=op.eps), _mean_square(b, centred, op.axes)))


def _centred(b: RuleBuilder, x: Blob, axes: tuple[int, ...]) -> Blob:
    return b.add(Arithmetic(ArithmeticKind.SUB), x, b.add(Reduce(ReduceKind.MEAN, axes, keepdim=True), x))


def _mean_square(b: RuleBuilder, x: Blob, axes: tuple[int, ...]) -> Blob:
    return b.add(Reduce(ReduceKind.MEAN, axes, keepdim=True), b.add(Power(power=2.0), x))


def _times(b: RuleBuilder, x: Blob, factor: Blob) -> Blob:
    return b.add(Arithmetic(ArithmeticKind.MUL), x, factor)


@legalizes(Standardize)
def standardize_after_permuting(b: RuleBuilder, op: Standardize, x: Blob) -> Blob:
    """y = permute(standardize(permute(x, the dims last), the last dims), back).

    Exact.
    """
    axes = sorted(axes_of(op.axes, x.rank))
    kept = [axis for axis in range(x.rank) if axis not in axes]
    order = (*kept, *axes)
    if order == tuple(range(x.rank)):
        raise Refuse("the dims are the last already")
    y = b.add(Standardize(tuple(range(len(kept), x.rank)), op.eps, op.center), permute(b, x, order))
    return permute(b, y, tuple(order.index(axis) for axis in range(x.rank)))


@legalizes(BatchNorm)
def batch_norm_by_own_statistics(b: RuleBuilder, op: BatchNorm, x: Blob) -> Blob:
    """BatchNorm(x) = standardize(x, all dims but 1), if it takes the batch's own statistics.

    Exact.
    """
    if op.use_global_stats:
        raise Refuse("it takes stored statistics")
    return b.add(Standardize(tuple(axis for axis in range(x.rank) if axis != 1), op.eps), x)


@legalizes(MVN)
def mvn_of_image(b: RuleBuilder, op: MVN, x: Blob) -> Blob:
    """MVN(x) = MVN(x with dims of 1 behind), of 4 dims.

    Exact: Caffe reads any blob so.
    """
    (top,) = op.infer([x.shape], [])
    if x.shape == top:
        raise Refuse("x has 4 dims already")
    return b.add(op, b.reshape(x, top))


@legalizes(MVN)
def mvn_by_means(b: RuleBuilder, op: MVN, x: Blob) -> Blob:
    """y = d / ((mean d^2)^0.5 + eps), d = x - mean x.

    Exact.
    """
    (top,) = op.infer([x.shape], [])
    axes = (1, 2, 3) if op.across_channels else (2, 3)
    centred = _centred(b, b.reshape(x, top), axes)
    if not op.normalize_variance:
        return centred
    deviation = b.add(Power(power=0.5), _mean_square(b, centred, axes))
    return _times(b, centred, b.add(Power(power=-1.0, shift=op.eps), deviation))


@legalizes(Normalize)
def normalize_by_sums(b: RuleBuilder, op: Normalize, x: Blob) -> Blob:
    """y = scale[c] * x * (sum x^2 + eps)^-0.5.

    Exact.
    """
    axes = tuple(range(1, x.rank)) if op.across_spatial else (1,)
    total = b.add(Reduce(ReduceKind.SUM, axes, keepdim=True), b.add(PRODUCT, x, x))
    y = _times(b, x, b.add(Power(power=-0.5, shift=op.eps), total))
    return b.add(Scale(1, 0 if op.channel_shared else 1), y, weights=b.weights)


@legalizes(LRN)
def lrn_by_pooling(b: RuleBuilder, op: LRN, x: Blob) -> Blob:
    """y = x * (k + alpha * mean of x^2 over the neighbours)^-beta, the mean by a Pooling with padding.

    Exact: the Pooling divides by the whole window, zeros beyond the edges included. Channels are its height.
    """
    squares = b.add(PRODUCT, x, x)
    size, pad = op.local_size, op.local_size // 2
    if op.norm_region is NormRegion.WITHIN_CHANNEL:
        mean, shift = b.add(Pooling(PoolMethod.AVE, (size, size), pad=(pad, pad)), squares), 1.0
    else:
        batch, channels, height, width = x.shape
        image = b.reshape(squares, (batch, 1, channels, height * width))
        mean, shift = b.add(Pooling(PoolMethod.AVE, (size, 1), pad=(pad, 0)), image), op.k
    factor = b.add(Power(power=-op.beta, scale=op.alpha, shift=shift), b.reshape(mean, x.shape))
    return b.add(PRODUCT, x, factor)
