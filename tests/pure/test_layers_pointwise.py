from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from torch2om.ir.op import Array, BadOp, Op, Shape
from torch2om.layers import (
    BNLL,
    ELU,
    AbsVal,
    Clip,
    Dropout,
    Eltwise,
    EltwiseOperation,
    Exp,
    Log,
    Mish,
    Power,
    PReLU,
    ReLU,
    ReLU6,
    Sigmoid,
    Swish,
    TanH,
    Threshold,
)
from torch2om.layers.unary import Unary

X = np.array([-800.0, -7.0, -1.5, -0.25, 0.0, 0.25, 1.5, 7.0, 800.0])


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > -700 else 0.0


def softplus(x: float) -> float:
    return x if x > 700 else math.log1p(math.exp(x))


FORMULAS: list[tuple[Unary, Callable[[float], float]]] = [
    (ReLU(), lambda x: max(x, 0)),
    (ReLU(0.1), lambda x: x if x > 0 else 0.1 * x),
    (ReLU6(), lambda x: min(max(x, 0), 6)),
    (ELU(0.5), lambda x: x if x > 0 else 0.5 * (math.exp(x) - 1)),
    (Sigmoid(), sigmoid),
    (TanH(), math.tanh),
    (AbsVal(), abs),
    (BNLL(), softplus),
    (Mish(), lambda x: x * math.tanh(softplus(x))),
    (Swish(), lambda x: x * sigmoid(x)),
    (Swish(1.7), lambda x: x * sigmoid(1.7 * x)),
    (Threshold(0.25), lambda x: float(x > 0.25)),
    (Clip(-1.0, 2.0), lambda x: min(max(x, -1), 2)),
    (Exp(scale=0.01, shift=1), lambda x: math.exp(0.01 * x + 1)),
    (Exp(base=2, scale=0.5, shift=-1), lambda x: 2 ** (0.5 * x - 1)),
    (Log(shift=801), lambda x: math.log(x + 801)),
    (Log(base=10, scale=2, shift=1601), lambda x: math.log10(2 * x + 1601)),
    (Power(2), lambda x: x * x),
    (Power(3, 0.5, -0.25), lambda x: (0.5 * x - 0.25) ** 3),
    (Power(0.5, 1, 801), lambda x: math.sqrt(x + 801)),
    (Power(-1, 1, 801), lambda x: 1 / (x + 801)),
    (Power(scale=-1, shift=6), lambda x: 6 - x),
    (Power(power=0), lambda _: 1),
    (Power(power=2, scale=0, shift=3), lambda _: 9),
    (Dropout(), lambda x: x),
]


@pytest.mark.parametrize(("op", "formula"), FORMULAS)
def test_elements_are_mapped_as_the_equation_says(op: Unary, formula: Callable[[float], float]) -> None:
    (y,) = op.run([X.reshape(3, 3)], [])
    assert op.infer([(3, 3)], []) == (y.shape,)
    np.testing.assert_allclose(y.ravel(), [formula(float(x)) for x in X], rtol=1e-13, atol=1e-300)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("op", [op for op, _ in FORMULAS])
def test_the_bottoms_width_and_numbers_are_kept(op: Unary, dtype: npt.DTypeLike) -> None:
    x = X.astype(dtype)
    x.flags.writeable = False
    assert op.run([x], [])[0].dtype == dtype


@pytest.mark.parametrize("op", [op for op, _ in FORMULAS])
def test_a_scalar_blob_is_mapped_too(op: Unary) -> None:
    assert np.shape(op.run([np.array(0.5)], [])[0]) == ()


@pytest.mark.filterwarnings("error")
def test_powers_and_logarithms_outside_their_domain_are_nan_or_infinite() -> None:
    x = np.array([-1.0, 0.0])
    np.testing.assert_array_equal(Power(0.5).run([x], [])[0], [np.nan, 0])
    np.testing.assert_array_equal(Power(-1).run([x], [])[0], [-1, np.inf])
    np.testing.assert_array_equal(Log().run([x], [])[0], [np.nan, -np.inf])


def test_a_constant_power_ignores_what_the_bottom_holds() -> None:
    x = np.array([np.nan, np.inf])
    np.testing.assert_array_equal(Power(power=0).run([x], [])[0], [1, 1])
    np.testing.assert_array_equal(Power(power=-1, scale=0, shift=4).run([x], [])[0], [0.25, 0.25])


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 4), (2, 3, 4, 5)])
def test_prelu_has_one_slope_per_channel(shape: Shape) -> None:
    x = np.random.default_rng(0).standard_normal(shape)
    slope = np.array([0.1, -0.2, 3.0])
    (y,) = PReLU().run([x], [slope])
    expected = np.where(x > 0, x, x * slope.reshape(3, *(1,) * (len(shape) - 2)))
    assert PReLU().infer([shape], [(3,)]) == (shape,)
    np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("stored", [(), (1,)])
def test_prelu_may_share_one_slope(stored: Shape) -> None:
    x = np.array([[-2.0, 3.0]])
    assert PReLU(channel_shared=True).infer([x.shape], [stored]) == (x.shape,)
    np.testing.assert_array_equal(PReLU(channel_shared=True).run([x], [np.full(stored, 0.5)])[0], [[-1, 3]])


@pytest.mark.parametrize(
    ("op", "expected"),
    [
        (Eltwise(), [5, 9]),
        (Eltwise(coeff=(1, -0.5, 2)), [6, 9.5]),
        (Eltwise(EltwiseOperation.PROD), [-8, 15]),
        (Eltwise(EltwiseOperation.MAX), [4, 5]),
        (Eltwise(EltwiseOperation.MAX, (9, 9, 9)), [4, 5]),
    ],
)
def test_eltwise_combines_its_bottoms(op: Eltwise, expected: list[float]) -> None:
    bottoms = [np.array(values) for values in ([-1.0, 1.0], [2.0, 3.0], [4.0, 5.0])]
    assert op.infer([(2,)] * 3, []) == ((2,),)
    np.testing.assert_array_equal(op.run(bottoms, [])[0], expected)


def test_eltwise_leaves_its_bottoms_alone() -> None:
    bottoms: list[Array] = [np.ones(3), np.ones(3), np.ones(3)]
    Eltwise().run(bottoms, [])
    assert all((bottom == 1).all() for bottom in bottoms)


def test_eltwise_sums_float16_in_float32() -> None:
    terms: list[Array] = [np.array([value], np.float16) for value in (2048, 1, 1)]
    (y,) = Eltwise().run(terms, [])
    assert (y.dtype, y.item()) == (np.dtype(np.float16), 2050)


@pytest.mark.parametrize(("operation", "value"), [(EltwiseOperation.SUM, 6.0), (EltwiseOperation.PROD, 6.0)])
def test_blobs_of_no_dims_are_combined(operation: EltwiseOperation, value: float) -> None:
    (y,) = Eltwise(operation).run([np.asarray(x) for x in (1.0, 2.0, 3.0)], ())
    assert (y.shape, float(y)) == ((), value)


@pytest.mark.parametrize(
    ("op", "bottoms", "weights", "reason"),
    [
        (ReLU(), [(2,), (2,)], [], "exactly 1 bottom"),
        (ReLU(), [(2,)], [(2,)], "exactly 0 weights"),
        (PReLU(), [(2,)], [(2,)], "rank 2 or more"),
        (PReLU(), [(2, 3)], [(2,)], r"needs \[3\]"),
        (PReLU(channel_shared=True), [(2, 3)], [(3,)], r"needs \[\]"),
        (Eltwise(), [(2, 3)], [], "2 bottoms or more, has 1"),
        (Eltwise(), [(2, 3), (2, 1)], [], r"differ in shape: \[2, 3\], \[2, 1\]"),
        (Eltwise(coeff=(1.0,)), [(2, 3), (2, 3)], [], "1 coefficients for 2 bottoms"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(op: Op, bottoms: list[Shape], weights: list[Shape], reason: str) -> None:
    with pytest.raises(BadOp, match=reason):
        op.infer(bottoms, weights)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Clip(1, 0), "min 1 is above max 0"),
        (lambda: Exp(base=0), "base 0"),
        (lambda: Log(base=-2), "base -2"),
        (lambda: Log(base=1), "base 1 has no logarithm"),
        (lambda: Eltwise(EltwiseOperation.PROD, (1, 2)), "no coefficients"),
    ],
)
def test_nonsense_parameters_are_refused(make: Callable[[], Op], reason: str) -> None:
    with pytest.raises(BadOp, match=reason):
        make()
