"""Affine maps and powers: where each rule applies, and where it says why not."""

from __future__ import annotations

from torch2om.layers import Power, Scale
from torch2om.rulebook.case import Case, Entry

S = ((2, 3, 4, 5),)
DEEP = ((2, 3, 2, 2, 3),)


ENTRIES: dict[str, Entry] = {
    "affine_by_scale": Entry(
        Case(Power(scale=2.0, shift=-3.0), S),
        Case(Power(2.0), S),
        (Case(Power(scale=2.0), ((6,),)), Case(Power(scale=0.0, shift=4.0), DEEP), Case(Power(), S)),
    ),
    "power_after_line": Entry(Case(Power(2.0, 3.0, 1.0), S), Case(Power(2.0), S)),
    "whole_power_by_products": Entry(
        Case(Power(5.0), S),
        Case(Power(0.5), S),
        tuple(Case(Power(float(power)), S) for power in (0, 2, 3, 5, 6, 8, 13)),
    ),
    "reciprocal_by_root": Entry(Case(Power(-1.0), S), Case(Power(2.0), S), (Case(Power(-3.0), S),)),
    "scale_channels": Entry(
        Case(Scale(0, 0, bias_term=True), S, ((), ())),
        Case(Scale(), S, ((3,),)),
        (
            Case(Scale(2, 2, bias_term=True), S, ((4, 5), (4, 5))),
            Case(Scale(0, bias_term=True), (*S, (2, 3)), ((2, 3),)),
            Case(Scale(), ((2, 3),), ((3,),)),
            Case(Scale(1, 2), DEEP, ((3, 2),)),
            Case(Scale(0), (*S, ())),
        ),
    ),
}
