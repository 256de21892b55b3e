"""Layers that move, repeat or rename elements."""

from __future__ import annotations

from itertools import groupby
from math import isqrt, prod

import numpy as np

from torch2om.errors import Refuse
from torch2om.ir.blob import Blob
from torch2om.ir.op import Shape, axis_of
from torch2om.ir.weight import constant
from torch2om.layers import (
    BNLL,
    ELU,
    AbsVal,
    Concat,
    Convolution,
    Crop,
    Exp,
    Expand,
    LinearMap,
    Log,
    Mish,
    Pooling,
    PoolMethod,
    Power,
    Reduction,
    ReLU,
    ReLU6,
    Reorg,
    Reshape,
    Reverse,
    Rounding,
    ShuffleChannel,
    Sigmoid,
    Slice,
    Split,
    StridedSlice,
    TanH,
    Tile,
)
from torch2om.layers.unary import Unary
from torch2om.legalization.linear_map import MOST_PIECES, gather, selected
from torch2om.legalization.permutation import permute
from torch2om.legalization.rules import RuleBuilder, legalizes


@legalizes(Reshape)
def scalar_by_reduction(b: RuleBuilder, op: Reshape, x: Blob) -> Blob:
    """y = sum of x, for an x of one element: the 0-d blob of a target where Reshape must name dims.

    Exact.
    """
    if op.dims or prod(x.shape) != 1:
        raise Refuse("it is no reshape of one element to a 0-d blob")
    return b.add(Reduction(axis=0), b.reshape(x, (1,)))


@legalizes(Reshape)
def reshape_all_dims(b: RuleBuilder, op: Reshape, x: Blob) -> Blob:
    """Reshape(x) of some dims, or with copied or inferred ones = Reshape(x, all dims by number).

    Exact.
    """
    (shape,) = op.infer([x.shape], [])
    if op == Reshape(shape) or not shape:
        raise Refuse("it names all dims already, or there are none")
    return b.add(Reshape(shape), x)


@legalizes(AbsVal, BNLL, ELU, Exp, Log, Mish, Power, ReLU, ReLU6, Sigmoid, TanH)
def map_as_matrix(b: RuleBuilder, op: Unary, x: Blob) -> Blob:
    """f(x) of a vector = reshape(f(x as a matrix of one row)).

    Exact.
    """
    if x.rank > 1:
        raise Refuse("it is no vector")
    return b.reshape(b.add(op, b.reshape(x, (1, prod(x.shape)))), x.shape)


@legalizes(Concat)
def join_rows(b: RuleBuilder, op: Concat, *blobs: Blob) -> Blob:  # noqa: ARG001 - a vector has one axis
    """concat(x, y, ...) of vectors = reshape(concat(x, y, ... as matrices of one row)).

    Exact.
    """
    if blobs[0].rank != 1:
        raise Refuse("they are no vectors")
    rows = [b.reshape(blob, (1, *blob.shape)) for blob in blobs]
    return b.reshape(b.add(Concat(1), *rows), (sum(blob.shape[0] for blob in blobs),))


@legalizes(Concat)
def join_in_groups(b: RuleBuilder, op: Concat, *blobs: Blob) -> Blob:
    """concat(x_0, ..., x_n) = concat(concat(the first half), concat(the second half)).

    Exact.
    """
    if len(blobs) < 3:
        raise Refuse(f"it has {len(blobs)} bottoms")
    middle = len(blobs) // 2
    return b.add(op, b.add(op, *blobs[:middle]), b.add(op, *blobs[middle:]))


@legalizes(Slice)
def cut_row(b: RuleBuilder, op: Slice, x: Blob) -> tuple[Blob, ...]:
    """slice(x) of a vector = reshape(slice(x as a matrix of one row)).

    Exact.
    """
    if x.rank != 1:
        raise Refuse("it is no vector")
    parts = b.add_all(Slice(1, op.slice_point, op.tops), b.reshape(x, (1, *x.shape)))
    return tuple(b.reshape(part, part.shape[1:]) for part in parts)


@legalizes(Split)
def split_by_sharing(b: RuleBuilder, op: Split, x: Blob) -> tuple[Blob, ...]:  # noqa: ARG001 - adds no layer
    """y_k = x: whoever reads a y_k reads x itself.

    Exact.
    """
    return (x,) * op.tops


@legalizes(Slice)
def slice_at_points(b: RuleBuilder, op: Slice, x: Blob) -> tuple[Blob, ...]:
    """Slice(x) into equal parts = Slice(x) with its points written.

    Exact.
    """
    points = op.bounds(x.shape[op.axis])[1:-1]
    if op.slice_point == points:
        raise Refuse("its points are written already")
    return b.add_all(Slice(op.axis, points, op.tops), x)


@legalizes(Expand)
def expand_by_tiles(b: RuleBuilder, op: Expand, x: Blob) -> Blob:
    """y = tile(tile(x, axis), axis'): one Tile per run of dims that grow.

    Exact.
    """
    inner = (*(1,) * (len(op.shape) - x.rank), *x.shape)
    pairs = list(zip(inner, op.shape, strict=True))
    runs = [
        (grows, [(have, want) for have, want in run])
        for grows, run in groupby((pair for pair in pairs if pair[1] != 1), key=lambda pair: pair[0] != pair[1])
    ]
    if not runs:
        return b.reshape(x, op.shape)
    sizes = [1 if grows else prod(have for have, _ in run) for grows, run in runs]
    x = b.reshape(x, tuple(sizes))
    for axis, (grows, run) in reversed(list(enumerate(runs))):
        if grows:
            x = b.add(Tile(axis, prod(want for _, want in run)), x)
    return b.reshape(x, op.shape)


@legalizes(Tile)
def tile_by_concat(b: RuleBuilder, op: Tile, x: Blob) -> Blob:
    """y = concat(x, x, ..., x) along the axis.

    Exact.
    """
    if op.tiles > MOST_PIECES:
        raise Refuse(f"{op.tiles} copies are more than {MOST_PIECES}")
    return b.add(Concat(axis_of(op.axis, x.rank)), *(x,) * op.tiles) if op.tiles > 1 else x


@legalizes(Tile)
def tile_by_convolution(b: RuleBuilder, op: Tile, x: Blob) -> Blob:
    """y[p, t, q] = 1 * x[p, q]: a Convolution 1 x 1 of one channel to as many as there are copies.

    Exact.
    """
    axis = axis_of(op.axis, x.rank)
    image = b.reshape(x, (prod(x.shape[:axis]), 1, prod(x.shape[axis:]), 1))
    ones = constant(np.ones((op.tiles, 1, 1, 1)))
    y = b.add(Convolution(op.tiles, (1, 1), bias_term=False), image, weights=(ones,))
    return b.reshape(y, (*x.shape[:axis], op.tiles * x.shape[axis], *x.shape[axis + 1 :]))


@legalizes(Crop)
def crop_by_slices(b: RuleBuilder, op: Crop, x: Blob, reference: Blob) -> Blob:
    """Crop(x, reference) = x[start : start + length] along one dim after another; the reference is only measured.

    Exact.
    """
    (top,) = op.infer([x.shape, reference.shape], [])
    for axis, (start, length) in enumerate(zip(op.starts(x.rank), top, strict=True)):
        x = b.add(StridedSlice(axis, start, start + length), x) if length < x.shape[axis] else x
    return x


@legalizes(StridedSlice)
def slice_neighbours(b: RuleBuilder, op: StridedSlice, x: Blob) -> Blob:
    """y = the part start:stop of slice(x); x itself if that is all of it.

    Exact. The other parts are tops that nobody reads.
    """
    axis = axis_of(op.axis, x.rank)
    length = x.shape[axis]
    taken = op.bounds(length)
    if len(taken) > 1 and taken.step != 1:
        raise Refuse(f"its step is {op.step}")
    first, last = taken[0], taken[-1] + 1
    points = tuple(point for point in (first, last) if 0 < point < length)
    if not points:
        return x
    return b.add_all(Slice(axis, points, len(points) + 1), x)[1 if first else 0]


@legalizes(StridedSlice)
def slice_steps(b: RuleBuilder, op: StridedSlice, x: Blob) -> Blob:
    """y = x[start:stop:step] = pool(x[start:stop]) with kernel 1 and the step as stride.

    Exact: the maximum of one element.
    """
    axis = axis_of(op.axis, x.rank)
    length = x.shape[axis]
    taken = op.bounds(length)
    if len(taken) == 1 or op.step == 1:
        raise Refuse("its step is 1")
    reaches_end = taken[-1] + op.step >= length
    cut = StridedSlice(axis, taken[0], length if reaches_end else taken[-1] + 1)
    return subsample(b, b.add(cut, x) if len(cut.bounds(length)) < length else x, axis, op.step)


def subsample(b: RuleBuilder, x: Blob, axis: int, step: int) -> Blob:
    """y = x[::step] along the axis, by a Pooling of single elements."""
    before, after = x.shape[:axis], x.shape[axis + 1 :]
    if x.rank == 4 and axis >= 2:
        stride = (step, 1) if axis == 2 else (1, step)
        return b.add(Pooling(PoolMethod.MAX, (1, 1), stride, rounding=Rounding.FLOOR), x)
    image = b.reshape(x, (1, prod(before), x.shape[axis], prod(after)))
    y = b.add(Pooling(PoolMethod.MAX, (1, 1), (step, 1), rounding=Rounding.FLOOR), image)
    return b.reshape(y, (*before, y.shape[2], *after))


@legalizes(LinearMap)
def reverse_in_two_dims(b: RuleBuilder, op: LinearMap, x: Blob) -> Blob:
    """reverse(x) = reverse(reverse(x as [..., p, q, ...], p), q) for a matrix that turns p * q elements round.

    Exact. So a long axis needs slices of two short ones only.
    """
    axis = axis_of(op.axis, x.rank)
    length = x.shape[axis]
    rows = next((side for side in range(isqrt(length), 1, -1) if length % side == 0), 1)
    if rows == 1 or selected(b.weights[0]) != list(range(length - 1, -1, -1)):
        raise Refuse("it turns no axis round whose length has two factors")
    folded = b.reshape(x, (*x.shape[:axis], rows, length // rows, *x.shape[axis + 1 :]))
    return b.reshape(b.add(Reverse((axis, axis + 1)), folded), x.shape)


@legalizes(Reverse)
def reverse_by_gather(b: RuleBuilder, op: Reverse, x: Blob) -> Blob:
    """y[o] = x[length - 1 - o] along each axis.

    Exact.
    """
    for axis in op.axis:
        place = axis_of(axis, x.rank)
        x = gather(b, x, place, range(x.shape[place] - 1, -1, -1))
    return x


@legalizes(ShuffleChannel)
def shuffle_by_permute(b: RuleBuilder, op: ShuffleChannel, x: Blob) -> Blob:
    """y = reshape(permute(reshape(x, [N, group, C / group, ...]), swapping both)).

    Exact.
    """
    batch, channels, *rest = x.shape
    rows: Shape = (batch, op.group, channels // op.group, prod(rest))
    return b.reshape(permute(b, b.reshape(x, rows), (0, 2, 1, 3)), x.shape)


@legalizes(Reorg)
def reorg_by_permute(b: RuleBuilder, op: Reorg, x: Blob) -> Blob:
    """y = reshape(permute(reshape(x, squares as dims), the place in the square before the channel)).

    Exact.
    """
    (top,) = op.infer([x.shape], [])
    batch, _, height, width = x.shape
    side = op.stride
    if op.reverse:
        parts = b.reshape(x, (batch, side, side, top[1], height, width))
        return b.reshape(permute(b, parts, (0, 3, 4, 1, 5, 2)), top)
    parts = b.reshape(x, (batch, x.shape[1], top[2], side, top[3], side))
    return b.reshape(permute(b, parts, (0, 3, 5, 1, 2, 4)), top)
