"""Layers in the dims that a target has: axes counted from the front, and no more dims than it takes.

A layer between blobs of more dims works on the same elements under fewer; the Reshapes between such layers join
(`tidying`), so that in the end no blob is left that has too many.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod

from torch2om.errors import Refuse
from torch2om.ir.blob import Blob
from torch2om.ir.op import Op, axis_of
from torch2om.layers import (
    ELU,
    AbsVal,
    ArgMax,
    BatchNorm,
    Bias,
    Concat,
    Crop,
    Exp,
    Flatten,
    InnerProduct,
    Log,
    Permute,
    Power,
    PReLU,
    ReLU,
    Reshape,
    Reverse,
    Scale,
    Sigmoid,
    Slice,
    Softmax,
    TanH,
    Tile,
)
from torch2om.layers.dims import merge_dims
from torch2om.layers.unary import Unary
from torch2om.legalization.permutation import block_moves
from torch2om.legalization.rules import RuleBuilder, legalizes

MOST_DIMS = 4


@legalizes(ArgMax, Bias, Concat, Crop, Flatten, InnerProduct, Scale, Slice, Softmax, Tile)
def count_axis_from_front(b: RuleBuilder, op: Op, *blobs: Blob) -> Blob | tuple[Blob, ...]:
    """an axis of -k = the axis rank - k.

    Exact.
    """
    axis = getattr(op, "axis", None)
    if axis is None or axis >= 0:
        raise Refuse("its axis is counted from the front already, or it has none")
    changes: dict[str, int] = {"axis": axis_of(axis, blobs[0].rank)}
    return b.add_all(replace(op, **changes), *blobs, weights=b.weights)


@legalizes(Reverse)
def reverse_axes_in_turn(b: RuleBuilder, op: Reverse, x: Blob) -> Blob:
    """reverse(x, several axes) = reverse(reverse(x, one), another), each counted from the front.

    Exact.
    """
    if len(op.axis) == 1 and op.axis[0] >= 0:
        raise Refuse("it turns one axis round, counted from the front")
    for axis in op.axis:
        x = b.add(Reverse((axis_of(axis, x.rank),)), x)
    return x


@legalizes(AbsVal, ELU, Exp, Log, Power, ReLU, Sigmoid, TanH)
def map_folded(b: RuleBuilder, op: Unary, x: Blob) -> Blob:
    """f(x) of more than 4 dims = reshape(f(x with its last dims made one)).

    Exact.
    """
    return b.reshape(b.add(op, b.reshape(x, _few(x))), x.shape)


@legalizes(BatchNorm, PReLU)
def map_channels_folded(b: RuleBuilder, op: BatchNorm | PReLU, x: Blob) -> Blob:
    """f(x) of more than 4 dims = reshape(f(x as [N, C, places, 1])).

    Exact.
    """
    image = b.reshape(x, (*_few(x)[:2], prod(x.shape[2:]), 1))
    return b.reshape(b.add(op, image, weights=b.weights), x.shape)


def _few(x: Blob) -> tuple[int, ...]:
    """Return the dims of x with those from the fourth on made one; refuse if it has no more than 4."""
    if x.rank <= MOST_DIMS:
        raise Refuse(f"it has {x.rank} dims")
    return (*x.shape[: MOST_DIMS - 1], prod(x.shape[MOST_DIMS - 1 :]))


@legalizes(Concat)
def join_folded(b: RuleBuilder, op: Concat, *blobs: Blob) -> Blob:
    """concat(x, y, ...) of more than 4 dims = concat(x, y, ... as [before, the axis, behind]).

    Exact.
    """
    _few(blobs[0])
    axis = axis_of(op.axis, blobs[0].rank)
    (top,) = op.infer([blob.shape for blob in blobs], [])
    return b.reshape(b.add(Concat(1), *(_around(b, blob, axis) for blob in blobs)), top)


@legalizes(Slice)
def cut_folded(b: RuleBuilder, op: Slice, x: Blob) -> tuple[Blob, ...]:
    """slice(x) of more than 4 dims = slice(x as [before, the axis, behind]).

    Exact.
    """
    _few(x)
    axis = axis_of(op.axis, x.rank)
    parts = b.add_all(replace(op, axis=1), _around(b, x, axis))
    return tuple(b.reshape(part, (*x.shape[:axis], part.shape[1], *x.shape[axis + 1 :])) for part in parts)


@legalizes(Reverse)
def reverse_folded(b: RuleBuilder, op: Reverse, x: Blob) -> Blob:
    """reverse(x) of more than 4 dims = reverse(x as [before, the axis, behind]).

    Exact. Of one axis.
    """
    _few(x)
    if len(op.axis) != 1:
        raise Refuse(f"it turns {len(op.axis)} axes round")
    return b.reshape(b.add(Reverse((1,)), _around(b, x, axis_of(op.axis[0], x.rank))), x.shape)


@legalizes(ArgMax)
def find_folded(b: RuleBuilder, op: ArgMax, x: Blob) -> Blob:
    """ArgMax(x) of more than 4 dims = ArgMax(x as [before, the axis, behind]).

    Exact.
    """
    _few(x)
    if op.axis is None:
        raise Refuse("it has no axis")
    (top,) = op.infer([x.shape], [])
    return b.reshape(b.add(replace(op, axis=1), _around(b, x, axis_of(op.axis, x.rank))), top)


def _around(b: RuleBuilder, x: Blob, axis: int) -> Blob:
    return b.reshape(x, (prod(x.shape[:axis]), x.shape[axis], prod(x.shape[axis + 1 :])))


@legalizes(Flatten)
def flatten_by_reshape(b: RuleBuilder, op: Flatten, x: Blob) -> Blob:
    """Flatten(x) = Reshape(x, the flattened dims); x itself if nothing is flattened.

    Exact.
    """
    (top,) = op.infer([x.shape], [])
    return x if top == x.shape else b.add(Reshape(top), x)


@legalizes(Permute)
def permute_in_blocks(b: RuleBuilder, op: Permute, x: Blob) -> Blob:
    """permute(x) = permute(... permute(x)): each moves at most 4 runs of neighbouring dims.

    Exact.
    """
    order = op.full_order(x.rank)
    sizes, wanted = merge_dims(x.shape, order)
    moves = block_moves(wanted, MOST_DIMS)
    if len(moves) == 1 and x.rank <= MOST_DIMS:
        raise Refuse("it moves few dims already")
    y = x
    for runs, places in moves:
        y = b.add(Permute(places), b.reshape(y, tuple(prod(sizes[dim] for dim in run) for run in runs)))
    return b.reshape(y, tuple(x.shape[dim] for dim in order))
