"""Configurations that ATC accepts, drawn at random."""

from __future__ import annotations

from typing import TypeVar

from hypothesis import strategies as st

from torch2om.preprocessing.config import AippConfig, InputFormat, Mode
from torch2om.preprocessing.limits import HALF, breaches

_halves = st.floats(-HALF, HALF, width=32)
_bytes = st.integers(0, 255)


Number = TypeVar("Number", int, float)


def _numbers(of: st.SearchStrategy[Number], most: int) -> st.SearchStrategy[tuple[Number, ...]]:
    return st.lists(of, max_size=most).map(tuple)


def _static(draw: st.DrawFn) -> AippConfig:
    layout = draw(st.sampled_from(InputFormat))
    step = 2 if layout is InputFormat.YUV420SP else 1
    width, height = (step * draw(st.integers(2, 4096 // step)) for _ in range(2))
    left, top = step * draw(st.integers(0, width // step - 1)), step * draw(st.integers(0, height // step - 1))
    csc = layout is not InputFormat.YUV400 and draw(st.booleans())
    named = draw(st.booleans())
    return AippConfig(
        related_input_rank=None if named else draw(st.none() | st.integers(0, 9)),
        related_input_name=draw(st.text(max_size=9)) if named else "",
        input_edge_idx=draw(st.lists(st.integers(0, 9), max_size=3).map(tuple)),
        input_format=layout,
        src_image_size_w=width,
        src_image_size_h=height,
        crop=draw(st.booleans()),
        load_start_pos_w=min(left, 4094),
        load_start_pos_h=min(top, 4094),
        crop_size_w=draw(st.integers(1, width - min(left, 4094))),
        crop_size_h=draw(st.integers(1, height - min(top, 4094))),
        padding=draw(st.booleans()),
        left_padding_size=draw(st.integers(0, 32)),
        bottom_padding_size=draw(st.integers(0, 32)),
        padding_value=draw(_halves),
        csc_switch=csc,
        rbuv_swap_switch=draw(st.booleans()),
        ax_swap_switch=draw(st.booleans()),
        matrix=tuple(draw(st.lists(st.integers(-32677, 32676), min_size=9, max_size=9))) if csc else (),
        input_bias=tuple(draw(st.lists(_bytes, min_size=3, max_size=3))) if csc else (),
        mean_chn=draw(_numbers(_bytes, 4)),
        min_chn=draw(_numbers(st.floats(0, 255, width=32), 4)),
        var_reci_chn=draw(_numbers(_halves, 4)),
        single_line_mode=draw(st.booleans()),
    )


@st.composite
def configurations(draw: st.DrawFn) -> AippConfig:
    """Draw a configuration that breaks no limit."""
    if draw(st.booleans()):
        return AippConfig(aipp_mode=Mode.DYNAMIC, max_src_image_size=draw(st.integers(1, 2**32 - 1)))
    config = _static(draw)
    assert not list(breaches(config))
    return config
