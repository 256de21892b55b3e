"""Activation functions from the ones that Caffe and ATC have."""

from __future__ import annotations

from torch2om.errors import Refuse
from torch2om.ir.blob import Blob
from torch2om.layers import (
    BNLL,
    ELU,
    AbsVal,
    Celu,
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
SOFTPLUS_BOUND = 1.1e-10  # log(1 + exp(-20)) / 20
NEGATIVE = Power(scale=-1.0)


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


@legalizes(Softplus, bound=SOFTPLUS_BOUND)
def softplus_by_bnll(b: RuleBuilder, op: Softplus, x: Blob) -> Blob:
    """y = BNLL(beta * x) / beta, and x itself beyond the threshold.

    Exact for thresholds below 20. From there on x is not told from BNLL: they differ by 2.1e-9 / beta at most, which
    is 1.1e-10 of the value.
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
