"""Clamps whose results are the bounds themselves or x itself, bit for bit: no bound is added to x and taken away again.

`b - relu(b - x)` would lose x's digits where the bound is larger than x, and the bound's where x is larger.
"""

from __future__ import annotations

import math

from torch2om.errors import Refuse
from torch2om.ir.blob import Blob
from torch2om.layers import Clip, Eltwise, EltwiseOperation, Hardtanh, Power, ReLU, ReLU6
from torch2om.layers.precision import LARGEST_SINGLE, opened
from torch2om.legalization.rules import RuleBuilder, legalizes

MAXIMUM = Eltwise(EltwiseOperation.MAX)
NEGATIVE = Power(scale=-1.0)


@legalizes(Hardtanh)
def clamp_by_clip(b: RuleBuilder, op: Hardtanh, x: Blob) -> Blob:
    """clamp(x, min, max) = Clip(x); an infinite bound is written as the largest float32.

    Exact for all float32 numbers.
    """
    low, high = (max(-LARGEST_SINGLE, min(bound, LARGEST_SINGLE)) for bound in (op.min, op.max))
    if low > high:
        raise Refuse(f"min {op.min} is above max {op.max}")
    return b.add(Clip(low, high), x)


@legalizes(Hardtanh)
def clamp_at_zero(b: RuleBuilder, op: Hardtanh, x: Blob) -> Blob:
    """clamp(x, 0, inf) = relu(x), clamp(x, -inf, 0) = -relu(-x), clamp(x, -inf, inf) = x.

    Exact.
    """
    bounds = (op.min, op.max)
    if bounds == (-math.inf, math.inf):
        return x
    if bounds == (0, math.inf):
        return b.add(ReLU(), x)
    if bounds == (-math.inf, 0):
        return b.add(NEGATIVE, b.add(ReLU(), b.add(NEGATIVE, x)))
    raise Refuse("a bound is neither 0 nor infinite, or both are 0")


@legalizes(Hardtanh)
def clamp_by_relu6(b: RuleBuilder, op: Hardtanh, x: Blob) -> Blob:
    """clamp(x, 0, c) = c / 6 * ReLU6(6 / c * x), and the same for clamp(x, c, 0) with a negative c.

    Exact.
    """
    if 0 not in (op.min, op.max) or not -math.inf < op.min < op.max < math.inf:
        raise Refuse("it does not clamp between 0 and a finite number")
    scale = (op.min + op.max) / 6
    if scale == 1:
        return b.add(ReLU6(), x)
    return b.add(Power(scale=scale), b.add(ReLU6(), b.add(Power(scale=1 / scale), x)))


@legalizes(Hardtanh)
def clamp_by_maximum(b: RuleBuilder, op: Hardtanh, x: Blob) -> Blob:
    """max(x, a) = Eltwise maximum of x and a, min(x, c) = -max(-x, -c); a is Power's (a + 0 * x)^1.

    Exact. For one finite bound.
    """
    if math.isfinite(op.min) == math.isfinite(op.max):
        raise Refuse("not just one bound is finite")
    if math.isfinite(op.min):
        return _at_least(b, x, op.min, x)
    return b.add(NEGATIVE, _at_least(b, b.add(NEGATIVE, x), -op.max, x))


def _at_least(b: RuleBuilder, x: Blob, low: float, seed: Blob) -> Blob:
    """Return max(x, low), the constant made of the finite `seed`."""
    return b.add(MAXIMUM, x, b.add(Power(scale=0.0, shift=low), seed))


@legalizes(Hardtanh)
def clamp_ends_in_turn(b: RuleBuilder, op: Hardtanh, x: Blob) -> Blob:
    """clamp(x, a, c) = min(max(x, a), c), and the constant c if a >= c.

    Exact.
    """
    if op.min >= op.max:
        return b.add(Power(scale=0.0, shift=op.max), x)
    if not (math.isfinite(op.min) and math.isfinite(op.max)):
        raise Refuse("a bound is infinite")
    return b.add(Hardtanh(-math.inf, op.max), b.add(Hardtanh(op.min, math.inf), x))


@legalizes(Clip)
def clip_as_clamp(b: RuleBuilder, op: Clip, x: Blob) -> Blob:
    """Clip(x) = clamp(x, min, max).

    Exact.
    """
    return b.add(Hardtanh(opened(op.min), opened(op.max)), x)


@legalizes(ReLU6)
def relu6_as_clamp(b: RuleBuilder, op: ReLU6, x: Blob) -> Blob:  # noqa: ARG001 - has no fields
    """ReLU6(x) = clamp(x, 0, 6).

    Exact.
    """
    return b.add(Hardtanh(0.0, 6.0), x)
