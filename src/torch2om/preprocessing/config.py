"""One `aipp_op` of an insert_op_conf file: every documented field, under the proto's own name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from types import MappingProxyType

import numpy as np


class Mode(StrEnum):
    """Whether the parameters stand in the om, or come with each inference."""

    STATIC = "static"
    DYNAMIC = "dynamic"


class InputFormat(StrEnum):
    """The documented byte layouts. The proto has more names (RAW10, NC1HWC0DI_FP16, ...) that no manual explains."""

    YUV420SP = "YUV420SP_U8"
    XRGB8888 = "XRGB8888_U8"
    RGB888 = "RGB888_U8"
    YUV400 = "YUV400_U8"


# A field of AippConfig that holds several numbers -> the proto's fields, one for each.
SERIES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "matrix": tuple(f"matrix_r{row}c{column}" for row in range(3) for column in range(3)),
        "input_bias": tuple(f"input_bias_{index}" for index in range(3)),
        "output_bias": tuple(f"output_bias_{index}" for index in range(3)),
        "mean_chn": tuple(f"mean_chn_{index}" for index in range(4)),
        "min_chn": tuple(f"min_chn_{index}" for index in range(4)),
        "var_reci_chn": tuple(f"var_reci_chn_{index}" for index in range(4)),
    }
)


@dataclass(frozen=True, kw_only=True)
class AippConfig:
    """What AIPP does to one input. Sizes are pixels; width comes before height, as in the file.

    `matrix` is row by row, empty for none. `mean_chn`, `min_chn` and `var_reci_chn` have one number per channel, in the
    order that the net sees; channels without one have 0, 0 and 1. `padding_value` is in the net's own units. Numbers of
    type float are held as float32, which is what the file's reader keeps of them.
    """

    aipp_mode: Mode = Mode.STATIC
    related_input_rank: int | None = None
    related_input_name: str = ""
    input_edge_idx: tuple[int, ...] = ()
    max_src_image_size: int = 0
    input_format: InputFormat | None = None
    src_image_size_w: int = 0
    src_image_size_h: int = 0
    crop: bool = False
    load_start_pos_w: int = 0
    load_start_pos_h: int = 0
    crop_size_w: int = 0
    crop_size_h: int = 0
    resize: bool = False
    resize_output_w: int = 0
    resize_output_h: int = 0
    padding: bool = False
    left_padding_size: int = 0
    right_padding_size: int = 0
    top_padding_size: int = 0
    bottom_padding_size: int = 0
    padding_value: float = 0.0
    csc_switch: bool = False
    rbuv_swap_switch: bool = False
    ax_swap_switch: bool = False
    matrix: tuple[int, ...] = ()
    input_bias: tuple[int, ...] = ()
    output_bias: tuple[int, ...] = ()
    mean_chn: tuple[int, ...] = ()
    min_chn: tuple[float, ...] = ()
    var_reci_chn: tuple[float, ...] = ()
    support_rotation: bool = False
    single_line_mode: bool = False
    cpadding_value: float = 0.0
    raw_rgbir_to_f16_n: int = 0

    def __post_init__(self) -> None:
        for name in ("min_chn", "var_reci_chn"):
            object.__setattr__(self, name, tuple(map(_single, getattr(self, name))))
        for name in ("padding_value", "cpadding_value"):
            object.__setattr__(self, name, _single(getattr(self, name)))


def _single(value: float) -> float:
    """Return the nearest float32; what is too large for it becomes an infinity."""
    with np.errstate(over="ignore"):
        return float(np.float32(value))


def spelling(name: str) -> tuple[str, ...]:
    """Return the proto's names of a field of `AippConfig`."""
    return SERIES.get(name, (name,))


DEFAULTS: Mapping[str, object] = MappingProxyType({field.name: field.default for field in fields(AippConfig)})
