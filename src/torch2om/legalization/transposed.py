"""Deconvolutions where a target takes few forms of them: Convolutions with interleaved results, or group by group."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from math import prod

import numpy as np

from torch2om.errors import Refuse
from torch2om.ir.blob import Blob
from torch2om.ir.op import Array, Shape
from torch2om.ir.weight import Weight
from torch2om.layers import Concat, Convolution, Deconvolution, Slice, StridedSlice
from torch2om.legalization.permutation import permute
from torch2om.legalization.rules import RuleBuilder, legalizes


@legalizes(Deconvolution)
def deconvolve_by_phases(b: RuleBuilder, op: Deconvolution, x: Blob) -> Blob:
    """y[o, p * s + r] = sum over j of w[r + s * j] * x[p - j]: a Convolution for each phase r < s, then interleaved.

    Exact. As many products as the Deconvolution where the stride divides the kernel; where the Convolution would only
    copy x (PixelShuffle), none.
    """
    if len(op.kernel) != 2 or set(op.dilation) != {1}:
        raise Refuse("it has no image, or its filters are dilated")
    (top,) = op.infer([x.shape], [weight.shape for weight in b.weights])
    y = _phases(b, op, x)
    y = _interleaved(b, y, op.num_output, op.stride)
    for axis, (pad, size) in enumerate(zip(op.pad, top[2:], strict=True), start=2):
        y = b.add(StridedSlice(axis, pad, pad + size), y) if size < y.shape[axis] else y
    return y


def _phases(b: RuleBuilder, op: Deconvolution, x: Blob) -> Blob:
    """Return [N, outputs * phases, places]: what each phase of each output is, wherever a tap meets x."""
    filters, *bias = b.weights
    taps = tuple(-(-kernel // stride) for kernel, stride in zip(op.kernel, op.stride, strict=True))
    outputs = op.num_output * prod(op.stride)
    shape = (outputs, x.shape[1] // op.group, *taps)
    turned = filters.map(shape, lambda w: _turned(w, op, taps))
    if not bias and shape[2:] == (1, 1) and outputs == x.shape[1] and _copies(turned):
        return x
    layer = Convolution(outputs, taps, pad=tuple(tap - 1 for tap in taps), group=op.group, bias_term=op.bias_term)
    repeated = tuple(w.map((outputs,), lambda v: np.repeat(v, prod(op.stride))) for w in bias)
    return b.add(layer, x, weights=(turned, *repeated))


def _turned(filters: Array, op: Deconvolution, taps: Shape) -> Array:
    """Return the filters of all phases, [outputs * phases, C / group, taps], turned round for a Convolution."""
    (down, across), (high, wide) = op.stride, taps
    channels, outputs = filters.shape[0] // op.group, filters.shape[1]
    padded = np.zeros((*filters.shape[:2], high * down, wide * across), filters.dtype)
    padded[:, :, : op.kernel[0], : op.kernel[1]] = filters
    parts = padded.reshape(op.group, channels, outputs, high, down, wide, across)[:, :, :, ::-1, :, ::-1]
    return parts.transpose(0, 2, 4, 6, 1, 3, 5).reshape(-1, channels, high, wide)


def _copies(filters: Weight) -> bool:
    """Whether the filters of a Convolution 1 x 1 with as many outputs as inputs give each input as it is."""
    outputs, channels = filters.shape[:2]
    wanted = np.tile(np.eye(channels), (outputs // channels, 1))
    return bool((filters.array(np.float64).reshape(outputs, channels) == wanted).all())


def _interleaved(b: RuleBuilder, x: Blob, outputs: int, stride: tuple[int, ...]) -> Blob:
    """y[o, h * s + i, w * t + j] = x[(o * s + i) * t + j, h, w]: the columns are interleaved, then the rows."""
    (batch, _, height, width), (down, across) = x.shape, stride
    columns = permute(b, b.reshape(x, (batch * outputs * down, across, height, width)), (0, 2, 3, 1))
    rows = permute(b, b.reshape(columns, (batch * outputs, down, height, width * across)), (0, 2, 1, 3))
    return b.reshape(rows, (batch, outputs, height * down, width * across))


@legalizes(Deconvolution)
def deconvolve_groups_apart(b: RuleBuilder, op: Deconvolution, x: Blob) -> Blob:
    """a Deconvolution of groups = concat(the Deconvolution of each group's channels).

    Exact.
    """
    if op.group == 1:
        raise Refuse("it has one group")
    inputs, outputs = x.shape[1] // op.group, op.num_output // op.group
    points = tuple(range(inputs, x.shape[1], inputs))
    one = replace(op, group=1, num_output=outputs)
    parts = [
        b.add(one, part, weights=_of_group(b.weights, index, (inputs, outputs)))
        for index, part in enumerate(b.add_all(Slice(1, points, op.group), x))
    ]
    return b.add(Concat(1), *parts)


def _of_group(weights: tuple[Weight, ...], index: int, lengths: tuple[int, int]) -> tuple[Weight, ...]:
    """Return one group's filters [inputs, outputs, kernel] and bias."""
    parts = zip(weights, lengths, strict=False)
    return tuple(w.map((n, *w.shape[1:]), partial(_part, index * n, (index + 1) * n)) for w, n in parts)


def _part(start: int, stop: int, values: Array) -> Array:
    return values[start:stop]
