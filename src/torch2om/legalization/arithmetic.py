"""Arithmetic of two blobs with broadcasting, comparisons and choices: Eltwise, Scale, Bias, Power and Threshold."""

from __future__ import annotations

import math
from math import prod

import numpy as np

from torch2om.errors import Refuse
from torch2om.ir.blob import Blob
from torch2om.ir.op import Shape, axis_of
from torch2om.ir.weight import constant
from torch2om.layers import (
    AbsVal,
    Arithmetic,
    ArithmeticKind,
    Bias,
    Compare,
    CompareKind,
    Eltwise,
    EltwiseOperation,
    Exp,
    Expand,
    Log,
    Power,
    Scale,
    Threshold,
    Where,
)
from torch2om.legalization.rules import RuleBuilder, legalizes

ADD, SUB, MUL, DIV = ArithmeticKind.ADD, ArithmeticKind.SUB, ArithmeticKind.MUL, ArithmeticKind.DIV
MAX, MIN, POW = ArithmeticKind.MAX, ArithmeticKind.MIN, ArithmeticKind.POW

ELTWISE = {
    ADD: Eltwise(EltwiseOperation.SUM),
    SUB: Eltwise(EltwiseOperation.SUM, (1.0, -1.0)),
    MUL: Eltwise(EltwiseOperation.PROD),
    MAX: Eltwise(EltwiseOperation.MAX),
}


@legalizes(Arithmetic)
def combine_equal_shapes(b: RuleBuilder, op: Arithmetic, x: Blob, y: Blob) -> Blob:
    """x kind y = Eltwise(x, y): a sum, a difference (coefficients 1 and -1), a product or a maximum.

    Exact.
    """
    if op.kind not in ELTWISE:
        raise Refuse(f"Eltwise has no {op.kind}")
    (top,) = op.infer([x.shape, y.shape], [])
    if not prod(x.shape) == prod(y.shape) == prod(top):
        raise Refuse(f"{list(x.shape)} and {list(y.shape)} differ")
    return b.add(ELTWISE[op.kind], b.reshape(x, top), b.reshape(y, top))


@legalizes(Arithmetic)
def combine_with_part(b: RuleBuilder, op: Arithmetic, x: Blob, y: Blob) -> Blob:
    """x * y = Scale(x, y), x + y = Bias(x, y), where y has some neighbouring dims of x and repeats along the others.

    Exact. A difference adds the negative of the second operand; the smaller blob is the one that is negated.
    """
    if op.kind not in {ADD, SUB, MUL}:
        raise Refuse(f"neither Scale nor Bias computes {op.kind}")
    (top,) = op.infer([x.shape, y.shape], [])
    large, small = (x, y) if prod(x.shape) >= prod(y.shape) else (y, x)
    if prod(large.shape) != prod(top):
        raise Refuse(f"both {list(x.shape)} and {list(y.shape)} repeat along some dim")
    if op.kind is SUB:
        negated = b.add(Power(scale=-1.0), y)
        large, small = (negated, small) if large is y else (large, negated)
    return b.reshape(_with_part(b, op.kind, b.reshape(large, top), small), top)


def _with_part(b: RuleBuilder, kind: ArithmeticKind, large: Blob, small: Blob) -> Blob:
    """Return large * small or large + small; `small` repeats along the dims before and behind one run of dims."""
    dims = (*(1,) * (large.rank - small.rank), *small.shape)
    own = [axis for axis, dim in enumerate(dims) if dim != 1]
    if not own:
        large, dims, own = b.reshape(large, (1, prod(large.shape))), (1, 1), [0]
    first, last = own[0], own[-1] + 1
    if last - first == 1 and first and large.shape[first - 1] == 1:
        first -= 1
    if dims[first:last] != large.shape[first:last]:
        raise Refuse(f"{list(small.shape)} repeats between its own dims")
    part = b.reshape(small, dims[first:last])
    return b.add(Scale(first) if kind is MUL else Bias(first), large, part)


@legalizes(Arithmetic)
def combine_after_expanding(b: RuleBuilder, op: Arithmetic, x: Blob, y: Blob) -> Blob:
    """x kind y = expand(x) kind expand(y), both of the result's dims.

    Exact.
    """
    (top,) = op.infer([x.shape, y.shape], [])
    if prod(x.shape) == prod(y.shape) == prod(top):
        raise Refuse("both have the result's dims already")
    return b.add(op, _expanded(b, x, top), _expanded(b, y, top))


def _expanded(b: RuleBuilder, x: Blob, shape: Shape) -> Blob:
    return b.reshape(x, shape) if prod(x.shape) == prod(shape) else b.add(Expand(shape), x)


@legalizes(Arithmetic)
def combine_after_expanding_between(b: RuleBuilder, op: Arithmetic, x: Blob, y: Blob) -> Blob:
    """x kind y = x kind expand(y), y expanded only between its own dims, so that they become one run.

    Exact.
    """
    (top,) = op.infer([x.shape, y.shape], [])
    small = min(x, y, key=lambda blob: prod(blob.shape))
    dims = (*(1,) * (len(top) - small.rank), *small.shape)
    own = [axis for axis, dim in enumerate(dims) if dim != 1]
    run = dims if not own else (*dims[: own[0]], *top[own[0] : own[-1] + 1], *dims[own[-1] + 1 :])
    if run in {dims, top}:
        raise Refuse("nothing lies between its own dims, or all that is to be repeated")
    grown = b.add(Expand(run), small)
    return b.add(op, *(grown if blob is small else blob for blob in (x, y)))


@legalizes(Arithmetic)
def combine_after_expanding_one(b: RuleBuilder, op: Arithmetic, x: Blob, y: Blob) -> Blob:
    """x kind y = expand(x) kind y where both repeat along some dim: the cheaper one to complete gets the result's dims.

    Exact.
    """
    (top,) = op.infer([x.shape, y.shape], [])
    if prod(top) in {prod(x.shape), prod(y.shape)}:
        raise Refuse("one of them has the result's dims already")
    large = max(x, y, key=lambda blob: prod(blob.shape))
    return b.add(op, *(_expanded(b, blob, top) if blob is large else blob for blob in (x, y)))


@legalizes(Arithmetic)
def divide_by_multiplying(b: RuleBuilder, op: Arithmetic, x: Blob, y: Blob) -> Blob:
    """x / y = x * y^-1.

    Exact.
    """
    if op.kind is not DIV:
        raise Refuse("it is no division")
    return b.add(Arithmetic(MUL), x, b.add(Power(power=-1.0), y))


@legalizes(Arithmetic)
def minimum_by_maximum(b: RuleBuilder, op: Arithmetic, x: Blob, y: Blob) -> Blob:
    """min(x, y) = -max(-x, -y).

    Exact.
    """
    if op.kind is not MIN:
        raise Refuse("it is no minimum")
    negated = (b.add(Power(scale=-1.0), blob) for blob in (x, y))
    return b.add(Power(scale=-1.0), b.add(Arithmetic(MAX), *negated))


@legalizes(Arithmetic, opt_in=True)
def power_of_positive_base(b: RuleBuilder, op: Arithmetic, x: Blob, y: Blob) -> Blob:
    """x ^ y = exp(y * log(x)).

    Exact for x > 0 only: a negative x gives NaN even where y is whole.
    """
    if op.kind is not POW:
        raise Refuse("it is no power")
    return b.add(Exp(), b.add(Arithmetic(MUL), b.add(Log(), x), y))


@legalizes(Eltwise)
def combine_flat(b: RuleBuilder, op: Eltwise, *blobs: Blob) -> Blob:
    """combine(x, y, ...) = reshape(combine(x as a matrix, y as a matrix, ...)).

    Exact.
    """
    shape = blobs[0].shape
    flat = (prod(shape[:1]), prod(shape[1:])) if len(shape) > 1 else (1, prod(shape))
    if flat == shape:
        raise Refuse("they are matrices already")
    return b.reshape(b.add(op, *(b.reshape(blob, flat) for blob in blobs)), shape)


@legalizes(Bias)
def bias_by_scale(b: RuleBuilder, op: Bias, x: Blob, *others: Blob) -> Blob:
    """x + beta = Scale(x) with gamma 1 and beta as its bias.

    Exact for a beta that is a weight.
    """
    if others:
        raise Refuse("its beta is a blob")
    (beta,) = b.weights
    ones = constant(np.ones(beta.shape))
    return b.add(Scale(op.axis, op.num_axes, bias_term=True), x, weights=(ones, beta))


@legalizes(Bias, Scale)
def combine_blobs(b: RuleBuilder, op: Bias | Scale, x: Blob, *others: Blob) -> Blob:
    """Bias(x, y) = x + y, Scale(x, y) = x * y (+ beta), y expanded to the dims of x.

    Exact.
    """
    if not others:
        raise Refuse("it has no second bottom")
    (y,) = others
    first = axis_of(op.axis, x.rank) if y.rank else 0
    grown = b.reshape(y, (*(1,) * first, *y.shape, *(1,) * (x.rank - first - y.rank)))
    grown = grown if grown.shape == x.shape else b.add(Expand(x.shape), grown)
    if isinstance(op, Bias):
        return b.add(ELTWISE[ADD], x, grown)
    product = b.add(ELTWISE[MUL], x, grown)
    return b.add(Bias(op.axis, y.rank), product, weights=b.weights) if op.bias_term else product


@legalizes(Eltwise)
def combine_in_groups(b: RuleBuilder, op: Eltwise, *blobs: Blob) -> Blob:
    """combine(x_0, ..., x_n) = combine(combine(x_0, ..., x_g), combine(x_g+1, ...), ...), g a power of 4.

    Exact: sums, products and maxima are associative.
    """
    if len(blobs) <= 2:
        raise Refuse(f"it has {len(blobs)} bottoms")
    size = 4 ** int(math.log(len(blobs) - 1, 4)) if len(blobs) > 4 else 2
    starts = range(0, len(blobs), size)
    parts = [
        b.add(Eltwise(op.operation, op.coeff[start : start + size]), *blobs[start : start + size])
        if len(blobs) - start > 1
        else _weighted(b, blobs[start], op.coeff[start:])
        for start in starts
    ]
    return b.add(Eltwise(op.operation), *parts)


def _weighted(b: RuleBuilder, x: Blob, coeff: tuple[float, ...]) -> Blob:
    return b.add(Power(scale=coeff[0]), x) if coeff and coeff[0] != 1 else x


@legalizes(Compare)
def compare_by_threshold(b: RuleBuilder, op: Compare, x: Blob, y: Blob) -> Blob:
    """[x > y] = threshold(x - y), [x >= y] = 1 - [y > x], [x != y] = threshold(|x - y|), [x = y] = 1 - [x != y].

    Exact: the difference of two floating-point numbers is 0 only if they are equal.
    """
    match op.kind:
        case CompareKind.GT | CompareKind.LE:
            found = b.add(Threshold(), b.add(Arithmetic(SUB), x, y))
        case CompareKind.LT | CompareKind.GE:
            found = b.add(Threshold(), b.add(Arithmetic(SUB), y, x))
        case CompareKind.EQ | CompareKind.NE:
            found = b.add(Threshold(), b.add(AbsVal(), b.add(Arithmetic(SUB), x, y)))
    if op.kind in {CompareKind.GE, CompareKind.LE, CompareKind.EQ}:
        return b.add(Power(scale=-1.0, shift=1.0), found)
    return found


@legalizes(Where)
def choose_by_products(b: RuleBuilder, op: Where, condition: Blob, x: Blob, y: Blob) -> Blob:  # noqa: ARG001 - no fields
    """y = [c != 0] * x + (1 - [c != 0]) * y.

    Exact for finite x and y: each result is one of them times 1 plus the other times 0.
    """
    chosen = b.add(Threshold(), b.add(AbsVal(), condition))
    others = b.add(Power(scale=-1.0, shift=1.0), chosen)
    return b.add(Arithmetic(ADD), b.add(Arithmetic(MUL), x, chosen), b.add(Arithmetic(MUL), y, others))
