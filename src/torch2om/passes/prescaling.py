"""Rewrites that put affine maps into the weights of the layer behind them.

The maps of a net's input itself stay: what a picture is normalized by is for the device's AIPP to take over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from torch2om.ir.blob import Blob
from torch2om.ir.net import Layer
from torch2om.ir.op import Array, Op
from torch2om.ir.weight import AnyArray, Precision, Weight, combine, constant, scaled
from torch2om.layers import (
    Bias,
    Convolution,
    Eltwise,
    EltwiseOperation,
    HardSigmoid,
    HardSwish,
    InnerProduct,
    Permute,
    Power,
    ReLU6,
    Reshape,
    Scale,
)
from torch2om.passes.rules import RewriteBuilder, rewrites


@dataclass(frozen=True)
class _Affine:
    """s * x + t along the dims from `axis` on that s and t have; either may be missing."""

    scale: Weight | None
    shift: Weight | None
    axis: int


@rewrites(InnerProduct)
def inner_product_after_affine(b: RewriteBuilder, op: InnerProduct, x: Blob) -> Blob | None:
    """W (s * x + t) + c = (W s) x + (W t + c), for numbers along the dims that W reads; Reshapes and Permutes between.

    Those between leave the last dim where it is, and s and t vary along that one alone.
    """
    moves = _moves_before(b, x)
    start = b.bottoms(moves[-1])[0] if moves else x
    found = _affine_before(b, start)
    read = x.rank - op.axis % x.rank
    if found is None or (moves and read != 1):
        return None
    source, affine = found
    behind = start.rank - affine.axis
    if behind > read:
        return None

    def columns(values: Array) -> Array:
        tail = values.reshape((*values.shape, *(1,) * (behind - values.ndim)))
        row = np.broadcast_to(tail, x.shape[-read:]).reshape(1, -1)
        return row.T if op.transpose else row

    y = source
    for move in reversed(moves):
        y = b.add(_as_it_is(b, move), y)
    return _absorb(b, op, y, affine, columns, kept=int(op.transpose))


def _as_it_is(b: RewriteBuilder, move: Layer) -> Op:
    """Return the move with its dims written out: what stands before it may be named otherwise."""
    (bottom,) = b.bottoms(move)
    return Reshape(move.op.infer([bottom.shape], ())[0]) if isinstance(move.op, Reshape) else move.op


@rewrites(Convolution)
def convolution_after_affine(b: RewriteBuilder, op: Convolution, x: Blob) -> Blob | None:
    """W (s * x + t) + c = (W s) x + (W t + c), for numbers per input channel.

    Where windows pass the image's edge, t must be 0: what lies beyond is 0 and is not shifted.
    """
    found = _affine_before(b, x)
    if found is None:
        return None
    source, affine = found
    numbers = [weight for weight in (affine.scale, affine.shift) if weight is not None]
    per_channel = all(not weight.shape or (affine.axis == 1 and len(weight.shape) == 1) for weight in numbers)
    inside = all(size >= extent for size, extent in zip(x.shape[2:], op.window.extent, strict=True))
    if not per_channel or (affine.shift is not None and (any(op.pad) or not inside)):
        return None
    channels, group = x.shape[1], op.group

    def columns(values: Array) -> Array:
        per_group = np.broadcast_to(values, (channels,)).reshape(group, 1, -1)
        rows = np.broadcast_to(per_group, (group, op.num_output // group, channels // group))
        return rows.reshape(op.num_output, -1, *(1,) * (x.rank - 2))

    return _absorb(b, op, source, affine, columns)


@rewrites(InnerProduct, Convolution)
def linear_after_hard_swish(b: RewriteBuilder, op: InnerProduct | Convolution, x: Blob) -> Blob | None:
    """W hard_swish(x) + c = (W / 6) (x * relu6(x + 3)) + c."""
    producer = b.producer(x)
    if producer is None or not isinstance(producer.op, HardSwish) or not b.read_once(x):
        return None
    (source,) = b.bottoms(producer)
    gate = b.add(ReLU6(), b.add(Power(shift=3.0), source))
    filters, *rest = b.weights
    sixth = filters.map(filters.shape, lambda w: w / 6)
    return b.add(op, b.add(Eltwise(EltwiseOperation.PROD), source, gate), weights=(sixth, *rest))


@rewrites(HardSigmoid)
def hard_sigmoid_after_linear(b: RewriteBuilder, op: HardSigmoid, x: Blob) -> Blob | None:  # noqa: ARG001 - has no fields
    """hard_sigmoid(W x + c) = relu6(W x + (c + 3)) / 6."""
    producer = b.producer(x)
    if producer is None or not isinstance(producer.op, Convolution | InnerProduct) or not b.read_once(x):
        return None
    filters, *rest = producer.weights
    three = constant(np.full(producer.op.num_output, 3.0))
    bias = combine(three.shape, lambda *terms: sum(term.ravel() for term in terms), three, *rest)
    y = b.add(replace(producer.op, bias_term=True), *b.bottoms(producer), weights=(filters, bias))
    return b.add(Power(scale=1 / 6), b.add(ReLU6(), y))


def _moves_before(b: RewriteBuilder, x: Blob) -> Sequence[Layer]:
    """Return the Reshapes and Permutes that lead to x and keep its last dim, the nearest first, each read once."""
    moves: list[Layer] = []
    while (producer := b.producer(x)) is not None and b.read_once(x) and _keeps_last(b, producer, x):
        moves.append(producer)
        (x,) = b.bottoms(producer)
    return moves


def _keeps_last(b: RewriteBuilder, layer: Layer, x: Blob) -> bool:
    match layer.op:
        case Reshape():
            (bottom,) = b.bottoms(layer)
            return bottom.rank > 0 < x.rank and bottom.shape[-1] == x.shape[-1]
        case Permute() as op:
            return op.full_order(x.rank)[-1] == x.rank - 1
    return False


def _affine_before(b: RewriteBuilder, x: Blob) -> tuple[Blob, _Affine] | None:
    """Return z and the map for an x = s * z + t that nobody else reads, if z is no normalized input of the net."""
    producer = b.producer(x)
    if producer is None or not b.read_once(x) or len(producer.bottoms) != 1:
        return None
    (source,) = b.bottoms(producer)
    if _is_normalized_input(b, source):
        return None
    match producer.op:
        case Scale() as op:
            shift = producer.weights[1] if op.bias_term else None
            return source, _Affine(producer.weights[0], shift, _axis(op, producer.weights[0], x))
        case Bias() as op:
            return source, _Affine(None, producer.weights[0], _axis(op, producer.weights[0], x))
        case Power(power=1) as op:
            scale = None if op.scale == 1 else constant(op.scale)
            return source, _Affine(scale, None if op.shift == 0 else constant(op.shift), x.rank)
    return None


def _is_normalized_input(b: RewriteBuilder, x: Blob) -> bool:
    """Whether affine maps alone lead from an input of the net to x."""
    while (producer := b.producer(x)) is not None:
        if not isinstance(producer.op, Scale | Bias | Power) or len(producer.bottoms) != 1:
            return False
        (x,) = b.bottoms(producer)
    return True


def _axis(op: Scale | Bias, numbers: Weight, x: Blob) -> int:
    """Return the first dim along which the numbers vary; one number stands behind all dims."""
    return op.axis % x.rank if numbers.shape else x.rank


def _absorb(
    b: RewriteBuilder,
    op: InnerProduct | Convolution,
    x: Blob,
    affine: _Affine,
    columns: Callable[[Array], Array],
    kept: int = 0,
) -> Blob:
    """Return the linear layer of x with the map in its weights; `columns` lays numbers beside the filters.

    `kept` is the dim of the filters that the output channels have.
    """
    filters, *rest = b.weights
    bias = rest[0] if rest else None
    if affine.shift is not None:
        shape = (op.num_output,)
        moved = _contracted(filters, affine.shift, columns, kept)
        bias = moved if bias is None else combine(shape, lambda m, c: m + c.ravel(), moved, bias)
    if affine.scale is not None:
        filters = scaled(filters, affine.scale, columns)
    weights = (filters,) if bias is None else (filters, bias)
    return b.add(replace(op, bias_term=bias is not None), x, weights=weights)


def _contracted(filters: Weight, shift: Weight, columns: Callable[[Array], Array], kept: int) -> Weight:
    """Return the sums of filters * shift over all dims but `kept`: piece by piece, so no product is stored."""
    shape = (filters.shape[kept],)

    @cache
    def source(dtype: Precision) -> AnyArray:
        numbers, row = np.broadcast_to(columns(shift.array(dtype)), filters.shape), 0
        sums = np.zeros(shape, dtype)
        for piece in filters.pieces(dtype):
            rows = slice(row, row := row + len(piece))
            if kept:
                sums += numbers[rows, 0] @ piece
            else:
                sums[rows] = _dots(piece, numbers[rows])
        return sums

    return Weight(shape, source)


def _dots(rows: Array, others: Array) -> Array:
    """Return the dot product of each row with the other of its place."""
    flat = (len(rows), 1, -1)
    products: Array = rows.reshape(flat) @ others.reshape(flat).transpose(0, 2, 1)
    return products.reshape(-1)
