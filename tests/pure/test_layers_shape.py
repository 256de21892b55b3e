from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from torch2om.ir.op import Array, BadOp, Op, Shape
from torch2om.layers import (
    Concat,
    Crop,
    Flatten,
    Parameter,
    Permute,
    Reorg,
    Reshape,
    Reverse,
    ShuffleChannel,
    Silence,
    Slice,
    Split,
    Tile,
)


def counted(*shape: int) -> Array:
    return np.arange(np.prod(shape), dtype=np.float64).reshape(shape)


def run(op: Op, *bottoms: Array) -> Array:
    (shape,) = op.infer([x.shape for x in bottoms], [])
    (top,) = op.run(bottoms, [])
    assert top.shape == shape
    return top


@pytest.mark.parametrize(
    ("op", "shape"),
    [
        (Reshape((0, -1)), (2, 72)),
        (Reshape((0, 0, 12)), (2, 6, 12)),
        (Reshape((2, 3), axis=1, num_axes=1), (2, 2, 3, 4, 3)),
        (Reshape((0, -1), axis=1, num_axes=2), (2, 6, 4, 3)),
        (Reshape((-1, 0), axis=2), (2, 6, 4, 3)),
        (Reshape((1,), axis=0, num_axes=0), (1, 2, 6, 4, 3)),
        (Reshape((1,), axis=-1), (2, 6, 4, 3, 1)),
        (Reshape((12,), axis=-3, num_axes=2), (2, 6, 12)),
        (Reshape((-1,), axis=4, num_axes=0), (2, 6, 4, 3, 1)),
        (Flatten(), (2, 72)),
        (Flatten(axis=-2), (2, 6, 12)),
        (Flatten(axis=0, end_axis=1), (12, 4, 3)),
        (Flatten(axis=2, end_axis=2), (2, 6, 4, 3)),
    ],
)
def test_new_dims_keep_the_order_of_elements(op: Op, shape: Shape) -> None:
    top = run(op, counted(2, 6, 4, 3))
    assert top.shape == shape
    np.testing.assert_array_equal(top.ravel(), np.arange(144))


def test_a_scalar_reshapes_to_ones() -> None:
    assert run(Reshape((1, 1)), counted()).shape == (1, 1)


def test_permuting_moves_dims_and_appends_the_unnamed() -> None:
    x = counted(2, 3, 4, 5)
    np.testing.assert_array_equal(run(Permute((0, 2, 3, 1)), x), x.transpose(0, 2, 3, 1))
    np.testing.assert_array_equal(run(Permute((3, 1)), x), x.transpose(3, 1, 0, 2))
    np.testing.assert_array_equal(run(Permute(), x), x)


def test_slicing_and_concatenation_undo_each_other() -> None:
    x = counted(2, 6, 4)
    for op in (
        Slice(tops=3),
        Slice(axis=-2, slice_point=(1, 5), tops=3),
        Slice(axis=2, slice_point=(3,)),
        Slice(tops=1),
    ):
        parts = op.run([x], [])
        assert op.infer([x.shape], []) == tuple(part.shape for part in parts)
        np.testing.assert_array_equal(run(Concat(op.axis), *parts), x)


def test_splitting_and_tiling_copy() -> None:
    x = counted(2, 3)
    assert [top is x for top in Split(tops=3).run([x], [])] == [True] * 3
    assert Split(tops=3).infer([(2, 3)], []) == ((2, 3),) * 3
    np.testing.assert_array_equal(run(Tile(tiles=2), x), np.tile(x, (1, 2)))
    np.testing.assert_array_equal(run(Tile(axis=-2, tiles=3), x), np.tile(x, (3, 1)))


def test_copies_of_one_row_share_its_memory() -> None:
    x = counted(2, 1, 3)
    tiled = run(Tile(axis=1, tiles=4), x)
    np.testing.assert_array_equal(tiled, np.tile(x, (1, 4, 1)))
    assert np.shares_memory(tiled, x)


def test_cropping_takes_the_reference_dims_from_the_axis_on() -> None:
    x, reference = counted(2, 3, 6, 7), counted(9, 9, 4, 5)
    np.testing.assert_array_equal(run(Crop(offset=(1, 2)), x, reference), x[:, :, 1:5, 2:7])
    np.testing.assert_array_equal(run(Crop(offset=(2,)), x, reference), x[:, :, 2:6, 2:7])
    np.testing.assert_array_equal(run(Crop(axis=-1), x, reference), x[..., :5])


def test_reversing_flips_each_named_dim() -> None:
    x = counted(2, 3, 4)
    np.testing.assert_array_equal(run(Reverse((0,)), x), x[::-1])
    np.testing.assert_array_equal(run(Reverse((1, -1)), x), x[:, ::-1, ::-1])


def test_shuffling_reads_the_groups_column_by_column() -> None:
    assert run(ShuffleChannel(group=3), counted(1, 6)).tolist() == [[0, 2, 4, 1, 3, 5]]
    x = counted(2, 6, 2, 2)
    np.testing.assert_array_equal(run(ShuffleChannel(group=2), run(ShuffleChannel(group=3), x)), x)


def test_reorganizing_puts_the_place_in_the_square_before_the_channel() -> None:
    x = counted(2, 3, 4, 6)
    top = run(Reorg(stride=2), x)
    assert top.shape == (2, 12, 2, 3)
    for i in range(2):
        for j in range(2):
            np.testing.assert_array_equal(top[:, (2 * i + j) * 3 : (2 * i + j + 1) * 3], x[:, :, i::2, j::2])
    np.testing.assert_array_equal(run(Reorg(stride=2, reverse=True), top), x)


def test_a_parameter_is_its_weight_and_silence_says_nothing() -> None:
    op, weight = Parameter((2, 3)), counted(2, 3)
    assert op.infer([], [(2, 3)]) == ((2, 3),)
    np.testing.assert_array_equal(op.run([], [weight])[0], weight)
    assert Silence().infer([(2,), (3,)], []) == Silence().run([weight, weight], []) == ()


REFUSALS: tuple[tuple[Callable[[], object], str], ...] = (
    (lambda: Reshape((-1, -1)), "more than one -1"),
    (lambda: Reshape((-2,)), "below -1"),
    (lambda: Reshape((1,), num_axes=-2), "num_axes -2 is below -1"),
    (lambda: Reshape((5, -1)).infer([(2, 3)], []), r"6 elements do not divide into dims \[5, -1\]"),
    (lambda: Reshape((5,)).infer([(2, 3)], []), "hold 5 elements, the bottom has 6"),
    (lambda: Reshape((2, 3, 0)).infer([(2, 3)], []), "copy a dim that the bottom does not have"),
    (lambda: Reshape((1,), axis=3).infer([(2, 3)], []), "axis 3 is outside"),
    (lambda: Reshape((1,), axis=1, num_axes=2).infer([(2, 3)], []), "pass a blob of rank 2"),
    (lambda: Flatten(axis=2, end_axis=1).infer([(2, 3, 4)], []), "axis 2 lies behind end_axis 1"),
    (lambda: Permute((1, 1)), "names a dim twice"),
    (lambda: Permute((2,)).infer([(2, 3)], []), "leaves a blob of rank 2"),
    (lambda: Concat().infer([], []), "at least 1 bottom"),
    (lambda: Concat().infer([(2, 3), (3, 3)], []), "differ outside axis 1"),
    (lambda: Concat().infer([(2, 3), (2, 3, 1)], []), "differ outside axis 1"),
    (lambda: Slice(tops=0), "at least 1 top"),
    (lambda: Slice(slice_point=(1, 2), tops=2), "2 slice points do not make 2 tops"),
    (lambda: Slice(tops=4).infer([(2, 6)], []), "6 does not divide into 4 tops"),
    (lambda: Slice(slice_point=(6,)).infer([(2, 6)], []), "do not rise from 0 to 6"),
    (lambda: Slice(slice_point=(3, 3), tops=3).infer([(2, 6)], []), "do not rise from 0 to 6"),
    (lambda: Split(tops=0), "at least 1 top"),
    (Tile, "tiles must be at least 1"),
    (lambda: Crop(offset=()), "at least 1 offset"),
    (lambda: Crop(offset=(-1,)), "negative"),
    (lambda: Crop(offset=(2,)).infer([(1, 1, 4, 4), (1, 1, 3, 3)], []), "pass the end of dim 2"),
    (lambda: Crop(axis=1, offset=(1, 2)).infer([(1, 4, 4, 4), (1, 1, 1, 1)], []), "2 offsets for 3 cropped dims"),
    (lambda: Crop().infer([(1, 1, 4, 4), (3, 3)], []), "fewer dims"),
    (lambda: Reverse((0, -2)).infer([(2, 3)], []), "name a dim twice"),
    (lambda: ShuffleChannel(0), "group must be at least 1"),
    (lambda: ShuffleChannel(4).infer([(1, 6)], []), "6 channels do not divide into 4 groups"),
    (lambda: ShuffleChannel(2).infer([(6,)], []), "needs a channel dim"),
    (lambda: Reorg(0), "stride must be at least 1"),
    (lambda: Reorg().infer([(1, 3, 5, 4)], []), "5 x 4 does not divide"),
    (lambda: Reorg(reverse=True).infer([(1, 6, 4, 4)], []), "6 channels do not divide by 4"),
    (lambda: Reorg().infer([(3, 4, 4)], []), "rank 4"),
    (lambda: Parameter((2,)).infer([], [(3,)]), "has shape"),
    (lambda: Parameter((2,)).infer([(2,)], [(2,)]), "exactly 0 bottoms"),
    (lambda: Silence().infer([], []), "at least 1 bottom"),
)


@pytest.mark.parametrize(("make", "reason"), REFUSALS, ids=[reason for _, reason in REFUSALS])
def test_what_caffe_refuses_is_refused_with_the_reason(make: Callable[[], object], reason: str) -> None:
    with pytest.raises(BadOp, match=reason):
        make()
