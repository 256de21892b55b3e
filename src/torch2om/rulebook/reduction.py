"""Reductions, arguments and softmax: where each rule applies, and where it says why not."""

from __future__ import annotations

from torch2om.layers import ArgMax, ArgReduce, Reduce, ReduceKind, Reduction, ReductionOperation, Softmax
from torch2om.rulebook.case import ALWAYS, Case, Entry

S = ((2, 3, 4, 5),)
SUM, MEAN, MAX, MIN, PROD = ReduceKind.SUM, ReduceKind.MEAN, ReduceKind.MAX, ReduceKind.MIN, ReduceKind.PROD


ENTRIES: dict[str, Entry] = {
    "reduce_nothing": Entry(Case(Reduce(PROD, (1, 2)), ((2, 1, 1, 4),)), Case(Reduce(SUM, (1,)), S)),
    "reduce_image_by_global_pooling": Entry(Case(Reduce(SUM, (2, 3)), S), Case(Reduce(SUM, (1, 2)), S)),
    "reduce_tail_by_reduction": Entry(Case(Reduce(MEAN, (2, 3), keepdim=True), S), Case(Reduce(MEAN, (1, 3)), S)),
    "reduce_by_pooling": Entry(Case(Reduce(MAX, (1, 2)), S), Case(Reduce(PROD, (1,)), S)),
    "reduce_minimum_by_maximum": Entry(Case(Reduce(MIN, (1, 3)), S), Case(Reduce(MAX, (1,)), S)),
    "reduce_runs_in_turn": Entry(Case(Reduce(MEAN, (0, 1, 3)), S), Case(Reduce(MEAN, (0, 1)), S)),
    "reduce_after_permuting": Entry(Case(Reduce(SUM, (0, 2)), S), Case(Reduce(SUM, (2, 3)), S)),
    "reduce_by_convolution": Entry(Case(Reduce(MEAN, (1,)), S), Case(Reduce(MAX, (1,)), S)),
    "multiply_slices": Entry(Case(Reduce(PROD, (2,)), S), Case(Reduce(SUM, (2,)), S)),
    "reduce_rows": Entry(Case(Reduction(ReductionOperation.SUMSQ, 2, 0.5), S), Case(Reduction(axis=1), ((2, 3),))),
    "reduction_as_reduce": Entry(Case(Reduction(ReductionOperation.ASUM, 1, 0.5), S), ALWAYS),
    "arg_minimum_by_maximum": Entry(Case(ArgReduce(MIN, 1), S, whole=True), Case(ArgReduce(MAX, 1), S)),
    "arg_maximum_by_arg_max": Entry(Case(ArgReduce(MAX, 1), S), Case(ArgReduce(MIN, 1), S)),
    "arg_maximum_of_distinct": Entry(Case(ArgReduce(MAX, -1, keepdim=True), S), Case(ArgReduce(MIN, 1), S)),
    "arg_maximum_of_reversed": Entry(Case(ArgReduce(MAX, 1), S, whole=True), Case(ArgReduce(MIN, 1), S)),
    "softmax_of_rows": Entry(Case(Softmax(2), ((2, 3, 4),)), Case(Softmax(1), S)),
    "softmax_of_channels": Entry(Case(Softmax(2), ((2, 3, 4),)), Case(Softmax(1), ((2, 3, 4, 1),))),
    "softmax_after_permuting": Entry(Case(Softmax(1), S), Case(Softmax(-1), S)),
    "softmax_by_exponentials": Entry(Case(Softmax(1), S), ALWAYS),
    "largest_whichever_of_equals": Entry(
        Case(ArgMax(out_max_val=True, axis=1), S, whole=True), Case(ArgMax(axis=1), S)
    ),
    "arg_max_of_distinct": Entry(Case(ArgMax(axis=1), S), Case(ArgMax(axis=1, first_of_equals=True), S)),
    "arg_max_by_marks": Entry(
        Case(ArgMax(axis=2), S, whole=True),
        Case(ArgMax(top_k=2, axis=2), S),
        (
            Case(ArgMax(axis=-1, first_of_equals=True), S, whole=True),
            Case(ArgMax(out_max_val=True), S, whole=True),
            Case(ArgMax(out_max_val=True, axis=0), S),
        ),
    ),
    "arg_max_by_ranks": Entry(
        Case(ArgMax(top_k=2, axis=2), S, whole=True),
        Case(ArgMax(axis=2), S),
        (
            Case(ArgMax(top_k=3, axis=-1, first_of_equals=True), S, whole=True),
            Case(ArgMax(top_k=5, out_max_val=True), S, whole=True),
            Case(ArgMax(top_k=2, out_max_val=True, axis=0), S),
        ),
    ),
}
