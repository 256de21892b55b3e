"""Elementary functions from Power, Exp, Log, TanH and Threshold."""

from __future__ import annotations

import math

from torch2om.errors import Refuse
from torch2om.ir.blob import Blob
from torch2om.layers import (
    Ceil,
    Cos,
    Eltwise,
    EltwiseOperation,
    Exp,
    Expm1,
    Floor,
    Log,
    Log1p,
    Power,
    Reciprocal,
    Round,
    Rsqrt,
    Sign,
    Sin,
    Sqrt,
    TanH,
    Threshold,
    Trunc,
)
from torch2om.layers.pointwise import E
from torch2om.legalization.rules import RuleBuilder, legalizes

POWERS: dict[type, float] = {Sqrt: 0.5, Rsqrt: -0.5, Reciprocal: -1.0}


@legalizes(Sqrt, Rsqrt, Reciprocal)
def root_by_power(b: RuleBuilder, op: Sqrt | Rsqrt | Reciprocal, x: Blob) -> Blob:
    """sqrt(x) = x^0.5, 1 / sqrt(x) = x^-0.5, 1 / x = x^-1.

    Exact.
    """
    return b.add(Power(power=POWERS[type(op)]), x)


@legalizes(Log)
def log_of_line(b: RuleBuilder, op: Log, x: Blob) -> Blob:
    """log_base(scale * x + shift) = log(scale * x + shift) / log(base).

    Exact.
    """
    if op == Log():
        raise Refuse("it is the natural logarithm already")
    line = Power(scale=op.scale, shift=op.shift)
    y = b.add(Log(), x if line == Power() else b.add(line, x))
    return y if op.base == E else b.add(Power(scale=1 / math.log(op.base)), y)


@legalizes(Log1p)
def log1p_by_log(b: RuleBuilder, op: Log1p, x: Blob) -> Blob:  # noqa: ARG001 - has no fields
    """log1p(x) = log(1 + x).

    Exact.
    """
    return b.add(Log(shift=1.0), x)


@legalizes(Expm1)
def expm1_by_exp(b: RuleBuilder, op: Expm1, x: Blob) -> Blob:  # noqa: ARG001 - has no fields
    """expm1(x) = tanh(x / 2) * (exp(x) + 1).

    Exact, and no digits are lost where x is small, as exp(x) - 1 would.
    """
    half = b.add(TanH(), b.add(Power(scale=0.5), x))
    return b.add(Eltwise(EltwiseOperation.PROD), half, b.add(Power(shift=1.0), b.add(Exp(), x)))


@legalizes(Sign)
def sign_by_thresholds(b: RuleBuilder, op: Sign, x: Blob) -> Blob:  # noqa: ARG001 - has no fields
    """sign(x) = [x > 0] - [-x > 0].

    Exact.
    """
    negative = b.add(Threshold(), b.add(Power(scale=-1.0), x))
    return b.add(Eltwise(EltwiseOperation.SUM, (1.0, -1.0)), b.add(Threshold(), x), negative)


@legalizes(Floor, Ceil, Round, Trunc)
def round_by_nothing(b: RuleBuilder, op: Floor | Ceil | Round | Trunc, x: Blob) -> Blob:  # noqa: ARG001 - always refuses
    """floor(x) of any x has no form in Caffe's layers.

    Refuses: no layer of the targets is piecewise constant in infinitely many pieces.
    """
    raise Refuse(
        f"no Caffe layer rounds, and no finite composition of them is {type(op).__name__} everywhere",
        hint="round outside of the net, on its outputs",
    )


@legalizes(Sin, Cos)
def wave_by_nothing(b: RuleBuilder, op: Sin | Cos, x: Blob) -> Blob:  # noqa: ARG001 - always refuses
    """sin(x) of any x has no form in Caffe's layers.

    Refuses: no layer of the targets is periodic.
    """
    raise Refuse(
        f"no Caffe layer is periodic, and no finite composition of them is {type(op).__name__} everywhere",
        hint="compute it outside of the net and feed it as an input",
    )
