"""Every activation of torch.nn with its parameters, and elementary functions."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import torch
from benchmarks.sweep.operator import Call, Family, Shape
from torch import nn

ACTIVATION = Family("activation")
RANKS = (0, 1, 2, 3, 4, 5)


def _slope(random: Random) -> float:
    return round(random.uniform(0.05, 1.5), 3)


ACTIVATIONS: dict[str, Callable[[Random], nn.Module]] = {
    "nn.ReLU": lambda _: nn.ReLU(),
    "nn.ReLU6": lambda _: nn.ReLU6(),
    "nn.LeakyReLU": lambda random: nn.LeakyReLU(_slope(random)),
    "nn.RReLU": lambda _: nn.RReLU(),
    "nn.ELU": lambda random: nn.ELU(_slope(random)),
    "nn.SELU": lambda _: nn.SELU(),
    "nn.CELU": lambda random: nn.CELU(_slope(random)),
    "nn.GELU": lambda random: nn.GELU(random.choice(("none", "tanh"))),
    "nn.Sigmoid": lambda _: nn.Sigmoid(),
    "nn.LogSigmoid": lambda _: nn.LogSigmoid(),
    "nn.Tanh": lambda _: nn.Tanh(),
    "nn.Hardtanh": lambda random: nn.Hardtanh(-_slope(random), _slope(random)),
    "nn.Hardswish": lambda _: nn.Hardswish(),
    "nn.Hardsigmoid": lambda _: nn.Hardsigmoid(),
    "nn.Hardshrink": lambda random: nn.Hardshrink(_slope(random)),
    "nn.Softshrink": lambda random: nn.Softshrink(_slope(random)),
    "nn.Tanhshrink": lambda _: nn.Tanhshrink(),
    "nn.Softplus": lambda random: nn.Softplus(random.choice((1, 2, 0.7)), random.choice((20, 3))),
    "nn.Softsign": lambda _: nn.Softsign(),
    "nn.SiLU": lambda _: nn.SiLU(),
    "nn.Mish": lambda _: nn.Mish(),
    "nn.Threshold": lambda random: nn.Threshold(_slope(random), random.choice((0, 20, -1.5))),
    "nn.Dropout": lambda _: nn.Dropout(),
}


def _activation(name: str, make: Callable[[Random], nn.Module]) -> None:
    @ACTIVATION(name, *RANKS)
    def build(random: Random, _: Shape) -> nn.Module:
        return make(random)


for _name, _make in ACTIVATIONS.items():
    _activation(_name, _make)


@ACTIVATION("nn.PReLU", 1, 2, 3, 4, 5)
def prelu(random: Random, shape: Shape) -> nn.Module:
    return nn.PReLU(shape[1] if len(shape) > 1 and random.random() < 0.7 else 1)


@ACTIVATION("nn.GLU", 1, 2, 3, 4, 5)
def glu(random: Random, shape: Shape) -> nn.Module:
    even = [axis for axis, size in enumerate(shape) if size % 2 == 0]
    return nn.GLU(random.choice(even or [0]))


EVERYWHERE = """
exp exp2 expm1 abs neg square sin cos tan sinh cosh tanh atan asinh erf floor ceil round trunc sign frac sigmoid relu
"""
POSITIVE = "log log2 log10 log1p sqrt rsqrt reciprocal"


def _elementary(name: str, *, positive: bool) -> None:
    function = getattr(torch, name)

    @ACTIVATION(f"torch.{name}", *RANKS)
    def build(_random: Random, _shape: Shape) -> nn.Module:
        return nn.Sequential(Call(_positive), Call(function)) if positive else Call(function)


def _positive(x: torch.Tensor) -> torch.Tensor:
    return x.abs() + 0.25


for _name in EVERYWHERE.split():
    _elementary(_name, positive=False)
for _name in POSITIVE.split():
    _elementary(_name, positive=True)
