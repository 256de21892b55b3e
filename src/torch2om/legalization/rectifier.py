"""Caffe's own activation layers and PyTorch's relatives of them, written out where a target lacks the layer."""

from __future__ import annotations

import math

from torch2om.errors import Refuse
from torch2om.ir.blob import Blob
from torch2om.layers import (
    BNLL,
    ELU,
    AbsVal,
    Celu,
    Eltwise,
    EltwiseOperation,
    Exp,
    Expm1,
    Hardtanh,
    Log,
    Power,
    PReLU,
    ReLU,
    Scale,
    Threshold,
)
from torch2om.legalization.rules import RuleBuilder, legalizes

SUM = Eltwise(EltwiseOperation.SUM)
STEEP = 1e30  # twice in a row it makes 1 or more of every positive float32, the smallest being 1.4e-45


def _negative_part(b: RuleBuilder, x: Blob) -> Blob:
    return b.add(Hardtanh(-math.inf, 0.0), x)


@legalizes(ELU)
def elu_by_expm1(b: RuleBuilder, op: ELU, x: Blob) -> Blob:
    """y = relu(x) + alpha * expm1(min(x, 0)).

    Exact.
    """
    below = b.add(Expm1(), _negative_part(b, x))
    return b.add(Eltwise(EltwiseOperation.SUM, (1.0, op.alpha)), b.add(ReLU(), x), below)


@legalizes(Celu)
def celu_by_expm1(b: RuleBuilder, op: Celu, x: Blob) -> Blob:
    """y = relu(x) + alpha * expm1(min(x, 0) / alpha).

    Exact for an alpha of either sign.
    """
    below = b.add(Expm1(), b.add(Power(scale=1 / op.alpha), _negative_part(b, x)))
    return b.add(Eltwise(EltwiseOperation.SUM, (1.0, op.alpha)), b.add(ReLU(), x), below)


@legalizes(BNLL)
def bnll_by_log(b: RuleBuilder, op: BNLL, x: Blob) -> Blob:  # noqa: ARG001 - has no fields
    """log(1 + exp(x)) = relu(x) + log(1 + exp(-|x|)).

    Exact.
    """
    rest = b.add(Log(shift=1.0), b.add(Exp(scale=-1.0), b.add(AbsVal(), x)))
    return b.add(SUM, b.add(ReLU(), x), rest)


@legalizes(PReLU)
def prelu_by_relu(b: RuleBuilder, op: PReLU, x: Blob) -> Blob:
    """y = ReLU(x) with the slope as negative_slope, if one slope serves all channels.

    Exact.
    """
    if not op.channel_shared:
        raise Refuse("each channel has its own slope")
    return b.add(ReLU(float(b.weights[0].array().item())), x)


@legalizes(PReLU)
def prelu_by_scale(b: RuleBuilder, op: PReLU, x: Blob) -> Blob:
    """y = relu(x) + slope[c] * min(x, 0).

    Exact. For one slope per channel.
    """
    if op.channel_shared:
        raise Refuse("all channels have one slope")
    below = b.add(Scale(1, 1), _negative_part(b, x), weights=b.weights)
    return b.add(SUM, b.add(ReLU(), x), below)


@legalizes(Threshold)
def threshold_by_ramps(b: RuleBuilder, op: Threshold, x: Blob) -> Blob:
    """[x > t] = r(r(x - t)) with the ramp r(d) = clamp(1e30 * d, 0, 1).

    Exact for all float32 numbers: two of them that differ, differ by more than 1e-60.
    """
    ramp = b.add(Power(shift=-op.threshold), x) if op.threshold else x
    for _ in range(2):
        ramp = b.add(Hardtanh(0.0, 1.0), b.add(Power(scale=STEEP), ramp))
    return ramp
