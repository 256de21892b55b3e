"""Pictures as bytes, and back through AIPP."""

from __future__ import annotations

import numpy as np
import pytest

from torch2om.errors import UsageError
from torch2om.ir.op import Array
from torch2om.preprocessing import simulate
from torch2om.preprocessing.colours import (
    DECODINGS,
    Order,
    PixelFormat,
    Standard,
    encoded,
    gray_of,
    pixel_format,
    standard_of,
)
from torch2om.preprocessing.normalization import NOTHING
from torch2om.preprocessing.plan import Preprocessing, configured

SHAPE = (1, 3, 32, 48)


def smooth() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Return a picture whose colours change slowly, so that 2x2 pixels have nearly one colour."""
    rows, columns = np.mgrid[0:32, 0:48]
    return np.stack([rows * 7, columns * 5, 255 - rows * 3 - columns * 2], axis=-1).astype(np.uint8)


def through(pixels: PixelFormat, standard: Standard, order: Order = Order.RGB) -> Array:
    config = configured(Preprocessing(NOTHING, pixels=pixels, standard=standard, order=order), NOTHING, SHAPE)
    return simulate(config, encoded(smooth(), pixels, standard), SHAPE, np.float64)


@pytest.mark.parametrize("pixels", [PixelFormat.RGB, PixelFormat.BGR])
@pytest.mark.parametrize("order", Order)
def test_rgb_and_bgr_come_back_exactly(pixels: PixelFormat, order: Order) -> None:
    wanted = smooth().transpose(2, 0, 1)[:: 1 if order is Order.RGB else -1]
    assert np.array_equal(through(pixels, Standard.BT601_WIDE, order)[0], wanted)


@pytest.mark.parametrize("standard", Standard)
@pytest.mark.parametrize("pixels", [PixelFormat.NV12, PixelFormat.NV21])
@pytest.mark.parametrize("order", Order)
def test_yuv_comes_back_but_for_rounding_and_shared_colour(
    pixels: PixelFormat, standard: Standard, order: Order
) -> None:
    wanted = smooth().transpose(2, 0, 1)[:: 1 if order is Order.RGB else -1].astype(int)
    error = np.abs(through(pixels, standard, order)[0] - wanted)
    assert error.mean() < 3
    assert error.max() <= 9


def test_one_colour_comes_back_to_within_a_step_or_two() -> None:
    for colour in [(255, 255, 255), (0, 0, 0), (200, 30, 90), (12, 200, 40), (128, 128, 128)]:
        flat = np.full((2, 2, 3), colour, np.uint8)
        for standard in Standard:
            wish = Preprocessing(NOTHING, pixels=PixelFormat.NV12, standard=standard)
            config = configured(wish, NOTHING, (1, 3, 2, 2))
            back = simulate(config, encoded(flat, PixelFormat.NV12, standard), (1, 3, 2, 2), np.float64)
            assert np.abs(back[0, :, 0, 0] - colour).max() <= 4


def test_nv21_is_nv12_with_its_pairs_turned() -> None:
    uv, vu = (encoded(smooth(), form, Standard.BT601_WIDE)[0] for form in (PixelFormat.NV12, PixelFormat.NV21))
    assert uv.shape == (48, 48)
    assert np.array_equal(uv[:32], vu[:32])
    assert np.array_equal(uv[32:].reshape(16, 24, 2), vu[32:].reshape(16, 24, 2)[..., ::-1])


def test_gray_is_what_pillow_makes() -> None:
    image = pytest.importorskip("PIL.Image")
    rgb = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    assert np.array_equal(gray_of(rgb), np.asarray(image.fromarray(rgb).convert("L")))
    assert encoded(rgb, PixelFormat.GRAY, Standard.BT601_WIDE).shape == (1, 40, 60, 1)


def test_narrow_gray_is_stretched_to_the_full_range() -> None:
    rgb = np.repeat(np.array([[[0], [128]], [[200], [255]]], np.uint8), 3, axis=-1)
    for standard in Standard:
        wish = Preprocessing(NOTHING, pixels=PixelFormat.NV12, standard=standard)
        config = configured(wish, NOTHING, (1, 1, 2, 2))
        made = simulate(config, encoded(rgb, PixelFormat.NV12, standard), (1, 1, 2, 2), np.float64)
        assert np.abs(made[0, 0] - rgb[..., 0]).max() <= 1


def test_formats_are_known_by_their_short_names_too() -> None:
    assert pixel_format("nv12") is PixelFormat.NV12
    assert pixel_format("yuv420sp-nv21") is PixelFormat.NV21
    with pytest.raises(UsageError, match="did you mean rgb888"):
        pixel_format("RGB88")


def test_the_standard_of_a_matrix_is_found() -> None:
    for standard, decoding in DECODINGS.items():
        for matrix in (decoding.to(Order.RGB), decoding.to(Order.BGR), decoding.to_gray):
            found = standard_of(matrix, decoding.bias)
            assert DECODINGS[found].to_gray[0] == decoding.to_gray[0]
            assert found is standard or matrix == decoding.to_gray
    with pytest.raises(UsageError, match="of no video standard"):
        standard_of((1,) * 9, (0, 0, 0))
