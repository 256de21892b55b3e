"""Large windows and transposed convolutions: where each rule applies, and where it says why not."""

from __future__ import annotations

import numpy as np

from torch2om.layers import Deconvolution, Pooling, PoolMethod, Rounding
from torch2om.rulebook.case import Case, Entry

S = ((2, 3, 4, 5),)
PLACES = np.tile(np.eye(6).reshape(6, 1, 2, 3), (2, 1, 1, 1))
WIDE = (1, 2, 61, 64)
LARGEST, AVERAGE = PoolMethod.MAX, PoolMethod.AVE


def _whole(pool: PoolMethod, *shapes: tuple[int, ...]) -> Case:
    return Case(Pooling(pool, global_pooling=True), shapes)


ENTRIES: dict[str, Entry] = {
    "deconvolve_by_phases": Entry(
        Case(Deconvolution(4, (4, 4), (2, 2), (1, 1)), S, ((3, 4, 4, 4), (4,))),
        Case(Deconvolution(4, (2, 2), dilation=(2, 1)), S, ((3, 4, 2, 2), (4,))),
        (
            Case(Deconvolution(6, (3, 5), (2, 3), (1, 2), group=3), S, ((3, 2, 3, 5), (6,))),
            Case(Deconvolution(2, (1, 2), (3, 1), bias_term=False), S, ((3, 2, 1, 2),)),
            Case(Deconvolution(4, (2, 2), (1, 1), (2, 2), group=2), ((2, 4, 6, 7),), ((4, 2, 2, 2), (4,))),
            Case(Deconvolution(2, (2, 3), (2, 3), group=2, bias_term=False), ((2, 12, 3, 4),), (PLACES,)),
        ),
    ),
    "deconvolve_groups_apart": Entry(
        Case(Deconvolution(4, (3, 2), (2, 1), (1, 0), group=2), ((2, 6, 4, 5),), ((6, 2, 3, 2), (4,))),
        Case(Deconvolution(4, (2, 2)), S, ((3, 4, 2, 2), (4,))),
    ),
    "pool_in_two": Entry(
        _whole(LARGEST, WIDE),
        _whole(AVERAGE, WIDE),
        (
            _whole(AVERAGE, (1, 2, 60, 64)),
            Case(Pooling(LARGEST, (7, 5), (1, 1), (3, 2)), S),
            Case(Pooling(LARGEST, (7, 9), (4, 1), (1, 0)), ((1, 2, 25, 14),)),
            Case(Pooling(AVERAGE, (6, 8), (3, 4), (1, 1), Rounding.FLOOR), ((1, 2, 25, 22),)),
            Case(Pooling(AVERAGE, (1, 9), (1, 3)), ((1, 2, 5, 21),)),
            Case(Pooling(LARGEST, (7, 9), (1, 2), (6, 8)), S),
            Case(Pooling(LARGEST, (12, 9), (4, 3), (11, 4), Rounding.FLOOR), ((1, 2, 14, 11),)),
        ),
    ),
    "average_by_convolution": Entry(
        _whole(AVERAGE, (1, 2, 61, 5)),
        Case(Pooling(AVERAGE, (3, 3), (2, 2)), ((1, 2, 4, 4),)),
        (Case(Pooling(AVERAGE, (3, 2), (2, 1), (1, 0)), ((1, 2, 9, 6),)),),
    ),
    "average_by_maps": Entry(
        Case(Pooling(AVERAGE, (3, 3), (2, 2)), ((1, 2, 4, 4),)),
        Case(Pooling(AVERAGE, (1, 1), (2, 2)), ((1, 2, 4, 4),)),
        (Case(Pooling(AVERAGE, (3, 5), (2, 3), (1, 2)), S),),
    ),
    "maximum_of_continued": Entry(
        Case(Pooling(LARGEST, (3, 3), (2, 2), (2, 1)), S),
        Case(Pooling(LARGEST, (2, 2), (2, 2)), ((1, 2, 4, 4),)),
        (Case(Pooling(LARGEST, (5, 3), (3, 2)), S), Case(Pooling(LARGEST, (3, 3), (5, 4), (1, 0), Rounding.FLOOR), S)),
    ),
    "maximum_of_gathered": Entry(
        Case(Pooling(LARGEST, (3, 3), (2, 2)), ((1, 2, 4, 4),)),
        Case(Pooling(LARGEST, (1, 1), (2, 2)), ((1, 2, 4, 4),)),
        (Case(Pooling(LARGEST, (3, 5), (2, 3), (1, 2)), S),),
    ),
}
