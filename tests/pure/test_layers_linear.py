from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from torch2om.ir.op import Array, BadOp, Op, Shape
from torch2om.layers import BatchedMatMul, Convolution, Deconvolution, DepthwiseConvolution, InnerProduct, correlation
from torch2om.layers.linear import Filtering

SEEDS = range(60)


def random_op(op_class: type[Convolution | Deconvolution], seed: int) -> tuple[Filtering, list[Array], list[Array]]:
    draw = np.random.default_rng(seed)

    def numbers(low: int, high: int) -> tuple[int, ...]:
        return tuple(int(value) for value in draw.integers(low, high, rank))

    rank, group = int(draw.choice([1, 2, 2, 2, 3])), int(draw.choice([1, 1, 2, 4]))
    inputs, outputs = (group * int(draw.integers(1, 4)) for _ in range(2))
    kernel, stride, dilation = numbers(1, 4), numbers(1, 4), numbers(1, 3)
    pad = tuple(int(draw.integers(0, (k - 1) * d // 2 + 1)) for k, d in zip(kernel, dilation, strict=True))
    op = op_class(outputs, kernel, stride, pad, dilation, group, bias_term=bool(seed % 2))
    x = draw.standard_normal((int(draw.integers(1, 3)), inputs, *numbers(5, 8)))
    return op, [x], [draw.standard_normal(shape) for shape in op.expected_weights([x.shape])]


def assert_adds_up(op: Filtering, x: Array, weights: list[Array], y: Array) -> None:
    """Compare with the sum written out, element by element; x and y swap roles for the transpose."""
    transposed = isinstance(op, Deconvolution)
    filters = weights[0]
    expected = np.zeros_like(y)
    big, small = (expected, x) if transposed else (x, expected)
    per_group = (small.shape[1] // op.group, big.shape[1] // op.group)
    for (o, c), tap in ((pair, tap) for pair in np.ndindex(filters.shape[:2]) for tap in np.ndindex(op.kernel)):
        partner = o // per_group[0] * per_group[1] + c
        for place in np.ndindex(small.shape[2:]):
            at = tuple(
                p * s + t * d - q for p, s, t, d, q in zip(place, op.stride, tap, op.dilation, op.pad, strict=True)
            )
            if all(0 <= a < size for a, size in zip(at, big.shape[2:], strict=True)):
                target, source = ((slice(None), partner, *at), (slice(None), o, *place))
                if transposed:
                    expected[target] += filters[(o, c, *tap)] * x[source]
                else:
                    expected[source] += filters[(o, c, *tap)] * x[target]
    if op.bias_term:
        expected += weights[1].reshape(-1, *(1,) * len(op.kernel))
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("op_class", [Convolution, Deconvolution])
@pytest.mark.parametrize("seed", SEEDS)
def test_filters_slide_as_the_equation_says(op_class: type[Convolution | Deconvolution], seed: int) -> None:
    op, (x,), weights = random_op(op_class, seed)
    (y,) = op.run([x], weights)
    assert y.shape == op.infer([x.shape], [weight.shape for weight in weights])[0]
    assert_adds_up(op, x, weights, y)


@pytest.mark.parametrize("tile", [1, 1500])
@pytest.mark.parametrize("op_class", [Convolution, Deconvolution])
@pytest.mark.parametrize("seed", SEEDS[:20])
def test_tiles_of_any_size_give_the_same_sums(
    op_class: type[Convolution | Deconvolution], seed: int, tile: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    op, bottoms, weights = random_op(op_class, seed)
    (whole,) = op.run(bottoms, weights)
    monkeypatch.setattr(correlation, "TILE_BYTES", tile)
    monkeypatch.setattr(correlation, "CHANNEL_BYTES", tile)
    np.testing.assert_allclose(op.run(bottoms, weights)[0], whole, rtol=0, atol=1e-12 * np.abs(whole).max())


@pytest.mark.parametrize("op_class", [Convolution, Deconvolution])
def test_bottoms_and_weights_are_left_alone(op_class: type[Convolution | Deconvolution]) -> None:
    op, bottoms, weights = random_op(op_class, 2)
    for array in (*bottoms, *weights):
        array.flags.writeable = False
    op.run(bottoms, weights)


def test_a_kernel_overlapping_its_input_by_less_than_a_stride_sees_zeros() -> None:
    op = Convolution(1, (3, 3), (2, 2), bias_term=False)
    assert op.infer([(1, 1, 2, 2)], [(1, 1, 3, 3)]) == ((1, 1, 1, 1),)
    (y,) = op.run([np.ones((1, 1, 2, 2))], [np.ones((1, 1, 3, 3))])
    assert y.item() == 4


def test_a_depthwise_convolution_is_a_convolution() -> None:
    draw = np.random.default_rng(0)
    x, w = draw.standard_normal((2, 4, 6, 6)), draw.standard_normal((4, 1, 3, 3))
    same = Convolution(4, (3, 3), group=4, bias_term=False).run([x], [w])
    np.testing.assert_array_equal(DepthwiseConvolution(4, (3, 3), group=4, bias_term=False).run([x], [w])[0], same[0])


@pytest.mark.parametrize(
    ("axis", "transpose", "top"), [(1, False, (2, 5)), (2, True, (2, 3, 5)), (-1, False, (2, 3, 4, 5)), (0, True, (5,))]
)
def test_an_inner_product_flattens_from_its_axis_on(axis: int, transpose: bool, top: Shape) -> None:
    draw = np.random.default_rng(0)
    x = draw.standard_normal((2, 3, 4, 6))
    op = InnerProduct(5, axis=axis, transpose=transpose)
    weights = [draw.standard_normal(shape) for shape in op.expected_weights([x.shape])]
    (y,) = op.run([x], weights)
    assert op.infer([x.shape], [weight.shape for weight in weights]) == (top,) == (y.shape,)
    matrix = weights[0].T if transpose else weights[0]
    expected = np.einsum("ik,ok->io", x.reshape(-1, matrix.shape[1]), matrix) + weights[1]
    np.testing.assert_allclose(y.reshape(-1, 5), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("first", "second"), [(False, False), (True, False), (False, True), (True, True)])
def test_batched_products_transpose_as_asked(first: bool, second: bool) -> None:
    draw = np.random.default_rng(0)
    a, b = draw.standard_normal((3, 2, 4, 5)), draw.standard_normal((3, 2, 5, 6))
    bottoms = [a.swapaxes(2, 3) if first else a, b.swapaxes(2, 3) if second else b]
    op = BatchedMatMul(first, second)
    (y,) = op.run(bottoms, [])
    assert op.infer([x.shape for x in bottoms], []) == (y.shape,)
    np.testing.assert_allclose(y, np.einsum("...ij,...jk->...ik", a, b), atol=1e-12)
    assert op.macs([x.shape for x in bottoms], []) == 3 * 2 * 4 * 5 * 6


@pytest.mark.parametrize(
    ("op", "bottom", "macs"),
    [
        (Convolution(8, (3, 3), pad=(1, 1)), (2, 4, 5, 5), 2 * 8 * 25 * 4 * 9),
        (Convolution(8, (3, 3), group=4), (1, 4, 5, 5), 8 * 9 * 9),
        (Deconvolution(6, (2, 2), (2, 2), group=2), (1, 4, 5, 5), 4 * 25 * 3 * 4),
        (InnerProduct(7), (2, 3, 4, 5), 2 * 60 * 7),
        (InnerProduct(7, axis=2, transpose=True), (2, 3, 4, 5), 6 * 20 * 7),
    ],
)
def test_multiply_accumulates_are_counted(op: Op, bottom: Shape, macs: int) -> None:
    assert op.macs([bottom], op.expected_weights([bottom])) == macs


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_bottoms_width_is_kept(dtype: npt.DTypeLike) -> None:
    for op_class in (Convolution, Deconvolution):
        op, bottoms, weights = random_op(op_class, 3)
        (y,) = op.run([x.astype(dtype) for x in bottoms], [w.astype(dtype) for w in weights])
        assert y.dtype == dtype
    (y,) = InnerProduct(1, bias_term=False).run([np.ones((1, 4096), dtype)], [np.ones((1, 4096), dtype)])
    assert (y.dtype, y.item()) == (dtype, 4096)


@pytest.mark.parametrize(
    ("op", "bottoms", "weights", "reason"),
    [
        (Convolution(4, (3, 3)), [(1, 3, 5)], [], "needs a blob of rank 4"),
        (Convolution(4, (3, 3), group=2), [(1, 3, 5, 5)], [], "3 channels are no multiple of group 2"),
        (Convolution(4, (3, 3)), [(1, 3, 5, 5)], [(4, 3, 3, 3)], "needs exactly 2 weights, has 1"),
        (Convolution(4, (3, 3)), [(1, 3, 5, 5)], [(4, 3, 3, 2), (4,)], r"weight 0 has shape \[4, 3, 3, 2\]"),
        (Convolution(4, (3, 3)), [(1, 3, 5, 5)], [(4, 3, 3, 3), (1, 4)], r"weight 1 .* needs \[4\]"),
        (Convolution(4, (3, 3)), [(1, 3, 2, 5)], [(4, 3, 3, 3), (4,)], "kernel of extent .* is larger"),
        (Convolution(4, (3, 3)), [(1, 3, 5, 5)] * 2, [(4, 3, 3, 3), (4,)], "exactly 1 bottom"),
        (Deconvolution(4, (1, 1), pad=(3, 3)), [(1, 3, 5, 5)], [(3, 4, 1, 1), (4,)], "leaves nothing"),
        (InnerProduct(4, axis=3), [(1, 3, 5)], [], "axis 3 is outside"),
        (InnerProduct(4), [(1, 3, 5)], [(4, 14), (4,)], r"needs \[4, 15\]"),
        (BatchedMatMul(), [(2, 3), (4, 5)], [], "inner dims 3 and 4 differ"),
        (BatchedMatMul(), [(2, 2, 3), (1, 3, 5)], [], "batch dims"),
        (BatchedMatMul(), [(2, 2, 3), (3, 5)], [], "ranks"),
        (BatchedMatMul(), [(2, 3)], [], "exactly 2 bottoms"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(op: Op, bottoms: list[Shape], weights: list[Shape], reason: str) -> None:
    with pytest.raises(BadOp, match=reason):
        op.infer(bottoms, weights)


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"num_output": 0}, "num_output 0"),
        ({"group": 0}, "group 0"),
        ({"group": 3}, "no multiple of group 3"),
        ({"kernel": ()}, "no axis"),
        ({"kernel": (0, 3)}, "below 1"),
        ({"stride": (1, 0)}, "below 1"),
        ({"dilation": (1, 0)}, "below 1"),
        ({"pad": (-1, 0)}, "below 0"),
        ({"stride": (1,)}, "one number per axis"),
    ],
)
def test_nonsense_parameters_are_refused(parameters: dict[str, int | tuple[int, ...]], reason: str) -> None:
    sound: dict[str, int | tuple[int, ...]] = {"num_output": 4, "kernel": (3, 3)}
    with pytest.raises(BadOp, match=reason):
        Convolution(**sound | parameters)  # type: ignore[arg-type]  # the table mixes the fields' types


def test_an_inner_product_without_outputs_is_refused() -> None:
    with pytest.raises(BadOp, match="num_output 0"):
        InnerProduct(0)
