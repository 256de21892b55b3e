"""Blobs under other dims, in parts, in another order: one layer each, and none where nothing would change."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from torch2om.ir.blob import Blob
from torch2om.ir.builder import Builder
from torch2om.ir.op import Shape
from torch2om.layers import Concat, Expand, Permute, Reshape, Slice, StridedSlice, Tile


def reshaped(b: Builder, x: Blob, shape: Shape) -> Blob:
    """Return x under the dims `shape`."""
    return x if x.shape == shape else b.add(Reshape(dims=shape), x)


def expanded(b: Builder, x: Blob, shape: Shape) -> Blob:
    """Return x broadcast to `shape` by PyTorch's rule."""
    x = reshaped(b, x, (1,) * (len(shape) - x.rank) + x.shape)
    return x if x.shape == shape else b.add(Expand(shape), x)


def permuted(b: Builder, x: Blob, order: Sequence[int]) -> Blob:
    """Return x with bottom dim order[k] at k; negative dims count from the end."""
    full = tuple(dim % x.rank for dim in order)
    return x if full == tuple(range(x.rank)) else b.add(Permute(full), x)


def sliced(b: Builder, x: Blob, axis: int, start: int, stop: int, step: int = 1) -> Blob:
    """Return x[start:stop:step] along `axis` (counted from the front); bounds as in Python."""
    whole = range(x.shape[axis])
    return x if whole[start:stop:step] == whole else b.add(StridedSlice(axis, start, stop, step), x)


def parts(b: Builder, x: Blob, axis: int, lengths: Sequence[int]) -> tuple[Blob, ...]:
    """Return x cut along `axis` into pieces of these lengths."""
    if len(lengths) == 1:
        return (x,)
    points = tuple(accumulate(lengths))[:-1]
    return b.add_all(Slice(axis, points, tops=len(lengths)), x)


def joined(b: Builder, blobs: Sequence[Blob], axis: int) -> Blob:
    """Return the blobs one after the other along `axis`."""
    return blobs[0] if len(blobs) == 1 else b.add(Concat(axis), *blobs)


def tiled(b: Builder, x: Blob, axis: int, tiles: int) -> Blob:
    """Return `tiles` copies of x one after the other along `axis`."""
    return x if tiles == 1 else b.add(Tile(axis, tiles), x)


def without(shape: Shape, axis: int) -> Shape:
    """Return the shape without the dim at `axis` (counted from the front)."""
    return (*shape[:axis], *shape[axis + 1 :])


def with_one(shape: Shape, axis: int) -> Shape:
    """Return the shape with a new dim of length 1 at `axis` (counted from the front)."""
    return (*shape[:axis], 1, *shape[axis:])
