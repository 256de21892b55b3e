"""PyTorch's pooling over the last two dims, where Caffe's Pooling means something else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from torch2om.ir.op import Array, Arrays, Op, Shape, Shapes, need
from torch2om.layers.arity import sole
from torch2om.layers.interpolation import adaptive_bounds, apply_taps, area
from torch2om.layers.pooling import Pair, PoolMethod
from torch2om.layers.precision import rounded, widened
from torch2om.layers.window import Window, check_window, framed


@dataclass(frozen=True)
class WindowPooling(Op):
    """y[p] = maximum, or sum / divisor, of x[p * stride + t * dilation - pad] over the taps t inside x.

    `ceil` counts a last window that only partly fits, unless it would begin behind x and its left pad. An average's
    divisor is `divisor` if given, else with `count_include_pad` the window's elements inside the padded image, else
    those inside x (torch.nn.functional.max_pool2d and avg_pool2d; an average has no dilation).
    """

    pool: PoolMethod
    kernel: Pair
    stride: Pair
    pad: Pair = (0, 0)
    dilation: Pair = (1, 1)
    ceil: bool = False
    count_include_pad: bool = True
    divisor: int | None = None

    def __post_init__(self) -> None:
        need(self.pool in {PoolMethod.MAX, PoolMethod.AVE}, f"PyTorch has no {self.pool} pooling")
        check_window(self.window, self.pad)
        need(self.pool is PoolMethod.MAX or self.dilation == (1, 1), "an average has no dilation")
        fits = all(2 * pad <= extent for pad, extent in zip(self.pad, self.window.extent, strict=True))
        need(fits, f"pad {list(self.pad)} passes half of the kernel's extent {list(self.window.extent)}")
        need(self.divisor != 0, "divisor must not be 0")

    @property
    def window(self) -> Window:
        """The sliding window."""
        return Window(self.kernel, self.stride, self.dilation)

    def counts(self, sizes: Shape) -> tuple[int, ...]:
        """Return the number of windows along height and width."""
        axes = zip(sizes, self.window.extent, self.stride, self.pad, strict=True)
        return tuple(self._count(*axis) for axis in axes)

    def _count(self, size: int, extent: int, stride: int, pad: int) -> int:
        """Return the number of windows along one axis."""
        slack = size + 2 * pad - extent
        count = (-(-slack // stride) if self.ceil else slack // stride) + 1
        if self.ceil and (count - 1) * stride >= size + pad:
            count -= 1
        need(count >= 1, f"a kernel of extent {extent} is larger than {size} padded by {pad}")
        return count

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return the bottom's shape with the numbers of windows in place of the last two dims."""
        bottom = sole(bottoms, weights)
        need(len(bottom) >= 2, f"needs height and width, has {list(bottom)}")
        return ((*bottom[:-2], *self.counts(bottom[-2:])),)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - has no weights
        """Return the pooled values; a maximum hands NaN on."""
        x = widened(bottoms[0])
        counts = self.counts(x.shape[-2:])
        largest = self.pool is PoolMethod.MAX
        frame = framed(x, self.pad, self.window.span(counts), -np.inf if largest else 0.0)
        combine = np.maximum if largest else np.add
        first, *others = (frame[self.window.seen(tap, counts)] for tap in self.window.taps())
        y: Array = first.copy()
        for seen in others:
            combine(y, seen, out=y)
        return (rounded(y if largest else y / self._divisors(x.shape[-2:], counts).astype(x.dtype), bottoms[0]),)

    def _divisors(self, sizes: Shape, counts: Shape) -> Array:
        """Return what each window's sum is divided by, broadcast over the last two dims."""
        if self.divisor is not None:
            return np.array(float(self.divisor))
        rows, columns = (
            self._lengths(*axis) for axis in zip(sizes, counts, self.kernel, self.stride, self.pad, strict=True)
        )
        return np.outer(rows, columns)

    def _lengths(self, size: int, count: int, kernel: int, stride: int, pad: int) -> Array:
        """Return how many elements of each window along one axis count for the average."""
        starts = np.arange(count) * stride - pad
        ends = np.minimum(starts + kernel, size + pad)
        if not self.count_include_pad:
            starts, ends = np.maximum(starts, 0), np.minimum(ends, size)
        return (ends - starts).astype(np.float64)


@dataclass(frozen=True)
class AdaptivePooling(Op):
    """y[p] = maximum or mean of x[floor(p * in / size) : ceil((p + 1) * in / size)], along height and width."""

    pool: PoolMethod
    size: Pair

    def __post_init__(self) -> None:
        need(self.pool in {PoolMethod.MAX, PoolMethod.AVE}, f"PyTorch has no {self.pool} pooling")
        need(len(self.size) == 2 and min(self.size) >= 1, f"size {list(self.size)} must hold 2 positive numbers")

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return the bottom's shape with `size` in place of the last two dims."""
        bottom = sole(bottoms, weights)
        need(len(bottom) >= 2, f"needs height and width, has {list(bottom)}")
        return ((*bottom[:-2], *self.size),)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - has no weights
        """Return the pooled values."""
        x = widened(bottoms[0])
        if self.pool is PoolMethod.AVE:
            taps = [area(length, size) for length, size in zip(x.shape[-2:], self.size, strict=True)]
            return (rounded(apply_taps(x, taps), bottoms[0]),)
        for axis, size in zip((-2, -1), self.size, strict=True):
            windows = adaptive_bounds(x.shape[axis], size)
            x = np.stack([x.take(range(*window), axis=axis).max(axis=axis) for window in windows], axis=axis)
        return (rounded(x, bottoms[0]),)
