"""Arithmetic between a blob and what PyTorch lets stand beside it: a blob, a constant or a number, broadcast."""

from __future__ import annotations

import math

import numpy as np

from torch2om.errors import Refuse
from torch2om.ir.blob import Blob
from torch2om.ir.op import Shape
from torch2om.ir.weight import Weight, constant
from torch2om.layers import (
    Arithmetic,
    ArithmeticKind,
    Bias,
    Eltwise,
    EltwiseOperation,
    Hardtanh,
    Power,
    ReLU,
    ReLU6,
    Scale,
)
from torch2om.layers.precision import opened
from torch2om.lowering.scope import Scope
from torch2om.lowering.views import expanded

Operand = Blob | Weight | float


def number_of(operand: Operand) -> float | None:
    """Return the number that a number or a constant of one element is; None for anything else."""
    if isinstance(operand, Blob):
        return None
    if isinstance(operand, Weight):
        return float(operand.array().item()) if operand.size == 1 else None
    return float(operand)


def as_blob(b: Scope, operand: Operand) -> Blob:
    """Return the operand as a blob: constants and numbers become Constant layers."""
    if isinstance(operand, Blob):
        return operand
    return b.constant(operand if isinstance(operand, Weight) else constant(float(operand)))


def affine(b: Scope, x: Blob, scale: float = 1.0, shift: float = 0.0) -> Blob:
    """y = scale * x + shift."""
    if not (math.isfinite(scale) and math.isfinite(shift)):
        raise Refuse(
            f"{scale} * x + {shift} is no finite number for any x",
            hint="use a large finite number, or clamp before the call",
        )
    return b.add(Power(scale=float(scale), shift=float(shift)), x)


def plus(b: Scope, x: Blob, y: Operand, alpha: float = 1.0) -> Blob:
    """y = x + alpha * y."""
    if isinstance(y, Blob):
        return _sum(b, x, y, alpha)
    number, grown = number_of(y), _grown(b, x, y)
    if number is not None:
        return affine(b, grown, shift=alpha * number)
    axis, spread = _spread(_weight(y), grown.shape)
    scaled = spread if alpha == 1 else spread.map(spread.shape, lambda values: alpha * values)
    return b.add(Bias(axis, len(spread.shape)), grown, weights=(scaled,))


def times(b: Scope, x: Blob, y: Operand) -> Blob:
    """y = x * y."""
    if isinstance(y, Blob):
        if x.shape == y.shape:
            return b.add(Eltwise(EltwiseOperation.PROD), x, y)
        return b.add(Arithmetic(ArithmeticKind.MUL), x, y)
    number, grown = number_of(y), _grown(b, x, y)
    if number is not None:
        return affine(b, grown, scale=number)
    axis, spread = _spread(_weight(y), grown.shape)
    return b.add(Scale(axis, len(spread.shape)), grown, weights=(spread,))


def over(b: Scope, x: Blob, y: Operand) -> Blob:
    """y = x / y."""
    if isinstance(y, Blob):
        return b.add(Arithmetic(ArithmeticKind.DIV), x, y)
    number = number_of(y)
    if number == 0:
        raise Refuse("the divisor is 0")
    if number is not None:
        return affine(b, _grown(b, x, y), scale=1 / number)
    divisor = _weight(y)
    return times(b, x, divisor.map(divisor.shape, lambda values: 1 / values))


def raised(b: Scope, x: Blob, exponent: float) -> Blob:
    """y = x ^ exponent."""
    return b.add(Power(power=float(exponent)), x)


def clamped(b: Scope, x: Blob, low: float = -math.inf, high: float = math.inf) -> Blob:
    """y = min(max(x, low), high): `high` wins where the bounds cross (torch.clamp's documentation)."""
    if (low, high) == (0, math.inf):
        return b.add(ReLU(), x)
    if (low, high) == (0, 6):
        return b.add(ReLU6(), x)
    return b.add(Hardtanh(opened(min(low, high)), opened(high)), x)


def largest(b: Scope, x: Blob, y: Operand) -> Blob:
    """y = max(x, y)."""
    number = number_of(y)
    if number is not None:
        return clamped(b, _grown(b, x, y), low=number)
    other = as_blob(b, y)
    if other.shape == x.shape:
        return b.add(Eltwise(EltwiseOperation.MAX), x, other)
    return b.add(Arithmetic(ArithmeticKind.MAX), x, other)


def smallest(b: Scope, x: Blob, y: Operand) -> Blob:
    """y = min(x, y)."""
    number = number_of(y)
    if number is not None:
        return clamped(b, _grown(b, x, y), high=number)
    return b.add(Arithmetic(ArithmeticKind.MIN), x, as_blob(b, y))


def _sum(b: Scope, x: Blob, y: Blob, alpha: float) -> Blob:
    """y = x + alpha * y of two blobs: Eltwise adds equal shapes only (BVLC's eltwise_layer)."""
    if x.shape == y.shape:
        return b.add(Eltwise(EltwiseOperation.SUM, () if alpha == 1 else (1.0, float(alpha))), x, y)
    if alpha == -1:
        return b.add(Arithmetic(ArithmeticKind.SUB), x, y)
    scaled = y if alpha == 1 else affine(b, y, scale=alpha)
    return b.add(Arithmetic(ArithmeticKind.ADD), x, scaled)


def _weight(operand: Weight | float) -> Weight:
    return operand if isinstance(operand, Weight) else constant(float(operand))


def _grown(b: Scope, x: Blob, y: Operand) -> Blob:
    """Return x with the shape that it has together with the constant."""
    return expanded(b, x, np.broadcast_shapes(x.shape, () if isinstance(y, float | int) else y.shape))


def _spread(weight: Weight, shape: Shape) -> tuple[int, Weight]:
    """Return the first dim of `shape` along which the constant varies, and the constant over the run of such dims.

    Scale and Bias hold a constant over consecutive dims (BVLC's scale_layer): dims before and after the run are left
    to the layer, gaps inside are filled up.
    """
    dims = (1,) * (len(shape) - len(weight.shape)) + weight.shape
    varying = [axis for axis, dim in enumerate(dims) if dim != 1]
    first, last = varying[0], varying[-1]
    own, run = dims[first : last + 1], shape[first : last + 1]
    if weight.shape == run:
        return first, weight
    return first, weight.map(run, lambda values: np.broadcast_to(values.reshape(own), run))
