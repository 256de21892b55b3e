"""Rewrites of parallel branches that one layer computes: RepVGG's blocks as they are trained, and their like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from torch2om.ir.blob import Blob
from torch2om.ir.op import Array, Shape
from torch2om.ir.weight import Weight, combine, constant
from torch2om.layers import Convolution, Eltwise, EltwiseOperation, Scale
from torch2om.passes.rules import RewriteBuilder, rewrites


@dataclass(frozen=True)
class _Frame:
    """What the branches are gathered in: the convolution with the largest window, its filters' shape, its bottom."""

    op: Convolution
    shape: Shape
    x: Blob


@dataclass(frozen=True)
class _Branch:
    """A linear map of the images x: filters whose first tap lies `pad` before the place, and a bias for each output."""

    filters: Weight
    bias: Weight | None
    pad: tuple[int, ...]


@rewrites(Eltwise)
def sum_of_convolutions_is_one(b: RewriteBuilder, op: Eltwise, *blobs: Blob) -> Blob | None:
    """a * conv(x, w) + c * conv(x, v) + d * x = conv(x, a w + c v + d 1), v and 1 at their places within w's window.

    Of the bottoms the convolution with the largest window takes in those that fit it; others are added as before.
    """
    frame = _frame(b, blobs)
    if op.operation is not EltwiseOperation.SUM or frame is None or len(set(blobs)) < len(blobs):
        return None
    factors = dict(zip(blobs, op.coeff or (1.0,) * len(blobs), strict=True))
    found = {blob: branch for blob in blobs if (branch := _branch(b, frame, blob)) is not None}
    if len(found) < 2:
        return None
    weights = _sum(frame, [(factors[blob], branch) for blob, branch in found.items()])
    convolution = b.add(replace(frame.op, bias_term=True), frame.x, weights=weights)
    others = [blob for blob in blobs if blob not in found]
    if not others:
        return convolution
    coeff = (1.0, *(factors[blob] for blob in others))
    return b.add(replace(op, coeff=coeff if set(coeff) != {1.0} else ()), convolution, *others)


def _frame(b: RewriteBuilder, blobs: Sequence[Blob]) -> _Frame | None:
    """Return the frame of the convolution with the largest window among those that nobody else reads."""
    frames = []
    for blob in blobs:
        producer = b.producer(blob)
        if producer is not None and isinstance(producer.op, Convolution) and b.read_once(blob):
            frames.append(_Frame(producer.op, producer.weight_shapes[0], *b.bottoms(producer)))
    return max(frames, key=lambda frame: prod(frame.op.kernel), default=None)


def _branch(b: RewriteBuilder, frame: _Frame, blob: Blob) -> _Branch | None:
    """Return what makes the blob of x, if the frame takes it in."""
    if blob == frame.x:
        return _each_channel(frame, constant(np.ones(blob.shape[1])), None)
    producer = b.producer(blob)
    if producer is None or not b.read_once(blob) or b.bottoms(producer) != (frame.x,):
        return None
    match producer.op:
        case Convolution() as op:
            filters, *bias = producer.weights
            return _Branch(filters, bias[0] if bias else None, op.pad) if _fits(frame.op, op) else None
        case Scale() as op if op.axis % blob.rank == 1 and producer.weight_shapes[0] == (blob.shape[1],):
            scale, *shift = producer.weights
            return _each_channel(frame, scale, shift[0] if shift else None)
    return None


def _fits(frame: Convolution, op: Convolution) -> bool:
    """Whether the frame's window holds the op's, which moves by the same steps and sees the same channels."""
    alike = (op.stride, op.group, op.num_output) == (frame.stride, frame.group, frame.num_output)
    sides = zip(frame.kernel, frame.pad, op.kernel, op.pad, strict=True)
    inside = all(pad >= own and pad - own + taps <= kernel for kernel, pad, taps, own in sides)
    return alike and inside and op.dilation == frame.dilation and set(op.dilation) == {1}


def _each_channel(frame: _Frame, scale: Weight, shift: Weight | None) -> _Branch | None:
    """Return the branch that multiplies each channel by its number, if the frame has it within its window."""
    outputs, inputs, *kernel = frame.shape
    ones = (1,) * len(kernel)
    if not _fits(frame.op, replace(frame.op, kernel=ones, stride=ones, pad=(0,) * len(kernel), dilation=ones)):
        return None
    if frame.x.shape[1] != outputs:
        return None
    shape = (outputs, inputs, *ones)

    def spread(numbers: Array) -> Array:
        filters = np.zeros((outputs, inputs), numbers.dtype)
        filters[np.arange(outputs), np.arange(outputs) % inputs] = numbers
        return filters.reshape(shape)

    return _Branch(scale.map(shape, spread), shift, (0,) * len(kernel))


def _sum(frame: _Frame, branches: Sequence[tuple[float, _Branch]]) -> tuple[Weight, Weight]:
    """Return the filters and the bias of all branches together, each times its factor."""
    windows = [
        tuple(slice(pad - own, pad - own + taps) for pad, own, taps in zip(frame.op.pad, each.pad, taps, strict=True))
        for _, each in branches
        for taps in (each.filters.shape[2:],)
    ]

    def filters(*arrays: Array) -> Array:
        total: Array = np.zeros(frame.shape, arrays[0].dtype)
        for (factor, _), window, array in zip(branches, windows, arrays, strict=True):
            total[(slice(None), slice(None), *window)] += factor * array
        return total

    shifted = [(factor, each.bias) for factor, each in branches if each.bias is not None]

    def shifts(*arrays: Array) -> Array:
        total: Array = np.zeros(frame.op.num_output, arrays[0].dtype)
        for (factor, _), array in zip(shifted, arrays, strict=True):
            total += factor * array.ravel()
        return total

    bias = combine((frame.op.num_output,), shifts, *(bias for _, bias in shifted)) if shifted else None
    none = constant(np.zeros(frame.op.num_output))
    return combine(frame.shape, filters, *(each.filters for _, each in branches)), none if bias is None else bias
