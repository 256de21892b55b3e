"""Every rule of these families: a layer where it applies, and one where it says why not."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from legal import Row, applied, assert_computes_the_same, backwards, picking, rule_named

from torch2om.errors import Refuse
from torch2om.ir.op import BadOp
from torch2om.layers import (
    BNLL,
    ELU,
    AdaptivePooling,
    ArgMax,
    ArgReduce,
    Arithmetic,
    ArithmeticKind,
    Bias,
    Celu,
    Clip,
    Compare,
    CompareKind,
    Concat,
    Constant,
    Convolution,
    Deconvolution,
    DepthwiseConvolution,
    Eltwise,
    Erf,
    Expand,
    Expm1,
    Floor,
    Gelu,
    Hardshrink,
    HardSigmoid,
    HardSwish,
    Hardtanh,
    Im2col,
    InnerProduct,
    Interp,
    LinearMap,
    Log,
    Log1p,
    LogSigmoid,
    Mish,
    Pad,
    PadMode,
    Permute,
    Pooling,
    PoolMethod,
    Power,
    PReLU,
    Reduce,
    ReduceKind,
    Reduction,
    ReductionOperation,
    ReLU6,
    Reorg,
    Reshape,
    Resize,
    ResizeMode,
    Reverse,
    Rsqrt,
    Scale,
    Selu,
    ShuffleChannel,
    Sign,
    Sin,
    Slice,
    Softplus,
    Softshrink,
    Softsign,
    Split,
    StridedSlice,
    Swish,
    Tanhshrink,
    Threshold,
    Tile,
    Upsample,
    Where,
    WindowPooling,
)
from torch2om.legalization import (
    activation,
    arithmetic,
    clamp,
    constant,
    elementary,
    filters,
    gaussian,
    linear,
    linear_map,
    padding,
    permutation,
    pooling,
    rectifier,
    reduction,
    resizing,
    shape,
)
from torch2om.legalization.rules import rules

FAMILIES = {
    family.__name__
    for family in (
        activation,
        arithmetic,
        clamp,
        constant,
        elementary,
        filters,
        gaussian,
        linear,
        linear_map,
        padding,
        permutation,
        pooling,
        rectifier,
        reduction,
        resizing,
        shape,
    )
}
S = ((2, 3, 4, 5),)
ADD, SUB, MUL, DIV = ArithmeticKind.ADD, ArithmeticKind.SUB, ArithmeticKind.MUL, ArithmeticKind.DIV
MAXIMUM, MINIMUM, POWER = ArithmeticKind.MAX, ArithmeticKind.MIN, ArithmeticKind.POW
SUM, MEAN, MAX, MIN, PROD = ReduceKind.SUM, ReduceKind.MEAN, ReduceKind.MAX, ReduceKind.MIN, ReduceKind.PROD
LARGEST, AVERAGE = PoolMethod.MAX, PoolMethod.AVE
NONE = (0, 0)


@dataclass(frozen=True)
class Rows:
    """Where a rule applies, and where it refuses (None: it never does)."""

    accept: Row
    refuse: Row | None = None


def pair(kind: ArithmeticKind, *shapes: tuple[int, ...], offset: float = 0.0) -> Row:
    return Row(Arithmetic(kind), shapes, offset=offset)


def line(op: LinearMap, length: int, matrix: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> Row:
    return Row(op, ((2, length, 3),), (matrix,))


def pool(**fields: object) -> Row:
    return Row(WindowPooling(**{"pool": LARGEST, "kernel": (3, 3), "stride": (2, 2), **fields}), ((2, 3, 9, 10),))  # type: ignore[arg-type]  # fields by name


ROWS: dict[str, Rows] = {
    # activation, clamp
    "clamp_by_clip": Rows(Row(Hardtanh(-0.5, math.inf), S), Row(Hardtanh(2, 1), S)),
    "clamp_at_zero": Rows(Row(Hardtanh(-math.inf, 0), S), Row(Hardtanh(0, 0), S)),
    "clamp_by_relu6": Rows(Row(Hardtanh(-2.5, 0), S), Row(Hardtanh(0, math.inf), S)),
    "clamp_by_maximum": Rows(Row(Hardtanh(-math.inf, 0.7), S), Row(Hardtanh(), S)),
    "clamp_ends_in_turn": Rows(Row(Hardtanh(-0.3, 2.5), S), Row(Hardtanh(0, math.inf), S)),
    "clip_as_clamp": Rows(Row(Clip(-1, 2), S)),
    "relu6_as_clamp": Rows(Row(ReLU6(), S)),
    "hard_sigmoid_by_clamp": Rows(Row(HardSigmoid(), S)),
    "hard_sigmoid_by_relu6": Rows(Row(HardSigmoid(), S)),
    "hard_swish_by_hard_sigmoid": Rows(Row(HardSwish(), S)),
    "swish_by_sigmoid": Rows(Row(Swish(1.7), S)),
    "mish_by_softplus": Rows(Row(Mish(), S)),
    "softplus_by_bnll": Rows(Row(Softplus(2.0, 3.0), S)),
    "log_sigmoid_by_bnll": Rows(Row(LogSigmoid(), S)),
    "selu_by_elu": Rows(Row(Selu(), S)),
    "celu_by_elu": Rows(Row(Celu(0.7), S), Row(Celu(-0.7), S)),
    "softsign_by_power": Rows(Row(Softsign(), S)),
    "tanhshrink_by_difference": Rows(Row(Tanhshrink(), S)),
    "hardshrink_by_threshold": Rows(Row(Hardshrink(0.7), S)),
    "softshrink_by_relus": Rows(Row(Softshrink(0.7), S)),
    # rectifier
    "elu_by_expm1": Rows(Row(ELU(0.7), S)),
    "celu_by_expm1": Rows(Row(Celu(-0.7), S)),
    "bnll_by_log": Rows(Row(BNLL(), S)),
    "prelu_by_relu": Rows(
        Row(PReLU(channel_shared=True), S, (np.array(0.3),)), Row(PReLU(), S, (np.array([0.1, -0.2, 0.3]),))
    ),
    "prelu_by_scale": Rows(
        Row(PReLU(), S, (np.array([0.1, -0.2, 0.3]),)), Row(PReLU(channel_shared=True), S, (np.array(0.3),))
    ),
    "threshold_by_ramps": Rows(Row(Threshold(0.5), S)),
    # elementary, gaussian
    "root_by_power": Rows(Row(Rsqrt(), S, offset=9)),
    "log1p_by_log": Rows(Row(Log1p(), S, offset=9)),
    "expm1_by_exp": Rows(Row(Expm1(), S)),
    "sign_by_thresholds": Rows(Row(Sign(), S, whole=True)),
    "log_of_line": Rows(Row(Log(2.0, 0.5, 3.0), S, offset=9), Row(Log(), S)),
    "gelu_by_tail": Rows(Row(Gelu(), S), Row(Gelu(tanh=True), S)),
    "gelu_by_sigmoid": Rows(Row(Gelu(tanh=True), S), Row(Gelu(), S)),
    "erf_by_tanh": Rows(Row(Erf(), S)),
    # arithmetic
    "combine_equal_shapes": Rows(pair(SUB, (2, 3), (1, 2, 3)), pair(SUB, (2, 3), (3,))),
    "combine_with_part": Rows(pair(SUB, (3, 1), (2, 3, 4)), pair(ADD, (2, 3, 4), (2, 1, 4))),
    "combine_after_expanding": Rows(pair(MAXIMUM, (2, 1, 4), (3, 1)), pair(MAXIMUM, (2, 3), (2, 3))),
    "combine_after_expanding_between": Rows(pair(MUL, (5, 2, 3, 4), (2, 1, 4)), pair(MUL, (2, 3), (3,))),
    "combine_after_expanding_one": Rows(pair(ADD, (2, 1, 4), (3, 1)), pair(ADD, (2, 3), (3,))),
    "divide_by_multiplying": Rows(pair(DIV, (2, 3), (3,), offset=9), pair(MUL, (2, 3), (3,))),
    "minimum_by_maximum": Rows(pair(MINIMUM, (2, 3), (3,)), pair(MAXIMUM, (2, 3), (3,))),
    "power_of_positive_base": Rows(pair(POWER, (2, 3), (3,), offset=6), pair(MUL, (2, 3), (3,))),
    "combine_in_groups": Rows(Row(Eltwise(coeff=tuple(range(1, 71))), ((2, 3),) * 70), Row(Eltwise(), ((2, 3),) * 2)),
    "compare_by_threshold": Rows(Row(Compare(CompareKind.LE), ((4, 9), (9,)), whole=True)),
    "choose_by_products": Rows(Row(Where(), ((4, 9), (4, 1), (9,)), whole=True)),
    "bias_by_scale": Rows(Row(Bias(1, 2), S, ((3, 4),)), Row(Bias(0), ((2, 3), (2,)))),
    "combine_blobs": Rows(Row(Scale(1, bias_term=True), (*S, (3, 4)), ((3, 4),)), Row(Scale(), S, ((3,),))),
    "combine_flat": Rows(Row(Eltwise(), S * 2), Row(Eltwise(), ((2, 3),) * 2)),
    # constant
    "constant_by_parameter": Rows(Row(Constant((2, 3)), (), ((2, 3),))),
    "constant_by_inner_product": Rows(Row(Constant((2, 3)), (), ((2, 3),))),
    # linear
    "multiply_rows": Rows(
        Row(InnerProduct(4, axis=2), ((2, 3, 5, 6),), ((4, 30), (4,))), Row(InnerProduct(4), ((2, 6),), ((4, 6), (4,)))
    ),
    "convolve_line_as_image": Rows(
        Row(Deconvolution(4, (3,), (2,), (1,), (2,), 1), ((2, 3, 9),), ((3, 4, 3), (4,))),
        Row(Convolution(4, (1, 1)), S, ((4, 3, 1, 1), (4,))),
    ),
    "depthwise_as_convolution": Rows(Row(DepthwiseConvolution(3, (3, 3), group=3), S, ((3, 1, 3, 3), (3,)))),
    "widen_filters_by_zeros": Rows(
        Row(Convolution(3, (3, 3), (2, 1), (1, 0), (1, 2), 3), ((2, 3, 5, 6),), ((3, 1, 3, 3), (3,))),
        Row(Convolution(4, (3, 3)), S, ((4, 3, 3, 3), (4,))),
    ),
    "pad_before_filtering": Rows(
        Row(Convolution(2, (1, 2), pad=(70, 1), bias_term=False), S, ((2, 3, 1, 2),)),
        Row(Convolution(2, (1, 2), pad=(1, 1), bias_term=False), S, ((2, 3, 1, 2),)),
    ),
    "drop_what_no_window_sees": Rows(
        Row(Convolution(2, (2, 3), (70, 2), (1, 1), (3, 1)), ((1, 2, 150, 7),), ((2, 2, 2, 3), (2,))),
        Row(Convolution(2, (2, 3), (70, 2), (0, 1), (80, 1)), ((1, 2, 150, 7),), ((2, 2, 2, 3), (2,))),
    ),
    "split_filters": Rows(
        Row(Convolution(2, (3, 2), (2, 1), (5, 1), (40, 1), 2), ((1, 2, 100, 4),), ((2, 1, 3, 2), (2,))),
        Row(Convolution(2, (3, 2)), S, ((2, 3, 3, 2), (2,))),
    ),
    "im2col_by_convolution": Rows(Row(Im2col((2, 3), (1, 2), (1, 0), (2, 1)), S)),
    "multiply_by_transposed": Rows(
        Row(InnerProduct(4, transpose=True), S, ((60, 4), (4,))), Row(InnerProduct(4), S, ((4, 60), (4,)))
    ),
    "fill_dilated_filters": Rows(
        Row(Deconvolution(4, (2, 3), dilation=(2, 3)), S, ((3, 4, 2, 3), (4,))),
        Row(Deconvolution(4, (1, 1)), S, ((3, 4, 1, 1), (4,))),
    ),
    "multiply_in_halves": Rows(
        Row(InnerProduct(5, axis=2), ((2, 3, 4),), ((5, 4), (5,))), Row(InnerProduct(1), S, ((1, 60), (1,)))
    ),
    # linear_map, shape
    "gather_by_slices": Rows(
        line(LinearMap(1), 5, picking([1, 0, 0, 1, 2, 4], 5)), line(LinearMap(1), 5, 2 * picking([1, 0], 5))
    ),
    "map_by_inner_product": Rows(Row(LinearMap(-1), S, ((7, 5),)), Row(LinearMap(2), S, ((7, 4),))),
    "map_by_convolution": Rows(Row(LinearMap(0), S, ((7, 2),))),
    "reverse_in_two_dims": Rows(line(LinearMap(1), 12, backwards(12)), line(LinearMap(1), 7, backwards(7))),
    "permute_by_im2col": Rows(Row(Permute((3, 0, 2, 1)), S)),
    "permute_all_dims": Rows(Row(Permute((2, 0)), S), Row(Permute((3, 2, 1, 0)), S)),
    "reshape_all_dims": Rows(Row(Reshape((0, -1), axis=1), S), Row(Reshape((6, 20)), S)),
    "split_by_sharing": Rows(Row(Split(2), S)),
    "slice_at_points": Rows(Row(Slice(1, (), 3), S), Row(Slice(1, (1,)), S)),
    "scalar_by_reduction": Rows(Row(Reshape(()), ((1, 1),)), Row(Reshape((1,)), ((1, 1),))),
    "expand_by_tiles": Rows(Row(Expand((2, 3, 4, 5, 6)), ((3, 1, 5, 1),))),
    "map_as_matrix": Rows(Row(Power(2.0, 3.0, 1.0), ((6,),)), Row(Power(2.0), ((2, 3),))),
    "join_rows": Rows(Row(Concat(0), ((2,), (3,))), Row(Concat(0), S * 2)),
    "join_in_groups": Rows(Row(Concat(0), S * 5), Row(Concat(0), S * 2)),
    "cut_row": Rows(Row(Slice(0, (1, 3), 3), ((6,),)), Row(Slice(1, (1,)), S)),
    "tile_by_concat": Rows(Row(Tile(1, 3), S), Row(Tile(1, 65), S)),
    "tile_by_convolution": Rows(Row(Tile(2, 3), S)),
    "slice_neighbours": Rows(Row(StridedSlice(2, 1, 3), S), Row(StridedSlice(2, 0, 3, 2), S)),
    "slice_steps": Rows(Row(StridedSlice(1, 1, 8, 3), ((2, 9, 4),)), Row(StridedSlice(1, 1, 8), ((2, 9, 4),))),
    "reverse_by_gather": Rows(Row(Reverse((1, 3)), S)),
    "shuffle_by_permute": Rows(Row(ShuffleChannel(2), ((2, 6, 4, 5),))),
    "reorg_by_permute": Rows(Row(Reorg(2, reverse=True), ((2, 8, 4, 5),))),
    # padding
    "pad_axes_in_turn": Rows(Row(Pad((NONE, (1, 2), (-1, 0), NONE)), S), Row(Pad((NONE, (1, 2), NONE, NONE)), S)),
    "pad_by_picking": Rows(
        Row(Pad((NONE, NONE, NONE, (2, 3)), PadMode.REFLECT), S), Row(Pad((NONE, NONE, NONE, (2, 3))), S)
    ),
    "pad_by_cutting": Rows(
        Row(Pad((NONE, NONE, (-1, 2), NONE), value=2.0), S), Row(Pad((NONE, NONE, (1, 2), NONE)), S)
    ),
    "pad_where_nothing_is_left": Rows(
        Row(Pad((NONE, NONE, NONE, (-5, 7)), value=2.0), S), Row(Pad((NONE, NONE, NONE, (-4, 7))), S)
    ),
    "pad_by_concat": Rows(Row(Pad((NONE, (1, 7), NONE, NONE), value=2.0), S), Row(Pad((NONE, (-1, 2), NONE, NONE)), S)),
    "pad_image_by_convolution": Rows(
        Row(Pad((NONE, NONE, (1, 3), (2, -1))), S), Row(Pad((NONE, NONE, (1, 3), NONE), value=1.0), S)
    ),
    # pooling
    "pool_then_correct": Rows(
        pool(pool=AVERAGE, pad=(1, 1), count_include_pad=False), pool(kernel=(1, 1), stride=(4, 4), dilation=(2, 2))
    ),
    "pool_enlarged_image": Rows(
        pool(pool=AVERAGE, kernel=(2, 2), stride=(5, 3), ceil=True, divisor=3), pool(dilation=(2, 1))
    ),
    "pool_gathered_windows": Rows(pool(dilation=(2, 1), pad=(1, 1)), pool(pool=AVERAGE)),
    "pool_dilated_axis": Rows(pool(kernel=(3, 1), stride=(2, 1), pad=(1, 0), dilation=(2, 1)), pool(dilation=(2, 2))),
    "pool_with_fitting_kernel": Rows(
        Row(Pooling(AVERAGE, (6, 9), (3, 3), (0, 1)), S), Row(Pooling(AVERAGE, (2, 2), (1, 1)), S)
    ),
    "pool_axes_in_turn": Rows(pool(dilation=(2, 2), pad=(1, 1)), pool()),
    "pool_to_own_size": Rows(Row(AdaptivePooling(AVERAGE, (4, 5)), S), Row(AdaptivePooling(AVERAGE, (4, 4)), S)),
    "adapt_by_global_pooling": Rows(
        Row(AdaptivePooling(AVERAGE, (1, 1)), ((3, 4, 5),)), Row(AdaptivePooling(AVERAGE, (2, 1)), S)
    ),
    "adapt_by_pooling": Rows(Row(AdaptivePooling(LARGEST, (2, 4)), S), Row(AdaptivePooling(AVERAGE, (3, 3)), S)),
    "adapt_axes_in_turn": Rows(Row(AdaptivePooling(LARGEST, (3, 3)), S), Row(AdaptivePooling(AVERAGE, (4, 3)), S)),
    "adapt_average_by_map": Rows(Row(AdaptivePooling(AVERAGE, (4, 3)), S), Row(AdaptivePooling(LARGEST, (4, 3)), S)),
    "adapt_maximum_by_gathering": Rows(
        Row(AdaptivePooling(LARGEST, (3, 7)), S), Row(AdaptivePooling(AVERAGE, (3, 7)), S)
    ),
    # reduction
    "reduce_nothing": Rows(Row(Reduce(PROD, (1, 2)), ((2, 1, 1, 4),)), Row(Reduce(SUM, (1,)), S)),
    "reduce_image_by_global_pooling": Rows(Row(Reduce(SUM, (2, 3)), S), Row(Reduce(SUM, (1, 2)), S)),
    "reduce_tail_by_reduction": Rows(Row(Reduce(MEAN, (2, 3), keepdim=True), S), Row(Reduce(MEAN, (1, 3)), S)),
    "reduce_by_pooling": Rows(Row(Reduce(MAX, (1, 2)), S), Row(Reduce(PROD, (1,)), S)),
    "reduce_minimum_by_maximum": Rows(Row(Reduce(MIN, (1, 3)), S), Row(Reduce(MAX, (1,)), S)),
    "reduce_runs_in_turn": Rows(Row(Reduce(MEAN, (0, 1, 3)), S), Row(Reduce(MEAN, (0, 1)), S)),
    "reduce_after_permuting": Rows(Row(Reduce(SUM, (0, 2)), S), Row(Reduce(SUM, (2, 3)), S)),
    "reduce_by_convolution": Rows(Row(Reduce(MEAN, (1,)), S), Row(Reduce(MAX, (1,)), S)),
    "multiply_slices": Rows(Row(Reduce(PROD, (2,)), S), Row(Reduce(SUM, (2,)), S)),
    "reduce_rows": Rows(Row(Reduction(ReductionOperation.SUMSQ, 2, 0.5), S), Row(Reduction(axis=1), ((2, 3),))),
    "reduction_as_reduce": Rows(Row(Reduction(ReductionOperation.ASUM, 1, 0.5), S)),
    "arg_minimum_by_maximum": Rows(Row(ArgReduce(MIN, 1), S, whole=True), Row(ArgReduce(MAX, 1), S)),
    "arg_maximum_by_arg_max": Rows(Row(ArgReduce(MAX, 1), S), Row(ArgReduce(MIN, 1), S)),
    "arg_maximum_of_distinct": Rows(Row(ArgReduce(MAX, -1, keepdim=True), S), Row(ArgReduce(MIN, 1), S)),
    "arg_maximum_of_reversed": Rows(Row(ArgReduce(MAX, 1), S, whole=True), Row(ArgReduce(MIN, 1), S)),
    "arg_max_of_last_by_reversed": Rows(
        Row(ArgMax(axis=1), S, whole=True), Row(ArgMax(axis=1, first_of_equals=True), S)
    ),
    "arg_maximum_by_marks": Rows(Row(ArgReduce(MAX, 3), S, whole=True), Row(ArgReduce(MIN, 1), S)),
    # resizing
    "resize_by_upsample": Rows(
        Row(Resize(ResizeMode.NEAREST, (8, 10)), S), Row(Resize(ResizeMode.NEAREST, (8, 15)), S)
    ),
    "resize_by_tiles": Rows(Row(Resize(ResizeMode.NEAREST, (8, 15)), S), Row(Resize(ResizeMode.NEAREST, (6, 10)), S)),
    "upsample_as_resize": Rows(Row(Upsample(3), ((3, 4, 5),))),
    "resize_by_deconvolution": Rows(
        Row(Resize(ResizeMode.LINEAR, (12, 10)), S), Row(Resize(ResizeMode.LINEAR, (6, 10)), S)
    ),
    "resize_axes_by_maps": Rows(Row(Resize(ResizeMode.CUBIC, (7, 3)), S)),
    "resize_axes_in_turn": Rows(
        Row(Resize(ResizeMode.LINEAR, (9, 3), scales=(2.3, None)), S), Row(Resize(ResizeMode.LINEAR, (4, 3)), S)
    ),
    "resize_from_one": Rows(
        Row(Resize(ResizeMode.CUBIC, (3, 2)), ((2, 3, 1, 1),)), Row(Resize(ResizeMode.CUBIC, (3, 2)), S)
    ),
    "resize_area_by_adaptive_pooling": Rows(
        Row(Resize(ResizeMode.AREA, (3, 2)), S), Row(Resize(ResizeMode.LINEAR, (3, 2)), S)
    ),
    "resize_by_interp": Rows(
        Row(Resize(ResizeMode.LINEAR, (7, 3), align_corners=True), ((3, 4, 5),)),
        Row(Resize(ResizeMode.LINEAR, (7, 3)), S),
    ),
    "interp_as_resize": Rows(Row(Interp(7, 9, pad_beg=-1), S)),
}

REFUSES_ALWAYS = {"round_by_nothing": Row(Floor(), S), "wave_by_nothing": Row(Sin(), S)}


@pytest.mark.parametrize("name", ROWS)
def test_a_rule_computes_what_its_layer_does(name: str) -> None:
    row = ROWS[name].accept
    rule = rule_named(name, type(row.op))
    assert_computes_the_same(applied(rule, row), row, rule.bound)


@pytest.mark.parametrize("name", [*(name for name, rows in ROWS.items() if rows.refuse), *REFUSES_ALWAYS])
def test_a_rule_says_why_it_does_not_apply(name: str) -> None:
    row = REFUSES_ALWAYS.get(name) or ROWS[name].refuse
    assert row is not None
    with pytest.raises((Refuse, BadOp)) as refusal:
        applied(rule_named(name, type(row.op)), row)
    assert str(refusal.value)


def test_every_rule_has_its_rows() -> None:
    known = {rule.name for family in rules().values() for rule in family if rule.function.__module__ in FAMILIES}
    assert known == ROWS.keys() | REFUSES_ALWAYS.keys()


def test_every_rule_states_an_equation_and_its_exactness() -> None:
    for rule in (rule for family in rules().values() for rule in family):
        lines = (rule.function.__doc__ or "").strip().splitlines()
        assert len(lines) >= 3, rule.name
        assert lines[0].endswith("."), rule.name
