"""Padding: where each rule applies, and where it says why not."""

from __future__ import annotations

from torch2om.layers import Pad, PadMode
from torch2om.rulebook.case import Case, Entry

S = ((2, 3, 4, 5),)
NONE = (0, 0)


ENTRIES: dict[str, Entry] = {
    "pad_axes_in_turn": Entry(Case(Pad((NONE, (1, 2), (-1, 0), NONE)), S), Case(Pad((NONE, (1, 2), NONE, NONE)), S)),
    "pad_by_picking": Entry(
        Case(Pad((NONE, NONE, NONE, (2, 3)), PadMode.REFLECT), S), Case(Pad((NONE, NONE, NONE, (2, 3))), S)
    ),
    "pad_by_cutting": Entry(
        Case(Pad((NONE, NONE, (-1, 2), NONE), value=2.0), S), Case(Pad((NONE, NONE, (1, 2), NONE)), S)
    ),
    "pad_where_nothing_is_left": Entry(
        Case(Pad((NONE, NONE, NONE, (-5, 7)), value=2.0), S), Case(Pad((NONE, NONE, NONE, (-4, 7))), S)
    ),
    "pad_by_concat": Entry(
        Case(Pad((NONE, (1, 7), NONE, NONE), value=2.0), S), Case(Pad((NONE, (-1, 2), NONE, NONE)), S)
    ),
    "pad_beside_constants": Entry(
        Case(Pad((NONE, NONE, NONE, (2, 3)), value=2.0), S),
        Case(Pad((NONE, (-1, 2), NONE, NONE)), S),
        (Case(Pad((NONE, NONE, (0, 9), NONE)), S),),
    ),
    "pad_image_by_convolution": Entry(
        Case(Pad((NONE, NONE, (1, 3), (2, -1))), S), Case(Pad((NONE, NONE, (1, 3), NONE), value=1.0), S)
    ),
}
