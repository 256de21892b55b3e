from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from agreement import assert_agrees, normal
from torch.nn import functional

from torch2om import layers
from torch2om.ir.op import BadOp
from torch2om.layers.unary import Unary

Function = Callable[[torch.Tensor], torch.Tensor]

ANY_VALUE: tuple[tuple[Unary, Function], ...] = (
    (layers.Gelu(), functional.gelu),
    (layers.Gelu(tanh=True), lambda x: functional.gelu(x, approximate="tanh")),
    (layers.Erf(), torch.erf),
    (layers.HardSwish(), functional.hardswish),
    (layers.HardSigmoid(), functional.hardsigmoid),
    (layers.Softplus(), functional.softplus),
    (layers.Softplus(beta=2.5, threshold=3), lambda x: functional.softplus(x, 2.5, 3)),
    (layers.Selu(), functional.selu),
    (layers.Celu(), functional.celu),
    (layers.Celu(alpha=0.3), lambda x: functional.celu(x, 0.3)),
    (layers.Softsign(), functional.softsign),
    (layers.Tanhshrink(), functional.tanhshrink),
    (layers.Hardshrink(), functional.hardshrink),
    (layers.Hardshrink(lambd=1.5), lambda x: functional.hardshrink(x, 1.5)),
    (layers.Softshrink(), functional.softshrink),
    (layers.Softshrink(lambd=1.5), lambda x: functional.softshrink(x, 1.5)),
    (layers.LogSigmoid(), functional.logsigmoid),
    (layers.Hardtanh(), functional.hardtanh),
    (layers.Hardtanh(min=-math.inf, max=0.25), lambda x: torch.clamp(x, max=0.25)),
    (layers.Hardtanh(min=0.5, max=math.inf), lambda x: torch.clamp(x, min=0.5)),
    (layers.Hardtanh(min=2, max=-1), lambda x: torch.clamp(x, 2, -1)),
    (layers.Floor(), torch.floor),
    (layers.Ceil(), torch.ceil),
    (layers.Round(), torch.round),
    (layers.Trunc(), torch.trunc),
    (layers.Sign(), torch.sign),
    (layers.Sin(), torch.sin),
    (layers.Cos(), torch.cos),
    (layers.Expm1(), torch.expm1),
    (layers.Reciprocal(), torch.reciprocal),
    (layers.Sqrt(), torch.sqrt),
    (layers.Rsqrt(), torch.rsqrt),
    (layers.Log1p(), torch.log1p),
)


@pytest.mark.parametrize(("op", "function"), ANY_VALUE, ids=lambda case: str(case) if isinstance(case, Unary) else "")
def test_elementwise_ops_are_pytorchs_functions(op: Unary, function: Function) -> None:
    halves = torch.arange(-30, 31, dtype=torch.float64) / 2
    special = torch.tensor([math.nan, math.inf, -math.inf, 0.0, 1e-9, -1e-9], dtype=torch.float64)
    x = torch.cat([4 * normal(200), halves, special])
    for part in (x[:200], halves, special):
        assert_agrees(op, [part], [function(part)])


def test_elementwise_ops_keep_any_shape() -> None:
    for shape in ((), (1,), (2, 3), (1, 2, 3, 4, 5)):
        x = normal(*shape)
        assert_agrees(layers.Gelu(), [x], [functional.gelu(x)])


def test_erf_is_accurate_to_1e_15_relative_everywhere() -> None:
    x = np.concatenate([np.linspace(-7, 7, 60001), np.logspace(-300, 0.7, 5001), [5e-324, 6.0, 40.0]])
    expected = np.array([math.erf(value) for value in x])
    (computed,) = layers.Erf().run([x], [])
    assert np.all(np.abs(computed - expected) <= 1e-15 * np.abs(expected))


def test_float16_is_computed_in_float32_and_rounded_once() -> None:
    x = np.linspace(-4, 4, 999).astype(np.float16)
    (computed,) = layers.Gelu().run([x], [])
    (exact,) = layers.Gelu().run([x.astype(np.float64)], [])
    assert np.all(np.abs(computed - exact.astype(np.float16)) <= np.spacing(np.abs(computed)))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: layers.Softplus(beta=0), "beta must not be 0"),
        (lambda: layers.Celu(alpha=0), "alpha must not be 0"),
        (lambda: layers.Softshrink(lambd=-1), "lambd must not be negative"),
        (lambda: layers.Hardtanh(min=math.nan), "min and max must be numbers"),
    ],
)
def test_nonsense_parameters_are_refused(make: Callable[[], Unary], reason: str) -> None:
    with pytest.raises(BadOp, match=reason):
        make()


def test_elementwise_ops_take_one_bottom_and_no_weights() -> None:
    with pytest.raises(BadOp, match="exactly 1 bottom"):
        layers.Erf().infer([(2,), (2,)], [])
    with pytest.raises(BadOp, match="exactly 0 weights"):
        layers.Erf().infer([(2,)], [(2,)])
