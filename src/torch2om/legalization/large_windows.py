"""Poolings whose windows are larger than a target takes: two in a row, convolutions, or linear maps along each axis."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from torch2om.errors import Refuse
from torch2om.ir.blob import Blob
from torch2om.ir.op import Shape
from torch2om.ir.weight import constant
from torch2om.layers import Convolution, LinearMap, Pooling, PoolMethod, Rounding
from torch2om.layers.window import Window
from torch2om.legalization.pooling import gathered_windows
from torch2om.legalization.rules import RuleBuilder, legalizes


@dataclass(frozen=True, slots=True)
class _Stages:
    """One axis of two poolings: windows of `inner` elements at a distance, then windows of `outer` of these."""

    inner: int
    distance: int
    outer: int
    stride: int

    @property
    def longest(self) -> int:
        """The longer of the two windows."""
        return max(self.inner, self.outer)


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
    """pool(x, k) = pool(pool(x, k_1, at distance d), k_2) with (k_2 - 1) * d + k_1 = k.

    Exact: a maximum of overlapping windows is the maximum of all, a mean of means of disjoint ones (k_1 = d) the mean.
    """
    window = _fitting(op, x)
    sides = zip(window.kernel, op.stride, op.counts(x.shape[2:]), strict=True)
    down, across = (
        _stages(op.pool, kernel, stride, count) if 2 * kernel > max(window.kernel) else _Stages(kernel, stride, 1, 1)
        for kernel, stride, count in sides
    )
    if any(pad >= side.inner for pad, side in zip(op.pad, (down, across), strict=True)):
        raise Refuse(f"pad {list(op.pad)} is not below the first windows")
    inner = Pooling(op.pool, (down.inner, across.inner), (down.distance, across.distance), op.pad, Rounding.FLOOR)
    outer = Pooling(op.pool, (down.outer, across.outer), (down.stride, across.stride), rounding=Rounding.FLOOR)
    return b.add(outer, b.add(inner, x))


def _stages(pool: PoolMethod, kernel: int, stride: int, count: int) -> _Stages:
    """Return the two stages with the shortest windows; the distance divides the stride if there are several windows."""
    if pool is PoolMethod.STOCHASTIC:
        raise Refuse("a weighted average is no average of averages")
    step = 0 if count == 1 else stride
    found = [_parted(pool, kernel, distance, step) for distance in range(1, kernel + 1) if step % distance == 0]
    best = min((stages for stages in found if stages is not None), key=lambda stages: stages.longest)
    if best.longest == kernel:
        raise Refuse(f"windows of {kernel} at distance {stride} are not made of equal smaller ones")
    return best


def _parted(pool: PoolMethod, kernel: int, distance: int, step: int) -> _Stages | None:
    """Return the stages whose first windows stand at this distance, if there are any."""
    if pool is PoolMethod.AVE:
        outer = kernel // distance if kernel % distance == 0 else 0
    else:
        outer = min(-(-(kernel + distance) // (distance + 1)), kernel // distance)
    inner = kernel - (outer - 1) * distance
    return _Stages(inner, distance, outer, step // distance or 1) if outer else None


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
