"""Convolutions and their transposes, over one or two spatial dims."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from torch2om.ir.blob import Blob
from torch2om.ir.weight import Weight
from torch2om.layers import Bias, Convolution, Deconvolution, DynamicConvolution
from torch2om.lowering.operands import plus
from torch2om.lowering.padding import padded
from torch2om.lowering.registry import lowers
from torch2om.lowering.scope import Scope
from torch2om.lowering.views import reshaped

aten = torch.ops.aten


@dataclass(frozen=True)
class Sliding:
    """How a kernel moves: one number per spatial dim each (PyTorch gives one number for all where they agree)."""

    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]

    @classmethod
    def over(cls, rank: int, stride: Sequence[int], padding: Sequence[int], dilation: Sequence[int]) -> Sliding:
        """Return the movement over `rank` spatial dims."""
        return cls(_each(stride, rank), _each(padding, rank), _each(dilation, rank))


def _each(values: Sequence[int], rank: int) -> tuple[int, ...]:
    return tuple(values) * rank if len(values) == 1 else tuple(values)


@lowers(aten.conv1d.default, aten.conv2d.default)
def conv(
    b: Scope,
    input: Blob,
    weight: Blob | Weight,
    bias: Blob | Weight | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    groups: int,
) -> Blob:
    """y[o, p] = bias[o] + sum of weight[o, c, t] * input[c, p * stride + t * dilation - padding]."""
    sliding = Sliding.over(len(weight.shape) - 2, stride, padding, dilation)
    x = _batched(b, input, weight)
    if isinstance(weight, Weight):
        y = _convolved(b, x, weight, None if isinstance(bias, Blob) else bias, sliding, groups)
    else:
        y = b.add(DynamicConvolution(sliding.stride, sliding.padding, sliding.dilation, groups), x, weight)
    if isinstance(bias, Blob) or (bias is not None and isinstance(weight, Blob)):
        y = plus(b, y, _as_channels(b, bias, y.rank))
    return reshaped(b, y, b.expected[0])


def _as_channels(b: Scope, bias: Blob | Weight, rank: int) -> Blob | Weight:
    """Return one number per channel under dims that broadcast with a blob of this rank."""
    shape = (bias.shape[0], *(1,) * (rank - 2))
    return reshaped(b, bias, shape) if isinstance(bias, Blob) else bias.map(shape, lambda w: w.reshape(shape))


@lowers(aten.conv_transpose1d.default, aten.conv_transpose2d.input)
def conv_transpose(
    b: Scope,
    input: Blob,
    weight: Weight,
    bias: Weight | None,
    stride: Sequence[int],
    padding: Sequence[int],
    output_padding: Sequence[int],
    groups: int,
    dilation: Sequence[int],
) -> Blob:
    """y[o, p * stride + t * dilation - padding] = bias[o] + sum of weight[c, o, t] * input[c, p].

    The result goes on `output_padding` elements beyond -padding at its end: a Deconvolution with less padding, cropped
    at its beginning; what lies beyond the last kernel is bias alone.
    """
    rank = len(weight.shape) - 2
    sliding = Sliding.over(rank, stride, padding, dilation)
    extra = _each(output_padding, rank)
    kept = tuple(max(pad - more, 0) for pad, more in zip(sliding.padding, extra, strict=True))
    beyond = any(more > pad for pad, more in zip(sliding.padding, extra, strict=True))
    x = _batched(b, input, weight)
    inner = Sliding(sliding.stride, kept, sliding.dilation)
    y = _deconvolved(b, x, weight, None if beyond else bias, inner, groups)
    ends = [(have - pad, have - pad + more) for have, pad, more in zip(kept, sliding.padding, extra, strict=True)]
    if any(extra):
        y = padded(b, y, [(0, 0), (0, 0), *ends])
    if beyond and bias is not None:
        y = b.add(Bias(axis=1, num_axes=1), y, weights=(bias,))
    return reshaped(b, y, b.expected[0])


def _batched(b: Scope, x: Blob, weight: Blob | Weight) -> Blob:
    """Return x with a batch dim."""
    return reshaped(b, x, (1, *x.shape)) if x.rank < len(weight.shape) else x


def _convolved(b: Scope, x: Blob, weight: Weight, bias: Weight | None, sliding: Sliding, groups: int) -> Blob:
    op = Convolution(
        weight.shape[0],
        weight.shape[2:],
        sliding.stride,
        sliding.padding,
        sliding.dilation,
        groups,
        bias is not None,
    )
    return b.add(op, x, weights=(weight,) if bias is None else (weight, bias))


def _deconvolved(b: Scope, x: Blob, weight: Weight, bias: Weight | None, sliding: Sliding, groups: int) -> Blob:
    op = Deconvolution(
        weight.shape[1] * groups,
        weight.shape[2:],
        sliding.stride,
        sliding.padding,
        sliding.dilation,
        groups,
        bias is not None,
    )
    return b.add(op, x, weights=(weight,) if bias is None else (weight, bias))
