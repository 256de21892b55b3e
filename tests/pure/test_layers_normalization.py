from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from torch2om.ir.op import Array, BadOp, Op, Shape
from torch2om.layers import LRN, MVN, BatchNorm, Bias, Normalize, NormRegion, Scale

X: Array = np.random.default_rng(0).standard_normal((2, 3, 4, 5))
C = np.array([0.5, -2.0, 3.0])


def per_channel(values: Array) -> Array:
    return values.reshape(1, -1, 1, 1)


def assert_close(op: Op, bottoms: list[Array], weights: list[Array], expected: Array) -> None:
    for array in (*bottoms, *weights):
        array.flags.writeable = False
    (y,) = op.run(bottoms, weights)
    shapes = op.infer([bottom.shape for bottom in bottoms], [weight.shape for weight in weights])
    assert shapes == (y.shape,) == (expected.shape,)
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-13 * np.abs(expected).max())


def test_batch_norm_divides_its_statistics_by_the_factor() -> None:
    variance = np.array([1.0, 2.0, 4.0])
    expected = (X - per_channel(C / 4)) / np.sqrt(per_channel(variance / 4) + 1e-3)
    assert_close(BatchNorm(eps=1e-3), [X], [C.copy(), variance, np.array([4.0])], expected)


def test_batch_norm_with_factor_zero_has_no_statistics() -> None:
    assert_close(BatchNorm(eps=0.25), [X], [C.copy(), np.abs(C), np.zeros(1)], X / 0.5)


@pytest.mark.parametrize("shape", [(6, 3), (2, 3, 7), (2, 3, 4, 5)])
def test_batch_norm_can_measure_the_batch(shape: Shape) -> None:
    x = np.random.default_rng(1).standard_normal(shape)
    axes = (0, *range(2, len(shape)))
    expected = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + 1e-5)
    assert_close(BatchNorm(use_global_stats=False), [x], [C.copy(), C.copy(), np.ones(1)], expected)


@pytest.mark.parametrize(
    ("axis", "num_axes", "shape", "aligned"),
    [
        (1, 1, (3,), (3, 1, 1)),
        (0, 2, (2, 3), (2, 3, 1, 1)),
        (2, -1, (4, 5), (4, 5)),
        (-2, 1, (4,), (4, 1)),
        (1, 0, (), ()),
        (0, -1, (2, 3, 4, 5), (2, 3, 4, 5)),
    ],
)
def test_scale_and_bias_align_with_the_axes_from_axis_on(
    axis: int, num_axes: int, shape: Shape, aligned: Shape
) -> None:
    gamma, beta = (np.random.default_rng(seed).standard_normal(shape) for seed in (2, 3))
    both: list[Array] = [np.asarray(gamma), np.asarray(beta)]
    assert_close(Scale(axis, num_axes), [X], both[:1], X * np.reshape(gamma, aligned))
    expected = X * np.reshape(gamma, aligned) + np.reshape(beta, aligned)
    assert_close(Scale(axis, num_axes, bias_term=True), [X], both, expected)
    assert_close(Bias(axis, num_axes), [X], both[1:], X + np.reshape(beta, aligned))
    if axis >= 0:
        second = Scale(axis, bias_term=True)
        assert second.expected_weights([X.shape, shape]) == (shape,)
        assert_close(second, [X, both[0]], both[1:], expected)
        assert_close(Bias(axis), [X, both[1]], [], X + np.reshape(beta, aligned))


def test_one_number_may_be_stored_as_a_vector_of_one() -> None:
    assert_close(Scale(num_axes=0), [X], [np.array([2.0])], X * 2)


@pytest.mark.parametrize("local_size", [1, 3, 5, 9])
def test_lrn_across_channels_sums_the_channels_around(local_size: int) -> None:
    half = local_size // 2
    sums = np.stack([(X[:, max(c - half, 0) : c + half + 1] ** 2).sum(1) for c in range(3)], axis=1)
    expected = X * (1.5 + 0.5 / local_size * sums) ** -0.75
    assert_close(LRN(local_size, alpha=0.5, k=1.5), [X], [], expected)


def test_lrn_within_a_channel_sums_the_square_around_and_ignores_k() -> None:
    padded = np.pad(X**2, ((0, 0), (0, 0), (1, 1), (1, 1)))
    sums = sum(padded[:, :, i : i + 4, j : j + 5] for i in range(3) for j in range(3))
    op = LRN(3, alpha=0.5, k=7, norm_region=NormRegion.WITHIN_CHANNEL)
    assert_close(op, [X], [], X * (1 + 0.5 / 9 * sums) ** -0.75)


@pytest.mark.parametrize("across", [False, True])
def test_mvn_adds_eps_outside_the_root(across: bool) -> None:
    axes = (1, 2, 3) if across else (2, 3)
    centred = X - X.mean(axes, keepdims=True)
    assert_close(MVN(normalize_variance=False, across_channels=across), [X], [], centred)
    expected = centred / (X.std(axes, keepdims=True) + 0.1)
    assert_close(MVN(across_channels=across, eps=0.1), [X], [], expected)


def test_mvn_makes_four_axes() -> None:
    x = np.array([[1.0, 2.0], [3.0, 5.0]])
    expected = (x - x.mean(1, keepdims=True)).reshape(2, 2, 1, 1)
    assert_close(MVN(normalize_variance=False, across_channels=True), [x], [], expected)


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 4), (2, 3, 4, 5)])
def test_normalize_divides_by_the_length(shape: Shape) -> None:
    x = np.random.default_rng(4).standard_normal(shape)
    scale = C.reshape(3, *(1,) * (len(shape) - 2))
    whole = np.sqrt((x**2).sum(tuple(range(1, x.ndim)), keepdims=True) + 0.1)
    places = np.sqrt((x**2).sum(1, keepdims=True) + 0.1)
    assert_close(Normalize(channel_shared=False, eps=0.1), [x], [C.copy()], scale * x / whole)
    assert_close(Normalize(across_spatial=False, channel_shared=False, eps=0.1), [x], [C.copy()], scale * x / places)
    assert_close(Normalize(across_spatial=False, eps=0.1), [x], [np.array(20.0)], 20 * x / places)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize(
    "op",
    [
        BatchNorm(),
        BatchNorm(use_global_stats=False),
        Scale(bias_term=True),
        Bias(),
        LRN(),
        LRN(norm_region=NormRegion.WITHIN_CHANNEL),
        MVN(),
        Normalize(),
    ],
)
def test_the_bottoms_width_is_kept(op: Op, dtype: npt.DTypeLike) -> None:
    weights = [np.ones(shape, dtype) for shape in op.expected_weights([X.shape])]
    assert op.run([X.astype(dtype)], weights)[0].dtype == dtype


@pytest.mark.parametrize(
    ("op", "bottoms", "weights", "reason"),
    [
        (BatchNorm(), [(3,)], [(3,), (3,), (1,)], "rank 2 or more"),
        (BatchNorm(), [(2, 3)], [(3,), (3,)], "exactly 3 weights, has 2"),
        (BatchNorm(), [(2, 3)], [(3,), (2,), (1,)], r"weight 1 has shape \[2\], needs \[3\]"),
        (Scale(2, 3), [(2, 3, 4, 5)], [(4, 5)], "exceed"),
        (Scale(4), [(2, 3, 4, 5)], [(4,)], "axis 4 is outside"),
        (Scale(0), [(2, 3, 4), (2, 3, 1)], [], "is not a run of"),
        (Scale(1), [(2, 3), (3, 1)], [], "is not a run of"),
        (Scale(), [(2, 3), (3,)], [(3,)], "exactly 0 weights"),
        (Scale(bias_term=True), [(2, 3)], [(3,)], "exactly 2 weights"),
        (Scale(), [(2, 3), (3,), (3,)], [], "exactly 1 bottom"),
        (Bias(), [(2, 3), (2,)], [], "is not a run of"),
        (Bias(), [(2, 3)], [(2,)], r"needs \[3\]"),
        (LRN(), [(2, 3, 4)], [], r"needs a blob \(N, C, H, W\)"),
        (MVN(), [(2, 3, 4, 5, 6)], [], "rank 1 to 4"),
        (Normalize(), [(2,)], [()], "rank 2 to 4"),
        (Normalize(channel_shared=False), [(2, 3)], [(2,)], r"needs \[3\]"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(op: Op, bottoms: list[Shape], weights: list[Shape], reason: str) -> None:
    with pytest.raises(BadOp, match=reason):
        op.infer(bottoms, weights)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: BatchNorm(eps=-1), "eps -1"),
        (lambda: Scale(num_axes=-2), "num_axes -2"),
        (lambda: Bias(num_axes=-2), "num_axes -2"),
        (lambda: LRN(4), "local_size 4 is not odd"),
    ],
)
def test_nonsense_parameters_are_refused(make: Callable[[], Op], reason: str) -> None:
    with pytest.raises(BadOp, match=reason):
        make()
