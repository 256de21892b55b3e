"""Arithmetic, comparison and constants: where each rule applies, and where it says why not."""

from __future__ import annotations

import numpy as np

from torch2om.layers import (
    Arithmetic,
    ArithmeticKind,
    Bias,
    Compare,
    CompareKind,
    Constant,
    Eltwise,
    PriorBox,
    Scale,
    Where,
)
from torch2om.rulebook.case import ALWAYS, Case, Entry

S = ((2, 3, 4, 5),)
ADD, SUB, MUL, DIV = ArithmeticKind.ADD, ArithmeticKind.SUB, ArithmeticKind.MUL, ArithmeticKind.DIV
MAXIMUM, MINIMUM, POWER = ArithmeticKind.MAX, ArithmeticKind.MIN, ArithmeticKind.POW


def _pair(kind: ArithmeticKind, *shapes: tuple[int, ...], offset: float = 0.0) -> Case:
    return Case(Arithmetic(kind), shapes, offset=offset)


ENTRIES: dict[str, Entry] = {
    "combine_equal_shapes": Entry(_pair(SUB, (2, 3), (1, 2, 3)), _pair(SUB, (2, 3), (3,))),
    "combine_with_part": Entry(_pair(SUB, (3, 1), (2, 3, 4)), _pair(ADD, (2, 3, 4), (2, 1, 4))),
    "combine_after_expanding": Entry(_pair(MAXIMUM, (2, 1, 4), (3, 1)), _pair(MAXIMUM, (2, 3), (2, 3))),
    "combine_after_expanding_between": Entry(_pair(MUL, (5, 2, 3, 4), (2, 1, 4)), _pair(MUL, (2, 3), (3,))),
    "combine_after_expanding_one": Entry(_pair(ADD, (2, 1, 4), (3, 1)), _pair(ADD, (2, 3), (3,))),
    "divide_by_multiplying": Entry(_pair(DIV, (2, 3), (3,), offset=9), _pair(MUL, (2, 3), (3,))),
    "minimum_by_maximum": Entry(_pair(MINIMUM, (2, 3), (3,)), _pair(MAXIMUM, (2, 3), (3,))),
    "power_of_positive_base": Entry(_pair(POWER, (2, 3), (3,), offset=6), _pair(MUL, (2, 3), (3,))),
    "combine_in_groups": Entry(
        Case(Eltwise(coeff=(1, 2, 3, 4, 5, 6)), ((2, 3),) * 6),
        Case(Eltwise(), ((2, 3),) * 2),
        (Case(Eltwise(coeff=tuple(range(1, 71))), ((2, 3),) * 70),),
    ),
    "compare_by_threshold": Entry(Case(Compare(CompareKind.LE), ((4, 9), (9,)), whole=True), ALWAYS),
    "choose_by_products": Entry(Case(Where(), ((4, 9), (4, 1), (9,)), whole=True), ALWAYS),
    "bias_by_scale": Entry(Case(Bias(1, 2), S, ((3, 4),)), Case(Bias(0), ((2, 3), (2,)))),
    "combine_blobs": Entry(Case(Scale(1, bias_term=True), (*S, (3, 4)), ((3, 4),)), Case(Scale(), S, ((3,),))),
    "combine_flat": Entry(Case(Eltwise(), S * 2), Case(Eltwise(), ((2, 3),) * 2)),
    "priors_by_constant": Entry(
        Case(PriorBox((2.5,), (5.0,), (2.0,)), ((1, 3, 2, 3), (1, 3, 16, 24))),
        "every PriorBox has priors, whatever its bottoms hold",
    ),
    "constant_by_parameter": Entry(Case(Constant((2, 3)), (), ((2, 3),)), ALWAYS),
    "constant_by_inner_product": Entry(
        Case(Constant((2, 3)), (), ((2, 3),)), Case(Constant((2, 3)), (), ((2, 3),), alone=True)
    ),
    "constant_by_tiling": Entry(
        Case(Constant((2, 3)), (), (np.full((2, 3), 1.5),)), Case(Constant((2, 3)), (), ((2, 3),))
    ),
    "constant_by_power": Entry(Case(Constant((1, 1)), (), ((1, 1),)), Case(Constant((2, 3)), (), ((2, 3),))),
}
