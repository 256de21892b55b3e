"""Softmax along any dim for targets that take it along some dims only, or have none."""

from __future__ import annotations

from math import prod

from torch2om.errors import Refuse
from torch2om.ir.blob import Blob
from torch2om.ir.op import axis_of
from torch2om.layers import Arithmetic, ArithmeticKind, Exp, Reduce, ReduceKind, Softmax
from torch2om.legalization.permutation import permute
from torch2om.legalization.rules import RuleBuilder, legalizes


@legalizes(Softmax)
def softmax_of_rows(b: RuleBuilder, op: Softmax, x: Blob) -> Blob:
    """softmax(x, the last dim) = Softmax(x as a matrix, 1).

    Exact.
    """
    axis = axis_of(op.axis, x.rank)
    if prod(x.shape[axis + 1 :]) != 1 or (x.rank, op.axis) == (2, 1):
        raise Refuse(f"axis {axis} of {list(x.shape)} is not the last, or x is a matrix already")
    rows = b.reshape(x, (prod(x.shape[:axis]), x.shape[axis]))
    return b.reshape(b.add(Softmax(1), rows), x.shape)


@legalizes(Softmax)
def softmax_of_channels(b: RuleBuilder, op: Softmax, x: Blob) -> Blob:
    """softmax(x, axis) = Softmax(x as images with the axis as channels, 1).

    Exact.
    """
    axis = axis_of(op.axis, x.rank)
    shape = (prod(x.shape[:axis]), x.shape[axis], prod(x.shape[axis + 1 :]), 1)
    if shape == x.shape and op.axis == 1:
        raise Refuse("the axis is the channels of images already")
    return b.reshape(b.add(Softmax(1), b.reshape(x, shape)), x.shape)


@legalizes(Softmax)
def softmax_after_permuting(b: RuleBuilder, op: Softmax, x: Blob) -> Blob:
    """softmax(x, axis) = permute(softmax(permute(x, the axis last), the last dim), back).

    Exact.
    """
    axis = axis_of(op.axis, x.rank)
    if prod(x.shape[axis + 1 :]) == 1:
        raise Refuse("the axis is the last already")
    order = (*(dim for dim in range(x.rank) if dim != axis), axis)
    y = b.add(Softmax(x.rank - 1), permute(b, x, order))
    return permute(b, y, tuple(order.index(dim) for dim in range(x.rank)))


@legalizes(Softmax, fallback=True)
def softmax_by_exponentials(b: RuleBuilder, op: Softmax, x: Blob) -> Blob:
    """softmax(x) = e / sum e with e = exp(x - max x).

    Exact.
    """
    largest = b.add(Reduce(ReduceKind.MAX, (op.axis,), keepdim=True), x)
    powers = b.add(Exp(), b.add(Arithmetic(ArithmeticKind.SUB), x, largest))
    total = b.add(Reduce(ReduceKind.SUM, (op.axis,), keepdim=True), powers)
    return b.add(Arithmetic(ArithmeticKind.DIV), powers, total)
