"""What AIPP computes, against numbers worked out by hand and against formulas written another way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from torch2om.errors import PreprocessingError
from torch2om.preprocessing import AippConfig, InputFormat, fed_shape, simulate

RGB = AippConfig(input_format=InputFormat.RGB888)
NV12 = AippConfig(
    input_format=InputFormat.YUV420SP,
    csc_switch=True,
    matrix=(298, 0, 409, 298, -100, -208, 298, 516, 0),
    input_bias=(16, 128, 128),
)


def picture(*shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def test_normalization_rounds_constants_and_every_step_to_float16() -> None:
    config = replace(RGB, mean_chn=(123, 116, 103), min_chn=(0.675, 0.28, 0.53), var_reci_chn=(0.0171247538,) * 3)
    fed = np.full((1, 1, 2, 3), 150, np.uint8)
    half = np.float16
    by_hand = half((half(27) - half(0.675)) * half(0.0171247538))
    assert simulate(config, fed, (1, 3, 1, 2))[0, 0, 0, 0] == by_hand
    exact = simulate(config, fed, (1, 3, 1, 2), np.float64)[0, 0, 0, 0]
    assert exact == pytest.approx((150 - 123.675) * 0.0171247538, rel=1e-6)
    assert by_hand != half(exact)


def test_channels_without_numbers_pass_as_they_are() -> None:
    fed = picture(1, 2, 2, 3)
    made = simulate(replace(RGB, mean_chn=(10,), var_reci_chn=(1, 2)), fed, (1, 3, 2, 2))
    assert np.array_equal(made[0, 0], fed[0, ..., 0] - 10.0)
    assert np.array_equal(made[0, 1], fed[0, ..., 1] * 2.0)
    assert np.array_equal(made[0, 2], fed[0, ..., 2])


def test_swap_comes_before_the_normalization_and_padding_after_it() -> None:
    config = replace(
        RGB,
        src_image_size_w=4,
        src_image_size_h=3,
        crop=True,
        load_start_pos_w=1,
        load_start_pos_h=2,
        crop_size_w=2,
        crop_size_h=1,
        padding=True,
        left_padding_size=1,
        bottom_padding_size=2,
        padding_value=-7,
        rbuv_swap_switch=True,
        mean_chn=(1, 2, 3),
        var_reci_chn=(2, 2, 2),
    )
    fed = picture(1, 3, 4, 3)
    made = simulate(config, fed, (1, 3, 3, 3))
    assert np.array_equal(made[0, 0, 0], [-7, *((fed[0, 2, 1:3, 2] - 1.0) * 2)])
    assert np.array_equal(made[0, 2, 0], [-7, *((fed[0, 2, 1:3, 0] - 3.0) * 2)])
    assert (made[:, :, 1:] == -7).all()


def test_yuv_becomes_rgb_pixel_by_pixel_with_each_colour_for_a_block_of_four() -> None:
    fed = picture(1, 6, 4)
    made = simulate(NV12, fed, (1, 3, 4, 4))
    for row in range(4):
        for column in range(4):
            y = int(fed[0, row, column]) - 16
            u, v = (int(fed[0, 4 + row // 2, column // 2 * 2 + i]) - 128 for i in range(2))
            rgb = (298 * y + 409 * v) >> 8, (298 * y - 100 * u - 208 * v) >> 8, (298 * y + 516 * u) >> 8
            assert tuple(made[0, :, row, column]) == tuple(min(max(value, 0), 255) for value in rgb)


def test_nv21_is_nv12_with_u_and_v_swapped() -> None:
    fed = picture(1, 6, 4)
    swapped = fed.copy()
    swapped[:, 4:] = fed[:, 4:].reshape(1, 2, 2, 2)[..., ::-1].reshape(1, 2, 4)
    vu = replace(NV12, rbuv_swap_switch=True)
    assert np.array_equal(simulate(vu, swapped, (1, 3, 4, 4)), simulate(NV12, fed, (1, 3, 4, 4)))


def test_rgb_becomes_gray_with_the_first_row_and_the_output_bias() -> None:
    gray = replace(RGB, csc_switch=True, matrix=(76, 150, 30, *(0,) * 6), output_bias=(5, 0, 0))
    fed = picture(2, 3, 4, 3)
    expected = np.minimum((fed.astype(int) @ [76, 150, 30] >> 8) + 5, 255)
    assert np.array_equal(simulate(gray, fed, (2, 1, 3, 4))[:, 0], expected)


@pytest.mark.parametrize(
    ("order", "ax", "rbuv"),
    [("xrgb", True, False), ("xbgr", True, True), ("rgbx", False, False), ("bgrx", False, True)],
)
def test_four_byte_pixels_come_out_as_rgb(order: str, ax: bool, rbuv: bool) -> None:
    config = AippConfig(input_format=InputFormat.XRGB8888, ax_swap_switch=ax, rbuv_swap_switch=rbuv)
    fed = picture(1, 2, 2, 4)
    expected = np.stack([fed[..., order.index(channel)] for channel in "rgb"], axis=1)
    assert np.array_equal(simulate(config, fed, (1, 3, 2, 2)), expected)


@pytest.mark.parametrize(
    ("layout", "shape", "fed"),
    [
        (InputFormat.YUV420SP, (2, 3, 8, 6), (2, 12, 6)),
        (InputFormat.XRGB8888, (2, 3, 8, 6), (2, 8, 6, 4)),
        (InputFormat.RGB888, (2, 3, 8, 6), (2, 8, 6, 3)),
        (InputFormat.YUV400, (2, 1, 8, 6), (2, 8, 6, 1)),
    ],
)
def test_the_device_is_fed_bytes_in_the_layout_of_the_format(
    layout: InputFormat, shape: tuple[int, ...], fed: tuple[int, ...]
) -> None:
    assert fed_shape(AippConfig(input_format=layout), shape) == fed


def test_bytes_of_another_shape_or_type_are_refused() -> None:
    with pytest.raises(PreprocessingError, match="fed uint8 1x4x4x3, not uint8 1x3x4x4"):
        simulate(RGB, picture(1, 3, 4, 4), (1, 3, 4, 4))
    with pytest.raises(PreprocessingError, match="fed uint8 1x4x4x3, not float64 1x4x4x3"):
        simulate(RGB, np.zeros((1, 4, 4, 3)), (1, 3, 4, 4))  # type: ignore[arg-type]  # what is refused


def test_a_colour_conversion_without_a_matrix_is_not_simulated() -> None:
    with pytest.raises(PreprocessingError, match="without a matrix"):
        simulate(replace(NV12, matrix=()), picture(1, 6, 4), (1, 3, 4, 4))


def test_what_atc_would_refuse_is_not_simulated() -> None:
    with pytest.raises(PreprocessingError, match="names its input_format"):
        simulate(AippConfig(), picture(1, 4, 4, 3), (1, 3, 4, 4))
