from __future__ import annotations

from math import isclose

import numpy as np
import pytest
import torch
from agreement import assert_agrees, normal
from torch.nn import functional

from torch2om.ir.op import BadOp, Shape
from torch2om.layers import Resize, ResizeMode

NAMES: dict[ResizeMode, dict[int, str]] = {
    ResizeMode.NEAREST: {1: "nearest", 2: "nearest", 3: "nearest"},
    ResizeMode.NEAREST_EXACT: {1: "nearest-exact", 2: "nearest-exact", 3: "nearest-exact"},
    ResizeMode.LINEAR: {1: "linear", 2: "bilinear", 3: "trilinear"},
    ResizeMode.CUBIC: {2: "bicubic"},
    ResizeMode.AREA: {1: "area", 2: "area", 3: "area"},
}
WITH_CORNERS = (ResizeMode.LINEAR, ResizeMode.CUBIC)
CASES = [(mode, rank, False) for mode, names in NAMES.items() for rank in names]
CASES += [(mode, rank, True) for mode in WITH_CORNERS for rank in NAMES[mode]]

SIZES: tuple[tuple[int, int], ...] = ((7, 14), (7, 13), (9, 4), (5, 5), (6, 1), (1, 6), (4, 12), (10, 3), (30, 82))
SCALES: tuple[tuple[int, float], ...] = ((7, 2.0), (7, 1.5), (9, 0.4), (8, 1.1), (3, 1.3333), (5, 3.0), (6, 0.75))


def interpolated(op: Resize, x: torch.Tensor, scales: list[float] | None = None) -> torch.Tensor:
    return functional.interpolate(
        x,
        size=None if scales else list(op.size),
        scale_factor=scales,
        mode=NAMES[op.mode][len(op.size)],
        align_corners=op.align_corners if op.mode in WITH_CORNERS else None,
    )


@pytest.mark.parametrize(("mode", "rank", "corners"), CASES)
@pytest.mark.parametrize(("length", "size"), SIZES)
def test_every_mode_resizes_to_a_size_as_pytorch(
    mode: ResizeMode, rank: int, corners: bool, length: int, size: int
) -> None:
    x = normal(1, 2, *(4, 5)[: rank - 1], length)
    op = Resize(mode, (*(6, 3)[: rank - 1], size), corners)
    assert_agrees(op, [x], [interpolated(op, x)])


@pytest.mark.parametrize(("mode", "rank", "corners"), CASES)
@pytest.mark.parametrize(("length", "scale"), SCALES)
def test_a_given_scale_factor_sets_the_coordinates(
    mode: ResizeMode, rank: int, corners: bool, length: int, scale: float
) -> None:
    x = normal(1, 2, *(4, 5)[: rank - 1], length)
    scales = [*(1.5, 0.6)[: rank - 1], scale]
    size = tuple(int(dim * factor) for dim, factor in zip(x.shape[2:], scales, strict=True))
    op = Resize(mode, size, corners, tuple(scales))
    assert_agrees(op, [x], [interpolated(op, x, scales)])


@pytest.mark.parametrize("mode", [ResizeMode.NEAREST, ResizeMode.NEAREST_EXACT])
def test_nearest_elements_at_exact_ties_are_those_of_pytorchs_kernel_for_the_rank_and_size(mode: ResizeMode) -> None:
    ties = ((2, 41), (2, 82), (2, 110), (3, 123), (6, 141), (12, 148), (14, 135))
    for length, size in ties:
        for rank in (1, 2, 3):
            x = torch.arange(length, dtype=torch.float64).reshape(1, 1, *(1,) * (rank - 1), length)
            op = Resize(mode, (*(1,) * (rank - 1), size))
            assert_agrees(op, [x], [interpolated(op, x)])


@pytest.mark.parametrize(("mode", "rank", "corners"), [case for case in CASES if case[1] == 2])
@pytest.mark.parametrize("in_size", [(3, 8), (7, 1), (5, 5)])
def test_the_matrices_are_the_op(mode: ResizeMode, rank: int, corners: bool, in_size: Shape) -> None:
    op = Resize(mode, (5, 6), corners)
    x = normal(2, 3, *in_size).numpy()
    rows, columns = op.matrices(in_size)
    assert (rows.shape, columns.shape) == ((5, in_size[0]), (6, in_size[1]))
    (resized,) = op.run([x], [])
    np.testing.assert_allclose(rows @ x @ columns.T, resized, rtol=0, atol=1e-14)


def test_rows_of_the_matrices_are_sparse_and_sum_to_one() -> None:
    taps = {ResizeMode.NEAREST: 1, ResizeMode.NEAREST_EXACT: 1, ResizeMode.LINEAR: 2, ResizeMode.CUBIC: 4}
    for mode, most in taps.items():
        (matrix,) = Resize(mode, (23,)).matrices((17,))
        assert np.count_nonzero(matrix, axis=1).max() <= most
        assert all(isclose(total, 1, rel_tol=1e-15) for total in matrix.sum(axis=1))


def test_doubling_has_exact_weights() -> None:
    (matrix,) = Resize(ResizeMode.LINEAR, (4,), scales=(2.0,)).matrices((2,))
    np.testing.assert_array_equal(matrix, [[1, 0], [0.75, 0.25], [0.25, 0.75], [0, 1]])


def test_parameters_without_meaning_are_refused() -> None:
    with pytest.raises(BadOp, match="must hold positive numbers"):
        Resize(ResizeMode.LINEAR, (4, 0))
    with pytest.raises(BadOp, match="1 scales for 2 axes"):
        Resize(ResizeMode.LINEAR, (4, 4), scales=(2.0,))
    with pytest.raises(BadOp, match="must be positive"):
        Resize(ResizeMode.LINEAR, (4,), scales=(-2.0,))
    with pytest.raises(BadOp, match="align_corners has no meaning in mode NEAREST"):
        Resize(ResizeMode.NEAREST, (4,), align_corners=True)
    with pytest.raises(BadOp, match="fewer dims than size"):
        Resize(ResizeMode.LINEAR, (4, 4)).infer([(3,)], [])
