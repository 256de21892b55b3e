"""The Gaussian error function and GELU from Power, Exp, TanH and Eltwise.

Both approximations are polynomials in factored form, fitted for the least relative error (weighted least squares,
reweighted until the error is even) and written as products of ((z - a)^2 + c^2): two Powers each and one Eltwise for
all. So no intermediate sum cancels, and the layers are few.
"""

from __future__ import annotations

import math

from torch2om.errors import Refuse
from torch2om.ir.blob import Blob
from torch2om.layers import AbsVal, Eltwise, EltwiseOperation, Erf, Exp, Gelu, Power, ReLU, Sigmoid, TanH
from torch2om.layers.activation import GELU_CUBIC
from torch2om.legalization.rules import RuleBuilder, legalizes

Pairs = tuple[tuple[float, float], ...]

PRODUCT = Eltwise(EltwiseOperation.PROD)
DIFFERENCE = Eltwise(EltwiseOperation.SUM, (1.0, -1.0))

# Q(t) exp(t^2 / 2) = s * TAIL_LEAD * (TAIL_ROOT - s) * product of ((s - a)^2 + c^2) with s = 1 / (1 + TAIL_SLOPE * t),
# t >= 0, Q the upper tail of the normal distribution. Largest relative error 2.8e-10.
TAIL_SLOPE = 0.24563652546714382
TAIL_LEAD = 0.0119262973300451152
TAIL_ROOT = 2.42119446810813537
TAIL_PAIRS: Pairs = (
    (-0.698950929939229474, 0.29038682126294927),
    (-0.392237967793321314, 0.787186023423795809),
    (0.697460951618774709, 0.919964924872311712),
    (0.129911008095753953, 1.04629893170854103),
    (1.96710062944172216, 1.14012705454390897),
)
TAIL_BOUND = 3e-10
TANH_FORM_BOUND = 4.8e-4  # |gelu(x) - its tanh form| is largest, 4.73e-4, at |x| = 2.7

# erf(x) = tanh(x * ERF_LEAD * (x^2 - ERF_ROOT) * product of ((x^2 - a)^2 + c^2)) for |x| <= 4.6, and
# 1 - erf(4.6) = 8e-11. Largest relative error 4.0e-10.
ERF_LEAD = 6.3027697578834081e-13
ERF_ROOT = -6.789046990080711
ERF_PAIRS: Pairs = (
    (21.624885625576518, 3.6054220278615017),
    (-4.7920334901727718, 4.9152438069355403),
    (16.535083657599856, 9.8721019653426745),
    (0.58822065235459606, 11.41491887817622),
    (8.5834310699653007, 12.908212632454899),
)
ERF_BOUND = 5e-10


def _factors(b: RuleBuilder, z: Blob, pairs: Pairs) -> list[Blob]:
    """Return ((z - a)^2 + c^2) / (a^2 + c^2) for each pair: near 1, so that float16 holds their product."""
    factors = []
    for a, c in pairs:
        size = math.hypot(a, c)
        square = b.add(Power(power=2.0, scale=1 / size, shift=-a / size), z)
        factors.append(b.add(Power(shift=(c / size) ** 2), square))
    return factors


def _size(pairs: Pairs) -> float:
    return math.prod(a * a + c * c for a, c in pairs)


@legalizes(Gelu, bound=TAIL_BOUND)
def gelu_by_tail(b: RuleBuilder, op: Gelu, x: Blob) -> Blob:
    """gelu(x) = relu(x) - t * Q(t) with t = |x|, Q(t) = exp(-t^2 / 2) * polynomial(1 / (1 + p t)).

    Within 3e-10 of |x| Q(|x|), so of the value itself where x is negative.
    """
    if op.tanh:
        raise Refuse("it is GELU's tanh form")
    t = b.add(AbsVal(), x)
    s = b.add(Power(power=-1.0, scale=TAIL_SLOPE, shift=1.0), t)
    bell = b.add(Exp(scale=-1.0), b.add(Power(power=2.0, scale=math.sqrt(0.5)), x))
    lead = TAIL_LEAD * _size(TAIL_PAIRS)
    line = b.add(Power(scale=-lead, shift=lead * TAIL_ROOT), s)
    tail = b.add(PRODUCT, t, s, bell, line, *_factors(b, s, TAIL_PAIRS))
    return b.add(DIFFERENCE, b.add(ReLU(), x), tail)


@legalizes(Gelu, bound=TANH_FORM_BOUND, opt_in=True)
def gelu_as_tanh_form(b: RuleBuilder, op: Gelu, x: Blob) -> Blob:
    """gelu(x) = x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))) / 2.

    Within 4.8e-4, so of a blob's scale where that is 1 or more; a third of the layers of `gelu_by_tail`.
    """
    if op.tanh:
        raise Refuse("it is GELU's tanh form")
    return b.add(Gelu(tanh=True), x)


@legalizes(Gelu)
def gelu_by_sigmoid(b: RuleBuilder, op: Gelu, x: Blob) -> Blob:
    """x * (1 + tanh(u)) / 2 = x * sigmoid(2 u) with u = sqrt(2 / pi) * x * (1 + 0.044715 x^2).

    Exact for GELU's tanh form.
    """
    if not op.tanh:
        raise Refuse("it is not GELU's tanh form")
    slope = 2 * math.sqrt(2 / math.pi)
    inner = b.add(Power(scale=slope * GELU_CUBIC, shift=slope), b.add(Power(power=2.0), x))
    return b.add(PRODUCT, x, b.add(Sigmoid(), b.add(PRODUCT, x, inner)))


@legalizes(Erf, bound=ERF_BOUND)
def erf_by_tanh(b: RuleBuilder, op: Erf, x: Blob) -> Blob:  # noqa: ARG001 - has no fields
    """erf(x) = tanh(x * polynomial(x^2)).

    Within 5e-10 of the value. Beyond |x| = 4.6 the polynomial goes on growing, and tanh stays at 1, as erf does.
    """
    z = b.add(Power(power=2.0), x)
    lead = ERF_LEAD * _size(ERF_PAIRS)
    line = b.add(Power(scale=lead, shift=-lead * ERF_ROOT), z)
    return b.add(TanH(), b.add(PRODUCT, x, line, *_factors(b, z, ERF_PAIRS)))
