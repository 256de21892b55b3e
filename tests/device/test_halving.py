"""Rounding to half precision in float32, against numpy's own conversion."""

from __future__ import annotations

import numpy as np
import pytest

from torch2om.ir.op import Op
from torch2om.layers import (
    AbsVal,
    Concat,
    Crop,
    Dropout,
    Eltwise,
    EltwiseOperation,
    Flatten,
    Permute,
    Pooling,
    PoolMethod,
    Power,
    ReLU,
    ReLU6,
    Reshape,
    Reverse,
    ShuffleChannel,
    Slice,
    Split,
    Tile,
)
from torch2om.layers.precision import BLOCK, halved
from torch2om.layers.selection import selects

HALVES = np.arange(0x7C00, dtype=np.uint16).view(np.float16).astype(np.float32)  # every one that is not negative
MIDDLES = (HALVES[1:] + HALVES[:-1]) / 2


def same_bits(values: np.ndarray) -> bool:
    with np.errstate(over="ignore"):
        expected = values.astype(np.float16).astype(np.float32)
    return np.array_equal(halved(values).view(np.uint32), expected.view(np.uint32))


@pytest.mark.parametrize("sign", [1, -1])
def test_every_half_stays_as_it_is(sign: int) -> None:
    np.testing.assert_array_equal(halved(sign * HALVES), sign * HALVES)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("towards", [0.0, None, np.inf])
def test_between_two_halves_the_nearer_one_is_taken_and_halfway_the_even_one(sign: int, towards: float | None) -> None:
    near = MIDDLES if towards is None else np.nextafter(MIDDLES, np.float32(towards))
    assert same_bits((sign * near).astype(np.float32))


def test_random_bits_round_as_numpy_rounds_them() -> None:
    bits = np.random.default_rng(0).integers(0, 1 << 32, 1 << 20, dtype=np.uint32).view(np.float32)
    assert same_bits(bits[~np.isnan(bits)])


def test_beyond_the_largest_half_is_infinity_and_nan_stays_nan() -> None:
    found = halved(np.array([65504, 65519.99, 65520, 1e30, -np.inf, np.nan], np.float32))
    np.testing.assert_array_equal(found, [65504, 65504, np.inf, np.inf, -np.inf, np.nan])


@pytest.mark.parametrize("shape", [(), (0,), (3, 5), (BLOCK,), (BLOCK + 1,), (2, BLOCK)])
def test_any_shape_keeps_its_shape(shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(1).standard_normal(shape).astype(np.float32)
    found = halved(values)
    assert found.shape == shape
    np.testing.assert_array_equal(found, values.astype(np.float16).astype(np.float32))


def test_strided_values_are_read_in_their_order() -> None:
    values = np.arange(24, dtype=np.float32).reshape(4, 6).T / 7
    np.testing.assert_array_equal(halved(values), values.astype(np.float16).astype(np.float32))


SELECTING = (
    AbsVal(),
    Dropout(),
    Flatten(),
    Permute((0, 2, 3, 1)),
    Pooling(PoolMethod.MAX, (2, 2), (2, 2)),
    Pooling(PoolMethod.MAX, global_pooling=True),
    ReLU(),
    ReLU6(),
    Reshape((0, -1)),
    Reverse((0,)),
    ShuffleChannel(2),
    Slice(axis=1, tops=2),
    Split(2),
    Tile(axis=1, tiles=2),
    Concat(),
    Crop(axis=3, offset=(0,)),
    Eltwise(EltwiseOperation.MAX),
)
COMPUTING = (
    ReLU(negative_slope=0.1),
    Pooling(PoolMethod.AVE, (2, 2), (2, 2)),
    Pooling(PoolMethod.MAX, (3, 3), (2, 2), (1, 1)),
    Eltwise(),
    Power(scale=3),
)


def bottoms_of(op: Op) -> list[np.ndarray]:
    count = 2 if isinstance(op, Concat | Crop | Eltwise) else 1
    values = np.random.default_rng(2).standard_normal((count, 1, 4, 4, 4))
    return list((8 * values).astype(np.float32))


@pytest.mark.parametrize("op", SELECTING, ids=str)
def test_rounding_before_or_after_a_selecting_layer_is_the_same(op: Op) -> None:
    assert selects(op)
    bottoms = bottoms_of(op)
    after = [halved(top) for top in op.run(bottoms, [])]
    before = op.run([halved(bottom) for bottom in bottoms], [])
    for left, right in zip(before, after, strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("op", COMPUTING, ids=str)
def test_a_layer_that_computes_does_not_select(op: Op) -> None:
    assert not selects(op)
