"""The rules that bring layers into the dims, windows and powers that a target takes: where they apply, and where not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from legal import Row, applied, assert_computes_the_same, rule_named

from torch2om.errors import Refuse
from torch2om.layers import (
    ELU,
    ArgMax,
    BatchNorm,
    Concat,
    Deconvolution,
    Flatten,
    Permute,
    Pooling,
    PoolMethod,
    Power,
    PReLU,
    Reshape,
    Reverse,
    Rounding,
    Scale,
    Sigmoid,
    Slice,
    Softmax,
)
from torch2om.legalization import affine, dims, large_windows, transposed
from torch2om.legalization.rules import rules

FAMILIES = {family.__name__ for family in (affine, dims, large_windows, transposed)}
S = ((2, 3, 4, 5),)
PLACES = np.tile(np.eye(6).reshape(6, 1, 2, 3), (2, 1, 1, 1))
DEEP = ((2, 3, 2, 2, 3),)
WIDE = ((1, 2, 61, 64),)
LARGEST, AVERAGE = PoolMethod.MAX, PoolMethod.AVE


@dataclass(frozen=True)
class Rows:
    """Where a rule applies, in all its ways, and where it refuses (None: it never does)."""

    accept: tuple[Row, ...]
    refuse: Row | None = None


def whole(pool: PoolMethod, *shapes: tuple[int, ...]) -> Row:
    return Row(Pooling(pool, global_pooling=True), shapes)


ROWS: dict[str, Rows] = {
    # affine
    "affine_by_scale": Rows(
        (
            Row(Power(scale=2.0, shift=-3.0), S),
            Row(Power(scale=2.0), ((6,),)),
            Row(Power(scale=0.0, shift=4.0), DEEP),
            Row(Power(), S),
        ),
        Row(Power(2.0), S),
    ),
    "power_after_line": Rows((Row(Power(2.0, 3.0, 1.0), S),), Row(Power(2.0), S)),
    "whole_power_by_products": Rows(
        tuple(Row(Power(float(power)), S) for power in (0, 2, 3, 5, 6, 8, 13)), Row(Power(0.5), S)
    ),
    "reciprocal_by_root": Rows((Row(Power(-1.0), S), Row(Power(-3.0), S)), Row(Power(2.0), S)),
    "scale_channels": Rows(
        (
            Row(Scale(0, 0, bias_term=True), S, ((), ())),
            Row(Scale(2, 2, bias_term=True), S, ((4, 5), (4, 5))),
            Row(Scale(0, bias_term=True), (*S, (2, 3)), ((2, 3),)),
            Row(Scale(), ((2, 3),), ((3,),)),
            Row(Scale(1, 2), DEEP, ((3, 2),)),
            Row(Scale(0), (*S, ())),
        ),
        Row(Scale(), S, ((3,),)),
    ),
    # dims
    "count_axis_from_front": Rows(
        (
            Row(Softmax(-2), S),
            Row(Slice(-1, (2,)), S),
            Row(Concat(-3), S * 2),
            Row(Scale(-3, 2), S, ((3, 4),)),
            Row(ArgMax(axis=-1), S),
        ),
        Row(Softmax(2), S),
    ),
    "reverse_axes_in_turn": Rows((Row(Reverse((1, -1)), S),), Row(Reverse((1,)), S)),
    "map_folded": Rows((Row(Sigmoid(), DEEP), Row(Power(2.0), DEEP)), Row(ELU(), S)),
    "map_channels_folded": Rows(
        (
            Row(PReLU(), DEEP, (np.array([0.1, -0.2, 0.3]),)),
            Row(BatchNorm(), DEEP, (np.array([0.1, -0.2, 0.3]), np.array([1.0, 2.0, 3.0]), np.array([2.0]))),
        ),
        Row(PReLU(), S, (np.array([0.1, -0.2, 0.3]),)),
    ),
    "join_folded": Rows((Row(Concat(3), DEEP * 2),), Row(Concat(3), S * 2)),
    "cut_folded": Rows((Row(Slice(-1, (1,)), DEEP),), Row(Slice(1, (1,)), S)),
    "reverse_folded": Rows((Row(Reverse((4,)), DEEP),), Row(Reverse((1,)), S)),
    "find_folded": Rows((Row(ArgMax(axis=2), DEEP),), Row(ArgMax(axis=1), S)),
    "flatten_by_reshape": Rows((Row(Flatten(), S), Row(Flatten(), ((2, 3),)))),
    "permute_in_blocks": Rows(
        (
            Row(Permute((0, 3, 1, 4, 2)), ((2, 3, 2, 4, 3),)),
            Row(Permute((5, 4, 3, 2, 1, 0)), ((2, 3, 2, 2, 3, 2),)),
            Row(Permute((0, 1, 3, 4, 2)), DEEP),
        ),
        Row(Permute((3, 0, 2, 1)), S),
    ),
    # transposed
    "deconvolve_by_phases": Rows(
        (
            Row(Deconvolution(4, (4, 4), (2, 2), (1, 1)), S, ((3, 4, 4, 4), (4,))),
            Row(Deconvolution(6, (3, 5), (2, 3), (1, 2), group=3), S, ((3, 2, 3, 5), (6,))),
            Row(Deconvolution(2, (1, 2), (3, 1), bias_term=False), S, ((3, 2, 1, 2),)),
            Row(Deconvolution(4, (2, 2), (1, 1), (2, 2), group=2), ((2, 4, 6, 7),), ((4, 2, 2, 2), (4,))),
            Row(Deconvolution(2, (2, 3), (2, 3), group=2, bias_term=False), ((2, 12, 3, 4),), (PLACES,)),
        ),
        Row(Deconvolution(4, (2, 2), dilation=(2, 1)), S, ((3, 4, 2, 2), (4,))),
    ),
    "deconvolve_groups_apart": Rows(
        (Row(Deconvolution(4, (3, 2), (2, 1), (1, 0), group=2), ((2, 6, 4, 5),), ((6, 2, 3, 2), (4,))),),
        Row(Deconvolution(4, (2, 2)), S, ((3, 4, 2, 2), (4,))),
    ),
    # large_windows
    "pool_in_two": Rows(
        (
            whole(LARGEST, *WIDE),
            whole(AVERAGE, (1, 2, 60, 64)),
            Row(Pooling(LARGEST, (7, 5), (1, 1), (3, 2)), S),
            Row(Pooling(LARGEST, (7, 9), (4, 1), (1, 0)), ((1, 2, 25, 14),)),
            Row(Pooling(AVERAGE, (6, 8), (3, 4), (1, 1), Rounding.FLOOR), ((1, 2, 25, 22),)),
            Row(Pooling(AVERAGE, (1, 9), (1, 3)), ((1, 2, 5, 21),)),
        ),
        whole(AVERAGE, *WIDE),
    ),
    "average_by_convolution": Rows(
        (whole(AVERAGE, (1, 2, 61, 5)), Row(Pooling(AVERAGE, (3, 2), (2, 1), (1, 0)), ((1, 2, 9, 6),))),
        Row(Pooling(AVERAGE, (3, 3), (2, 2)), ((1, 2, 4, 4),)),
    ),
    "average_by_maps": Rows(
        (Row(Pooling(AVERAGE, (3, 3), (2, 2)), ((1, 2, 4, 4),)), Row(Pooling(AVERAGE, (3, 5), (2, 3), (1, 2)), S)),
        Row(Pooling(AVERAGE, (1, 1), (2, 2)), ((1, 2, 4, 4),)),
    ),
    "maximum_of_gathered": Rows(
        (Row(Pooling(LARGEST, (3, 3), (2, 2)), ((1, 2, 4, 4),)), Row(Pooling(LARGEST, (3, 5), (2, 3), (1, 2)), S)),
        Row(Pooling(LARGEST, (1, 1), (2, 2)), ((1, 2, 4, 4),)),
    ),
}
CASES = [(name, row) for name, rows in ROWS.items() for row in rows.accept]


@pytest.mark.parametrize(("name", "row"), CASES, ids=str)
def test_a_rule_computes_what_its_layer_does(name: str, row: Row) -> None:
    assert_computes_the_same(applied(rule_named(name, type(row.op)), row), row)


@pytest.mark.parametrize("name", [name for name, rows in ROWS.items() if rows.refuse])
def test_a_rule_says_why_it_does_not_apply(name: str) -> None:
    row = ROWS[name].refuse
    assert row is not None
    with pytest.raises(Refuse) as refusal:
        applied(rule_named(name, type(row.op)), row)
    assert str(refusal.value)


def test_an_interleaving_that_only_moves_multiplies_nothing() -> None:
    row = Row(Deconvolution(2, (2, 3), (2, 3), group=2, bias_term=False), ((2, 12, 3, 4),), (PLACES,))
    made = applied(rule_named("deconvolve_by_phases", Deconvolution), row)
    assert {type(layer.op) for layer in made.layers} == {Reshape, Permute}


def test_every_rule_has_its_rows() -> None:
    known = {rule.name for family in rules().values() for rule in family if rule.function.__module__ in FAMILIES}
    assert known == ROWS.keys()
