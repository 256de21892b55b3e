"""Cross-correlation of blobs with filters and its transpose: matrix products over windows, in bounded memory.

x is (N, C, spatial...), filters are (O, C / group, kernel...); for the transpose (C, O / group, kernel...).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from torch2om.ir.op import Array, Shape
from torch2om.layers.window import Window, framed, last_axes

TILE_BYTES = 16 << 20  # of gathered windows: bounded memory, and large enough for an efficient product
CHANNEL_BYTES = 1 << 19  # of a depthwise block: accumulator and product stay in a core's cache


def correlate(x: Array, filters: Array, window: Window, pad: Shape, counts: Shape) -> Array:
    """y[n, o, p] = sum over c, t of filters[o, c, t] * x[n, group(o) + c, p * stride + t * dilation - pad].

    `counts` are the windows per axis; zeros stand outside x. The number of groups follows from the shapes.
    """
    if filters.shape[1] == 1 and x.shape[1] > 1:
        return _correlate_depthwise(framed(x, pad, window.span(counts)), filters, window, counts)
    groups = x.shape[1] // filters.shape[1]
    y = np.empty((x.shape[0], filters.shape[0], *counts), x.dtype)
    matrices = filters.reshape(groups, filters.shape[0] // groups, -1)
    if set(window.kernel + window.stride) == {1} and not any(pad):
        np.matmul(matrices, _grouped(x, groups), out=_grouped(y, groups))
        return y
    for image, result in zip(x, y, strict=True):
        _correlate_image(framed(image, pad, window.span(counts)), matrices, window, result)
    return y


def _grouped(x: Array, groups: int) -> Array:
    """Return (N, C, spatial...) as (N, groups, C / groups, positions)."""
    return x.reshape(x.shape[0], groups, x.shape[1] // groups, -1)


def _correlate_image(image: Array, matrices: Array, window: Window, result: Array) -> None:
    """Write matrices @ windows(image) to `result`, some rows of windows at a time."""
    counts = result.shape[1:]
    views = window.views(image, counts)
    groups, outputs, depth = matrices.shape
    flat = result.reshape(groups, outputs, -1)
    row = math.prod(counts[1:])
    tiles = list(_tiles(counts[0], row * groups * depth * image.itemsize))
    buffer = np.empty(groups * depth * row * max(stop - start for start, stop in tiles), image.dtype)
    for start, stop in tiles:
        seen = views[last_axes((slice(start, stop), *map(slice, counts[1:])))]
        gathered = buffer[: seen.size].reshape(seen.shape)
        np.copyto(gathered, seen)
        columns = gathered.reshape(groups, depth, -1)
        np.matmul(matrices, columns, out=flat[:, :, start * row : stop * row])


def _tiles(count: int, bytes_each: int) -> Iterator[tuple[int, int]]:
    """Yield (start, stop) over `count` rows such that a tile holds about TILE_BYTES, at least one row each."""
    step = max(1, TILE_BYTES // max(bytes_each, 1))
    return ((start, min(start + step, count)) for start in range(0, count, step))


def _correlate_depthwise(x: Array, filters: Array, window: Window, counts: Shape) -> Array:
    """Multiply and add tap by tap, a block of channels at a time; channel c has its own m filters."""
    images, channels = x.shape[:2]
    multiplier = filters.shape[0] // channels
    y = np.zeros((images, channels, multiplier, *counts), x.dtype)
    taps = filters.reshape(channels, multiplier, -1)
    ones = (1,) * len(counts)
    step = max(1, CHANNEL_BYTES // max(1, multiplier * math.prod(counts) * x.itemsize))
    for image, first in np.ndindex(images, -(-channels // step)):
        block = slice(first * step, (first + 1) * step)
        total, source, weights = y[image, block], x[image, block, None], taps[block]
        term = np.empty_like(total)
        for index, tap in enumerate(window.taps()):
            seen = source[window.seen(tap, counts)]
            np.multiply(seen, weights[:, :, index].reshape(-1, multiplier, *ones), out=term)
            total += term
    return y.reshape(images, channels * multiplier, *counts)


def spread(x: Array, filters: Array, window: Window, pad: Shape, group: int) -> Array:
    """y[n, o, p * stride + t * dilation - pad] = sum over c, t, p of filters[c, o, t] * x[n, c, p].

    The transpose of `correlate`: every element of x writes one window of y; what falls into the padding is dropped.
    """
    span = window.span(x.shape[2:])
    outputs = filters.shape[1] * group
    whole = np.zeros((x.shape[0], outputs, *span), x.dtype)
    matrices = filters.reshape(group, filters.shape[0] // group, -1).transpose(0, 2, 1)
    for image, result in zip(x, whole, strict=True):
        _spread_image(image, matrices, window, result)
    return whole[last_axes(slice(p, size - p) for p, size in zip(pad, span, strict=True))]


def _spread_image(image: Array, matrices: Array, window: Window, result: Array) -> None:
    """Add matrices @ image to the windows of `result`, some rows of the image at a time."""
    groups, depth, inputs = matrices.shape
    height, *rest = image.shape[1:]
    row = math.prod(rest)
    flat = image.reshape(groups, inputs, -1)
    for start, stop in _tiles(height, row * groups * depth * image.itemsize):
        counts = (stop - start, *rest)
        columns = (matrices @ flat[:, :, start * row : stop * row]).reshape(result.shape[0], -1, *counts)
        below = result[:, start * window.stride[0] :]
        for index, tap in enumerate(window.taps()):
            below[window.seen(tap, counts)] += columns[:, index]
