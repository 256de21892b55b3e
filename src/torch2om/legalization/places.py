"""Where the largest elements are, and the largest themselves: ArgMax, and argmax and argmin of PyTorch."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from torch2om.errors import Refuse
from torch2om.ir.blob import Blob
from torch2om.ir.op import axis_of
from torch2om.ir.weight import constant
from torch2om.layers import (
    AbsVal,
    ArgMax,
    ArgReduce,
    Arithmetic,
    ArithmeticKind,
    Bias,
    Compare,
    CompareKind,
    Concat,
    Expand,
    Power,
    Reduce,
    ReduceKind,
    Scale,
    Threshold,
)
from torch2om.legalization.linear_map import gather
from torch2om.legalization.rules import RuleBuilder, legalizes

SUM, MAX, MIN = ReduceKind.SUM, ReduceKind.MAX, ReduceKind.MIN
ADD, MUL = Arithmetic(ArithmeticKind.ADD), Arithmetic(ArithmeticKind.MUL)
NEGATIVE = Power(scale=-1.0)
MOST_RANKED = 1024  # elements that are compared each with each: a million comparisons


@legalizes(ArgReduce)
def arg_minimum_by_maximum(b: RuleBuilder, op: ArgReduce, x: Blob) -> Blob:
    """argmin x = argmax(-x).

    Exact.
    """
    if op.kind is not MIN:
        raise Refuse("it is no argmin")
    return b.add(ArgReduce(MAX, op.axis, op.keepdim), b.add(NEGATIVE, x))


@legalizes(ArgReduce)
def arg_maximum_by_arg_max(b: RuleBuilder, op: ArgReduce, x: Blob) -> Blob:
    """argmax x = the ArgMax(x) that names the first of equals.

    Exact: ATC's kernel does (CANN tbe/impl/arg_max_with_kd.py, vcmax), as PyTorch does.
    """
    return _arg_max(b, op, x, first_of_equals=True)


@legalizes(ArgReduce, opt_in=True, dialects=("caffe",))
def arg_maximum_of_distinct(b: RuleBuilder, op: ArgReduce, x: Blob) -> Blob:
    """argmax x = ArgMax(x), if no two elements are the largest together.

    Of equals PyTorch names the first, Caffe the last.
    """
    return _arg_max(b, op, x)


def _arg_max(b: RuleBuilder, op: ArgReduce, x: Blob, *, first_of_equals: bool = False) -> Blob:
    if op.kind is not MAX:
        raise Refuse("it is no argmax")
    (top,) = op.infer([x.shape], [])
    return b.reshape(b.add(ArgMax(axis=axis_of(op.axis, x.rank), first_of_equals=first_of_equals), x), top)


@legalizes(ArgReduce, dialects=("caffe",))
def arg_maximum_of_reversed(b: RuleBuilder, op: ArgReduce, x: Blob) -> Blob:
    """argmax x = length - 1 - ArgMax(x backwards).

    Exact: of equals Caffe names the last, which is the first of x.
    """
    if op.kind is not MAX:
        raise Refuse("it is no argmax")
    axis = axis_of(op.axis, x.rank)
    (top,) = op.infer([x.shape], [])
    last = x.shape[axis] - 1
    found = b.add(ArgMax(axis=axis), gather(b, x, axis, range(last, -1, -1)))
    return b.reshape(b.add(Power(scale=-1.0, shift=float(last)), found), top)


def _place(b: RuleBuilder, rows: Blob, *, first_of_equals: bool) -> Blob:
    """Return where the largest elements of [before, length, behind] are, [before, 1, behind]."""
    length = rows.shape[1]
    marked = b.add(Compare(CompareKind.GE), rows, b.add(Reduce(MAX, (1,), keepdim=True), rows))
    marks = np.arange(1, length + 1, dtype=np.float64)[:: -1 if first_of_equals else 1]
    scaled = b.add(Scale(1, 1), marked, weights=(constant(marks.copy()),))
    best = b.add(Reduce(MAX, (1,), keepdim=True), scaled)
    return b.add(Power(scale=-1.0, shift=float(length)) if first_of_equals else Power(shift=-1.0), best)


@legalizes(ArgMax)
def largest_whichever_of_equals(b: RuleBuilder, op: ArgMax, x: Blob) -> Blob:
    """The largest values of x = the largest values of x, whichever of equals stands first.

    Exact.
    """
    if op.first_of_equals or not op.out_max_val or op.axis is None:
        raise Refuse("it gives places, or names the first of equals already")
    return b.add(replace(op, first_of_equals=True), x)


@legalizes(ArgMax, opt_in=True, dialects=("ascend",))
def arg_max_of_distinct(b: RuleBuilder, op: ArgMax, x: Blob) -> Blob:
    """ArgMax(x) = ATC's ArgMax(x), if no two elements are the largest together.

    Of equals Caffe names the last, ATC the first.
    """
    if op.first_of_equals:
        raise Refuse("it names the first of equals already")
    return b.add(replace(op, first_of_equals=True), x)


@legalizes(ArgMax)
def arg_max_by_marks(b: RuleBuilder, op: ArgMax, x: Blob) -> Blob:
    """ArgMax(x) = max over k of (k + 1) * [x[k] >= max x] - 1, the last of equals; the value there is max x.

    Exact.
    """
    if op.top_k != 1:
        raise Refuse(f"it names the {op.top_k} largest")
    rows = _rows(b, op, x)
    place = _place(b, rows, first_of_equals=op.first_of_equals) if _gives_places(op) else None
    value = b.add(Reduce(MAX, (1,), keepdim=True), rows) if op.out_max_val else None
    return _answer(b, op, x, place, value)


@legalizes(ArgMax)
def arg_max_by_ranks(b: RuleBuilder, op: ArgMax, x: Blob) -> Blob:
    """The r-th largest = sum over k of x[k] * [r = rank of x[k]], its place = sum over k of k * [r = rank of x[k]].

    Exact for finite x. Each is compared with each: the rank is how many are larger, or equal and named before x[k].
    """
    rows = _rows(b, op, x)
    length = rows.shape[1]
    if op.top_k == 1 or length > MOST_RANKED:
        raise Refuse(f"it names the {op.top_k} largest of {length}: comparing each with each is for 2 to {MOST_RANKED}")
    before, _, behind = rows.shape
    found = _found(b, _ranks(b, rows, first_of_equals=op.first_of_equals), op.top_k)
    place = value = None
    if _gives_places(op):
        numbered = b.add(Scale(2, 1), found, weights=(constant(np.arange(length, dtype=np.float64)),))
        place = b.add(Reduce(SUM, (2,)), numbered)
    if op.out_max_val:
        value = b.add(Reduce(SUM, (2,)), b.add(MUL, found, b.reshape(rows, (before, 1, length, behind))))
    return _answer(b, op, x, place, value)


def _rows(b: RuleBuilder, op: ArgMax, x: Blob) -> Blob:
    """Return x as [before, the elements that are compared, behind]."""
    if op.axis is None:
        return b.reshape(x, (x.shape[0], prod(x.shape[1:]), 1))
    axis = axis_of(op.axis, x.rank)
    return b.reshape(x, (prod(x.shape[:axis]), x.shape[axis], prod(x.shape[axis + 1 :])))


def _gives_places(op: ArgMax) -> bool:
    return op.axis is None or not op.out_max_val


def _answer(b: RuleBuilder, op: ArgMax, x: Blob, place: Blob | None, value: Blob | None) -> Blob:
    """Return what the layer gives, each [before, top_k, behind], under its dims: places, values, or both in a row."""
    (top,) = op.infer([x.shape], [])
    found = [blob for blob in (place, value) if blob is not None]
    if len(found) == 1:
        return b.reshape(found[0], top)
    return b.reshape(b.add(Concat(1), *(b.reshape(blob, (x.shape[0], 1, op.top_k)) for blob in found)), top)


def _ranks(b: RuleBuilder, rows: Blob, *, first_of_equals: bool) -> Blob:
    """Return how many elements of [before, length, behind] come before each."""
    before, length, behind = rows.shape
    one, other = b.reshape(rows, (before, length, 1, behind)), b.reshape(rows, (before, 1, length, behind))
    preferred = np.tri(length, k=-1) if first_of_equals else np.tri(length, k=-1).T
    larger = b.add(Scale(1, 2), b.add(Compare(CompareKind.GT), other, one), weights=(constant(1 - preferred),))
    equal = b.add(Scale(1, 2), b.add(Compare(CompareKind.GE), other, one), weights=(constant(preferred),))
    return b.add(Reduce(SUM, (2,)), b.add(ADD, larger, equal))


def _found(b: RuleBuilder, ranks: Blob, top_k: int) -> Blob:
    """Return 1 at [before, r, k, behind] where the rank of element k is r, else 0."""
    before, length, behind = ranks.shape
    repeated = b.add(Expand((before, top_k, length, behind)), b.reshape(ranks, (before, 1, length, behind)))
    apart = b.add(Bias(1, 1), repeated, weights=(constant(-np.arange(top_k, dtype=np.float64)),))
    return b.add(Power(scale=-1.0, shift=1.0), b.add(Threshold(0.5), b.add(AbsVal(), apart)))
