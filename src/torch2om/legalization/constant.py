"""Constant blobs: a Parameter where the target has it, otherwise made of the net's input and forgotten again."""

from __future__ import annotations

from math import prod

import numpy as np

from torch2om.errors import Refuse
from torch2om.ir.blob import Blob
from torch2om.ir.weight import constant
from torch2om.layers import Constant, InnerProduct, Parameter, Pooling, PoolMethod, PriorBox
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
    if b.seed is None:
        raise Refuse("the net has no input to make a constant of")
    (weight,) = b.weights
    size = prod(weight.shape)
    one = b.seed if b.seed.rank != 4 else b.add(LARGEST, b.seed)
    one = one if prod(one.shape) == 1 else b.add(LARGEST, b.reshape(one, (1, 1, 1, prod(one.shape))))
    one = b.reshape(one, (1, 1))
    bias = weight.map((size,), lambda w: w.reshape(size))
    y = b.add(InnerProduct(size), one, weights=(constant(np.zeros((size, 1))), bias))
    return b.reshape(y, weight.shape)
