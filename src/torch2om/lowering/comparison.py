"""Comparisons and choices: conditions are blobs of 0 and 1."""

from __future__ import annotations

import numpy as np
import torch

from torch2om.errors import Refuse
from torch2om.ir.blob import Blob
from torch2om.ir.weight import Weight, combine
from torch2om.layers import Compare, CompareKind, Eltwise, EltwiseOperation, Threshold, Where
from torch2om.lowering.operands import affine, as_blob, largest, number_of, plus, times
from torch2om.lowering.registry import Function, lowers
from torch2om.lowering.scope import Scope
from torch2om.lowering.views import expanded
from torch2om.program.infinity import LARGEST

aten = torch.ops.aten

_MIRRORED = {
    CompareKind.GT: CompareKind.LT,
    CompareKind.LT: CompareKind.GT,
    CompareKind.GE: CompareKind.LE,
    CompareKind.LE: CompareKind.GE,
    CompareKind.EQ: CompareKind.EQ,
    CompareKind.NE: CompareKind.NE,
}


def compared(b: Scope, kind: CompareKind, x: Blob, number: float) -> Blob:
    """1 where `x kind number`, else 0, from Threshold's x > t: a >= t is not a < t, a != t is a > t or a < t."""
    match kind:
        case CompareKind.GT:
            return b.add(Threshold(number), x)
        case CompareKind.LT:
            return b.add(Threshold(-number), affine(b, x, scale=-1))
        case CompareKind.LE:
            return negated(b, compared(b, CompareKind.GT, x, number))
        case CompareKind.GE:
            return negated(b, compared(b, CompareKind.LT, x, number))
        case CompareKind.NE:
            above, below = compared(b, CompareKind.GT, x, number), compared(b, CompareKind.LT, x, number)
            return b.add(Eltwise(EltwiseOperation.SUM), above, below)
        case CompareKind.EQ:
            return negated(b, compared(b, CompareKind.NE, x, number))


def negated(b: Scope, condition: Blob) -> Blob:
    """1 - condition."""
    return affine(b, condition, scale=-1, shift=1)


def truth(b: Scope, x: Blob) -> Blob:
    """y = x != 0; x itself if it is a condition already."""
    return x if x.kind == "bool" else compared(b, CompareKind.NE, x, 0.0)


def _with_scalar(kind: CompareKind) -> Function:
    def compare(b: Scope, self: Blob, other: float) -> Blob:
        return compared(b, kind, self, float(other))

    compare.__doc__ = _sentence(kind)
    return compare


def _with_tensor(kind: CompareKind) -> Function:
    def compare(b: Scope, self: Blob | Weight, other: Blob | Weight) -> Blob:
        left, right = number_of(self), number_of(other)
        if isinstance(self, Blob) and right is not None and self.shape == b.expected[0]:
            return compared(b, kind, self, right)
        if isinstance(other, Blob) and left is not None and other.shape == b.expected[0]:
            return compared(b, _MIRRORED[kind], other, left)
        return b.add(Compare(kind), as_blob(b, self), as_blob(b, other))

    compare.__doc__ = _sentence(kind)
    return compare


def _sentence(kind: CompareKind) -> str:
    return f"1 where `self {kind.lower()} other`, else 0."


for _kind in CompareKind:
    _packet = getattr(aten, _kind.value.lower())
    lowers(_packet.Scalar)(_with_scalar(_kind))
    lowers(_packet.Tensor)(_with_tensor(_kind))


@lowers(aten.logical_not.default)
def logical_not(b: Scope, self: Blob) -> Blob:
    """1 - (self != 0)."""
    return negated(b, truth(b, self))


@lowers(aten.bitwise_not.default)
def bitwise_not(b: Scope, self: Blob) -> Blob:
    """1 - self, for a condition."""
    _only_conditions(self)
    return negated(b, self)


@lowers(aten.logical_and.default)
def logical_and(b: Scope, self: Blob | Weight, other: Blob | Weight) -> Blob:
    """(self != 0) * (other != 0)."""
    x, y = _conditions(b, self, other)
    return times(b, x, y)


@lowers(aten.bitwise_and.Tensor)
def bitwise_and(b: Scope, self: Blob | Weight, other: Blob | Weight) -> Blob:
    """y = self * other, for conditions."""
    _only_conditions(self, other)
    return logical_and(b, self, other)


@lowers(aten.logical_or.default)
def logical_or(b: Scope, self: Blob | Weight, other: Blob | Weight) -> Blob:
    """y = max(self != 0, other != 0)."""
    x, y = _conditions(b, self, other)
    return largest(b, x, y)


@lowers(aten.bitwise_or.Tensor)
def bitwise_or(b: Scope, self: Blob | Weight, other: Blob | Weight) -> Blob:
    """y = max(self, other), for conditions."""
    _only_conditions(self, other)
    return logical_or(b, self, other)


@lowers(aten.logical_xor.default)
def logical_xor(b: Scope, self: Blob | Weight, other: Blob | Weight) -> Blob:
    """(self != 0) != (other != 0)."""
    x, y = _conditions(b, self, other)
    return b.add(Compare(CompareKind.NE), x, as_blob(b, y))


@lowers(aten.bitwise_xor.Tensor)
def bitwise_xor(b: Scope, self: Blob | Weight, other: Blob | Weight) -> Blob:
    """self != other, for conditions."""
    _only_conditions(self, other)
    return logical_xor(b, self, other)


@lowers(aten.where.self)
def where(b: Scope, condition: Blob | Weight, self: Blob | Weight, other: Blob | Weight) -> Blob:
    """y = self where the condition holds, other elsewhere."""
    if isinstance(condition, Weight):
        return _by_mask(b, condition, self, other)
    if isinstance(self, Blob) and isinstance(other, Blob):
        return b.add(Where(), condition, self, other)
    _refuse_largest(self, other)
    chosen, rest = number_of(self), number_of(other)
    if chosen is not None and rest is not None:
        return _either(b, expanded(b, condition, b.expected[0]), chosen, rest)
    if rest == 0:
        return times(b, condition, self)
    if chosen == 0:
        return times(b, negated(b, condition), other)
    return plus(b, times(b, condition, self), times(b, negated(b, condition), other))


def _refuse_largest(*operands: Blob | Weight) -> None:
    """Refuse what stands for infinity: a chip of float16 makes infinity of it, and what is not chosen is times 0."""
    if any(_is_largest(operand) for operand in operands):
        raise Refuse(
            "a condition computed from the input chooses between infinity and a number: infinity times 0 is none",
            hint="use a number that float16 has, such as -6e4, or a constant mask",
        )


def _is_largest(operand: Blob | Weight) -> bool:
    number = number_of(operand)
    return number is not None and abs(number) >= LARGEST


def _either(b: Scope, condition: Blob, chosen: float, rest: float) -> Blob:
    """y = chosen * condition + rest * (1 - condition); every value is met exactly, however far the two are apart."""
    if rest == 0:
        return affine(b, condition, scale=chosen)
    if chosen == 0:
        return affine(b, condition, scale=-rest, shift=rest)
    first = affine(b, condition, scale=chosen)
    return b.add(Eltwise(EltwiseOperation.SUM), first, affine(b, condition, scale=-rest, shift=rest))


def _by_mask(b: Scope, mask: Weight, x: Blob | Weight, y: Blob | Weight) -> Blob:
    """y = mask * x + (1 - mask) * y with a constant mask; the largest float32 takes in whatever it is added to."""
    if not isinstance(x, Blob):
        return _by_mask(b, _inverted(mask), as_blob(b, y), x)
    x = expanded(b, x, b.expected[0])
    if isinstance(y, Blob):
        return plus(b, times(b, x, mask), times(b, expanded(b, y, b.expected[0]), _inverted(mask)))
    return plus(b, x if _is_largest(y) else times(b, x, mask), _filled(mask, y))


def _inverted(mask: Weight) -> Weight:
    return mask.map(mask.shape, lambda kept: (kept == 0).astype(kept.dtype))


def _filled(mask: Weight, y: Weight) -> Weight:
    """0 where the mask holds, y elsewhere."""
    shape = np.broadcast_shapes(mask.shape, y.shape)
    return combine(shape, lambda kept, values: np.where(kept != 0, values.dtype.type(0), values), mask, y)


def _only_conditions(*operands: Blob | Weight) -> None:
    """Refuse the bits of integers."""
    if any(isinstance(x, Blob) and x.kind != "bool" for x in operands):
        raise Refuse("Caffe has no bits of integers", hint="compare first, and combine the conditions")


def _conditions(b: Scope, x: Blob | Weight, y: Blob | Weight) -> tuple[Blob, Blob | Weight]:
    """Return both as conditions, a blob first."""
    if not isinstance(x, Blob):
        x, y = as_blob(b, y), x
    if isinstance(y, Weight):
        return truth(b, x), y.map(y.shape, lambda values: (values != 0).astype(values.dtype))
    return truth(b, x), truth(b, y)
