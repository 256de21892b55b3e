"""Every limit of an aipp_op: what lies on it passes, what lies beyond is refused by name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from torch2om.errors import PreprocessingError
from torch2om.preprocessing.config import DEFAULTS, AippConfig, InputFormat, Mode
from torch2om.preprocessing.geometry import fitting
from torch2om.preprocessing.limits import RANGES, breaches, checked

RGB = AippConfig(input_format=InputFormat.RGB888)
NV12 = AippConfig(input_format=InputFormat.YUV420SP)
SHAPE = (1, 3, 8, 8)


def codes_of(name: str, number: float) -> list[str]:
    value: Any = (number,) if isinstance(DEFAULTS[name], tuple) else number  # Any: a field's value of whatever type
    changed: dict[str, Any] = {name: value}
    return [found.code for found in breaches(replace(RGB, **changed))]


@pytest.mark.parametrize("name", RANGES)
def test_a_range_holds_its_ends_and_nothing_beyond(name: str) -> None:
    allowed = RANGES[name]
    for number in (allowed.low, allowed.high):
        assert "P802" not in codes_of(name, number)
    for number in (allowed.low - 1, allowed.high + 1, float("nan")):
        assert codes_of(name, number)[:1] == ["P802"]


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (AippConfig(), "static AIPP names its input_format"),
        (AippConfig(aipp_mode=Mode.DYNAMIC), "max_src_image_size belongs to dynamic AIPP"),
        (replace(RGB, max_src_image_size=1), "max_src_image_size belongs to dynamic AIPP"),
        (replace(RGB, related_input_rank=0, related_input_name="x"), "exclude each other"),
        (replace(RGB, src_image_size_w=1, src_image_size_h=1), "0 or at least 2"),
        (replace(RGB, src_image_size_w=8), "given both or not at all"),
        (replace(RGB, crop=True), "with crop or padding the src_image_size is given"),
        (replace(RGB, padding=True), "with crop or padding the src_image_size is given"),
        (replace(NV12, src_image_size_w=8, src_image_size_h=7), "are even"),
        (
            replace(NV12, src_image_size_w=8, src_image_size_h=8, crop=True, load_start_pos_w=1),
            "are even",
        ),
        (
            replace(RGB, src_image_size_w=8, src_image_size_h=8, crop=True, load_start_pos_w=1, crop_size_w=8),
            "inside the source picture",
        ),
        (
            replace(RGB, src_image_size_w=8, src_image_size_h=8, crop=True, padding=True),
            "with crop and padding the crop_size is given",
        ),
        (replace(RGB, resize=True), "does not resize"),
        (replace(RGB, resize_output_w=224), "does not resize"),
        (replace(RGB, support_rotation=True), "does not rotate"),
        (replace(RGB, raw_rgbir_to_f16_n=8), "RAW pictures"),
        (AippConfig(input_format=InputFormat.YUV400, csc_switch=True, matrix=(0,) * 9), "no colours to convert"),
    ],
)
def test_fields_that_contradict_one_another_are_refused(config: AippConfig, reason: str) -> None:
    with pytest.raises(PreprocessingError, match=reason):
        checked(config)


def test_a_colour_conversion_without_a_matrix_is_warned_of() -> None:
    assert checked(replace(NV12, csc_switch=True)).csc_switch
    (found,) = breaches(replace(NV12, csc_switch=True))
    assert found.severity == "warning"


@pytest.mark.parametrize(
    ("config", "shape", "reason"),
    [
        (AippConfig(aipp_mode=Mode.DYNAMIC, max_src_image_size=9), SHAPE, "dynamic AIPP"),
        (RGB, (1, 3, 8), "pictures of 4 dims; the input is 1x3x8"),
        (replace(RGB, src_image_size_w=9, src_image_size_h=8), SHAPE, "AIPP makes 9x8 pixels .* takes 8x8"),
        (NV12, (1, 3, 8, 7), "even sides; the input is 7x8"),
        (RGB, (1, 1, 8, 8), "RGB888_U8 without colour conversion makes 3 channels, not 1"),
        (RGB, (1, 4, 8, 8), "makes 3 channels, not 4"),
        (AippConfig(input_format=InputFormat.YUV400), SHAPE, "makes 1 channels, not 3"),
    ],
)
def test_a_configuration_that_does_not_fit_the_input_is_refused(
    config: AippConfig, shape: tuple[int, ...], reason: str
) -> None:
    with pytest.raises(PreprocessingError, match=reason):
        fitting(config, shape)
