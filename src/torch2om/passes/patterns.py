"""Rewrites that recover what a group of layers was written for."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from torch2om.ir.blob import Blob
from torch2om.ir.net import Layer
from torch2om.ir.op import Array
from torch2om.ir.weight import Weight, constant
from torch2om.layers import (
    Arithmetic,
    ArithmeticKind,
    Concat,
    Convolution,
    DynamicConvolution,
    Eltwise,
    EltwiseOperation,
    HardSigmoid,
    HardSwish,
    Hardtanh,
    InnerProduct,
    MatMul,
    Permute,
    Power,
    Reduce,
    ReduceKind,
    ReLU6,
    Reshape,
    Scale,
    ShuffleChannel,
    Sigmoid,
    StridedSlice,
    Swish,
)
from torch2om.passes.rules import RewriteBuilder, rewrites


@rewrites(Reshape)
def reshape_permute_reshape_is_shuffle(b: RewriteBuilder, op: Reshape, x: Blob) -> Blob | None:
    """(N, C, ...) -> (N, g, C/g, ...) -> (N, C/g, g, ...) -> (N, C, ...) = shuffle channels in g groups."""
    permute = b.producer(x)
    if permute is None or not isinstance(permute.op, Permute):
        return None
    order = permute.op.full_order(x.rank)
    if order[:3] != (0, 2, 1):
        return None
    (grouped,) = b.bottoms(permute)
    reshape = b.producer(grouped)
    if reshape is None or not isinstance(reshape.op, Reshape):
        return None
    (source,) = b.bottoms(reshape)
    (shape,) = op.infer([x.shape], ())
    keeps_rest = order[3:] == tuple(range(3, x.rank)) and grouped.shape[3:] == source.shape[2:]
    if shape != source.shape or not keeps_rest or grouped.shape[0] != source.shape[0] or source.rank < 3:
        return None
    return b.add(ShuffleChannel(grouped.shape[1]), source)


@rewrites(Concat)
def concat_of_scaled_channels_is_scale(b: RewriteBuilder, op: Concat, *blobs: Blob) -> Blob | None:
    """concat of a_c * x[c] + t_c over all channels c = a * x + t: the preprocessing of torchvision's Inception nets."""
    lines = [found for blob in blobs if (found := _scaled_channel(b, blob)) is not None]
    if op.axis % blobs[0].rank != 1 or len(lines) != len(blobs) or len({source for source, *_ in lines}) != 1:
        return None
    source = lines[0][0]
    if [channel for _, channel, _ in lines] != list(range(source.shape[1])):
        return None
    scale, shift = ([getattr(power, name) for *_, power in lines] for name in ("scale", "shift"))
    return b.add(Scale(bias_term=True), source, weights=(constant(np.array(scale)), constant(np.array(shift))))


def _scaled_channel(b: RewriteBuilder, blob: Blob) -> tuple[Blob, int, Power] | None:
    """Return x, c and the Power for a blob that is power(x[:, c : c + 1])."""
    power = b.producer(blob)
    if power is None or not isinstance(power.op, Power) or power.op.power != 1:
        return None
    (piece,) = b.bottoms(power)
    cut = b.producer(piece)
    if cut is None or not isinstance(cut.op, StridedSlice) or cut.op.axis % piece.rank != 1 or piece.shape[1] != 1:
        return None
    (source,) = b.bottoms(cut)
    return source, cut.op.bounds(source.shape[1])[0], power.op


@rewrites(Arithmetic)
def quotient_of_line_is_product(b: RewriteBuilder, op: Arithmetic, x: Blob, y: Blob) -> Blob | None:
    """x / (a * y + t) = x * (a * y + t)^-1, the power and the line one layer."""
    line = b.producer(y)
    if op.kind is not ArithmeticKind.DIV or line is None or not isinstance(line.op, Power) or line.op.power != 1:
        return None
    if not b.read_once(y):
        return None
    return b.add(Arithmetic(ArithmeticKind.MUL), x, b.add(replace(line.op, power=-1.0), *b.bottoms(line)))


@rewrites(MatMul)
def product_of_permuted_is_transposed(b: RewriteBuilder, op: MatMul, x: Blob, y: Blob) -> Blob | None:
    """x @ permute(y, rows and columns exchanged) = x @ y^T; x likewise."""
    left, right = _turned(b, x), _turned(b, y)
    if left is right is None:
        return None
    product = MatMul(op.adj_x1 is (left is None), op.adj_x2 is (right is None))
    return b.add(product, x if left is None else left, y if right is None else right)


def _turned(b: RewriteBuilder, x: Blob) -> Blob | None:
    """Return the blob of which x is a permutation that exchanges the last two dims alone."""
    producer = b.producer(x)
    if producer is None or not isinstance(producer.op, Permute):
        return None
    rest = range(x.rank - 2)
    return b.bottoms(producer)[0] if producer.op.full_order(x.rank) == (*rest, x.rank - 1, x.rank - 2) else None


@rewrites(Eltwise, Arithmetic)
def product_with_sigmoid_is_swish(b: RewriteBuilder, op: Eltwise | Arithmetic, *blobs: Blob) -> Blob | None:
    """x * sigmoid(x) = swish(x)."""
    gate = _gate(b, op, blobs, Sigmoid)
    return None if gate is None else b.add(Swish(), gate)


@rewrites(Eltwise, Arithmetic)
def product_with_hard_sigmoid_is_hard_swish(b: RewriteBuilder, op: Eltwise | Arithmetic, *blobs: Blob) -> Blob | None:
    """x * hard_sigmoid(x) = hard_swish(x)."""
    gate = _gate(b, op, blobs, HardSigmoid)
    return None if gate is None else b.add(HardSwish(), gate)


@rewrites(Power)
def clamped_line_is_hard_sigmoid(b: RewriteBuilder, op: Power, x: Blob) -> Blob | None:
    """relu6(x + 3) / 6 = hard_sigmoid(x)."""
    clamp = b.producer(x)
    if op != Power(1, 1 / 6, 0) or clamp is None or not _clamps_at_six(clamp):
        return None
    (moved,) = b.bottoms(clamp)
    shift = b.producer(moved)
    if shift is None or shift.op != Power(1, 1, 3) or not (b.read_once(x) and b.read_once(moved)):
        return None
    return b.add(HardSigmoid(), *b.bottoms(shift))


def _clamps_at_six(layer: Layer) -> bool:
    return isinstance(layer.op, ReLU6) or layer.op == Hardtanh(0, 6)


def _gate(
    b: RewriteBuilder, op: Eltwise | Arithmetic, blobs: tuple[Blob, ...], activation: type[Sigmoid | HardSigmoid]
) -> Blob | None:
    """Return x where the product is x * activation(x) and nobody else reads the activation."""
    kind = op.operation if isinstance(op, Eltwise) else op.kind
    if kind not in (EltwiseOperation.PROD, ArithmeticKind.MUL) or len(blobs) != 2:
        return None
    for x, gate in (blobs, blobs[::-1]):
        producer = b.producer(gate)
        if (
            producer is not None
            and isinstance(producer.op, activation)
            and producer.bottoms == (x.name,)
            and b.read_once(gate)
        ):
            return x
    return None


@rewrites(DynamicConvolution)
def mixed_filters_are_mixed_convolutions(
    b: RewriteBuilder, op: DynamicConvolution, x: Blob, filters: Blob
) -> Blob | None:
    """conv(x_n, sum over k of r[n, k] * W_k) = sum over k of r[n, k] * conv(x_n, W_k), for constant W_k (CondConv).

    The rows of r stand side by side in the groups of x, as they do in the filters.
    """
    found = _mixture(b, filters)
    if found is None:
        return None
    shares, mixed = found
    rows, experts = shares.shape
    outputs, group = filters.shape[0] // rows, op.group // rows
    if op.group % rows or filters.shape[0] % rows or 1 not in (rows, x.shape[0]):
        return None
    kernel, spatial = filters.shape[2:], op.infer([x.shape, filters.shape], [])[0]
    shape = (experts * outputs, *filters.shape[1:])
    constants = mixed.map(shape, lambda w: _by_group(w, group).reshape(shape))
    convolution = Convolution(shape[0], kernel, op.stride, op.pad, op.dilation, group, bias_term=False)
    images = b.add(Reshape((x.shape[0] * rows, x.shape[1] // rows, *x.shape[2:])), x)
    each = b.add(convolution, images, weights=(constants,))
    apart = b.add(Reshape((each.shape[0], group, experts, outputs // group * prod(each.shape[2:]))), each)
    weighted = b.add(Arithmetic(ArithmeticKind.MUL), apart, b.add(Reshape((rows, 1, experts, 1)), shares))
    return b.add(Reshape(spatial), b.add(Reduce(ReduceKind.SUM, (2,)), weighted))


def _mixture(b: RewriteBuilder, filters: Blob) -> tuple[Blob, Weight] | None:
    """Return r [rows, K] and the constant W [elements, K] of filters that are r W^T under other dims."""
    producer = b.producer(filters)
    while producer is not None and isinstance(producer.op, Reshape):
        producer = b.producer(*b.bottoms(producer))
    if producer is None or not isinstance(producer.op, InnerProduct):
        return None
    (shares,) = b.bottoms(producer)
    plain = not producer.op.bias_term and not producer.op.transpose and producer.op.axis % shares.rank == 1
    return (shares, producer.weights[0]) if plain and shares.rank == 2 else None


def _by_group(mixed: Array, group: int) -> Array:
    """Return W [elements, K] as [group, K, elements of a group]: a group's filters of all K stand together."""
    elements, experts = mixed.shape
    return mixed.reshape(group, elements // group, experts).transpose(0, 2, 1)
