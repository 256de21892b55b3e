"""Sliding windows over the spatial axes of a blob: their geometry, and strided views of what they see.

A blob is (N, C, spatial...); a window has `kernel` taps per axis, `dilation` apart, and moves by `stride`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from types import EllipsisType

import numpy as np
from numpy.lib.stride_tricks import as_strided

from torch2om.ir.op import Array, Shape, need

Index = tuple[EllipsisType | slice | int, ...]


def last_axes(indices: Iterable[slice | int]) -> Index:
    """Return the index of the last axes, one for each of `indices`."""
    return (..., *indices)


@dataclass(frozen=True, slots=True)
class Window:
    """The taps of window o on one axis are x[o * stride + t * dilation], t < kernel; one number per spatial axis."""

    kernel: Shape
    stride: Shape
    dilation: Shape

    @property
    def extent(self) -> Shape:
        """The elements that one window spans: (kernel - 1) * dilation + 1."""
        return tuple((k - 1) * d + 1 for k, d in zip(self.kernel, self.dilation, strict=True))

    def span(self, counts: Shape) -> Shape:
        """Return how many elements `counts` windows span together: (count - 1) * stride + extent."""
        return tuple(
            (count - 1) * stride + extent
            for count, stride, extent in zip(counts, self.stride, self.extent, strict=True)
        )

    def counts(self, sizes: Shape, pad: Shape) -> Shape:
        """Return how many windows fit: (size + 2 * pad - extent) / stride + 1, divided towards zero as in C.

        So a window that overlaps the padded axis by less than one stride counts as one (BVLC Caffe: ConvolutionLayer,
        Im2colLayer).
        """
        slack = tuple(n + 2 * p - e for n, p, e in zip(sizes, pad, self.extent, strict=True))
        fits = all(rest > -step for rest, step in zip(slack, self.stride, strict=True))
        need(fits, f"kernel of extent {list(self.extent)} is larger than {list(sizes)} padded by {list(pad)}")
        return tuple(max(rest, 0) // step + 1 for rest, step in zip(slack, self.stride, strict=True))

    def taps(self) -> Iterator[Shape]:
        """Yield the tap indices of one window, the last axis fastest."""
        return product(*map(range, self.kernel))

    def seen(self, tap: Shape, counts: Shape) -> Index:
        """Return where one tap of `counts` windows lies: one strided slice per spatial axis, the last axes."""
        return last_axes(
            slice(t * d, t * d + (count - 1) * s + 1, s)
            for t, d, s, count in zip(tap, self.dilation, self.stride, counts, strict=True)
        )

    def views(self, x: Array, counts: Shape) -> Array:
        """Return x[..., channels, spatial] as (..., channels, kernel..., counts...): every window, nothing copied."""
        rank = len(self.kernel)
        lead, strides = x.strides[:-rank], x.strides[-rank:]
        taps = tuple(s * d for s, d in zip(strides, self.dilation, strict=True))
        steps = tuple(s * step for s, step in zip(strides, self.stride, strict=True))
        return as_strided(x, (*x.shape[:-rank], *self.kernel, *counts), (*lead, *taps, *steps), writeable=False)


def check_window(window: Window, pad: Shape) -> None:
    """Raise `BadOp` unless kernel, stride and dilation are positive, pad is not negative, and all have equal length."""
    rank = len(window.kernel)
    need(rank > 0, "kernel has no axis")
    for name, values, least in (
        ("kernel", window.kernel, 1),
        ("stride", window.stride, 1),
        ("dilation", window.dilation, 1),
        ("pad", pad, 0),
    ):
        need(
            len(values) == rank,
            f"{name} {list(values)} does not have one number per axis of kernel {list(window.kernel)}",
        )
        need(min(values) >= least, f"{name} {list(values)} has a number below {least}")


def framed(x: Array, before: Shape, size: Shape, fill: float = 0.0) -> Array:
    """Return the `size` region of x's spatial axes that begins `before` elements before x; outside x stands `fill`.

    A view where the region lies inside x.
    """
    rank = len(size)
    inner = tuple(max(min(s - b, n), 0) for s, b, n in zip(size, before, x.shape[-rank:], strict=True))
    seen = x[last_axes(map(slice, inner))]
    if not any(before) and inner == size:
        return seen
    frame = np.full((*x.shape[:-rank], *size), fill, x.dtype)
    frame[last_axes(slice(b, b + n) for b, n in zip(before, inner, strict=True))] = seen
    return frame
