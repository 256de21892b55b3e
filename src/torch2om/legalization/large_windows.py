"""Poolings whose windows are larger than a target takes: two in a row, convolutions, or linear maps along each axis."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from torch2om.errors import Refuse
from torch2om.ir.blob import Blob
from torch2om.ir.op import Shape
from torch2om.ir.weight import constant
from torch2om.layers import Convolution, LinearMap, Pad, PadMode, Pooling, PoolMethod, Rounding
from torch2om.layers.window import Window
from torch2om.legalization.pooling import gathered_windows
from torch2om.legalization.rules import RuleBuilder, legalizes


@dataclass(frozen=True, slots=True)
class _Stages:
    """One axis of two poolings: windows of `inner` elements at a distance, then windows of `outer` of these.

    `pads` are what stands before and behind the image in each of them.
    """

    inner: int
    distance: int
    outer: int
    stride: int
    pads: tuple[int, int]

    @property
    def longest(self) -> int:
        """The longer of the two windows."""
        return max(self.inner, self.outer)

    def seen(self, size: int, windows: int, count: int) -> list[tuple[int, int]]:
        """Return where each of `count` windows of `windows` windows begins and ends in an axis of this size."""
        first, second = self.pads
        starts = [place * self.stride - second for place in range(count)]
        ends = [min(start + self.outer, windows) - 1 for start in starts]
        return [
            (max(max(start, 0) * self.distance - first, 0), min(end * self.distance - first + self.inner, size))
            for start, end in zip(starts, ends, strict=True)
        ]


def _fitting(op: Pooling, x: Blob) -> Window:
    """Return the windows; refuse if one passes the padded image, or if a second top tells places in it."""
    sizes = x.shape[2:]
    window = op.window(sizes)
    ends = zip(window.span(op.counts(sizes)), sizes, op.pad, strict=True)
    if op.tops > 1 or any(end > size + 2 * pad for end, size, pad in ends):
        raise Refuse("its last window passes the padded image, or it has a second top")
    return window


@legalizes(Pooling)
def pool_in_two(b: RuleBuilder, op: Pooling, x: Blob) -> Blob:
    """pool(x, k) = pool(pool(x, k_1, at distance d), k_2) with (k_2 - 1) * d + k_1 = k, and pads p_2 * d + p_1 = p.

    Exact: a maximum of overlapping windows is the maximum of all, and what is padded counts in neither; a mean of means
    of disjoint ones (k_1 = d, p_2 = 0) is the mean. Whether the windows see the same is looked at one by one.
    """
    window, sizes = op.window(x.shape[2:]), x.shape[2:]
    if op.pool is PoolMethod.AVE or op.tops > 1:
        _fitting(op, x)
    counts = op.counts(sizes)
    sides = zip(window.kernel, op.stride, op.pad, counts, strict=True)
    down, across = (
        _stages(op.pool, kernel, stride, pad, count)
        if 2 * kernel > max(window.kernel)
        else _Stages(kernel, stride, 1, 1, (pad, 0))
        for kernel, stride, pad, count in sides
    )
    pads = ((down.pads[0], across.pads[0]), (down.pads[1], across.pads[1]))
    inner = Pooling(op.pool, (down.inner, across.inner), (down.distance, across.distance), pads[0], Rounding.FLOOR)
    windows = inner.counts(sizes)
    outer = _counting(op.pool, down, across, pads[1], windows, counts)
    for axis, side in enumerate((down, across)):
        if side.seen(sizes[axis], windows[axis], counts[axis]) != _seen(op, window, sizes, counts, axis):
            raise Refuse("its windows see other elements than windows of windows do")
    return b.add(outer, b.add(inner, x))


def _counting(
    pool: PoolMethod, down: _Stages, across: _Stages, pad: tuple[int, int], windows: Shape, counts: Shape
) -> Pooling:
    """Return the second pooling with the rounding that gives as many windows as there are."""
    for rounding in (Rounding.FLOOR, Rounding.CEIL):
        outer = Pooling(pool, (down.outer, across.outer), (down.stride, across.stride), pad, rounding)
        if outer.counts(windows) == counts:
            return outer
    raise Refuse("there are other windows than windows of windows")


def _seen(op: Pooling, window: Window, sizes: Shape, counts: Shape, axis: int) -> list[tuple[int, int]]:
    """Return where each window begins and ends inside the image along an axis."""
    starts = [place * op.stride[axis] - op.pad[axis] for place in range(counts[axis])]
    return [(max(start, 0), min(start + window.kernel[axis], sizes[axis])) for start in starts]


def _stages(pool: PoolMethod, kernel: int, stride: int, pad: int, count: int) -> _Stages:
    """Return the two stages with the shortest windows; the distance divides the stride if there are several windows."""
    if pool is PoolMethod.STOCHASTIC:
        raise Refuse("a weighted average is no average of averages")
    step = 0 if count == 1 else stride
    distances = (distance for distance in range(1, kernel + 1) if step % distance == 0)
    found = [stages for distance in distances if (stages := _parted(pool, kernel, distance, step, pad)) is not None]
    best = min(found, key=lambda stages: stages.longest, default=None)
    if best is None or best.longest == kernel:
        raise Refuse(f"windows of {kernel} at distance {stride} with pad {pad} are not made of equal smaller ones")
    return best


def _parted(pool: PoolMethod, kernel: int, distance: int, step: int, pad: int) -> _Stages | None:
    """Return the stages whose first windows stand at this distance, if there are any."""
    if pool is PoolMethod.AVE:
        outer = kernel // distance if kernel % distance == 0 else 0
    else:
        outer = min(-(-(kernel + distance) // (distance + 1)), kernel // distance)
    inner = kernel - (outer - 1) * distance
    behind = max(-(-(pad - inner + 1) // distance), 0)
    if behind >= max(outer, 1) or (behind and pool is PoolMethod.AVE):
        return None
    pads = (pad - behind * distance, behind)
    return _Stages(inner, distance, outer, step // distance or 1, pads) if outer else None


@legalizes(Pooling)
def average_by_convolution(b: RuleBuilder, op: Pooling, x: Blob) -> Blob:
    """the mean over a window = a Convolution of every channel with weights 1 / the window's size.

    Exact.
    """
    window = _fitting(op, x)
    if op.pool is not PoolMethod.AVE:
        raise Refuse(f"a Convolution computes no {op.pool}")
    channels = x.shape[1]
    filters = constant(np.full((channels, 1, *window.kernel), 1 / prod(window.kernel)))
    layer = Convolution(channels, window.kernel, op.stride, op.pad, group=channels, bias_term=False)
    return b.add(layer, x, weights=(filters,))


@legalizes(Pooling)
def average_by_maps(b: RuleBuilder, op: Pooling, x: Blob) -> Blob:
    """y = A_h x A_w^T, a row of A averaging one window along one axis, clipped to the padded image.

    Exact: the size of a window is its height times its width.
    """
    if op.pool is not PoolMethod.AVE:
        raise Refuse(f"a linear map computes no {op.pool}")
    window, counts = op.window(x.shape[2:]), _counts_inside(op, x)
    y = x
    for axis in (0, 1):
        size, pad = x.shape[2 + axis], op.pad[axis]
        matrix = np.zeros((counts[axis], size + 2 * pad))
        for place in range(counts[axis]):
            start = place * op.stride[axis]
            stop = min(start + window.kernel[axis], size + 2 * pad)
            matrix[place, start:stop] = 1 / (stop - start)
        y = b.add(LinearMap(2 + axis), y, weights=(constant(matrix[:, pad : pad + size]),))
    return y


@legalizes(Pooling)
def maximum_of_continued(b: RuleBuilder, op: Pooling, x: Blob) -> Blob:
    """max over windows = max over the windows of the image continued by its border elements, without padding.

    Exact: a window that passes the border holds the elements there already.
    """
    if op.pool is not PoolMethod.MAX or op.tops > 1 or op.global_pooling:
        raise Refuse("it is no maximum alone, or its window is the image")
    ends = zip(op.pad, op.window(()).span(_counts_inside(op, x)), x.shape[2:], strict=True)
    pads = tuple((pad, end - pad - size) for pad, end, size in ends)
    if not any(map(any, pads)):
        raise Refuse("its windows fill the image")
    image = b.add(Pad(((0, 0), (0, 0), *pads), PadMode.REPLICATE), x)
    return b.add(Pooling(op.pool, op.kernel, op.stride, rounding=Rounding.FLOOR), image)


@legalizes(Pooling)
def maximum_of_gathered(b: RuleBuilder, op: Pooling, x: Blob) -> Blob:
    """max over windows = Pooling of the windows laid side by side; a tap outside repeats a tap of its window inside.

    Exact: a maximum does not count how often an element stands there.
    """
    if op.pool is not PoolMethod.MAX or op.tops > 1 or op.global_pooling:
        raise Refuse("it is no maximum alone, or its window is the image")
    return gathered_windows(b, x, op.window(()), _counts_inside(op, x), op.pad)


def _counts_inside(op: Pooling, x: Blob) -> Shape:
    """Return the number of windows down and across; refuse if one lies wholly outside the image."""
    counts = op.counts(x.shape[2:])
    axes = zip(counts, op.stride, x.shape[2:], op.pad, strict=True)
    if any((count - 1) * stride >= size + pad for count, stride, size, pad in axes):
        raise Refuse("a window lies wholly outside the image")
    return counts
