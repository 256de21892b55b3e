"""Rewrites that remove what does nothing and recover patterns: where each applies, and where it does not."""

from __future__ import annotations

import math

import numpy as np

from torch2om.ir.blob import Blob
from torch2om.ir.builder import Builder
from torch2om.ir.weight import constant
from torch2om.layers import (
    Arithmetic,
    ArithmeticKind,
    Concat,
    Dropout,
    DynamicConvolution,
    Eltwise,
    EltwiseOperation,
    Expand,
    HardSigmoid,
    Hardtanh,
    InnerProduct,
    MatMul,
    Pad,
    Permute,
    Power,
    Reduce,
    ReduceKind,
    ReLU,
    ReLU6,
    Reshape,
    Sigmoid,
    Slice,
    StridedSlice,
    Tile,
)
from torch2om.rulebook.case import ALWAYS, Chain, Entry, chain

IMAGE = (2, 4, 3, 5)
NONE = (0, 0)
GROUPED = Reshape((2, 2, 2, 3, 5))


def _gated(gate: Sigmoid | HardSigmoid | ReLU) -> Chain:
    """Return x * gate(x)."""
    return Chain(IMAGE, lambda b, x: b.add(Eltwise(EltwiseOperation.PROD), x, b.add(gate, x)))


def _mixed(*, bias: bool) -> Chain:
    """Return two images, each filtered by its own mixture of filters in two groups, as CondConv writes it."""

    def build(b: Builder, x: Blob) -> Blob:
        random = np.random.default_rng(7)
        shares = b.add(Reduce(ReduceKind.MEAN, (2, 3)), x)
        weights = tuple(constant(random.standard_normal(shape)) for shape in ((48, 4), (48,))[: 1 + bias])
        mixed = b.add(Reshape((12, 2, 2, 2)), b.add(InnerProduct(48, bias), shares, weights=weights))
        return b.add(DynamicConvolution((1, 1), (1, 0), (1, 1), 4), b.add(Reshape((1, 8, 3, 5)), x), mixed)

    return Chain(IMAGE, build)


def _rejoined(first: int, second: int) -> Chain:
    """Return two pieces of x, cut along dim 1, in this order."""

    def build(b: Builder, x: Blob) -> Blob:
        pieces = b.add_all(Slice(slice_point=(1,)), x)
        return b.add(Concat(), pieces[first], pieces[second])

    return Chain(IMAGE, build)


def _scaled_apart(order: range) -> Chain:
    """Return the channels of x, each 2 * x[c] + c, joined in this order."""

    def build(b: Builder, x: Blob) -> Blob:
        channels = (b.add(StridedSlice(1, c, c + 1), x) for c in order)
        return b.add(Concat(), *[b.add(Power(scale=2.0, shift=c), x) for c, x in zip(order, channels, strict=True)])

    return Chain(IMAGE, build)


def _product(order: tuple[int, ...]) -> Chain:
    """Return permute(x, order) @ x."""
    return Chain((3, 3, 4, 4), lambda b, x: b.add(MatMul(), b.add(Permute(order), x), x))


def _steps(starts: tuple[tuple[int, int], ...], axis: int) -> Chain:
    """Return the concat of x[:, :, i::2, j::2] for these i and j."""

    def build(b: Builder, x: Blob) -> Blob:
        rows = [(b.add(StridedSlice(2, i, 4, 2), x), j) for i, j in starts]
        return b.add(Concat(axis), *(b.add(StridedSlice(3, j, 6, 2), row) for row, j in rows))

    return Chain((2, 3, 4, 6), build)


def _joined(axis: int) -> Chain:
    """Return concat(x, concat(x, x) along this axis) along dim 1; what is joined with it has the dims for that."""

    def build(b: Builder, x: Blob) -> Blob:
        return b.add(Concat(1), b.add(Tile(axis, 2), x), b.add(Concat(axis), x, x))

    return Chain(IMAGE, build)


def _sums(inner: Eltwise) -> Chain:
    """Return 2 * inner(x, relu(x)) - x."""

    def build(b: Builder, x: Blob) -> Blob:
        return b.add(Eltwise(coeff=(2.0, -1.0)), b.add(inner, x, b.add(ReLU(), x)), x)

    return Chain(IMAGE, build)


def _with_expanded(shape: tuple[int, ...]) -> Chain:
    """Return relu(x) / expand(the mean of x over the last dim), expanded to these dims."""

    def build(b: Builder, x: Blob) -> Blob:
        mean = b.add(Reduce(ReduceKind.MEAN, (3,), keepdim=True), x)
        return b.add(Arithmetic(ArithmeticKind.DIV), b.add(ReLU(), x), b.add(Expand(shape), mean))

    return Chain(IMAGE, build)


def _quotient(line: Power) -> Chain:
    """Return x / line(x)."""
    return Chain(IMAGE, lambda b, x: b.add(Arithmetic(ArithmeticKind.DIV), x, b.add(line, x)))


ENTRIES: dict[str, Entry] = {
    "copy_is_nothing": Entry(chain(IMAGE, Dropout()), ALWAYS),
    "same_shape_is_nothing": Entry(chain(IMAGE, Reshape((2, 4, -1, 5))), chain(IMAGE, Reshape((2, 60)))),
    "power_of_one_is_nothing": Entry(chain(IMAGE, Power()), chain(IMAGE, Power(scale=2.0))),
    "concat_of_one_is_nothing": Entry(chain(IMAGE, Concat()), _rejoined(0, 1)),
    "concat_of_concat": Entry(_joined(1), _joined(0)),
    "concat_of_slices_is_nothing": Entry(_rejoined(0, 1), _rejoined(1, 0)),
    "concat_of_scaled_channels_is_scale": Entry(_scaled_apart(range(4)), _scaled_apart(range(3, -1, -1))),
    "operand_expands_itself": Entry(_with_expanded(IMAGE), _with_expanded((3, *IMAGE))),
    "sum_of_sums": Entry(_sums(Eltwise(coeff=(3.0, 1.0))), _sums(Eltwise(EltwiseOperation.PROD)), (_sums(Eltwise()),)),
    "tile_of_one_is_nothing": Entry(chain(IMAGE, Tile(1, 1)), chain(IMAGE, Tile(1, 2))),
    "empty_pad_is_nothing": Entry(chain(IMAGE, Pad((NONE,) * 4)), chain(IMAGE, Pad((NONE, NONE, NONE, (0, 1))))),
    "whole_slice_is_nothing": Entry(chain(IMAGE, StridedSlice(1, 0, 4)), chain(IMAGE, StridedSlice(1, 0, 3))),
    "clamp_at_zero_is_relu": Entry(chain(IMAGE, Hardtanh(0, math.inf)), chain(IMAGE, Hardtanh(-1, 1))),
    "clamped_line_is_hard_sigmoid": Entry(
        chain(IMAGE, Power(shift=3.0), ReLU6(), Power(scale=1 / 6)), chain(IMAGE, ReLU6(), Power(scale=1 / 6))
    ),
    "mixed_filters_are_mixed_convolutions": Entry(_mixed(bias=False), _mixed(bias=True)),
    "product_with_sigmoid_is_swish": Entry(_gated(Sigmoid()), _gated(ReLU())),
    "product_with_hard_sigmoid_is_hard_swish": Entry(_gated(HardSigmoid()), _gated(Sigmoid())),
    "quotient_of_line_is_product": Entry(
        _quotient(Power(scale=2.0, shift=9.0)), _quotient(Power(power=2.0, shift=9.0))
    ),
    "concat_of_steps_is_permute": Entry(
        _steps(((0, 0), (1, 0), (0, 1), (1, 1)), 1),
        _steps(((0, 0), (1, 1), (0, 1), (1, 0)), 1),
        (_steps(((0, 0), (0, 1), (1, 0), (1, 1)), -4),),
    ),
    "product_of_permuted_is_transposed": Entry(_product((0, 1, 3, 2)), _product((1, 0, 3, 2))),
    "reshape_permute_reshape_is_shuffle": Entry(
        chain(IMAGE, GROUPED, Permute((0, 2, 1, 3, 4)), Reshape(IMAGE)),
        chain(IMAGE, GROUPED, Permute((0, 2, 1, 4, 3)), Reshape(IMAGE)),
    ),
}
