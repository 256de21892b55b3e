"""Elements moved between channels and space: shuffles, and images as columns of windows."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch

from torch2om.ir.blob import Blob
from torch2om.ir.op import Array
from torch2om.ir.weight import constant
from torch2om.layers import Convolution, Deconvolution, Im2col, ShuffleChannel
from torch2om.lowering.padding import padded
from torch2om.lowering.registry import lowers
from torch2om.lowering.scope import Scope
from torch2om.lowering.views import reshaped

aten = torch.ops.aten


@lowers(aten.channel_shuffle.default)
def channel_shuffle(b: Scope, self: Blob, groups: int) -> Blob:
    """y[:, j * groups + i] = x[:, i * (C / groups) + j]."""
    return b.add(ShuffleChannel(groups), self)


@lowers(aten.pixel_shuffle.default)
def pixel_shuffle(b: Scope, self: Blob, upscale_factor: int) -> Blob:
    """y[c, h * r + i, w * r + j] = x[c * r^2 + i * r + j, h, w]: a Deconvolution moves each channel."""
    side = upscale_factor
    x = reshaped(b, self, (math.prod(self.shape[:-3]), *self.shape[-3:]))
    channels = x.shape[1] // side**2
    op = Deconvolution(channels, (side, side), (side, side), group=channels, bias_term=False)
    return reshaped(b, b.add(op, x, weights=(constant(_places(channels, side, side)),)), b.expected[0])


@lowers(aten.pixel_unshuffle.default)
def pixel_unshuffle(b: Scope, self: Blob, downscale_factor: int) -> Blob:
    """y[c * r^2 + i * r + j, h, w] = x[c, h * r + i, w * r + j]: a Convolution moves each place."""
    side = downscale_factor
    x = reshaped(b, self, (math.prod(self.shape[:-3]), *self.shape[-3:]))
    channels = x.shape[1]
    op = Convolution(channels * side**2, (side, side), (side, side), group=channels, bias_term=False)
    return reshaped(b, b.add(op, x, weights=(constant(_places(channels, side, side)),)), b.expected[0])


@lowers(aten.im2col.default)
def im2col(
    b: Scope,
    self: Blob,
    kernel_size: Sequence[int],
    dilation: Sequence[int],
    padding: Sequence[int],
    stride: Sequence[int],
) -> Blob:
    """y[c * taps + t, p] = x[c, p * stride + t * dilation - padding], places p flattened."""
    x = reshaped(b, self, (math.prod(self.shape[:-3]), *self.shape[-3:]))
    op = Im2col(_pair(kernel_size), _pair(stride), _pair(padding), _pair(dilation))
    return reshaped(b, b.add(op, x), b.expected[0])


@lowers(aten.col2im.default)
def col2im(
    b: Scope,
    self: Blob,
    output_size: Sequence[int],
    kernel_size: Sequence[int],
    dilation: Sequence[int],
    padding: Sequence[int],
    stride: Sequence[int],
) -> Blob:
    """x[c, p * stride + t * dilation - padding] = sum of y[c * taps + t, p]: a Deconvolution, one filter per tap."""
    kernel, step, gap, pad = map(_pair, (kernel_size, stride, dilation, padding))
    counts = tuple(
        (size + 2 * p - d * (k - 1) - 1) // s + 1
        for size, k, s, d, p in zip(output_size, kernel, step, gap, pad, strict=True)
    )
    channels = self.shape[-2] // math.prod(kernel)
    x = reshaped(b, self, (math.prod(self.shape[:-2]), self.shape[-2], *counts))
    op = Deconvolution(channels, kernel, step, (0, 0), gap, group=channels, bias_term=False)
    y = b.add(op, x, weights=(constant(_places(channels, *kernel)),))
    pads = [(-p, size + p - have) for size, have, p in zip(output_size, y.shape[2:], pad, strict=True)]
    return reshaped(b, padded(b, y, [(0, 0), (0, 0), *pads]), b.expected[0])


def _places(channels: int, height: int, width: int) -> Array:
    """Return filters [channels * height * width, 1, height, width]: a channel's filter i * width + j is 1 at (i, j)."""
    taps = height * width
    return np.tile(np.eye(taps, dtype=np.float32).reshape(taps, 1, height, width), (channels, 1, 1, 1))


def _pair(values: Sequence[int]) -> tuple[int, int]:
    return (values[0], values[-1])
