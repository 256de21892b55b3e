"""Pads of every kind on any dim, from Slice, Concat, constant copies and Convolution."""

from __future__ import annotations

from math import prod

import numpy as np

from torch2om.errors import Refuse
from torch2om.ir.blob import Blob
from torch2om.ir.weight import constant
from torch2om.layers import Concat, Constant, Convolution, Expand, Pad, PadMode, Power, Slice, StridedSlice
from torch2om.layers.dims import with_dim
from torch2om.legalization.linear_map import MOST_PIECES, gather
from torch2om.legalization.rules import RuleBuilder, legalizes


def _padded_axes(op: Pad) -> list[int]:
    return [axis for axis, pads in enumerate(op.pads) if pads != (0, 0)]


def _only(op: Pad, axis: int, pads: tuple[int, int]) -> Pad:
    """Return the op that pads this axis alone, by `pads`."""
    rest = ((0, 0),)
    return Pad(rest * axis + (pads,) + rest * (len(op.pads) - axis - 1), op.mode, op.value)


@legalizes(Pad)
def pad_axes_in_turn(b: RuleBuilder, op: Pad, x: Blob) -> Blob:
    """pad(x) = pad(pad(x, one dim), the other dims).

    Exact. The dims that shrink come first.
    """
    axes = sorted(_padded_axes(op), key=lambda axis: sum(op.pads[axis]))
    if len(axes) == 1:
        raise Refuse("it pads one dim")
    for axis in axes:
        x = b.add(_only(op, axis, op.pads[axis]), x)
    return x


def _one_axis(op: Pad) -> tuple[int, int, int]:
    """Return the padded dim and its two pads; refuse if there are several."""
    axes = _padded_axes(op)
    if len(axes) != 1:
        raise Refuse("it pads several dims")
    return (axes[0], *op.pads[axes[0]])


@legalizes(Pad)
def pad_by_picking(b: RuleBuilder, op: Pad, x: Blob) -> Blob:
    """y[o] = x[source(o)]: a mirror image, the border, or the other end, along one dim.

    Exact.
    """
    if op.mode is PadMode.CONSTANT:
        raise Refuse("a constant is no element of x")
    axis, _, _ = _one_axis(op)
    return gather(b, x, axis, [int(place) for place in op.sources(axis, x.shape[axis])])


@legalizes(Pad)
def pad_by_cutting(b: RuleBuilder, op: Pad, x: Blob) -> Blob:
    """pad(x, -p) = x[p:], and what is positive is padded behind it.

    Exact. For constants along one dim.
    """
    axis, before, after = _one_axis(op)
    if op.mode is not PadMode.CONSTANT or min(before, after) >= 0:
        raise Refuse("it cuts nothing, or its mode picks before it cuts")
    y = b.add(StridedSlice(axis, max(-before, 0), x.shape[axis] - max(-after, 0)), x)
    grown = (max(before, 0), max(after, 0))
    return b.add(_only(op, axis, grown), y) if any(grown) else y


@legalizes(Pad)
def pad_where_nothing_is_left(b: RuleBuilder, op: Pad, x: Blob) -> Blob:
    """pad(x, -p, q) = v + 0 * expand(x[:1]), where p takes all of x away: only the constant is left.

    Exact for finite x.
    """
    axis, before, after = _one_axis(op)
    if op.mode is not PadMode.CONSTANT or max(-before, 0) + max(-after, 0) < x.shape[axis]:
        raise Refuse("something of x is left")
    (top,) = op.infer([x.shape], [])
    one = b.add(Power(scale=0.0, shift=op.value), b.add(StridedSlice(axis, 0, 1), x))
    return b.add(Expand(top), one)


@legalizes(Pad)
def pad_by_concat(b: RuleBuilder, op: Pad, x: Blob) -> Blob:
    """pad(x, p, v) = concat(v + 0 * x[:p], x): the constant is made of x itself, along one dim.

    Exact for finite x.
    """
    axis, before, after = _one_axis(op)
    if op.mode is not PadMode.CONSTANT or min(before, after) < 0:
        raise Refuse("it cuts, or its mode is not CONSTANT")
    for amount, in_front in ((before, True), (after, False)):
        if amount:
            x = _beside_constant(b, x, axis, amount if in_front else -amount, op.value)
    return x


def _beside_constant(b: RuleBuilder, x: Blob, axis: int, amount: int, value: float) -> Blob:
    """Return x with `amount` elements of the value before it, behind it if negative; every piece of x is used."""
    length, count = x.shape[axis], abs(amount)
    wholes, rest = divmod(count, length)
    if wholes > MOST_PIECES:
        raise Refuse(f"the pad {count} is {wholes} times the {length} elements")
    fill = Power(scale=0.0, shift=value)
    constants = [b.add(fill, x)] * wholes if wholes else []
    pieces: tuple[Blob, ...] = (x,)
    if rest:
        pieces = b.add_all(Slice(axis, (rest if amount > 0 else length - rest,)), x)
        constants.append(b.add(fill, pieces[0 if amount > 0 else 1]))
    return b.add(Concat(axis), *constants, *pieces) if amount > 0 else b.add(Concat(axis), *pieces, *constants)


@legalizes(Pad)
def pad_beside_constants(b: RuleBuilder, op: Pad, x: Blob) -> Blob:
    """pad(x, p, v) = concat(v, x, v), the constants blobs of their own, along one dim.

    Exact.
    """
    axis, before, after = _one_axis(op)
    if op.mode is not PadMode.CONSTANT or min(before, after) < 0:
        raise Refuse("it cuts, or its mode is not CONSTANT")
    shapes = [with_dim(x.shape, axis, count) for count in (before, after)]
    front, behind = (
        [b.add(Constant(shape), weights=(constant(np.broadcast_to(op.value, shape)),))] if shape[axis] else []
        for shape in shapes
    )
    return b.add(Concat(axis), *front, x, *behind)


@legalizes(Pad)
def pad_image_by_convolution(b: RuleBuilder, op: Pad, x: Blob) -> Blob:
    """pad(x, 0) = a Convolution of every channel with a single 1, padded by the larger side of each axis.

    Exact. Zeros along the last two dims; the place of the 1 in its kernel makes the sides unequal, or cuts.
    """
    if op.mode is not PadMode.CONSTANT or op.value != 0 or any(map(any, op.pads[:-2])) or x.rank < 2:
        raise Refuse("it does not pad height and width with zeros alone")
    sides = op.pads[-2:]
    pad = tuple(max(*pads, 0) for pads in sides)
    kernel = tuple(2 * most - sum(pads) + 1 for most, pads in zip(pad, sides, strict=True))
    image = x if x.rank == 4 else b.reshape(x, (1, prod(x.shape[:-2]), *x.shape[-2:]))
    channels = image.shape[1]
    filters = np.zeros((channels, 1, *kernel))
    filters[:, 0, pad[0] - sides[0][0], pad[1] - sides[1][0]] = 1
    convolution = Convolution(channels, kernel, pad=pad, group=channels, bias_term=False)
    y = b.add(convolution, image, weights=(constant(filters),))
    return b.reshape(y, (*x.shape[:-2], *y.shape[-2:]))
