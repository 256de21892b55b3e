"""Interpolation in every mode, from Upsample, Tile, Pooling, Deconvolution and linear maps along one axis."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

import numpy as np
import numpy.typing as npt

from torch2om.errors import Refuse
from torch2om.ir.blob import Blob
from torch2om.ir.weight import constant
from torch2om.layers import (
    AdaptivePooling,
    Deconvolution,
    Expand,
    Interp,
    LinearMap,
    Pad,
    PadMode,
    PoolMethod,
    Resize,
    ResizeMode,
    StridedSlice,
    Tile,
    Upsample,
)
from torch2om.layers.resizing import image_of
from torch2om.legalization.rules import RuleBuilder, legalizes

Floats = npt.NDArray[np.float64]
NEAREST = {ResizeMode.NEAREST, ResizeMode.NEAREST_EXACT}


def _sizes(op: Resize, x: Blob) -> list[tuple[int, int]]:
    """Return (length, size) of every resized axis."""
    return list(zip(x.shape[-len(op.size) :], op.size, strict=True))


def _repeats(op: Resize, x: Blob) -> tuple[int, ...]:
    """Return how often every element stands in a row along each axis; refuse if that varies."""
    factors = []
    for taps, (length, size) in zip(op.taps(x.shape[-len(op.size) :]), _sizes(op, x), strict=True):
        factor = size // length
        whole = op.mode in NEAREST and size % length == 0
        if not whole or (taps.index[:, 0] != np.repeat(np.arange(length), factor)).any():
            raise Refuse("it does not repeat every element equally often")
        factors.append(factor)
    return tuple(factors)


@legalizes(Resize)
def resize_by_upsample(b: RuleBuilder, op: Resize, x: Blob) -> Blob:
    """nearest(x, factor s along height and width) = Upsample(x, s).

    Exact.
    """
    factors = _repeats(op, x)
    if len(factors) != 2 or factors[0] != factors[1]:
        raise Refuse(f"the factors are {list(factors)}")
    image = x if x.rank == 4 else b.reshape(x, (1, prod(x.shape[:-2]), *x.shape[-2:]))
    y = b.add(Upsample(factors[0]), image)
    return b.reshape(y, (*x.shape[:-2], *op.size))


@legalizes(Resize)
def resize_by_tiles(b: RuleBuilder, op: Resize, x: Blob) -> Blob:
    """nearest(x, factor s) = tile(x as [.., length, 1, rest], s times) along each axis, the last first.

    Exact.
    """
    factors = _repeats(op, x)
    shape = list(x.shape)
    for axis, factor in reversed(list(enumerate(factors, start=x.rank - len(factors)))):
        if factor == 1:
            continue
        rows = b.reshape(x, (prod(shape[: axis + 1]), 1, prod(shape[axis + 1 :])))
        shape[axis] *= factor
        x = b.add(Tile(1, factor), rows)
    return b.reshape(x, tuple(shape))


@legalizes(Upsample)
def upsample_as_resize(b: RuleBuilder, op: Upsample, x: Blob) -> Blob:
    """Upsample(x, s) = nearest(x, s times its height and width).

    Exact.
    """
    image = b.reshape(x, image_of(x.shape))
    if op.factor == 1:
        return image
    return b.add(Resize(ResizeMode.NEAREST, (image.shape[2] * op.factor, image.shape[3] * op.factor)), image)


@legalizes(Resize)
def resize_by_deconvolution(b: RuleBuilder, op: Resize, x: Blob) -> Blob:
    """y = a Deconvolution of every channel with one kernel, of x or of x with its border repeated once.

    Exact: the matrix of the kernel is compared with the interpolation's along each axis. For whole factors of sizes,
    or of sizes less 1 with align_corners, and for nearest with whole factors.
    """
    if len(op.size) != 2:
        raise Refuse(f"it resizes {len(op.size)} dims")
    image = x if x.rank == 4 else b.reshape(x, (1, prod(x.shape[:-2]), *x.shape[-2:]))
    ramps = [_ramp(matrix) for matrix in op.matrices(x.shape[-2:])]
    border = max(ramp.border for ramp in ramps)
    if border:
        pads = ((0, 0), (0, 0), *((ramp.border, ramp.border) for ramp in ramps))
        image = b.add(Pad(pads, PadMode.REPLICATE), image)
    channels = image.shape[1]
    kernel = np.outer(*(ramp.kernel for ramp in ramps))
    filters = np.broadcast_to(kernel, (channels, 1, *kernel.shape)).copy()
    stride, pad = tuple(ramp.stride for ramp in ramps), tuple(ramp.pad for ramp in ramps)
    layer = Deconvolution(channels, kernel.shape, stride, pad, group=channels, bias_term=False)
    return b.reshape(b.add(layer, image, weights=(constant(filters),)), (*x.shape[:-2], *op.size))


@dataclass(frozen=True, eq=False, slots=True)
class _Ramp:
    """One axis of a Deconvolution: y[p * stride + t - pad] gains kernel[t] * x[p], x repeated `border` times."""

    kernel: Floats
    stride: int
    pad: int
    border: int

    def matrix(self, length: int, size: int) -> Floats:
        """Return the matrix that the Deconvolution applies to x of `length` elements; refuse another size."""
        inputs = length + 2 * self.border
        whole = np.zeros((self.stride * (inputs - 1) + len(self.kernel), inputs))
        for place in range(inputs):
            whole[place * self.stride : place * self.stride + len(self.kernel), place] = self.kernel
        cut = whole[self.pad : len(whole) - self.pad]
        if len(cut) != size:
            raise Refuse(f"the Deconvolution gives {len(cut)} elements, not {size}")
        repeated = np.clip(np.arange(-self.border, length + self.border), 0, length - 1)
        matrix = np.zeros((size, length))
        np.add.at(matrix.T, repeated, cut.T)
        return matrix


def _ramp(matrix: Floats) -> _Ramp:
    """Return the Deconvolution along one axis that applies the matrix; refuse if none of the known forms does."""
    size, length = matrix.shape
    for ramp in _forms(length, size):
        try:
            if np.abs(ramp.matrix(length, size) - matrix).max() <= 1e-12:
                return ramp
        except Refuse:
            continue
    raise Refuse(f"{length} to {size} is no interpolation between neighbours at whole steps")


def _forms(length: int, size: int) -> list[_Ramp]:
    """Return the Deconvolutions that could resize `length` elements to `size`."""
    forms = [_Ramp(np.ones(1), 1, 0, 0)] if length == size else []
    if size % length == 0 and size > length:
        factor = size // length
        taps = 2 * factor - factor % 2
        forms.append(_Ramp(np.ones(factor), factor, 0, 0))
        forms.append(_Ramp(_triangle(factor, taps), factor, factor + (taps - factor) // 2, 1))
    if length > 1 and (size - 1) % (length - 1) == 0 and size > length:
        factor = (size - 1) // (length - 1)
        forms.append(_Ramp(_triangle(factor, 2 * factor - 1), factor, factor - 1, 0))
    return forms


def _triangle(factor: int, taps: int) -> Floats:
    """Return the weights of linear interpolation at `factor` times as many places, symmetric about the middle."""
    kernel: Floats = 1 - np.abs(np.arange(taps) - (taps - 1) / 2) / factor
    return kernel


@legalizes(Resize)
def resize_axes_in_turn(b: RuleBuilder, op: Resize, x: Blob) -> Blob:
    """linear(x, height and width) = linear(linear(x, height), width).

    Exact. Two kernels k x 1 and 1 x k multiply less than one k x k.
    """
    if op.mode is not ResizeMode.LINEAR or len(op.size) != 2 or op.size[0] == x.shape[-2] or op.size[1] == x.shape[-1]:
        raise Refuse("it is no linear interpolation along two axes")
    first, second = op.scales or (None, None)
    down = replace(op, size=(op.size[0], x.shape[-1]), scales=(first, None))
    return b.add(replace(op, scales=(None, second)), b.add(down, x))


@legalizes(Resize)
def resize_axes_by_maps(b: RuleBuilder, op: Resize, x: Blob) -> Blob:
    """y = A x along each resized axis in turn, A the interpolation's matrix; the axis that shrinks most comes first.

    Exact.
    """
    first = x.rank - len(op.size)
    matrices = enumerate(op.matrices(x.shape[first:]), start=first)
    for axis, matrix in sorted(matrices, key=lambda pair: pair[1].shape[0] / pair[1].shape[1]):
        if matrix.shape[0] != matrix.shape[1] or (matrix != np.eye(len(matrix))).any():
            x = b.add(LinearMap(axis), x, weights=(constant(matrix),))
    return x


@legalizes(Resize)
def resize_from_one(b: RuleBuilder, op: Resize, x: Blob) -> Blob:
    """y = expand(x), where every resized axis has one element.

    Exact: every interpolation of one element repeats it.
    """
    if prod(x.shape[-len(op.size) :]) != 1:
        raise Refuse("it resizes more than one element")
    return b.add(Expand((*x.shape[: x.rank - len(op.size)], *op.size)), x)


@legalizes(Resize)
def resize_area_by_adaptive_pooling(b: RuleBuilder, op: Resize, x: Blob) -> Blob:
    """area(x, size) = adaptive average pooling to the size.

    Exact.
    """
    if op.mode is not ResizeMode.AREA or len(op.size) != 2:
        raise Refuse("it is no area interpolation of an image")
    return b.add(AdaptivePooling(PoolMethod.AVE, (op.size[0], op.size[1])), x)


@legalizes(Resize)
def resize_by_interp(b: RuleBuilder, op: Resize, x: Blob) -> Blob:
    """linear(x, size) with align_corners = Interp(x) to that height and width.

    Exact.
    """
    if op.mode is not ResizeMode.LINEAR or not op.align_corners or len(op.size) != 2:
        raise Refuse("it is no linear interpolation of an image with align_corners")
    image = x if x.rank == 4 else b.reshape(x, (1, prod(x.shape[:-2]), *x.shape[-2:]))
    return b.reshape(b.add(Interp(*op.size), image), (*x.shape[:-2], *op.size))


@legalizes(Interp)
def interp_as_resize(b: RuleBuilder, op: Interp, x: Blob) -> Blob:
    """Interp(x) = linear(crop(x), size) with align_corners.

    Exact.
    """
    (top,) = op.infer([x.shape], [])
    for axis in (2, 3):
        if op.pad_beg or op.pad_end:
            x = b.add(StridedSlice(axis, -op.pad_beg, x.shape[axis] + op.pad_end), x)
    return b.add(Resize(ResizeMode.LINEAR, top[2:], align_corners=True), x)
