"""Affine maps and powers for targets whose Power takes only roots, and whose Scale takes only channels of images."""

from __future__ import annotations

from math import prod

import numpy as np

from torch2om.errors import Refuse
from torch2om.ir.blob import Blob
from torch2om.ir.op import Shape
from torch2om.ir.weight import constant
from torch2om.layers import AbsVal, Eltwise, EltwiseOperation, Power, Scale
from torch2om.legalization.rules import RuleBuilder, legalizes

PRODUCT = Eltwise(EltwiseOperation.PROD)
HIGHEST_POWER = 64


def _image(shape: Shape) -> Shape:
    """Return the shape with 4 dims: a vector's elements as channels, dims of 1 behind, what is too much made one."""
    dims = (1, *shape) if len(shape) < 2 else shape
    return (*dims[:3], prod(dims[3:])) if len(dims) > 4 else (*dims, *(1,) * (4 - len(dims)))


@legalizes(Power)
def affine_by_scale(b: RuleBuilder, op: Power, x: Blob) -> Blob:
    """scale * x + shift = Scale(x) with gamma `scale` and beta `shift` for every channel.

    Exact.
    """
    if op.power != 1:
        raise Refuse(f"its power is {op.power}")
    if op == Power():
        return x
    image = b.reshape(x, _image(x.shape))
    weights = tuple(constant(np.full(image.shape[1], value)) for value in (op.scale, op.shift)[: 1 + bool(op.shift)])
    return b.reshape(b.add(Scale(bias_term=op.shift != 0), image, weights=weights), x.shape)


@legalizes(Power)
def power_after_line(b: RuleBuilder, op: Power, x: Blob) -> Blob:
    """(scale * x + shift)^n = y^n with y = scale * x + shift.

    Exact.
    """
    line = Power(scale=op.scale, shift=op.shift)
    if op.power == 1 or line == Power():
        raise Refuse("it is a power of x itself, or no power")
    return b.add(Power(power=op.power), b.add(line, x))


@legalizes(Power)
def whole_power_by_products(b: RuleBuilder, op: Power, x: Blob) -> Blob:
    """x^0 = 0 * x + 1, x^(2 n) = (x^n)^2, x^(2 n + 1) = x^(2 n) * x.

    Exact, for an x of either sign.
    """
    _refuse_lines(op)
    if not float(op.power).is_integer() or not 0 <= op.power <= HIGHEST_POWER:
        raise Refuse(f"power {op.power} is not a whole number from 0 to {HIGHEST_POWER}")
    if op.power == 0:
        return b.add(Power(scale=0.0, shift=1.0), x)
    y = x
    for bit in bin(int(op.power))[3:]:
        y = b.add(PRODUCT, y, y, x) if bit == "1" else b.add(PRODUCT, y, y)
    return y


@legalizes(Power)
def reciprocal_by_root(b: RuleBuilder, op: Power, x: Blob) -> Blob:
    """1 / x = s * r * r with r = |x|^-0.5 and the sign s = r * r * x; x^-n = (1 / x)^n.

    Exact for x other than 0, of either sign; nothing in between is larger than 1 / x or x.
    """
    _refuse_lines(op)
    if not float(op.power).is_integer() or op.power >= 0:
        raise Refuse(f"power {op.power} is no negative whole number")
    root = b.add(Power(power=-0.5), b.add(AbsVal(), x))
    sign = b.add(PRODUCT, root, root, x)
    y = b.add(PRODUCT, sign, root, root)
    return y if op.power == -1 else b.add(Power(power=-op.power), y)


def _refuse_lines(op: Power) -> None:
    if Power(power=op.power) != op or op.power == 1:
        raise Refuse("it is no power of x itself")


@legalizes(Scale)
def scale_channels(b: RuleBuilder, op: Scale, x: Blob, *others: Blob) -> Blob:
    """Scale(x) along any run of dims = Scale(x as images whose channels are the run), axis 1.

    Exact.
    """
    if op.axis < 0:
        raise Refuse("its axis is counted from the end")
    gamma = others[0].shape if others else b.weights[0].shape
    first = op.axis if gamma else 0
    size = prod(gamma)
    if (first, len(gamma)) == (1, 1) and x.rank <= 4:
        image = b.reshape(x, _image(x.shape))
    else:
        image = b.reshape(x, (prod(x.shape[:first]), size, prod(x.shape[first + len(gamma) :]), 1))
    if image is x and (op.axis, len(gamma)) == (1, 1):
        raise Refuse("it scales the channels of images already")
    factors = [b.reshape(other, (size,)) for other in others]
    weights = tuple(weight.map((size,), lambda w: w.reshape(-1)) for weight in b.weights)
    return b.reshape(b.add(Scale(bias_term=op.bias_term), image, *factors, weights=weights), x.shape)
