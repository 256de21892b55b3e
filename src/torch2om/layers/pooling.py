"""Layers that reduce or gather windows of an image: Pooling, SPP, Im2col."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

import numpy as np

from torch2om.ir.op import Array, Arrays, Op, Shape, Shapes, elements, need
from torch2om.ir.spelling import Choice, Spatial, Spelling, Unwritten, spelled
from torch2om.layers.arity import sole
from torch2om.layers.linear import KERNEL, PAD, STRIDE
from torch2om.layers.precision import rounded, widened
from torch2om.layers.window import Index, Window, check_window, framed, last_axes

Pair = tuple[int, int]

LOWEST = -float(np.finfo(np.float32).max)  # BVLC Caffe fills a MAX top with -FLT_MAX before it compares

POOL = Spelling("pool", always=True)  # OpenCV 4 asks for it where the pooling is global


class PoolMethod(StrEnum):
    """What a window becomes: its maximum, its average, or the average weighted by the values themselves."""

    MAX = "MAX"
    AVE = "AVE"
    STOCHASTIC = "STOCHASTIC"


class Rounding(StrEnum):
    """How (in + 2 * pad - kernel) / stride is rounded to the number of windows less one."""

    CEIL = "CEIL"
    FLOOR = "FLOOR"


@dataclass(frozen=True)
class Pooling(Op):
    """y[n, c, p] = pool over t of x[n, c, p * stride + t - pad], t < kernel, inside the image.

    Windows per axis: round((in + 2 * pad - kernel) / stride) + 1; only with padding (on either axis) the last one is
    dropped where it would begin at in + pad or later. A window wholly outside the image gives -FLT_MAX (MAX) or
    0 / its size (AVE), NaN for size 0. AVE divides by the window clipped to the padded image, so padding counts and
    what lies beyond does not. STOCHASTIC is the testing phase's sum(x^2) / sum(x), 0 where the sum is not positive.
    NaN never is a maximum. Two tops: the second holds each maximum's index y * W + x in its channel's image, -1 where
    there is none. Measured on BVLC Caffe 1.0 (STOCHASTIC: read in its CUDA kernel; its CPU has none).
    """

    caffe_type: ClassVar[str | None] = "Pooling"
    message: ClassVar[str] = "pooling_param"

    pool: PoolMethod = spelled(POOL, default=PoolMethod.MAX)  # noqa: RUF009 - spelled makes a dataclasses.field
    kernel: tuple[int, int] = spelled(KERNEL, default=(0, 0))
    stride: tuple[int, int] = spelled(STRIDE, default=(1, 1))
    pad: tuple[int, int] = spelled(PAD, default=(0, 0))
    rounding: Rounding = spelled(  # noqa: RUF009 - spelled makes a dataclasses.field
        "round_mode",
        default=Rounding.CEIL,
        dialects={"opencv": Choice("ceil_mode", values=((Rounding.FLOOR, False), (Rounding.CEIL, True)))},
    )
    global_pooling: bool = False
    tops: int = spelled(Unwritten(""), default=1)

    def __post_init__(self) -> None:
        need(self.tops == 1 or (self.tops == 2 and self.pool is PoolMethod.MAX), f"{self.pool} has no {self.tops} tops")
        if self.global_pooling:
            need(self.kernel == (0, 0), "global_pooling takes its kernel from the image")
            need(self.pad == (0, 0) and self.stride == (1, 1), "global_pooling needs pad 0 and stride 1")
            return
        check_window(self.window(()), self.pad)
        if any(self.pad):
            need(self.pool is not PoolMethod.STOCHASTIC, "STOCHASTIC pooling has no padding")
            fits = all(pad < kernel for pad, kernel in zip(self.pad, self.kernel, strict=True))
            need(fits, f"pad {list(self.pad)} is not below kernel {list(self.kernel)}")

    def window(self, sizes: Shape) -> Window:
        """Return the sliding window; `sizes` are the image's height and width."""
        return Window(sizes if self.global_pooling else self.kernel, self.stride, (1, 1))

    def counts(self, sizes: Shape) -> Shape:
        """Return the number of windows along height and width."""
        return tuple(
            self._count(size, kernel, stride, pad)
            for size, kernel, stride, pad in zip(sizes, self.window(sizes).kernel, self.stride, self.pad, strict=True)
        )

    def _count(self, size: int, kernel: int, stride: int, pad: int) -> int:
        slack = size + 2 * pad - kernel
        count = (slack // stride if self.rounding is Rounding.FLOOR else -(-slack // stride)) + 1
        if any(self.pad) and (count - 1) * stride >= size + pad:
            count -= 1
        need(count > 0, f"kernel {kernel} is larger than {size} padded by {pad}")
        return count

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return (N, C, windows down, windows across), once per top."""
        bottom = sole(bottoms, weights)
        need(len(bottom) == 4, f"needs a blob (N, C, H, W), not {list(bottom)}")
        return ((*bottom[:2], *self.counts(bottom[2:])),) * self.tops

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - has no weights
        """Return the pooled image, and the mask if it has two tops."""
        x = widened(bottoms[0])
        if self.tops == 2:
            return tuple(rounded(top, bottoms[0]) for top in self._masked(x))
        with np.errstate(all="ignore"):
            return (rounded(_POOLS[self.pool](self, x), bottoms[0]),)

    def _reduced(self, x: Array, combine: np.ufunc, fill: float) -> Array:
        """Return every window combined, first down the columns, then along the rows."""
        window, counts = self.window(x.shape[2:]), self.counts(x.shape[2:])
        y = framed(x, self.pad, window.span(counts), fill)
        for axis, (kernel, stride, count) in enumerate(zip(window.kernel, self.stride, counts, strict=True)):
            if count == 1:
                y = combine.reduce(y, axis=axis - 2, keepdims=True, initial=fill)
                continue
            lines = [_line(axis, tap, stride, count) for tap in range(kernel)]
            total = combine(y[lines[0]], fill)
            for line in lines[1:]:
                combine(total, y[line], out=total)
            y = total
        return y

    def maximum(self, x: Array) -> Array:
        """Return max over the window; fmax passes over NaN as Caffe's comparison does."""
        return self._reduced(x, np.fmax, LOWEST)

    def average(self, x: Array) -> Array:
        """Return sum over the window / its size inside the padded image."""
        down, across = self._sizes(x.shape[2:])
        return self._reduced(x, np.add, 0.0) / np.outer(down, across).astype(x.dtype)

    def weighted(self, x: Array) -> Array:
        """Return sum(x^2) / sum(x), 0 where the sum is not positive."""
        total = self._reduced(x, np.add, 0.0)
        return np.where(total > 0, self._reduced(x * x, np.add, 0.0) / total, total.dtype.type(0))

    def _sizes(self, sizes: Shape) -> list[Array]:
        """Return, per axis, min(begin + kernel, in + pad) - begin for every window."""
        window, counts = self.window(sizes), self.counts(sizes)
        begins = [np.arange(count) * s - p for count, s, p in zip(counts, self.stride, self.pad, strict=True)]
        ends = [n + p for n, p in zip(sizes, self.pad, strict=True)]
        return [np.minimum(b + k, e) - b for b, k, e in zip(begins, window.kernel, ends, strict=True)]

    def _masked(self, x: Array) -> tuple[Array, Array]:
        """Return the maxima and the index of the first element that reaches each."""
        window, counts = self.window(x.shape[2:]), self.counts(x.shape[2:])
        span = window.span(counts)
        image = framed(x, self.pad, span, LOWEST)
        places = np.arange(elements(x.shape[2:]), dtype=x.dtype).reshape(x.shape[2:])
        indices = framed(places, self.pad, span, -1.0)
        best = np.full((*x.shape[:2], *counts), LOWEST, x.dtype)
        mask = np.full_like(best, -1.0)
        for tap in window.taps():
            seen = image[window.seen(tap, counts)]
            better = seen > best
            np.copyto(best, seen, where=better)
            np.copyto(mask, indices[window.seen(tap, counts)], where=better)
        return best, mask


def _line(axis: int, tap: int, stride: int, count: int) -> Index:
    """Return where one tap of `count` windows lies along height (axis 0) or width (axis 1)."""
    line = slice(tap, tap + (count - 1) * stride + 1, stride)
    return last_axes((line, slice(None)) if axis == 0 else (slice(None), line))


_POOLS: dict[PoolMethod, Callable[[Pooling, Array], Array]] = {
    PoolMethod.MAX: Pooling.maximum,
    PoolMethod.AVE: Pooling.average,
    PoolMethod.STOCHASTIC: Pooling.weighted,
}


@dataclass(frozen=True)
class SPP(Op):
    """y = concat over levels l < pyramid_height of the image pooled to 2^l x 2^l windows, flattened.

    Level l pools with kernel = stride = ceil(size / 2^l) and pad (kernel * 2^l - size + 1) / 2 per axis. One level
    alone stays an image (N, C, 1, 1) (BVLC Caffe: SPPLayer).
    """

    caffe_type: ClassVar[str | None] = "SPP"
    message: ClassVar[str] = "spp_param"

    pyramid_height: int
    pool: PoolMethod = PoolMethod.MAX

    def __post_init__(self) -> None:
        need(self.pyramid_height > 0, f"pyramid_height {self.pyramid_height} is not positive")

    def levels(self, sizes: Shape) -> tuple[Pooling, ...]:
        """Return the pooling of each level for an image of this height and width."""
        return tuple(self._level(2**level, sizes) for level in range(self.pyramid_height))

    def _level(self, bins: int, sizes: Shape) -> Pooling:
        height, width = (-(-size // bins) for size in sizes)
        pad = ((height * bins - sizes[0] + 1) // 2, (width * bins - sizes[1] + 1) // 2)
        return Pooling(self.pool, (height, width), (height, width), pad)

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return (N, C * windows of all levels), or (N, C, 1, 1) for one level."""
        bottom = sole(bottoms, weights)
        need(len(bottom) == 4, f"needs a blob (N, C, H, W), not {list(bottom)}")
        tops = [level.infer(bottoms, weights)[0] for level in self.levels(bottom[2:])]
        if len(tops) == 1:
            return (tops[0],)
        return ((bottom[0], sum(elements(top[1:]) for top in tops)),)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:
        """Return the levels' poolings side by side."""
        images = [level.run(bottoms, weights)[0] for level in self.levels(bottoms[0].shape[2:])]
        if len(images) == 1:
            return (images[0],)
        return (np.concatenate([image.reshape(image.shape[0], -1) for image in images], axis=1),)


@dataclass(frozen=True)
class Im2col(Op):
    """y[n, (c, t), p] = x[n, c, p * stride + t * dilation - pad]: every window's elements as channels."""

    caffe_type: ClassVar[str | None] = "Im2col"
    message: ClassVar[str] = "convolution_param"

    kernel: tuple[int, ...] = spelled(KERNEL)
    stride: tuple[int, ...] = spelled(STRIDE, default=(1, 1))
    pad: tuple[int, ...] = spelled(PAD, default=(0, 0))
    dilation: tuple[int, ...] = spelled(Spatial("dilation"), default=(1, 1))

    def __post_init__(self) -> None:
        check_window(self.window, self.pad)

    @property
    def window(self) -> Window:
        """The sliding window: kernel, stride and dilation."""
        return Window(self.kernel, self.stride, self.dilation)

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return (N, C * elements of the kernel, windows...)."""
        bottom = sole(bottoms, weights)
        rank = len(self.kernel) + 2
        need(len(bottom) == rank, f"kernel {list(self.kernel)} needs a blob of rank {rank}, not {list(bottom)}")
        return ((bottom[0], bottom[1] * elements(self.kernel), *self.window.counts(bottom[2:], self.pad)),)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - has no weights
        """Return the gathered windows."""
        x = bottoms[0]
        counts = self.window.counts(x.shape[2:], self.pad)
        views = self.window.views(framed(x, self.pad, self.window.span(counts)), counts)
        return (views.reshape(x.shape[0], -1, *counts),)
