"""Activation functions from the ones that Caffe and ATC have."""

from __future__ import annotations

import math

from torch2om.errors import Refuse
from torch2om.ir.blob import Blob
from torch2om.layers import (
    BNLL,
    ELU,
    AbsVal,
    Celu,
    Clip,
    Eltwise,
    EltwiseOperation,
    Hardshrink,
    HardSigmoid,
    HardSwish,
    Hardtanh,
    LogSigmoid,
    Mish,
    Power,
    ReLU,
    ReLU6,
    Selu,
    Sigmoid,
    Softplus,
    Softshrink,
    Softsign,
    Swish,
    TanH,
    Tanhshrink,
    Threshold,
)
from torch2om.layers.activation import SELU_ALPHA, SELU_SCALE
from torch2om.legalization.rules import RuleBuilder, legalizes

PRODUCT = Eltwise(EltwiseOperation.PROD)
DIFFERENCE = Eltwise(EltwiseOperation.SUM, (1.0, -1.0))
NEGATIVE = Power(scale=-1.0)
LARGEST = 3.4028234663852886e38  # the largest float32: a bound of Clip that no finite blob passes


@legalizes(Hardtanh)
def clamp_by_clip(b: RuleBuilder, op: Hardtanh, x: Blob) -> Blob:
    """clamp(x, min, max) = Clip(x); an infinite bound is written as the largest float32.

    Exact for all float32 numbers.
    """
    low, high = (max(-LARGEST, min(bound, LARGEST)) for bound in (op.min, op.max))
    if low > high:
        raise Refuse(f"min {op.min} is above max {op.max}")
    return b.add(Clip(low, high), x)


@legalizes(Hardtanh)
def clamp_by_relu(b: RuleBuilder, op: Hardtanh, x: Blob) -> Blob:
    """max(x, a) = relu(x - a) + a, and min(x, a) = a - relu(a - x).

    Exact. For one infinite bound; nothing is left to do if both are.
    """
    if op.min == 0 and op.max == math.inf:
        return b.add(ReLU(), x)
    if op.max == math.inf:
        return x if op.min == -math.inf else _shifted(b, b.add(ReLU(), _shifted(b, x, -op.min)), op.min)
    if op.min == -math.inf:
        rest = b.add(ReLU(), b.add(Power(scale=-1.0, shift=op.max), x))
        return b.add(Power(scale=-1.0, shift=op.max), rest)
    raise Refuse("both bounds are finite")


def _shifted(b: RuleBuilder, x: Blob, shift: float) -> Blob:
    return b.add(Power(shift=shift), x) if shift else x


@legalizes(Hardtanh)
def clamp_by_relu6(b: RuleBuilder, op: Hardtanh, x: Blob) -> Blob:
    """clamp(x, a, c) = a + (c - a) / 6 * ReLU6(6 / (c - a) * (x - a)).

    Exact. For finite bounds; equal or crossed bounds give the constant max, as in PyTorch.
    """
    if math.inf in {-op.min, op.max}:
        raise Refuse("a bound is infinite")
    span = (op.max - op.min) / 6
    if span <= 0:
        return b.add(Power(scale=0.0, shift=op.max), x)
    inner = Power(scale=1 / span, shift=-op.min / span)
    outer = Power(scale=span, shift=op.min)
    y = b.add(ReLU6(), x if inner == Power() else b.add(inner, x))
    return y if outer == Power() else b.add(outer, y)


@legalizes(Hardtanh)
def clamp_by_two_relus(b: RuleBuilder, op: Hardtanh, x: Blob) -> Blob:
    """clamp(x, a, c) = c - relu((c - a) - relu(x - a)).

    Exact. For finite bounds.
    """
    if math.inf in {-op.min, op.max} or op.min > op.max:
        raise Refuse("a bound is infinite, or min is above max")
    lower = b.add(ReLU(), _shifted(b, x, -op.min))
    rest = b.add(ReLU(), b.add(Power(scale=-1.0, shift=op.max - op.min), lower))
    return b.add(Power(scale=-1.0, shift=op.max), rest)


@legalizes(Clip)
def clip_as_clamp(b: RuleBuilder, op: Clip, x: Blob) -> Blob:
    """Clip(x) = clamp(x, min, max).

    Exact.
    """
    return b.add(Hardtanh(*(math.copysign(math.inf, v) if abs(v) >= LARGEST else v for v in (op.min, op.max))), x)


@legalizes(ReLU6)
def relu6_as_clamp(b: RuleBuilder, op: ReLU6, x: Blob) -> Blob:  # noqa: ARG001 - has no fields
    """ReLU6(x) = clamp(x, 0, 6).

    Exact.
    """
    return b.add(Hardtanh(0.0, 6.0), x)


@legalizes(HardSigmoid)
def hard_sigmoid_by_clamp(b: RuleBuilder, op: HardSigmoid, x: Blob) -> Blob:  # noqa: ARG001 - has no fields
    """y = clamp(x / 6 + 1 / 2, 0, 1).

    Exact.
    """
    return b.add(Hardtanh(0.0, 1.0), b.add(Power(scale=1 / 6, shift=0.5), x))


@legalizes(HardSigmoid)
def hard_sigmoid_by_relu6(b: RuleBuilder, op: HardSigmoid, x: Blob) -> Blob:  # noqa: ARG001 - has no fields
    """y = ReLU6(x + 3) / 6.

    Exact.
    """
    return b.add(Power(scale=1 / 6), b.add(ReLU6(), b.add(Power(shift=3.0), x)))


@legalizes(HardSwish)
def hard_swish_by_hard_sigmoid(b: RuleBuilder, op: HardSwish, x: Blob) -> Blob:  # noqa: ARG001 - has no fields
    """y = x * hard_sigmoid(x).

    Exact.
    """
    return b.add(PRODUCT, x, b.add(HardSigmoid(), x))


@legalizes(Swish)
def swish_by_sigmoid(b: RuleBuilder, op: Swish, x: Blob) -> Blob:
    """y = x * sigmoid(beta * x).

    Exact.
    """
    inner = x if op.beta == 1 else b.add(Power(scale=op.beta), x)
    return b.add(PRODUCT, x, b.add(Sigmoid(), inner))


@legalizes(Mish)
def mish_by_softplus(b: RuleBuilder, op: Mish, x: Blob) -> Blob:  # noqa: ARG001 - has no fields
    """y = x * tanh(log(1 + exp(x))).

    Exact.
    """
    return b.add(PRODUCT, x, b.add(TanH(), b.add(BNLL(), x)))


@legalizes(Softplus)
def softplus_by_bnll(b: RuleBuilder, op: Softplus, x: Blob) -> Blob:
    """y = BNLL(beta * x) / beta, and x itself beyond the threshold.

    Exact. From a threshold of 20 on, both forms are equal: they differ by log(1 + exp(-20)) = 2e-9 of beta * x >= 20.
    """
    smooth = x if op.beta == 1 else b.add(Power(scale=op.beta), x)
    smooth = b.add(BNLL(), smooth)
    smooth = smooth if op.beta == 1 else b.add(Power(scale=1 / op.beta), smooth)
    if op.threshold >= 20:
        return smooth
    scaled = x if op.beta == 1 else b.add(Power(scale=op.beta), x)
    beyond = b.add(Threshold(op.threshold), scaled)
    return b.add(Eltwise(), smooth, b.add(PRODUCT, beyond, b.add(DIFFERENCE, x, smooth)))


@legalizes(LogSigmoid)
def log_sigmoid_by_bnll(b: RuleBuilder, op: LogSigmoid, x: Blob) -> Blob:  # noqa: ARG001 - has no fields
    """y = -BNLL(-x).

    Exact.
    """
    return b.add(NEGATIVE, b.add(BNLL(), b.add(NEGATIVE, x)))


@legalizes(Selu)
def selu_by_elu(b: RuleBuilder, op: Selu, x: Blob) -> Blob:  # noqa: ARG001 - has no fields
    """y = scale * ELU(x), with alpha as ELU's.

    Exact.
    """
    return b.add(Power(scale=SELU_SCALE), b.add(ELU(SELU_ALPHA), x))


@legalizes(Celu)
def celu_by_elu(b: RuleBuilder, op: Celu, x: Blob) -> Blob:
    """y = alpha * ELU(x / alpha).

    Exact for a positive alpha.
    """
    if op.alpha == 1:
        return b.add(ELU(), x)
    if op.alpha < 0:
        raise Refuse(f"alpha is {op.alpha}")
    return b.add(Power(scale=op.alpha), b.add(ELU(), b.add(Power(scale=1 / op.alpha), x)))


@legalizes(Softsign)
def softsign_by_power(b: RuleBuilder, op: Softsign, x: Blob) -> Blob:  # noqa: ARG001 - has no fields
    """y = x * (1 + |x|)^-1.

    Exact.
    """
    return b.add(PRODUCT, x, b.add(Power(power=-1.0, shift=1.0), b.add(AbsVal(), x)))


@legalizes(Tanhshrink)
def tanhshrink_by_difference(b: RuleBuilder, op: Tanhshrink, x: Blob) -> Blob:  # noqa: ARG001 - has no fields
    """y = x - tanh(x).

    Exact.
    """
    return b.add(DIFFERENCE, x, b.add(TanH(), x))


@legalizes(Hardshrink)
def hardshrink_by_threshold(b: RuleBuilder, op: Hardshrink, x: Blob) -> Blob:
    """y = x * [|x| > lambd].

    Exact.
    """
    return b.add(PRODUCT, x, b.add(Threshold(op.lambd), b.add(AbsVal(), x)))


@legalizes(Softshrink)
def softshrink_by_relus(b: RuleBuilder, op: Softshrink, x: Blob) -> Blob:
    """y = relu(x - lambd) - relu(-x - lambd).

    Exact.
    """
    above = b.add(ReLU(), b.add(Power(shift=-op.lambd), x))
    below = b.add(ReLU(), b.add(Power(scale=-1.0, shift=-op.lambd), x))
    return b.add(DIFFERENCE, above, below)
