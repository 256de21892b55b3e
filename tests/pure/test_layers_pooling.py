from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from torch2om.ir.op import Array, BadOp, Op, Shape
from torch2om.layers import SPP, Im2col, Pooling, PoolMethod, Rounding

LOWEST = -float(np.finfo(np.float32).max)


def pooled(op: Pooling, x: Array) -> Array:
    (y,) = op.run([x], [])
    assert op.infer([x.shape], []) == (y.shape,)
    return y


def image(*rows: list[float]) -> Array:
    return np.array(rows, np.float64)[None, None]


def pair(values: npt.NDArray[np.int64]) -> tuple[int, int]:
    return int(values[0]), int(values[1])


def windows(op: Pooling, x: Array) -> list[list[list[float]]]:
    """The elements inside the image that each window sees, written out for one channel."""
    height, width = x.shape[2:]
    down, across = op.counts(x.shape[2:])

    def seen(p: int, q: int) -> list[float]:
        rows = range(p * op.stride[0] - op.pad[0], p * op.stride[0] - op.pad[0] + op.kernel[0])
        columns = range(q * op.stride[1] - op.pad[1], q * op.stride[1] - op.pad[1] + op.kernel[1])
        places = product(rows, columns)
        return [float(x[0, 0, i, j]) for i, j in places if 0 <= i < height and 0 <= j < width]

    return [[seen(p, q) for q in range(across)] for p in range(down)]


@pytest.mark.parametrize("rounding", list(Rounding))
@pytest.mark.parametrize("seed", range(30))
def test_a_maximum_is_the_largest_element_of_its_window(seed: int, rounding: Rounding) -> None:
    draw = np.random.default_rng(seed)
    (kernel, stride), pad = draw.integers(1, 5, (2, 2)), draw.integers(0, 3, 2)
    pad = np.minimum(pad, kernel - 1)
    op = Pooling(PoolMethod.MAX, pair(kernel), pair(stride), pair(pad), rounding)
    x = draw.standard_normal((1, 1, *draw.integers(5, 9, 2)))
    expected = [[max(seen, default=LOWEST) for seen in row] for row in windows(op, x)]
    np.testing.assert_array_equal(pooled(op, x)[0, 0], expected)


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "pad", "rounding", "count"),
    [
        (7, 3, 2, 0, Rounding.CEIL, 3),
        (8, 3, 2, 0, Rounding.CEIL, 4),
        (8, 3, 2, 0, Rounding.FLOOR, 3),
        (4, 1, 2, 0, Rounding.CEIL, 3),  # the last window begins behind the image: without padding it stays
        (7, 2, 2, 1, Rounding.CEIL, 4),  # with padding it goes
        (2, 3, 2, 0, Rounding.CEIL, 1),
    ],
)
def test_windows_are_counted_as_caffe_counts_them(
    size: int, kernel: int, stride: int, pad: int, rounding: Rounding, count: int
) -> None:
    op = Pooling(PoolMethod.AVE, (kernel, kernel), (stride, stride), (pad, pad), rounding)
    assert op.infer([(1, 2, size, size)], []) == ((1, 2, count, count),)


def test_padding_on_one_axis_drops_the_last_window_of_the_other() -> None:
    assert Pooling(kernel=(2, 1), stride=(2, 2)).counts((4, 4)) == (2, 3)
    assert Pooling(kernel=(2, 1), stride=(2, 2), pad=(1, 0)).counts((4, 4)) == (3, 2)


def test_a_window_outside_the_image_is_the_lowest_float_or_nan() -> None:
    x = np.ones((1, 1, 4, 4))
    maximum = pooled(Pooling(kernel=(1, 1), stride=(2, 2)), x)
    average = pooled(Pooling(PoolMethod.AVE, (1, 1), (2, 2)), x)
    assert maximum[0, 0, 2, 0] == LOWEST
    assert np.isnan(average[0, 0, 2, 2])
    assert average[0, 0, 1, 1] == 1


def test_an_average_counts_padding_but_not_what_lies_beyond() -> None:
    op = Pooling(PoolMethod.AVE, (3, 3), (2, 2), (1, 1))
    y = pooled(op, np.ones((1, 1, 4, 4)))[0, 0]
    np.testing.assert_allclose(y, np.outer([2 / 3, 1, 1 / 2], [2 / 3, 1, 1 / 2]), atol=1e-15)


@pytest.mark.parametrize("pool", [PoolMethod.MAX, PoolMethod.AVE])
def test_global_pooling_reduces_the_whole_image(pool: PoolMethod) -> None:
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 5))
    reduced = x.max((2, 3)) if pool is PoolMethod.MAX else x.mean((2, 3))
    np.testing.assert_allclose(pooled(Pooling(pool, global_pooling=True), x)[:, :, 0, 0], reduced, atol=1e-15)


def test_a_maximum_passes_over_nan() -> None:
    y = pooled(Pooling(kernel=(1, 2), stride=(1, 2)), image([np.nan, 1.0, np.nan, np.nan]))
    np.testing.assert_array_equal(y.ravel(), [1, LOWEST])


def test_the_mask_is_the_first_index_of_the_maximum() -> None:
    op = Pooling(kernel=(2, 2), stride=(2, 2), pad=(1, 1), tops=2)
    x = image([1.0, 5.0, 5.0], [2.0, 5.0, 7.0], [0.0, 9.0, 9.0])
    assert op.infer([x.shape], []) == ((1, 1, 2, 2),) * 2
    best, mask = op.run([x], [])
    np.testing.assert_array_equal(best[0, 0], [[1, 5], [2, 9]])
    np.testing.assert_array_equal(mask[0, 0], [[0, 1], [3, 7]])


def test_the_mask_of_a_window_outside_the_image_is_minus_one() -> None:
    best, mask = Pooling(kernel=(1, 1), stride=(2, 2), tops=2).run([np.zeros((1, 1, 4, 4))], [])
    assert (best[0, 0, 2, 2], mask[0, 0, 2, 2], mask[0, 0, 1, 1]) == (LOWEST, -1, 10)


def test_stochastic_pooling_weighs_elements_by_themselves() -> None:
    y = pooled(Pooling(PoolMethod.STOCHASTIC, (1, 2), (1, 2)), image([1.0, 3.0, 0.0, 0.0]))
    np.testing.assert_array_equal(y.ravel(), [10 / 4, 0])


def test_a_pyramid_of_one_level_stays_an_image() -> None:
    x = np.random.default_rng(0).standard_normal((2, 3, 5, 7))
    op = SPP(1)
    assert op.infer([x.shape], []) == ((2, 3, 1, 1),)
    np.testing.assert_array_equal(op.run([x], [])[0], x.max((2, 3), keepdims=True))


def test_a_pyramid_puts_its_levels_side_by_side() -> None:
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 4))
    op = SPP(2, PoolMethod.AVE)
    assert op.infer([x.shape], []) == ((2, 15),)
    quarters = x.reshape(2, 3, 2, 2, 2, 2).mean((3, 5)).reshape(2, 12)
    np.testing.assert_allclose(op.run([x], [])[0], np.hstack([x.mean((2, 3)), quarters]), atol=1e-15)


def test_im2col_gathers_windows_as_channels() -> None:
    x = np.arange(2.0 * 3 * 4).reshape(1, 2, 3, 4)
    op = Im2col((2, 2), (1, 1), (0, 1), (2, 3))
    (y,) = op.run([x], [])
    assert op.infer([x.shape], []) == (y.shape,) == ((1, 8, 1, 3),)
    np.testing.assert_array_equal(y[0, :, 0, 0], [0, 2, 0, 10, 0, 14, 0, 22])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize(
    "op", [*(Pooling(pool, (2, 2)) for pool in PoolMethod), Pooling(kernel=(2, 2), tops=2), SPP(2), Im2col((2, 2))]
)
def test_the_bottoms_width_is_kept(op: Op, dtype: npt.DTypeLike) -> None:
    assert {top.dtype for top in op.run([np.ones((1, 1, 4, 4), dtype)], [])} == {np.dtype(dtype)}


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({}, "below 1"),
        ({"kernel": (2, 2), "pad": (2, 0)}, r"pad \[2, 0\] is not below kernel"),
        ({"kernel": (2, 2), "pool": PoolMethod.STOCHASTIC, "pad": (1, 1)}, "STOCHASTIC pooling has no padding"),
        ({"kernel": (2, 2), "global_pooling": True}, "kernel from the image"),
        ({"pad": (1, 1), "global_pooling": True}, "pad 0 and stride 1"),
        ({"stride": (1, 2), "global_pooling": True}, "pad 0 and stride 1"),
        ({"kernel": (2, 2), "pool": PoolMethod.AVE, "tops": 2}, "AVE has no 2 tops"),
        ({"kernel": (2, 2), "tops": 3}, "no 3 tops"),
    ],
)
def test_nonsense_parameters_are_refused(parameters: dict[str, Any], reason: str) -> None:  # Any: a table of fields
    with pytest.raises(BadOp, match=reason):
        Pooling(**parameters)


@pytest.mark.parametrize(
    ("op", "bottom", "reason"),
    [
        (Pooling(kernel=(2, 2)), (1, 3, 5), r"needs a blob \(N, C, H, W\)"),
        (Pooling(kernel=(6, 2), rounding=Rounding.FLOOR), (1, 3, 5, 5), "kernel 6 is larger than 5"),
        (Pooling(kernel=(6, 2), stride=(1, 1)), (1, 3, 5, 5), "kernel 6 is larger than 5"),
        (SPP(2), (1, 3, 5), r"needs a blob \(N, C, H, W\)"),
        (SPP(4), (1, 3, 5, 5), "is not below kernel"),
        (Im2col((2, 2)), (1, 3, 5), "needs a blob of rank 4"),
        (Im2col((6, 2)), (1, 3, 5, 5), "kernel of extent"),
    ],
)
def test_images_that_do_not_fit_are_refused(op: Op, bottom: Shape, reason: str) -> None:
    with pytest.raises(BadOp, match=reason):
        op.infer([bottom], [])


def test_a_pyramid_needs_a_level() -> None:
    with pytest.raises(BadOp, match="pyramid_height 0"):
        SPP(0)
