from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from legal import assert_computes_the_same
from legality import ALL, applied, assert_same, error, kinds, legal, net_of, normal, refusal, without

from torch2om.executor import execute
from torch2om.ir.op import Array, Op
from torch2om.layers import (
    BNLL,
    ELU,
    AbsVal,
    Ceil,
    Celu,
    Clip,
    Cos,
    Eltwise,
    Erf,
    Exp,
    Expm1,
    Floor,
    Gelu,
    Hardshrink,
    HardSigmoid,
    HardSwish,
    Hardtanh,
    Log,
    Log1p,
    LogSigmoid,
    Mish,
    Power,
    PReLU,
    Reciprocal,
    ReLU,
    ReLU6,
    Round,
    Rsqrt,
    Selu,
    Sigmoid,
    Sign,
    Sin,
    Softplus,
    Softshrink,
    Softsign,
    Sqrt,
    Swish,
    TanH,
    Tanhshrink,
    Threshold,
    Trunc,
)
from torch2om.layers.activation import SELU_ALPHA
from torch2om.rulebook.case import chain
from torch2om.targets import TARGETS

EDGES = (
    0.0,
    -0.0,
    1e-6,
    -1e-6,
    0.5,
    -0.5,
    1.0,
    -1.0,
    3.0,
    -3.0,
    6.0,
    -6.0,
    20.0,
    -20.0,
    20.5,
    100.0,
    -100.0,
    1e4,
    -1e4,
)
TYPICAL = tuple(np.linspace(-8, 8, 333))
TINY = tuple(1e-3 * np.linspace(-1, 1, 41))
POSITIVE = tuple(np.concatenate([np.logspace(-6, 6, 99), [0.25, 1.0, 1e4]]))
FINITE_EXPONENTIALS = tuple(value for value in (*EDGES, *TYPICAL) if value < 80)  # beyond, exp passes float32's largest

ANY: tuple[Op, ...] = (
    ReLU6(),
    Hardtanh(),
    Hardtanh(-0.3, 2.5),
    Hardtanh(0, 0.7),
    Hardtanh(-0.7, 0),
    Hardtanh(0, math.inf),
    Hardtanh(-math.inf, 0),
    Hardtanh(-math.inf, 0.7),
    Hardtanh(0.7, math.inf),
    Hardtanh(-math.inf, math.inf),
    Hardtanh(-65504, 65504),
    Hardtanh(2, -1),
    Clip(-0.3, 2.5),
    Hardshrink(),
    Hardshrink(-1.0),
    HardSigmoid(),
    HardSwish(),
    LogSigmoid(),
    Mish(),
    Selu(),
    Sign(),
    Softplus(),
    Softplus(2.5),
    Softplus(-0.5),
    Softplus(1.0, 3.0),
    Softplus(2.0, -1.0),
    Softshrink(),
    Softsign(),
    Swish(),
    Swish(1.702),
    Tanhshrink(),
    Threshold(0.5),
    BNLL(),
    ELU(0.7),
    Celu(),
    Celu(0.3),
    Gelu(),
    Gelu(tanh=True),
    Erf(),
)


def column(*values: float) -> Array:
    """Return the values as float32 numbers in one blob, so that both runs are fed the same."""
    return np.asarray(values, np.float32).astype(np.float64).reshape(1, -1)


@pytest.mark.parametrize("target", ALL)
@pytest.mark.parametrize("op", ANY, ids=str)
def test_an_activation_is_right_for_any_value(op: Op, target: str) -> None:
    for values in (TYPICAL, EDGES):
        assert_same(net_of(op, ((1, len(values)),)), target, (column(*values),))


@pytest.mark.parametrize("target", ALL)
@pytest.mark.parametrize(
    "op",
    [Hardtanh(), HardSwish(), Swish(), Mish(), Gelu(), Gelu(tanh=True), Erf(), Selu(), Celu(0.3), Expm1()],
    ids=str,
)
def test_an_activation_keeps_the_digits_of_small_values(op: Op, target: str) -> None:
    assert_same(net_of(op, ((1, len(TINY)),)), target, (column(*TINY),))


@pytest.mark.parametrize("target", ALL)
@pytest.mark.parametrize("op", [Sqrt(), Rsqrt(), Reciprocal(), Log1p(), Log(2.0, 3.0, 0.5)], ids=str)
def test_roots_and_logarithms_of_positive_values(op: Op, target: str) -> None:
    assert_same(net_of(op, ((1, len(POSITIVE)),)), target, (column(*POSITIVE),))


@pytest.mark.parametrize("target", ALL)
@pytest.mark.parametrize("op", [Expm1(), Celu(-0.7), Celu(-40.0)], ids=str)
def test_exponentials_of_values_that_float32_holds(op: Op, target: str) -> None:
    values = [value for value in FINITE_EXPONENTIALS if value > -50]
    assert_same(net_of(op, ((1, len(values)),)), target, (column(*values),))


def test_an_exponential_beyond_float32_is_infinite_as_it_should_be() -> None:
    made = legal(net_of(Expm1(), ((1, 2),)), "caffe")
    (value,) = execute(made, {"x0": np.array([[1e4, -1e4]])}, np.float32).values()
    assert value.tolist() == [[math.inf, -1.0]]


@pytest.mark.parametrize("target", ALL)
@pytest.mark.parametrize("bounds", [(-1.0, 1.0), (0.1, 0.3), (-1e30, 1e30), (-math.inf, -1e-30), (1e-12, math.inf)])
def test_a_clamp_gives_the_bounds_and_the_values_between_bit_for_bit(bounds: tuple[float, float], target: str) -> None:
    net = net_of(Hardtanh(*bounds), ((1, 602),))
    values = column(*TYPICAL[:300], *TYPICAL[33:], 1e-20, 1e20)
    (expected,) = execute(net, {"x0": values}, np.float32).values()
    (found,) = execute(legal(net, target), {"x0": values}, np.float32).values()
    np.testing.assert_array_equal(found, expected)


def test_a_blob_of_negative_values_alone_keeps_its_digits_under_gelu() -> None:
    for values in ((-6.0, -5.5, -5.0), (-3.0, -2.5)):
        assert_same(net_of(Gelu(), ((1, len(values)),)), "ascend310", (column(*values),))


@pytest.mark.parametrize(("op", "bound"), [(Gelu(), 3e-10), (Erf(), 5e-10), (Softplus(), 1.1e-10)], ids=str)
def test_a_declared_bound_holds_on_a_fine_grid(op: Op, bound: float) -> None:
    grid = np.linspace(-7, 25, 400_001).reshape(1, -1)
    net = net_of(op, (grid.shape,))
    made = legal(net, "ascend310")
    (expected,), (found,) = execute(net, {"x0": grid}).values(), execute(made, {"x0": grid}).values()
    assert 0 < error(found, expected) <= bound


WRITTEN_OUT: tuple[tuple[Op, tuple[Array, ...]], ...] = (
    (ELU(0.7), ()),
    (ELU(SELU_ALPHA), ()),
    (Celu(0.3), ()),
    (BNLL(), ()),
    (Mish(), ()),
    (LogSigmoid(), ()),
    (Softplus(1.0, 3.0), ()),
    (Hardshrink(), ()),
    (Threshold(), ()),
    (Threshold(-0.5), ()),
    (PReLU(), (np.array([0.1, -0.2, 1.5]),)),
    (PReLU(channel_shared=True), (np.array(0.25),)),
)


@pytest.mark.parametrize("target", ALL)
@pytest.mark.parametrize(("op", "weights"), WRITTEN_OUT, ids=str)
def test_caffes_own_activations_are_written_out_where_they_are_missing(
    op: Op, weights: tuple[Array, ...], target: str
) -> None:
    poor = without(target, ELU, BNLL, Mish, PReLU, Threshold)
    for values in (TYPICAL, EDGES[:18]):
        x = column(*values).reshape(1, 3, -1)
        assert_same(net_of(op, (x.shape,), weights), poor, (x,))


def test_a_threshold_of_ramps_tells_neighbouring_float32_numbers_apart() -> None:
    t = np.float32(0.1)
    near = [np.nextafter(t, np.float32(-1)), t, np.nextafter(t, np.float32(1)), np.float32(0), np.float32(1e-45)]
    net = net_of(Threshold(float(t)), ((1, 5),))
    poor = without("caffe", Threshold)
    (found,) = execute(legal(net, poor), {"x0": np.array([near])}, np.float32).values()
    assert found.tolist() == [[0, 0, 1, 0, 0]]
    zero = net_of(Threshold(), ((1, 2),))
    (smallest,) = execute(legal(zero, poor), {"x0": np.array([[1e-45, 0.0]])}, np.float32).values()
    assert smallest.tolist() == [[1, 0]]


@pytest.mark.parametrize("target", ALL)
@pytest.mark.parametrize("op", [Floor(), Ceil(), Round(), Trunc(), Sin(), Cos()], ids=str)
def test_what_no_layers_compute_for_every_value_is_refused_with_the_reason(op: Op, target: str) -> None:
    text = refusal(net_of(op, ((1, 4),)), target)
    reason = "no Caffe layer is periodic" if isinstance(op, Sin | Cos) else "no Caffe layer rounds"
    assert reason in text
    assert type(op).__name__ in text


REFUSED: dict[str, Op] = {
    "clamp_by_clip: needs Clip(": Hardtanh(),
    "clamp_at_zero: a bound is neither 0 nor infinite": Hardtanh(),
    "clamp_by_relu6: it does not clamp between 0 and a finite number": Hardtanh(),
    "clamp_by_maximum: not just one bound is finite": Hardtanh(),
    "clamp_ends_in_turn: needs Hardtanh(": Hardtanh(),
    "clamp_ends_in_turn: a bound is infinite": Hardtanh(-math.inf, 1.0),
    "clip_as_clamp: needs Hardtanh(": Clip(-1, 1),
    "relu6_as_clamp: needs Hardtanh(": ReLU6(),
    "hard_sigmoid_by_clamp: needs ": HardSigmoid(),
    "hard_sigmoid_by_relu6: needs ": HardSigmoid(),
    "hard_swish_by_hard_sigmoid: needs HardSigmoid()": HardSwish(),
    "swish_by_sigmoid: needs Sigmoid()": Swish(),
    "mish_by_softplus: needs BNLL()": Mish(),
    "softplus_by_bnll: needs BNLL()": Softplus(),
    "log_sigmoid_by_bnll: needs ": LogSigmoid(),
    "selu_by_elu: needs ELU(": Selu(),
    "celu_by_elu: alpha is -0.7": Celu(-0.7),
    "celu_by_expm1: needs Hardtanh(": Celu(),
    "elu_by_expm1: needs Hardtanh(": ELU(),
    "bnll_by_log: needs ": BNLL(),
    "threshold_by_ramps: needs ": Threshold(),
    "softsign_by_power: needs AbsVal()": Softsign(),
    "tanhshrink_by_difference: needs TanH()": Tanhshrink(),
    "hardshrink_by_threshold: needs AbsVal()": Hardshrink(),
    "softshrink_by_relus: needs Power(": Softshrink(),
    "root_by_power: needs Power(": Rsqrt(),
    "log1p_by_log: needs Log(": Log1p(),
    "expm1_by_exp: needs Power(": Expm1(),
    "sign_by_thresholds: needs ": Sign(),
    "gelu_by_tail: it is GELU's tanh form": Gelu(tanh=True),
    "gelu_by_sigmoid: it is not GELU's tanh form": Gelu(),
    "erf_by_tanh: needs Power(": Erf(),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_each_rule_says_what_it_lacks(reason: str) -> None:
    nothing = replace(TARGETS["ascend310"], accepts={ReLU: ()})
    assert reason in refusal(net_of(REFUSED[reason], ((1, 4),)), nothing)


def test_the_slopes_of_a_prelu_decide_between_its_rules() -> None:
    poor = without("caffe", PReLU, Eltwise)
    text = refusal(net_of(PReLU(), ((1, 3, 4),), (normal(3),)), poor)
    assert "prelu_by_relu: each channel has its own slope" in text
    shared = refusal(net_of(PReLU(channel_shared=True), ((1, 3, 4),), (np.array(0.1),)), without("caffe", PReLU, ReLU))
    assert "prelu_by_scale: all channels have one slope" in shared


def test_the_cheapest_layers_of_each_target_are_taken() -> None:
    shape = ((1, 3, 4, 5),)
    assert kinds(legal(net_of(Hardtanh(-1, 1), shape), "caffe")) == ["Clip"]
    assert kinds(legal(net_of(HardSwish(), shape), "ascend310")) == ["Power", "ReLU6", "Power", "Eltwise"]
    assert kinds(legal(net_of(HardSwish(), shape), "caffe")) == ["Power", "Clip", "Eltwise"]
    assert kinds(legal(net_of(Mish(), shape), "ascend310")) == ["Mish"]
    assert kinds(legal(net_of(Swish(), shape), "ascend310")) == ["Sigmoid", "Eltwise"]
    assert kinds(legal(net_of(Softplus(), shape), "ascend310")) == ["BNLL"]


def test_layers_that_a_target_has_are_left_alone() -> None:
    for op in (AbsVal(), BNLL(), ELU(), Exp(), Sigmoid(), TanH(), Power(2.0), Power(0.5)):
        for target in (name for name in ALL if not TARGETS[name].check(net_of(op, ((2, 3),)))):
            assert not applied(legal(net_of(op, ((2, 3),)), target))


def test_lines_that_two_rules_leave_one_behind_the_other_are_one_layer() -> None:
    case = chain((1, 3, 4, 5), ReLU6(), Power(scale=1 / 6))
    made = legal(case.net(), "hilens")
    assert kinds(made)[-2:] == ["Eltwise", "Scale"]
    assert_computes_the_same(made, case)
