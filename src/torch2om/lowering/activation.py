"""Activations and elementary functions: every element alone."""

from __future__ import annotations

import torch

from torch2om.errors import Refuse
from torch2om.ir.blob import Blob
from torch2om.ir.op import Op
from torch2om.ir.text import op_text
from torch2om.ir.weight import Weight
from torch2om.layers import (
    ELU,
    AbsVal,
    Ceil,
    Celu,
    Cos,
    Eltwise,
    EltwiseOperation,
    Erf,
    Exp,
    Expm1,
    Floor,
    Gelu,
    Hardshrink,
    HardSigmoid,
    HardSwish,
    Log,
    Log1p,
    LogSigmoid,
    Mish,
    Power,
    PReLU,
    ReLU,
    Round,
    Selu,
    Sigmoid,
    Sign,
    Sin,
    Softplus,
    Softshrink,
    Swish,
    TanH,
    Trunc,
)
from torch2om.lowering.operands import affine, clamped, number_of
from torch2om.lowering.registry import Function, lowers
from torch2om.lowering.scope import Scope

aten = torch.ops.aten

# ATen operators of one tensor, and the op that means the same.
_PLAIN: dict[torch._ops.OpOverload, Op] = {
    aten.relu.default: ReLU(),
    aten.sigmoid.default: Sigmoid(),
    aten.tanh.default: TanH(),
    aten.silu.default: Swish(),
    aten.mish.default: Mish(),
    aten.selu.default: Selu(),
    aten.hardswish.default: HardSwish(),
    aten.hardsigmoid.default: HardSigmoid(),
    aten.log_sigmoid.default: LogSigmoid(),
    aten.abs.default: AbsVal(),
    aten.neg.default: Power(scale=-1.0),
    aten.exp.default: Exp(),
    aten.exp2.default: Exp(base=2.0),
    aten.expm1.default: Expm1(),
    aten.log.default: Log(),
    aten.log2.default: Log(base=2.0),
    aten.log10.default: Log(base=10.0),
    aten.log1p.default: Log1p(),
    aten.sqrt.default: Power(power=0.5),
    aten.rsqrt.default: Power(power=-0.5),
    aten.reciprocal.default: Power(power=-1.0),
    aten.erf.default: Erf(),
    aten.sin.default: Sin(),
    aten.cos.default: Cos(),
    aten.floor.default: Floor(),
    aten.ceil.default: Ceil(),
    aten.round.default: Round(),
    aten.trunc.default: Trunc(),
    aten.sign.default: Sign(),
}


def _elementwise(op: Op) -> Function:
    def lowering(b: Scope, self: Blob) -> Blob:
        return b.add(op, self)

    lowering.__doc__ = f"{op_text(op)}."
    return lowering


for _overload, _op in _PLAIN.items():
    lowers(_overload)(_elementwise(_op))


@lowers(aten.sinh.default)
def sinh(b: Scope, self: Blob) -> Blob:
    """(exp(x) - exp(-x)) / 2."""
    return b.add(Eltwise(EltwiseOperation.SUM, (0.5, -0.5)), b.add(Exp(), self), b.add(Exp(scale=-1.0), self))


@lowers(aten.cosh.default)
def cosh(b: Scope, self: Blob) -> Blob:
    """(exp(x) + exp(-x)) / 2."""
    return b.add(Eltwise(EltwiseOperation.SUM, (0.5, 0.5)), b.add(Exp(), self), b.add(Exp(scale=-1.0), self))


@lowers(aten.leaky_relu.default)
def leaky_relu(b: Scope, self: Blob, negative_slope: float) -> Blob:
    """y = max(x, 0) + negative_slope * min(x, 0)."""
    return b.add(ReLU(float(negative_slope)), self)


@lowers(aten.prelu.default)
def prelu(b: Scope, self: Blob, weight: Weight) -> Blob:
    """y = max(x, 0) + weight[c] * min(x, 0), c the index of dim 1; one weight serves all elements."""
    slope = number_of(weight)
    if slope is not None:
        return b.add(ReLU(slope), self)
    return b.add(PReLU(), self, weights=(weight,))


@lowers(aten.elu.default)
def elu(b: Scope, self: Blob, alpha: float, scale: float, input_scale: float) -> Blob:
    """y = scale * (x for x > 0, alpha * (exp(input_scale * x) - 1) elsewhere)."""
    if input_scale != 1:
        raise Refuse(f"input_scale={input_scale} is not 1", hint="use torch.nn.ELU, SELU or CELU")
    y = b.add(ELU(float(alpha)), self)
    return y if scale == 1 else affine(b, y, scale=scale)


@lowers(aten.celu.default)
def celu(b: Scope, self: Blob, alpha: float) -> Blob:
    """X for x > 0, alpha * (exp(x / alpha) - 1) elsewhere."""
    return b.add(Celu(float(alpha)), self)


@lowers(aten.gelu.default)
def gelu(b: Scope, self: Blob, approximate: str) -> Blob:
    """y = x * Phi(x), Phi the normal distribution or its tanh form."""
    return b.add(Gelu(tanh=approximate == "tanh"), self)


@lowers(aten.hardtanh.default)
def hardtanh(b: Scope, self: Blob, min_val: float, max_val: float) -> Blob:
    """y = min(max(x, min_val), max_val)."""
    return clamped(b, self, min_val, max_val)


@lowers(aten.softplus.default)
def softplus(b: Scope, self: Blob, beta: float, threshold: float) -> Blob:
    """y = log(1 + exp(beta * x)) / beta; x where beta * x > threshold."""
    return b.add(Softplus(float(beta), float(threshold)), self)


@lowers(aten.hardshrink.default)
def hardshrink(b: Scope, self: Blob, lambd: float) -> Blob:
    """0 for |x| <= lambd, x elsewhere."""
    return b.add(Hardshrink(float(lambd)), self)


@lowers(aten.softshrink.default)
def softshrink(b: Scope, self: Blob, lambd: float) -> Blob:
    """y = x moved towards 0 by lambd, 0 where it would pass it."""
    return b.add(Softshrink(float(lambd)), self)
