"""Rewrites that merge neighbouring pads and let the next convolution or pooling do the padding."""

from __future__ import annotations

from dataclasses import replace

from torch2om.ir.blob import Blob
from torch2om.layers import Convolution, Pad, PadMode
from torch2om.passes.rules import RewriteBuilder, rewrites


@rewrites(Pad)
def pad_of_pad(b: RewriteBuilder, op: Pad, x: Blob) -> Blob | None:
    """pad(pad(x, p, v), q, v) = pad(x, p + q, v): two constant pads of one value, neither of them cropping."""
    producer = b.producer(x)
    if producer is None or not isinstance(producer.op, Pad) or not b.read_once(x):
        return None
    first = producer.op
    constant = first.mode is PadMode.CONSTANT is op.mode and first.value == op.value
    if not constant or not _only_grows(first) or not _only_grows(op):
        return None
    merged = tuple((p[0] + q[0], p[1] + q[1]) for p, q in zip(first.pads, op.pads, strict=True))
    (source,) = b.bottoms(producer)
    return b.add(replace(op, pads=merged), source)


@rewrites(Convolution)
def pad_into_convolution(b: RewriteBuilder, op: Convolution, x: Blob) -> Blob | None:
    """conv(pad(x, p, 0)) = conv with pad + p, where p is the same before and after each spatial axis."""
    producer = b.producer(x)
    if producer is None or not isinstance(producer.op, Pad):
        return None
    added = _symmetric(producer.op)
    if added is None or producer.op.value != 0:
        return None
    (source,) = b.bottoms(producer)
    pad = tuple(own + more for own, more in zip(op.pad, added, strict=True))
    return b.add(replace(op, pad=pad), source, weights=b.weights)


def _only_grows(op: Pad) -> bool:
    return all(side >= 0 for pair in op.pads for side in pair)


def _symmetric(op: Pad) -> tuple[int, ...] | None:
    """Return one pad per spatial axis if the op pads those alone, alike on both sides, with a constant."""
    spatial = op.pads[2:]
    alike = all(before == after >= 0 for before, after in spatial)
    if op.mode is not PadMode.CONSTANT or any(map(any, op.pads[:2])) or not alike:
        return None
    return tuple(before for before, _ in spatial)
