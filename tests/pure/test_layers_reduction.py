from __future__ import annotations

import numpy as np
import pytest

from torch2om.ir.op import BadOp
from torch2om.layers import ArgMax, Interp, Reduction, ReductionOperation, Softmax, Upsample


def test_reducing_everything_gives_a_scalar_blob() -> None:
    x = np.array([[1.0, -2.0], [3.0, -4.0]])
    wanted = {"SUM": -2.0, "ASUM": 10.0, "SUMSQ": 30.0, "MEAN": -0.5}
    for operation in ReductionOperation:
        op = Reduction(operation, coeff=2)
        (top,) = op.run([x], [])
        assert op.infer([x.shape], []) == (top.shape,) == ((),)
        assert top == 2 * wanted[operation]


def test_float16_sums_are_carried_in_float32() -> None:
    x = np.full((1, 4096), 1.0, np.float16)
    (top,) = Reduction(axis=1).run([x], [])
    assert (top.dtype, top[0]) == (np.dtype(np.float16), 4096)


def test_of_equal_elements_argmax_takes_the_last_as_caffe_sorts() -> None:
    x = np.array([[1.0, 3.0, 3.0, 2.0], [0.0, 0.0, 0.0, 0.0]])
    assert ArgMax(axis=1).run([x], [])[0].tolist() == [[2.0], [3.0]]
    assert ArgMax(axis=1, top_k=3).run([x], [])[0].tolist() == [[2.0, 1.0, 3.0], [3.0, 2.0, 1.0]]
    assert ArgMax(axis=-1, top_k=3, out_max_val=True).run([x], [])[0].tolist() == [[3.0, 3.0, 2.0], [0.0, 0.0, 0.0]]


def test_of_equal_elements_argmax_takes_the_first_as_atc_does() -> None:
    x = np.array([[1.0, 3.0, 3.0, 2.0]])
    assert ArgMax(axis=1, top_k=3, first_of_equals=True).run([x], [])[0].tolist() == [[1.0, 2.0, 3.0]]


def test_argmax_without_axis_flattens_and_keeps_at_least_three_dims() -> None:
    x = np.array([[[1.0, 9.0], [4.0, 2.0]]])
    assert ArgMax(top_k=2).run([x], [])[0].tolist() == [[[1.0, 2.0]]]
    assert ArgMax(top_k=2, out_max_val=True).run([x], [])[0].tolist() == [[[1.0, 2.0], [9.0, 4.0]]]
    assert ArgMax(top_k=2).infer([(2, 5)], []) == ((2, 1, 2),)
    assert ArgMax().infer([(2, 3, 4, 5, 6)], []) == ((2, 1, 1, 1, 1),)


def test_softmax_stays_finite_for_large_values() -> None:
    x = np.array([[1000.0, 1000.0, -1000.0]])
    assert Softmax().run([x], [])[0].tolist() == [[0.5, 0.5, 0.0]]


def test_interp_sizes_follow_factors_crops_and_explicit_sizes() -> None:
    bottom = [(1, 1, 9, 7)]
    assert Interp(zoom_factor=2).infer(bottom, []) == ((1, 1, 17, 13),)
    assert Interp(shrink_factor=2).infer(bottom, []) == ((1, 1, 5, 4),)
    assert Interp(shrink_factor=2, zoom_factor=3).infer(bottom, []) == ((1, 1, 13, 10),)
    assert Interp(height=4, width=20, pad_beg=-2).infer(bottom, []) == ((1, 1, 4, 20),)
    assert Interp(pad_beg=-2, pad_end=-1).infer(bottom, []) == ((1, 1, 6, 4),)


def test_interp_keeps_the_corners_and_upsample_repeats() -> None:
    x = np.array([[[[0.0, 2.0], [4.0, 6.0]]]])
    (top,) = Interp(height=3, width=3).run([x], [])
    assert top[0, 0].tolist() == [[0.0, 1.0, 2.0], [2.0, 3.0, 4.0], [4.0, 5.0, 6.0]]
    (cropped,) = Interp(pad_beg=-1).run([x], [])
    assert cropped.tolist() == [[[[6.0]]]]
    (repeated,) = Upsample(factor=2.0).run([x], [])  # type: ignore[arg-type]  # what a file's float field holds
    assert repeated[0, 0].tolist() == [[0, 0, 2, 2], [0, 0, 2, 2], [4, 4, 6, 6], [4, 4, 6, 6]]


def test_blobs_of_lower_rank_are_images_with_ones_behind() -> None:
    x = np.arange(6.0).reshape(1, 2, 3)
    for op, shape in ((Upsample(2), (1, 2, 6, 2)), (Interp(zoom_factor=3), (1, 2, 7, 1))):
        (top,) = op.run([x], [])
        assert op.infer([x.shape], []) == (top.shape,) == (shape,)
        np.testing.assert_array_equal(top, op.run([x.reshape(1, 2, 3, 1)], [])[0])


def test_parameters_without_meaning_are_refused() -> None:
    with pytest.raises(BadOp, match="axis 3 is outside a blob of rank 2"):
        Reduction(axis=3).infer([(2, 3)], [])
    with pytest.raises(BadOp, match="axis -3 is outside a blob of rank 2"):
        Softmax(axis=-3).infer([(2, 3)], [])
    with pytest.raises(BadOp, match="top_k must be at least 1"):
        ArgMax(top_k=0)
    with pytest.raises(BadOp, match="top_k 4 passes the 3 elements compared"):
        ArgMax(top_k=4).infer([(2, 3)], [])
    with pytest.raises(BadOp, match="rank 1 or more"):
        ArgMax().infer([()], [])
    with pytest.raises(BadOp, match="both or not at all"):
        Interp(height=3)
    with pytest.raises(BadOp, match="must not be negative"):
        Interp(height=-3)
    with pytest.raises(BadOp, match="exclude"):
        Interp(height=3, width=3, zoom_factor=2)
    with pytest.raises(BadOp, match="zoom_factor must be at least 1"):
        Interp(zoom_factor=0)
    with pytest.raises(BadOp, match="shrink_factor must be at least 1"):
        Interp(shrink_factor=0)
    with pytest.raises(BadOp, match="only crops are possible"):
        Interp(pad_beg=1)
    with pytest.raises(BadOp, match="the crop leaves nothing of 3 x 3"):
        Interp(pad_beg=-2, pad_end=-1).infer([(1, 1, 3, 3)], [])
    for op in (Interp(), Upsample(2)):
        with pytest.raises(BadOp, match="needs a bottom of rank 4 or less"):
            op.infer([(1, 1, 1, 3, 3)], [])
    with pytest.raises(BadOp, match="the factor must be a whole number and at least 1"):
        Upsample(0)
    with pytest.raises(BadOp, match="must be a whole number"):
        Upsample(2.5)  # type: ignore[arg-type]  # what a file's float field can hold
