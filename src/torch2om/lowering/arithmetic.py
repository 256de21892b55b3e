"""Arithmetic of two operands: sums, products, quotients, powers, extremes, bounds."""

from __future__ import annotations

import math

import numpy as np
import torch

from torch2om.errors import Refuse
from torch2om.ir.blob import Blob
from torch2om.ir.weight import Weight
from torch2om.layers import Arithmetic, ArithmeticKind, Exp
from torch2om.lowering.operands import (
    Operand,
    affine,
    as_blob,
    clamped,
    largest,
    number_of,
    over,
    plus,
    raised,
    smallest,
    times,
)
from torch2om.lowering.registry import lowers
from torch2om.lowering.scope import Scope

aten = torch.ops.aten


@lowers(aten.add.Tensor)
def add(b: Scope, self: Blob | Weight, other: Blob | Weight | float, alpha: float = 1) -> Blob:
    """y = self + alpha * other."""
    if isinstance(self, Blob):
        _refuse_bools(self, other)
        return plus(b, self, other, alpha)
    scaled = as_blob(b, other) if alpha == 1 else affine(b, as_blob(b, other), scale=alpha)
    return plus(b, scaled, self)


@lowers(aten.sub.Tensor)
def sub(b: Scope, self: Blob | Weight | float, other: Blob | Weight | float, alpha: float = 1) -> Blob:
    """y = self - alpha * other."""
    if isinstance(self, Blob):
        return plus(b, self, other, -alpha)
    return _minus(b, self, as_blob(b, other), alpha)


@lowers(aten.rsub.Scalar, aten.rsub.Tensor)
def rsub(b: Scope, self: Blob | Weight, other: Blob | Weight | float, alpha: float = 1) -> Blob:
    """y = other - alpha * self."""
    return sub(b, other, self, alpha)


@lowers(aten.mul.Tensor)
def mul(b: Scope, self: Blob | Weight, other: Blob | Weight | float) -> Blob:
    """y = self * other."""
    return times(b, self, other) if isinstance(self, Blob) else times(b, as_blob(b, other), self)


@lowers(aten.div.Tensor)
def div(b: Scope, self: Blob | Weight, other: Blob | Weight | float) -> Blob:
    """y = self / other."""
    if isinstance(self, Blob):
        return over(b, self, other)
    return times(b, raised(b, as_blob(b, other), -1), self)


@lowers(aten.div.Tensor_mode)
def div_mode(b: Scope, self: Blob | Weight, other: Blob | Weight | float, rounding_mode: str | None) -> Blob:
    """y = self / other; a rounded quotient is refused."""
    if rounding_mode is not None:
        raise Refuse(
            f"rounding_mode={rounding_mode!r}: Caffe has no integer division",
            hint="divide without rounding, or take the rounding out of the model",
        )
    return div(b, self, other)


@lowers(aten.pow.Tensor_Scalar)
def pow_scalar(b: Scope, self: Blob, exponent: float) -> Blob:
    """y = self ^ exponent."""
    return raised(b, self, exponent)


@lowers(aten.pow.Scalar)
def pow_base(b: Scope, self: float, exponent: Blob) -> Blob:
    """y = self ^ exponent, a number to the power of a blob: Exp takes a positive base."""
    if self <= 0:
        raise Refuse(f"the base {self} is not positive: Caffe's Exp has no such power", hint="use a positive base")
    return b.add(Exp() if self == math.e else Exp(base=float(self)), exponent)


@lowers(aten.pow.Tensor_Tensor)
def pow_tensor(b: Scope, self: Blob | Weight, exponent: Blob | Weight) -> Blob:
    """y = self ^ exponent; a constant base above 0 is exp(exponent * log(base))."""
    number, base = number_of(exponent), number_of(self)
    if number is not None and isinstance(self, Blob) and self.shape == b.expected[0]:
        return raised(b, self, number)
    if base is not None and isinstance(exponent, Blob) and exponent.shape == b.expected[0]:
        return pow_base(b, base, exponent)
    if isinstance(self, Weight) and isinstance(exponent, Blob) and (self.array() > 0).all():
        return b.add(Exp(), times(b, exponent, self.map(self.shape, np.log)))
    return b.add(Arithmetic(ArithmeticKind.POW), as_blob(b, self), as_blob(b, exponent))


@lowers(aten.maximum.default, aten.fmax.default)
def maximum(b: Scope, self: Blob | Weight, other: Blob | Weight) -> Blob:
    """y = max(self, other)."""
    return largest(b, self, other) if isinstance(self, Blob) else largest(b, as_blob(b, other), self)


@lowers(aten.minimum.default, aten.fmin.default)
def minimum(b: Scope, self: Blob | Weight, other: Blob | Weight) -> Blob:
    """y = min(self, other)."""
    return smallest(b, self, other) if isinstance(self, Blob) else smallest(b, as_blob(b, other), self)


@lowers(aten.clamp.default)
def clamp(b: Scope, self: Blob, min: float | None, max: float | None) -> Blob:
    """y = min(max(self, min), max)."""
    return clamped(b, self, -math.inf if min is None else min, math.inf if max is None else max)


@lowers(aten.clamp.Tensor)
def clamp_tensor(b: Scope, self: Blob | Weight, min: Blob | Weight | None, max: Blob | Weight | None) -> Blob:
    """y = min(max(self, min), max), the bounds broadcast."""
    x = as_blob(b, self)
    bounds = [bound if bound is None else number_of(bound) for bound in (min, max)]
    if x.shape == b.expected[0] and all(bound is not None for bound in bounds):
        return clamp(b, x, *bounds)
    x = x if min is None else largest(b, x, min)
    return x if max is None else smallest(b, x, max)


@lowers(aten.clamp_min.default)
def clamp_min(b: Scope, self: Blob, min: float) -> Blob:
    """y = max(self, min)."""
    return clamped(b, self, low=min)


@lowers(aten.clamp_max.default)
def clamp_max(b: Scope, self: Blob, max: float) -> Blob:
    """y = min(self, max)."""
    return clamped(b, self, high=max)


@lowers(aten.clamp_min.Tensor)
def clamp_min_tensor(b: Scope, self: Blob | Weight, min: Blob | Weight) -> Blob:
    """y = max(self, min)."""
    return maximum(b, self, min)


@lowers(aten.clamp_max.Tensor)
def clamp_max_tensor(b: Scope, self: Blob | Weight, max: Blob | Weight) -> Blob:
    """y = min(self, max)."""
    return minimum(b, self, max)


def _minus(b: Scope, constant: Weight | float, x: Blob, alpha: float) -> Blob:
    """y = constant - alpha * x."""
    number = number_of(constant)
    if number is not None and not (isinstance(constant, Weight) and len(constant.shape) > x.rank):
        return affine(b, x, scale=-alpha, shift=number)
    return plus(b, affine(b, x, scale=-alpha), constant)


def _refuse_bools(x: Blob, y: Operand) -> None:
    """PyTorch adds two bool tensors as `or`."""
    if x.kind == "bool" and isinstance(y, Blob) and y.kind == "bool":
        raise Refuse("the sum of two bool tensors is a logical or", hint="write torch.logical_or, or cast to float")
