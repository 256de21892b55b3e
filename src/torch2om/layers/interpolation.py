"""Interpolation along one axis as a sparse matrix: every output element is a sum of a few input elements, the taps.

The coordinates are those of PyTorch's `upsample` kernels (ATen/native/UpSample.h, cpu/UpSampleKernel.cpp).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from torch2om.ir.op import Array

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

# The third parameter of Keys' cubic convolution kernel: PyTorch's choice (get_cubic_upsample_coefficients).
CUBIC_A = -0.75


@dataclass(frozen=True, eq=False, slots=True)
class Taps:
    """y[o] = sum over t of weight[o, t] * x[index[o, t]], for an axis of `length` elements."""

    length: int
    index: Indices
    weight: Floats

    def matrix(self) -> Floats:
        """Return the [out, in] matrix M with y = M x; rows hold zeros but at their taps."""
        matrix = np.zeros((len(self.index), self.length))
        rows = np.arange(len(self.index))[:, np.newaxis]
        np.add.at(matrix, (rows, self.index), self.weight)
        return matrix

    def apply(self, x: Array, axis: int) -> Array:
        """Return `x` interpolated along `axis` (counted from the front), in x's dtype."""
        shape = (-1,) + (1,) * (x.ndim - 1 - axis)
        parts = (
            x.take(self.index[:, tap], axis=axis) * self.weight[:, tap].astype(x.dtype).reshape(shape)
            for tap in range(self.index.shape[1])
        )
        return sum(parts, start=np.zeros((), x.dtype))


def apply_taps(x: Array, taps: Sequence[Taps]) -> Array:
    """Return `x` interpolated along its last dims, one after the other."""
    for axis, one in enumerate(taps, start=x.ndim - len(taps)):
        x = one.apply(x, axis)
    return x


def picked(index: Indices, length: int) -> Taps:
    """Return the taps of y[o] = x[index[o]]."""
    return Taps(length, index[:, np.newaxis], np.ones((len(index), 1)))


def sources(length: int, size: int, scale: float | None, *, align_corners: bool) -> Floats:
    """Return the real coordinate in the input of each output element.

    With `align_corners` o * (length - 1) / (size - 1), else (o + 0.5) * step - 0.5, where step is length / size, or
    1 / `scale` if a scale factor was given: PyTorch keeps the user's factor unless `recompute_scale_factor` is set.
    """
    outputs = np.arange(size, dtype=np.float64)
    if align_corners:
        return outputs * corner_step(length, size)
    return (outputs + 0.5) * step(length, size, scale) - 0.5


def corner_step(length: int, size: int) -> float:
    """Return the step with which the first and the last element of the output are those of the input."""
    return (length - 1) / (size - 1) if size > 1 else 0.0


def step(length: int, size: int, scale: float | None) -> float:
    """Return the distance in the input between neighbours in the output."""
    return 1 / scale if scale else length / size


def nearest(length: int, size: int, scale: float | None, *, exact: bool) -> Taps:
    """Return the taps of y[o] = x[floor(o * step)], or with `exact` x[floor((o + 0.5) * step)], step in float64.

    PyTorch's general kernel: it rounds the coordinate to float32 before the floor (HelperInterpNearest).
    """
    outputs = np.arange(size, dtype=np.float64)
    places = np.maximum((outputs + 0.5) * step(length, size, scale) - 0.5, 0) + 0.5
    if not exact:
        places = outputs * step(length, size, scale)
    return _floored(places.astype(np.float32), length)


def nearest_small(length: int, size: int, scale: float | None, *, exact: bool) -> Taps:
    """Return the same taps with the step in float32: PyTorch's kernel for small images (nearest_idx in UpSample.h).

    Where o * step is a whole number it may pick the element before. Without `exact` it takes a size that is equal or
    double for what it is, whatever the scale factor.
    """
    if not exact and size in {length, 2 * length}:
        return picked(np.arange(size) // (size // length), length)
    outputs = np.arange(size, dtype=np.float32) + np.float32(0.5 if exact else 0)
    return _floored(outputs * np.float32(step(length, size, scale)), length)


def _floored(places: npt.NDArray[np.float32], length: int) -> Taps:
    """Return the taps that pick the element at each coordinate, rounded down and kept within the input."""
    return picked(np.minimum(np.floor(places).astype(np.intp), length - 1), length)


def linear(length: int, size: int, scale: float | None = None, *, align_corners: bool) -> Taps:
    """Return the taps of y[o] = (1 - f) * x[i] + f * x[i + 1] with i + f the source coordinate within the input."""
    places = np.maximum(sources(length, size, scale, align_corners=align_corners), 0)
    if length == size:
        places = np.arange(size, dtype=np.float64)
    low = np.minimum(np.floor(places).astype(np.intp), length - 1)
    fraction = np.clip(places - low, 0, 1)
    high = np.minimum(low + 1, length - 1)
    return Taps(length, np.stack([low, high], axis=1), np.stack([1 - fraction, fraction], axis=1))


def cubic(length: int, size: int, scale: float | None = None, *, align_corners: bool) -> Taps:
    """Return the taps of Keys' cubic convolution over the four nearest elements, borders repeated."""
    places = sources(length, size, scale, align_corners=align_corners)
    middle = np.minimum(np.floor(places).astype(np.intp), length - 1)
    fraction = np.clip(places - middle, 0, 1)
    distances = (1 + fraction, fraction, 1 - fraction, 2 - fraction)
    index = np.clip(middle[:, np.newaxis] + np.arange(-1, 3), 0, length - 1)
    return Taps(length, index, np.stack([_keys(distance) for distance in distances], axis=1))


def _keys(distance: Floats, a: float = CUBIC_A) -> Floats:
    """Return Keys' kernel: a piecewise cubic, 1 at distance 0 and 0 at distances 1 and 2."""
    inner = ((a + 2) * distance - (a + 3)) * distance * distance + 1
    outer = ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a
    return np.where(distance <= 1, inner, outer)


def antialiased(length: int, size: int, scale: float | None = None, *, align_corners: bool, cubic: bool) -> Taps:
    """Return the taps of a triangle (or Keys' cubic with a = -0.5) over the input, widened by the step when shrinking.

    The weights of every output element add up to 1 (PyTorch's HelperInterpBase::_compute_indices_weights_aa).
    """
    wide = corner_step(length, size) if align_corners else step(length, size, scale)
    reach, stretch = (2.0 if cubic else 1.0) * max(wide, 1.0), max(wide, 1.0)
    middles = wide * (np.arange(size, dtype=np.float64) + 0.5)
    first = np.maximum((middles - reach + 0.5).astype(np.intp), 0)
    last = np.minimum((middles + reach + 0.5).astype(np.intp), length)
    places = first[:, np.newaxis] + np.arange((last - first).max())
    distances = np.abs(places - middles[:, np.newaxis] + 0.5) / stretch
    values = _keys(distances, -0.5) * (distances < 2) if cubic else np.maximum(1 - distances, 0)
    values = np.where(places < last[:, np.newaxis], values, 0)
    return Taps(length, np.minimum(places, length - 1), values / values.sum(axis=1, keepdims=True))


def adaptive_bounds(length: int, size: int) -> tuple[tuple[int, int], ...]:
    """Return each window [floor(o * length / size), ceil((o + 1) * length / size)) of PyTorch's adaptive pooling."""
    return tuple((o * length // size, -(-(o + 1) * length // size)) for o in range(size))


def area(length: int, size: int) -> Taps:
    """Return the taps of the mean over each adaptive window; a shorter window's last taps have weight 0."""
    starts, ends = np.array(adaptive_bounds(length, size), dtype=np.intp).T
    offsets = np.arange((ends - starts).max())
    index = np.minimum(starts[:, np.newaxis] + offsets, length - 1)
    inside = offsets < (ends - starts)[:, np.newaxis]
    return Taps(length, index, inside / (ends - starts)[:, np.newaxis])
