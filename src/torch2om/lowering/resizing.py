"""Interpolation to a size or by a factor."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from torch2om.errors import Refuse
from torch2om.ir.blob import Blob
from torch2om.ir.op import Shape
from torch2om.ir.weight import constant
from torch2om.layers import LinearMap, Resize, ResizeMode, Upsample
from torch2om.layers.interpolation import antialiased
from torch2om.lowering.registry import Function, lowers
from torch2om.lowering.scope import Scope

aten = torch.ops.aten
Sizes = Sequence[int] | None
Factors = Sequence[float] | None

ONE_WIDE = "resize the transposed image, or a mean over the width"
MEASURED = "measured with PyTorch 2.13 (the kernels of antialias=True)"

_NEAREST = {ResizeMode.NEAREST, ResizeMode.NEAREST_EXACT}


def resized(b: Scope, x: Blob, mode: ResizeMode, factors: Factors, *, align_corners: bool = False) -> Blob:
    """Return x interpolated to the call's result: the size counts, and the factors the user gave."""
    size = b.expected[0][2:]
    if size == x.shape[2:] and set(factors or ()) <= {1.0}:
        return x
    factor = _whole_factor(x.shape[2:], size, factors) if mode in _NEAREST else None
    if factor is not None:
        return b.add(Upsample(factor), x)
    return b.add(Resize(mode, size, align_corners, tuple(factors or ())), x)


def _whole_factor(before: Shape, after: Shape, factors: Factors) -> int | None:
    """Return n if every element is repeated n times along height and width, which is what Upsample does."""
    found = {out // size for out, size in zip(after, before, strict=True)}
    divides = all(out % size == 0 for out, size in zip(after, before, strict=True))
    if len(before) != 2 or len(found) != 1 or not divides or not set(factors or ()) <= found:
        return None
    return found.pop()


@lowers(aten.upsample_nearest1d.vec, aten.upsample_nearest2d.vec)
def upsample_nearest(b: Scope, input: Blob, output_size: Sizes, scale_factors: Factors) -> Blob:  # noqa: ARG001 - the size is known
    """y[i] = x[floor(i * scale)]."""
    return resized(b, input, ResizeMode.NEAREST, scale_factors)


@lowers(aten._upsample_nearest_exact1d.vec, aten._upsample_nearest_exact2d.vec)  # noqa: SLF001 - operators' names
def upsample_nearest_exact(b: Scope, input: Blob, output_size: Sizes, scale_factors: Factors) -> Blob:  # noqa: ARG001 - the same
    """y[i] = x[floor((i + 0.5) * scale)]."""
    return resized(b, input, ResizeMode.NEAREST_EXACT, scale_factors)


@lowers(aten.upsample_linear1d.vec, aten.upsample_bilinear2d.vec)
def upsample_linear(
    b: Scope,
    input: Blob,
    output_size: Sizes,  # noqa: ARG001 - the same
    align_corners: bool,
    scale_factors: Factors,
) -> Blob:
    """Linear interpolation along every spatial dim."""
    return resized(b, input, ResizeMode.LINEAR, scale_factors, align_corners=align_corners)


def _antialiased(*, cubic: bool) -> Function:
    def lowering(
        b: Scope,
        input: Blob,
        output_size: Sizes,  # noqa: ARG001 - the same
        align_corners: bool,
        scale_factors: Factors,
    ) -> Blob:
        y, factors = input, scale_factors or (None, None)
        if b.expected[0][3] == 1:
            raise Refuse("PyTorch itself misreads images that become one element wide", hint=ONE_WIDE, source=MEASURED)
        for axis, size, factor in zip((2, 3), b.expected[0][2:], factors, strict=True):
            if size == input.shape[axis]:
                continue  # whatever the factor: PyTorch leaves the axis as it is
            taps = antialiased(input.shape[axis], size, factor, align_corners=align_corners, cubic=cubic)
            y = b.add(LinearMap(axis), y, weights=(constant(taps.matrix()),))
        return y

    lowering.__doc__ = f"{'Cubic' if cubic else 'Linear'} interpolation whose filter widens where the image shrinks."
    return lowering


lowers(aten._upsample_bilinear2d_aa.vec)(_antialiased(cubic=False))  # noqa: SLF001 - an operator's name
lowers(aten._upsample_bicubic2d_aa.vec)(_antialiased(cubic=True))  # noqa: SLF001 - an operator's name


@lowers(aten.upsample_bicubic2d.vec)
def upsample_bicubic(
    b: Scope,
    input: Blob,
    output_size: Sizes,  # noqa: ARG001 - the same
    align_corners: bool,
    scale_factors: Factors,
) -> Blob:
    """Cubic interpolation (a = -0.75) along both spatial dims."""
    return resized(b, input, ResizeMode.CUBIC, scale_factors, align_corners=align_corners)
