"""Layers in the dims that a target has: where each rule applies, and where it says why not."""

from __future__ import annotations

import numpy as np

from torch2om.layers import (
    ELU,
    ArgMax,
    BatchNorm,
    Concat,
    Flatten,
    Permute,
    Power,
    PReLU,
    Reverse,
    Scale,
    Sigmoid,
    Slice,
    Softmax,
)
from torch2om.rulebook.case import ALWAYS, Case, Entry

S = ((2, 3, 4, 5),)
DEEP = ((2, 3, 2, 2, 3),)
SLOPES = np.array([0.1, -0.2, 0.3])


ENTRIES: dict[str, Entry] = {
    "count_axis_from_front": Entry(
        Case(Softmax(-2), S),
        Case(Softmax(2), S),
        (Case(Slice(-1, (2,)), S), Case(Concat(-3), S * 2), Case(Scale(-3, 2), S, ((3, 4),)), Case(ArgMax(axis=-1), S)),
    ),
    "reverse_axes_in_turn": Entry(Case(Reverse((1, -1)), S), Case(Reverse((1,)), S)),
    "map_folded": Entry(Case(Sigmoid(), DEEP), Case(ELU(), S), (Case(Power(2.0), DEEP),)),
    "map_channels_folded": Entry(
        Case(PReLU(), DEEP, (SLOPES,)),
        Case(PReLU(), S, (SLOPES,)),
        (Case(BatchNorm(), DEEP, (SLOPES, np.array([1.0, 2.0, 3.0]), np.array([2.0]))),),
    ),
    "join_folded": Entry(Case(Concat(3), DEEP * 2), Case(Concat(3), S * 2)),
    "cut_folded": Entry(Case(Slice(-1, (1,)), DEEP), Case(Slice(1, (1,)), S)),
    "reverse_folded": Entry(Case(Reverse((4,)), DEEP), Case(Reverse((1,)), S)),
    "find_folded": Entry(Case(ArgMax(axis=2), DEEP), Case(ArgMax(axis=1), S)),
    "flatten_by_reshape": Entry(Case(Flatten(), S), ALWAYS, (Case(Flatten(), ((2, 3),)),)),
    "permute_in_blocks": Entry(
        Case(Permute((0, 3, 1, 4, 2)), ((2, 3, 2, 4, 3),)),
        Case(Permute((3, 0, 2, 1)), S),
        (Case(Permute((5, 4, 3, 2, 1, 0)), ((2, 3, 2, 2, 3, 2),)), Case(Permute((0, 1, 3, 4, 2)), DEEP)),
    ),
}
