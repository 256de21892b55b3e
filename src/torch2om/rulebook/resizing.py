"""Resizing: where each rule applies, and where it says why not."""

from __future__ import annotations

from torch2om.layers import Interp, Resize, ResizeMode, Upsample
from torch2om.rulebook.case import ALWAYS, Case, Entry

S = ((2, 3, 4, 5),)


ENTRIES: dict[str, Entry] = {
    "resize_by_upsample": Entry(
        Case(Resize(ResizeMode.NEAREST, (8, 10)), S), Case(Resize(ResizeMode.NEAREST, (8, 15)), S)
    ),
    "resize_by_tiles": Entry(
        Case(Resize(ResizeMode.NEAREST, (8, 15)), S), Case(Resize(ResizeMode.NEAREST, (6, 10)), S)
    ),
    "upsample_as_resize": Entry(Case(Upsample(3), ((3, 4, 5),)), ALWAYS),
    "resize_by_deconvolution": Entry(
        Case(Resize(ResizeMode.LINEAR, (12, 10)), S), Case(Resize(ResizeMode.LINEAR, (6, 10)), S)
    ),
    "resize_axes_by_maps": Entry(Case(Resize(ResizeMode.CUBIC, (7, 3)), S), ALWAYS),
    "resize_axes_in_turn": Entry(
        Case(Resize(ResizeMode.LINEAR, (9, 3), scales=(2.3, None)), S), Case(Resize(ResizeMode.LINEAR, (4, 3)), S)
    ),
    "resize_from_one": Entry(
        Case(Resize(ResizeMode.CUBIC, (3, 2)), ((2, 3, 1, 1),)), Case(Resize(ResizeMode.CUBIC, (3, 2)), S)
    ),
    "resize_area_by_adaptive_pooling": Entry(
        Case(Resize(ResizeMode.AREA, (3, 2)), S), Case(Resize(ResizeMode.LINEAR, (3, 2)), S)
    ),
    "interp_as_resize": Entry(Case(Interp(7, 9, pad_beg=-1), S), ALWAYS),
    "resize_by_interp": Entry(
        Case(Resize(ResizeMode.LINEAR, (7, 3), align_corners=True), ((3, 4, 5),)),
        Case(Resize(ResizeMode.LINEAR, (7, 3)), S),
    ),
}
