"""Products, convolutions and maps along an axis: where each rule applies, and where it says why not."""

from __future__ import annotations

from torch2om.layers import (
    BatchedMatMul,
    Convolution,
    Deconvolution,
    DepthwiseConvolution,
    DynamicConvolution,
    Im2col,
    InnerProduct,
    LinearMap,
    MatMul,
)
from torch2om.rulebook.case import ALWAYS, Case, Entry, line, picking

S = ((2, 3, 4, 5),)


ENTRIES: dict[str, Entry] = {
    "multiply_rows": Entry(
        Case(InnerProduct(4, axis=2), ((2, 3, 5, 6),), ((4, 30), (4,))),
        Case(InnerProduct(4), ((2, 6),), ((4, 6), (4,))),
    ),
    "convolve_line_as_image": Entry(
        Case(Deconvolution(4, (3,), (2,), (1,), (2,), 1), ((2, 3, 9),), ((3, 4, 3), (4,))),
        Case(Convolution(4, (1, 1)), S, ((4, 3, 1, 1), (4,))),
    ),
    "depthwise_as_convolution": Entry(Case(DepthwiseConvolution(3, (3, 3), group=3), S, ((3, 1, 3, 3), (3,))), ALWAYS),
    "widen_filters_by_zeros": Entry(
        Case(Convolution(3, (3, 3), (2, 1), (1, 0), (1, 2), 3), ((2, 3, 5, 6),), ((3, 1, 3, 3), (3,))),
        Case(Convolution(4, (3, 3)), S, ((4, 3, 3, 3), (4,))),
    ),
    "im2col_by_convolution": Entry(Case(Im2col((2, 3), (1, 2), (1, 0), (2, 1)), S), ALWAYS),
    "multiply_by_transposed": Entry(
        Case(InnerProduct(4, transpose=True), S, ((60, 4), (4,))), Case(InnerProduct(4), S, ((4, 60), (4,)))
    ),
    "fill_dilated_filters": Entry(
        Case(Deconvolution(4, (2, 3), dilation=(2, 3)), S, ((3, 4, 2, 3), (4,))),
        Case(Deconvolution(4, (1, 1)), S, ((3, 4, 1, 1), (4,))),
    ),
    "gather_by_slices": Entry(
        line(LinearMap(1), 5, picking([1, 0, 0, 1, 2, 4], 5)), line(LinearMap(1), 5, 2 * picking([1, 0], 5))
    ),
    "map_by_inner_product": Entry(Case(LinearMap(-1), S, ((7, 5),)), Case(LinearMap(2), S, ((7, 4),))),
    "map_by_convolution": Entry(Case(LinearMap(0), S, ((7, 2),)), ALWAYS),
    "matmul_by_batched_matmul": Entry(
        Case(MatMul(), ((2, 3, 4), (4, 5))),
        ALWAYS,
        (
            Case(MatMul(adj_x2=True), ((2, 3, 4), (5, 4))),
            Case(MatMul(adj_x1=True), ((2, 4, 3), (4, 5))),
            Case(MatMul(adj_x1=True), ((4, 3), (1, 4, 5))),
            Case(MatMul(adj_x1=True, adj_x2=True), ((2, 1, 4, 3), (6, 5, 4))),
        ),
    ),
    "batched_matmul_by_filters": Entry(
        Case(BatchedMatMul(adj_x2=True), ((2, 3, 4), (2, 5, 4))),
        ALWAYS,
        (Case(BatchedMatMul(adj_x1=True), ((4, 3), (4, 5))),),
    ),
    "batched_matmul_by_sums": Entry(Case(BatchedMatMul(adj_x2=True), ((2, 3, 4), (2, 5, 4))), ALWAYS),
    "filter_by_matmul": Entry(
        Case(DynamicConvolution((1, 2), (1, 0), (2, 1)), (*S, (4, 3, 2, 2))),
        ALWAYS,
        (Case(DynamicConvolution((2,), (1,), (1,), 2), ((2, 4, 9), (6, 2, 3))),),
    ),
    "multiply_in_halves": Entry(
        Case(InnerProduct(5, axis=2), ((2, 3, 4),), ((5, 4), (5,))), Case(InnerProduct(1), S, ((1, 60), (1,)))
    ),
    "pad_before_filtering": Entry(
        Case(Convolution(2, (1, 2), pad=(70, 1), bias_term=False), S, ((2, 3, 1, 2),)),
        Case(Convolution(2, (1, 2), pad=(1, 1), bias_term=False), S, ((2, 3, 1, 2),)),
    ),
    "drop_what_no_window_sees": Entry(
        Case(Convolution(2, (2, 3), (70, 2), (1, 1), (3, 1)), ((1, 2, 150, 7),), ((2, 2, 2, 3), (2,))),
        Case(Convolution(2, (2, 3), (70, 2), (0, 1), (80, 1)), ((1, 2, 150, 7),), ((2, 2, 2, 3), (2,))),
    ),
    "split_filters": Entry(
        Case(Convolution(2, (3, 2), (2, 1), (5, 1), (40, 1), 2), ((1, 2, 100, 4),), ((2, 1, 3, 2), (2,))),
        Case(Convolution(2, (3, 2)), S, ((2, 3, 3, 2), (2,))),
    ),
}
