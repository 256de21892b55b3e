"""Pooling: Caffe's own layer where its windows are PyTorch's, a virtual one where they are not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from torch2om.errors import Refuse
from torch2om.ir.blob import Blob
from torch2om.ir.op import BadOp, Shape
from torch2om.layers import AdaptivePooling, Pooling, PoolMethod, Rounding, WindowPooling
from torch2om.lowering.operands import affine
from torch2om.lowering.registry import lowers
from torch2om.lowering.scope import Scope
from torch2om.lowering.views import reshaped

aten = torch.ops.aten
Pair = tuple[int, int]


@dataclass(frozen=True)
class Plane:
    """A blob seen as (N, C, H, W); `height` and `width` are the spatial dims that H and W stand for.

    One spatial dim is the width of images of height 1 (`height` None). Three are two where the windows leave the first
    dim, or the last two, alone.
    """

    image: Shape
    height: int | None
    width: int

    def pair(self, values: Sequence[int], unused: int) -> Pair:
        """Return (height, width) of numbers per spatial dim; one number stands for all."""
        height = unused if self.height is None else values[self.height % len(values)]
        return (height, values[self.width % len(values)])


def plane(shape: Shape, kernel: Sequence[int]) -> Plane:
    """Return how pooling with this kernel sees a blob of `shape`; a missing batch dim is 1."""
    rank = len(kernel)
    batch = math.prod(shape[: -rank - 1])
    channels, *sizes = shape[-rank - 1 :]
    if rank == 1:
        return Plane((batch, channels, 1, *sizes), None, 0)
    if rank == 2:
        return Plane((batch, channels, *sizes), 0, 1)
    if kernel[0] == 1:
        return Plane((batch, channels * sizes[0], *sizes[1:]), 1, 2)
    if kernel[1] == kernel[2] == 1:
        return Plane((batch, channels, sizes[0], sizes[1] * sizes[2]), 0, 1)
    raise Refuse("3-D pooling: no target has a Caffe layer for it", hint="pool over two dims, then over the third")


def _caffe(op: WindowPooling, sizes: Shape) -> Pooling | None:
    """Return Caffe's pooling with the same windows and divisors; None if there is none.

    Rounding up stands first: every reader of Caffe files agrees on it. Both divide an average by the window clipped to
    the padded image; where padding does not count, PyTorch clips to the image itself.
    """
    if op.dilation != (1, 1) or (op.pool is PoolMethod.AVE and any(op.pad) and not op.count_include_pad):
        return None
    for rounding in (Rounding.CEIL, Rounding.FLOOR):
        same = Pooling(op.pool, op.kernel, op.stride, op.pad, rounding)
        try:
            if same.counts(sizes) == op.counts(sizes):
                return same
        except BadOp:
            continue
    return None


def pooled(b: Scope, x: Blob, seen: Plane, op: WindowPooling) -> Blob:
    """Return x pooled, in PyTorch's shape."""
    image = reshaped(b, x, seen.image)
    sizes = image.shape[2:]
    plain = _caffe(replace(op, divisor=None, count_include_pad=op.count_include_pad or op.divisor is not None), sizes)
    span = op.window.span(op.counts(sizes))
    whole = all(reach <= size + 2 * pad for reach, size, pad in zip(span, sizes, op.pad, strict=True))
    if plain is None or not (op.divisor is None or whole):
        return reshaped(b, b.add(op, image), b.expected[0])
    y = b.add(plain, image)
    area = math.prod(op.kernel)
    y = y if op.divisor in {None, area} else affine(b, y, scale=area / (op.divisor or area))
    return reshaped(b, y, b.expected[0])


@lowers(aten.max_pool1d.default, aten.max_pool2d.default, aten.max_pool3d.default)
def max_pool(
    b: Scope,
    self: Blob,
    kernel_size: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    ceil_mode: bool,
) -> Blob:
    """The largest element of each window; padding never is."""
    seen = plane(self.shape, kernel_size)
    step, pad, gap = seen.pair(stride or kernel_size, 1), seen.pair(padding, 0), seen.pair(dilation, 1)
    op = WindowPooling(PoolMethod.MAX, seen.pair(kernel_size, 1), step, pad, gap, ceil_mode)
    return pooled(b, self, seen, op)


@lowers(aten.max_pool2d_with_indices.default)
def max_pool_with_indices(
    b: Scope,
    self: Blob,
    kernel_size: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    ceil_mode: bool,
) -> tuple[Blob, ...]:
    """The largest element of each window; the indices are no result here."""
    return (max_pool(b, self, kernel_size, stride, padding, dilation, ceil_mode),)


@lowers(aten.avg_pool2d.default, aten.avg_pool3d.default)
def avg_pool(
    b: Scope,
    self: Blob,
    kernel_size: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Blob:
    """The sum of each window, divided by its size or by `divisor_override`."""
    seen = plane(self.shape, kernel_size)
    step, pad = seen.pair(stride or kernel_size, 1), seen.pair(padding, 0)
    op = WindowPooling(
        PoolMethod.AVE, seen.pair(kernel_size, 1), step, pad, (1, 1), ceil_mode, count_include_pad, divisor_override
    )
    return pooled(b, self, seen, op)


@lowers(aten.avg_pool1d.default)
def avg_pool1d(
    b: Scope,
    self: Blob,
    kernel_size: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    ceil_mode: bool,
    count_include_pad: bool,
) -> Blob:
    """The mean of each window."""
    return avg_pool(b, self, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


@lowers(aten.adaptive_avg_pool1d.default, aten.adaptive_avg_pool2d.default)
def adaptive_avg_pool(b: Scope, self: Blob, output_size: Sequence[int]) -> Blob:
    """The mean of each of `output_size` even parts."""
    return _adapted(b, self, PoolMethod.AVE, output_size)


@lowers(aten.adaptive_max_pool1d.default, aten.adaptive_max_pool2d.default)
def adaptive_max_pool(b: Scope, self: Blob, output_size: Sequence[int]) -> tuple[Blob, ...]:
    """The largest element of each of `output_size` even parts; the indices are no result here."""
    return (_adapted(b, self, PoolMethod.MAX, output_size),)


def _adapted(b: Scope, x: Blob, pool: PoolMethod, output_size: Sequence[int]) -> Blob:
    """Return x pooled to a size: one window, windows of one size, or windows that overlap."""
    seen = plane(x.shape, output_size)
    image, size = reshaped(b, x, seen.image), seen.pair(output_size, 1)
    height, width = image.shape[2:]
    if size == (height, width):
        y = image
    elif size == (1, 1):
        y = b.add(Pooling(pool, global_pooling=True), image)
    elif height % size[0] == width % size[1] == 0:
        window = (height // size[0], width // size[1])
        y = b.add(Pooling(pool, window, window), image)
    else:
        y = b.add(AdaptivePooling(pool, size), image)
    return reshaped(b, y, b.expected[0])
