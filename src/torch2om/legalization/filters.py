"""Convolutions whose windows, steps or padding are larger than a target takes, as smaller ones; all exact."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any

from torch2om.errors import Refuse
from torch2om.ir.blob import Blob
from torch2om.layers import Convolution, DepthwiseConvolution, Eltwise, EltwiseOperation, Pad, StridedSlice
from torch2om.legalization.rules import RuleBuilder, legalizes

SHORT = 63  # elements: no known target refuses a window of so few along an axis, and pieces of few taps are slow


def _pads(op: Convolution, x: Blob) -> tuple[tuple[int, int], ...]:
    return ((0, 0),) * (x.rank - len(op.pad)) + tuple((pad, pad) for pad in op.pad)


@legalizes(Convolution, DepthwiseConvolution, fallback=True)
def pad_before_filtering(b: RuleBuilder, op: Convolution, x: Blob) -> Blob:
    """conv(x; pad p) = conv(pad(x, p)).

    Exact.
    """
    if max(op.pad) <= SHORT:
        raise Refuse(f"it pads by no more than {SHORT}")
    return b.add(replace(op, pad=(0,) * len(op.pad)), b.add(Pad(_pads(op, x)), x), weights=b.weights)


@legalizes(Convolution, DepthwiseConvolution, fallback=True)
def drop_what_no_window_sees(b: RuleBuilder, op: Convolution, x: Blob) -> Blob:
    """conv(x; stride s > extent e) = conv(the first e of every s elements; stride e) along an axis.

    Exact.
    """
    window = op.window
    wide = [axis for axis, stride in enumerate(op.stride) if stride > max(SHORT, window.extent[axis])]
    if not wide:
        raise Refuse(f"no stride is longer than {SHORT} and than the filters")
    axis, rank = wide[0], len(op.kernel)
    counts, place = window.counts(x.shape[-rank:], op.pad), x.rank - rank + wide[0]
    count, stride, extent = counts[axis], op.stride[axis], window.extent[axis]
    length, pad = x.shape[place], op.pad[axis]
    around = tuple((pad, count * stride - length - pad) if at == place else (0, 0) for at in range(x.rank))
    framed = b.add(Pad(around), x)
    before, after = x.shape[:place], x.shape[place + 1 :]
    rows = b.reshape(framed, (prod(before), count, stride, prod(after)))
    seen = b.reshape(b.add(StridedSlice(2, 0, extent), rows), (*before, count * extent, *after))
    return b.add(_along(op, axis, stride=extent, pad=0), seen, weights=b.weights)


def _along(op: Convolution, axis: int, **numbers: int) -> Convolution:
    """Return the op with other numbers along one of its axes."""
    changed: dict[str, Any] = {}  # Any: replace() types a field's value by the field
    for name, number in numbers.items():
        values = getattr(op, name)
        changed[name] = (*values[:axis], number, *values[axis + 1 :])
    return replace(op, **changed)


@legalizes(Convolution, DepthwiseConvolution, fallback=True)
def split_filters(b: RuleBuilder, op: Convolution, x: Blob) -> Blob:
    """conv(x; taps) = conv(x; the first taps) + conv(x moved on; the other taps) along the longest axis.

    Exact. A part of one tap needs no dilation.
    """
    window, rank = op.window, len(op.kernel)
    axis = max(range(rank), key=lambda at: (op.kernel[at] > 1, window.extent[at]))
    if op.kernel[axis] == 1 or window.extent[axis] <= SHORT:
        raise Refuse(f"its filters reach no further than {SHORT} elements")
    counts = window.counts(x.shape[-rank:], op.pad)
    padded = tuple(size + 2 * pad for size, pad in zip(x.shape[-rank:], op.pad, strict=True))
    if any(size < needed for size, needed in zip(padded, window.span(counts), strict=True)):
        raise Refuse("its filters are larger than the padded image")
    framed = b.add(Pad(_pads(op, x)), x) if any(op.pad) else x
    half = op.kernel[axis] // 2
    taps = (range(half), range(half, op.kernel[axis]))
    return b.add(Eltwise(EltwiseOperation.SUM), *(_part(b, op, framed, axis, part) for part in taps))


def _part(b: RuleBuilder, op: Convolution, x: Blob, axis: int, taps: range) -> Blob:
    """Return what these taps along one axis give, on the part of the padded x that they see; the first add the bias."""
    rank, first = len(op.kernel), taps.start == 0
    place = x.rank - rank + axis
    count = op.window.counts(x.shape[-rank:], (0,) * rank)[axis]
    dilation = op.dilation[axis] if len(taps) > 1 else 1
    part = _along(replace(op, bias_term=op.bias_term and first), axis, kernel=len(taps), dilation=dilation)
    part = replace(part, pad=(0,) * rank)
    start = taps.start * op.dilation[axis]
    seen = b.add(StridedSlice(place, start, start + part.window.span((count,) * rank)[axis]), x)
    filters, *bias = b.weights
    shape = (*filters.shape[: 2 + axis], len(taps), *filters.shape[3 + axis :])
    chosen = (slice(None),) * (2 + axis) + (slice(taps.start, taps.stop),)
    return b.add(part, seen, weights=(filters.map(shape, lambda w: w[chosen]), *(bias if first else ())))
