"""Each layout of the chip unpacks to the array that was packed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packing import Values, fractal_nz, fractal_z, fractal_z_c04, nc1hwc0

from torch2om.om.layouts import Packed, unpack

Dims = tuple[int, ...]
SIDES = st.integers(1, 3)
CHANNELS = st.integers(1, 40)
DTYPES = st.sampled_from(["float16", "float32", "int8"])


def numbered(shape: Dims, dtype: str = "float16") -> Values:
    """Numbers of which no two neighbours are equal; none is zero."""
    return (np.arange(math.prod(shape)) % 119 + 1).astype(dtype).reshape(shape)


@settings(deadline=None, max_examples=50)
@given(CHANNELS, CHANNELS, SIDES, SIDES, DTYPES)
def test_filters(n: int, c: int, h: int, w: int, dtype: str) -> None:
    values = numbered((n, c, h, w), dtype)
    np.testing.assert_array_equal(unpack(fractal_z(values), "FRACTAL_Z", values.shape, "NCHW"), values)


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 40), st.integers(1, 9), st.integers(1, 9), SIDES, DTYPES)
def test_filters_of_groups(groups: int, outputs: int, inputs: int, side: int, dtype: str) -> None:
    values = numbered((groups * outputs, inputs, side, side), dtype)
    layout = f"FRACTAL_Z:{groups}"
    np.testing.assert_array_equal(unpack(fractal_z(values, groups), layout, values.shape, "NCHW"), values)


def test_depthwise_filters_stand_on_the_diagonals_of_blocks() -> None:
    values = numbered((20, 1, 3, 3))
    packed = fractal_z(values, 20)
    assert packed.size == 2 * 9 * 16 * 16
    blocks = packed.reshape(2, 9, 16, 16)
    assert np.array_equal(blocks[1, :, 3, 3], values[19, 0].ravel())
    assert np.count_nonzero(blocks) == values.size
    np.testing.assert_array_equal(unpack(packed, "FRACTAL_Z:20", values.shape, "NCHW"), values)


@settings(deadline=None, max_examples=50)
@given(CHANNELS, st.integers(1, 4), SIDES, SIDES, DTYPES)
def test_filters_of_few_channels(n: int, c: int, h: int, w: int, dtype: str) -> None:
    values = numbered((n, c, h, w), dtype)
    np.testing.assert_array_equal(unpack(fractal_z_c04(values), "FRACTAL_Z_C04", values.shape, "NCHW"), values)


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 3), CHANNELS, SIDES, SIDES, DTYPES)
def test_channels(n: int, c: int, h: int, w: int, dtype: str) -> None:
    values = numbered((n, c, h, w), dtype)
    np.testing.assert_array_equal(unpack(nc1hwc0(values), "NC1HWC0", values.shape, "NCHW"), values)
    np.testing.assert_array_equal(unpack(nc1hwc0(values, 4), "NC1HWC0_C04", values.shape, "NCHW"), values)


def test_a_vector_of_channels_keeps_its_one_axis_and_loses_the_spare_bytes_of_old_files() -> None:
    values = numbered((20,))
    packed = nc1hwc0(values.reshape(1, 20, 1, 1))
    spare = np.concatenate((packed, np.zeros(16, np.float16)))
    for flat in (packed, spare):
        np.testing.assert_array_equal(unpack(flat, "NC1HWC0", (20,), "NCHW"), values)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(1, 3), max_size=2), CHANNELS, CHANNELS, DTYPES)
def test_matrices(batch: list[int], m: int, n: int, dtype: str) -> None:
    values = numbered((*batch, m, n), dtype)
    np.testing.assert_array_equal(unpack(fractal_nz(values), "FRACTAL_NZ", values.shape, "ND"), values)


@pytest.mark.parametrize("axes", ["NCHW", "NHWC", "HWCN", "CHWN"])
def test_the_axes_stand_in_the_order_of_the_logical_shape(axes: str) -> None:
    values = numbered((18, 5, 2, 3))
    perm = ["NCHW".index(axis) for axis in axes]
    expected = values.transpose(perm)
    np.testing.assert_array_equal(unpack(fractal_z(values), "FRACTAL_Z", expected.shape, axes), expected)


@pytest.mark.parametrize("layout", ["ND", "NCHW", "HWCN"])
def test_plain_layouts_are_views(layout: str) -> None:
    values = numbered((2, 3, 4, 5))
    found = unpack(values.ravel(), layout, values.shape, layout)
    assert np.shares_memory(found, values)
    np.testing.assert_array_equal(found, values)


@pytest.mark.parametrize(
    ("layout", "dims", "logical", "reason"),
    [
        ("FRACTAL_Z", (16, 16, 1, 1), "NCHW", "its shape and layout need 256"),
        ("FRACTAL_Z", (2**40, 2**40, 2**40, 2**40), "NCHW", "numbers, its shape"),
        ("FRACTAL_Z:3", (16, 16, 1, 1), "NCHW", "do not make 3 equal groups"),
        ("FRACTAL_Z", (1, 2, 3, 4, 5), "NCDHW", "has the shape"),
        ("FRACTAL_Z", (1, 2, 3, 4), "ND", "in ND order"),
        ("FRACTAL_Z", (0, 2, 3, 4), "NCHW", "has the shape"),
        ("FRACTAL_Z", (-1, 2, 3, 4), "NCHW", "has the shape"),
        ("FRACTAL_Z_C04", (1, 5, 1, 1), "NCHW", "for up to 4"),
        ("FRACTAL_NZ", (7,), "ND", "for matrices"),
        ("FRACTAL_DECONV", (1, 1, 1, 1), "NCHW", "FRACTAL_DECONV is not known"),
        ("", (1,), "ND", "without a name"),
        ("ND", (5,), "ND", "need 5"),
    ],
)
def test_what_is_not_unpacked_says_why(layout: str, dims: Dims, logical: str, reason: str) -> None:
    with pytest.raises(Packed, match=reason):
        unpack(np.ones(8, np.float16), layout, dims, logical)
