"""Rewrites that remove layers which do nothing, and merge neighbours that do one thing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from torch2om.ir.blob import Blob
from torch2om.ir.op import BadOp, Op, Shape
from torch2om.layers import (
    Arithmetic,
    Compare,
    Concat,
    Dropout,
    Eltwise,
    EltwiseOperation,
    Expand,
    Flatten,
    Hardtanh,
    InnerProduct,
    MatMul,
    Pad,
    Permute,
    Power,
    ReLU,
    Reshape,
    Slice,
    Split,
    StridedSlice,
    Tile,
    Where,
)
from torch2om.passes.rules import RewriteBuilder, rewrites


@rewrites(Dropout, Split)
def copy_is_nothing(b: RewriteBuilder, op: Dropout | Split, x: Blob) -> tuple[Blob, ...]:  # noqa: ARG001 - the registry's form
    """dropout(x) = x in a deployed net, and every copy is the blob itself."""
    return (x,) * len(b.layer.tops)


@rewrites(Reshape, Flatten, Expand)
def same_shape_is_nothing(b: RewriteBuilder, op: Reshape | Flatten | Expand, x: Blob) -> Blob | None:
    """reshape(x, shape of x) = x."""
    return x if op.infer([x.shape], b.layer.weight_shapes) == (x.shape,) else None


@rewrites(Flatten)
def flatten_is_reshape(b: RewriteBuilder, op: Flatten, x: Blob) -> Blob | None:
    """flatten(x) = reshape(x, the flat shape): one spelling for what follows."""
    (shape,) = op.infer([x.shape], ())
    return b.add(Reshape(shape), x)


@rewrites(Reshape)
def reshape_of_reshape(b: RewriteBuilder, op: Reshape, x: Blob) -> Blob | None:
    """reshape(reshape(x, s), t) = reshape(x, t)."""
    producer = b.producer(x)
    if producer is None or not isinstance(producer.op, Reshape):
        return None
    (shape,) = op.infer([x.shape], ())
    (source,) = b.bottoms(producer)
    return b.add(Reshape(shape), source)


@rewrites(InnerProduct)
def inner_product_flattens(b: RewriteBuilder, op: InnerProduct, x: Blob) -> Blob | None:
    """W flatten(x) = W x: an InnerProduct reads all axes from its axis on as one."""
    producer = b.producer(x)
    if op.axis != 1 or producer is None or not isinstance(producer.op, Reshape):
        return None
    (source,) = b.bottoms(producer)
    if not source.shape or source.shape[:1] != x.shape[:1] or source.rank < 2:
        return None
    return b.add(op, source, weights=b.weights)


@rewrites(Permute)
def permute_of_permute(b: RewriteBuilder, op: Permute, x: Blob) -> Blob | None:
    """permute(permute(x, p), q) = permute(x, p[q]); nothing if that is the identity."""
    order, source = op.full_order(x.rank), x
    producer = b.producer(x)
    if producer is not None and isinstance(producer.op, Permute):
        first = producer.op.full_order(x.rank)
        order = tuple(first[axis] for axis in order)
        (source,) = b.bottoms(producer)
    if order == tuple(range(source.rank)):
        return source
    return None if source is x else b.add(Permute(order), source)


@rewrites(Permute)
def permute_of_ones_is_reshape(b: RewriteBuilder, op: Permute, x: Blob) -> Blob | None:
    """permute(x, p) = reshape(x, shape[p]) where p keeps the order of all dims above 1."""
    order = op.full_order(x.rank)
    moved = [axis for axis in order if x.shape[axis] != 1]
    if moved != sorted(moved):
        return None
    return b.add(Reshape(tuple(x.shape[axis] for axis in order)), x)


@rewrites(Power)
def power_of_one_is_nothing(b: RewriteBuilder, op: Power, x: Blob) -> Blob | None:  # noqa: ARG001 - the registry's form
    """(0 + 1 * x) ^ 1 = x."""
    return x if (op.power, op.scale, op.shift) == (1, 1, 0) else None


@rewrites(Concat)
def concat_of_one_is_nothing(b: RewriteBuilder, op: Concat, *blobs: Blob) -> Blob | None:  # noqa: ARG001 - the same
    """concat(x) = x."""
    return blobs[0] if len(blobs) == 1 else None


@rewrites(Concat)
def concat_of_slices_is_nothing(b: RewriteBuilder, op: Concat, *blobs: Blob) -> Blob | None:
    """concat(slice(x)) = x: all pieces in their order along the same axis."""
    producer = b.producer(blobs[0])
    if producer is None or not isinstance(producer.op, Slice) or producer.tops != tuple(x.name for x in blobs):
        return None
    (source,) = b.bottoms(producer)
    return source if producer.op.axis % source.rank == op.axis % source.rank else None


@rewrites(Arithmetic, Compare, MatMul, Where)
def operand_expands_itself(b: RewriteBuilder, op: Arithmetic | Compare | MatMul | Where, *blobs: Blob) -> Blob | None:
    """f(x, expand(y)) = f(x, y): operands broadcast, where the others alone have all dims of the result."""
    top = op.infer([blob.shape for blob in blobs], ())
    operands = list(blobs)
    for place, blob in enumerate(blobs):
        producer = b.producer(blob)
        if producer is not None and isinstance(producer.op, Expand):
            tried = [*operands[:place], *b.bottoms(producer), *operands[place + 1 :]]
            operands = tried if _tops(op, tried) == top else operands
    return None if operands == list(blobs) else b.add(op, *operands)


def _tops(op: Op, operands: Sequence[Blob]) -> tuple[Shape, ...]:
    """Return the shapes that the op makes of these operands; none if it does not take them (a matrix of one row)."""
    try:
        return op.infer([each.shape for each in operands], ())
    except BadOp:
        return ()


@rewrites(Concat)
def concat_of_concat(b: RewriteBuilder, op: Concat, *blobs: Blob) -> Blob | None:
    """concat(concat(x, y), z) = concat(x, y, z), along one axis."""
    axis = op.axis % blobs[0].rank

    def parts(blob: Blob) -> tuple[Blob, ...]:
        producer = b.producer(blob)
        inner = producer is not None and isinstance(producer.op, Concat) and producer.op.axis % blob.rank == axis
        return b.bottoms(producer) if producer is not None and inner and b.read_once(blob) else (blob,)

    flat = [part for blob in blobs for part in parts(blob)]
    return b.add(op, *flat) if len(flat) > len(blobs) else None


@rewrites(Eltwise)
def sum_of_sums(b: RewriteBuilder, op: Eltwise, *blobs: Blob) -> Blob | None:
    """a * (b * x + c * y) + d * z = ab * x + ac * y + d * z: one Eltwise adds as many blobs as there are."""
    if not _is_sum(op):
        return None
    terms: list[tuple[float, Blob]] = []
    for factor, blob in zip(_factors(op, blobs), blobs, strict=True):
        producer = b.producer(blob)
        if producer is not None and isinstance(producer.op, Eltwise) and _is_sum(producer.op) and b.read_once(blob):
            inner = b.bottoms(producer)
            terms += [(factor * own, each) for own, each in zip(_factors(producer.op, inner), inner, strict=True)]
        else:
            terms.append((factor, blob))
    if len(terms) == len(blobs):
        return None
    coeff = tuple(factor for factor, _ in terms)
    return b.add(replace(op, coeff=coeff if set(coeff) != {1.0} else ()), *(blob for _, blob in terms))


def _is_sum(op: Eltwise) -> bool:
    return op.operation is EltwiseOperation.SUM


def _factors(op: Eltwise, blobs: Sequence[Blob]) -> tuple[float, ...]:
    return op.coeff or (1.0,) * len(blobs)


@rewrites(Tile)
def tile_of_one_is_nothing(b: RewriteBuilder, op: Tile, x: Blob) -> Blob | None:  # noqa: ARG001 - the same
    """tile(x, 1) = x."""
    return x if op.tiles == 1 else None


@rewrites(Pad)
def empty_pad_is_nothing(b: RewriteBuilder, op: Pad, x: Blob) -> Blob | None:  # noqa: ARG001 - the same
    """pad(x, 0) = x."""
    return x if not any(map(any, op.pads)) else None


@rewrites(StridedSlice)
def whole_slice_is_nothing(b: RewriteBuilder, op: StridedSlice, x: Blob) -> Blob | None:
    """x[0:n:1] = x."""
    return x if op.infer([x.shape], b.layer.weight_shapes) == (x.shape,) and op.step == 1 else None


@rewrites(Hardtanh)
def clamp_at_zero_is_relu(b: RewriteBuilder, op: Hardtanh, x: Blob) -> Blob | None:
    """clamp(x, 0, inf) = relu(x); clamp(x, -inf, inf) = x."""
    if (op.min, op.max) == (-math.inf, math.inf):
        return x
    return b.add(ReLU(), x) if (op.min, op.max) == (0, math.inf) else None


@rewrites(ReLU)
def relu_of_relu(b: RewriteBuilder, op: ReLU, x: Blob) -> Blob | None:
    """relu(relu(x)) = relu(x)."""
    producer = b.producer(x)
    twice = producer is not None and isinstance(producer.op, ReLU) and producer.op.negative_slope == 0
    return x if twice and op.negative_slope == 0 else None
