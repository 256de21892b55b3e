"""Constant blobs: a Parameter where the target has it, otherwise made of the net's input and forgotten again."""

from __future__ import annotations

from functools import cache
from math import prod

import numpy as np

from torch2om.errors import Refuse
from torch2om.ir.blob import Blob
from torch2om.ir.weight import Weight, constant
from torch2om.layers import Constant, Expand, InnerProduct, Parameter, Pooling, PoolMethod, Power, PriorBox
from torch2om.legalization.rules import RuleBuilder, legalizes

LARGEST = Pooling(PoolMethod.MAX, global_pooling=True)


@legalizes(PriorBox)
def priors_by_constant(b: RuleBuilder, op: PriorBox, x: Blob, image: Blob) -> Blob:
    """y = w: the priors depend on the dims of the bottoms alone.

    Exact.
    """
    boxes = op.boxes(x.shape, image.shape)
    return b.add(Constant(boxes.shape), weights=(constant(boxes),))


@legalizes(Constant)
def constant_by_parameter(b: RuleBuilder, op: Constant) -> Blob:
    """y = Parameter(w).

    Exact.
    """
    return b.add(Parameter(op.shape), weights=b.weights)


@legalizes(Constant, Parameter)
def constant_by_inner_product(b: RuleBuilder, op: Constant | Parameter) -> Blob:  # noqa: ARG001 - the weight says it all
    """y = reshape(0 * pool(input) + w), an InnerProduct with weights 0 and bias w of one element of the net's input.

    Exact for a finite input.
    """
    (weight,) = b.weights
    size = prod(weight.shape)
    one = _one_of_input(b)
    bias = weight.map((size,), lambda w: w.reshape(size))
    y = b.add(InnerProduct(size), one, weights=(constant(np.zeros((size, 1))), bias))
    return b.reshape(y, weight.shape)


@legalizes(Constant)
def constant_by_tiling(b: RuleBuilder, op: Constant) -> Blob:
    """y = expand(v), where all numbers are v.

    Exact. So the files hold one number.
    """
    value = _only_number(b)
    if prod(op.shape) == 1:
        raise Refuse("it is one number already")
    one = b.add(Constant((1,) * len(op.shape)), weights=(one_number(value, len(op.shape)),))
    return b.add(Expand(op.shape), one)


@legalizes(Constant)
def constant_by_power(b: RuleBuilder, op: Constant) -> Blob:
    """y = v + 0 * pool(input), for one number v.

    Exact for a finite input. Equal constants of a net are one layer (`tidy`).
    """
    if prod(op.shape) != 1:
        raise Refuse("it is more than one number")
    return b.reshape(b.add(Power(scale=0.0, shift=_only_number(b)), _one_of_input(b)), op.shape)


def _only_number(b: RuleBuilder) -> float:
    """Return the number that all elements of the weight are."""
    (weight,) = b.weights
    numbers = weight.array()
    if numbers.size == 0 or numbers.min() != numbers.max():
        raise Refuse("its numbers differ")
    return float(numbers.flat[0])


@cache
def one_number(value: float, rank: int) -> Weight:
    """Return the weight that holds this number; the same one for the same number, so that layers can be told equal."""
    return constant(np.full((1,) * rank, value))


def _one_of_input(b: RuleBuilder) -> Blob:
    """Return one element of the net's input, as [1, 1]."""
    if b.seed is None:
        raise Refuse("the net has no input to make a constant of")
    one = b.seed if b.seed.rank != 4 else b.add(LARGEST, b.seed)
    one = one if prod(one.shape) == 1 else b.add(LARGEST, b.reshape(one, (1, 1, 1, prod(one.shape))))
    return b.reshape(one, (1, 1))
