"""A row of the case table: one way of writing something in PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

Shape = tuple[int, ...]
Written = Callable[..., Any]  # Any: a forward returns a tensor, or tensors in tuples, lists, dicts


class Forward(nn.Module):
    """A module whose forward is a plain function of x, or of x and y, or of x, y and z."""

    def __init__(self, function: Written) -> None:
        super().__init__()
        self.function = function


class OfOne(Forward):
    def forward(self, x: torch.Tensor) -> Any:  # Any: the same
        return self.function(x)


class OfTwo(Forward):
    def forward(self, x: torch.Tensor, y: torch.Tensor) -> Any:  # Any: the same
        return self.function(x, y)


class OfThree(Forward):
    def forward(self, x: torch.Tensor, y: torch.Tensor, z: torch.Tensor) -> Any:  # Any: the same
        return self.function(x, y, z)


class Holding(nn.Module):
    """A module with constants: forward is a function of x and of them."""

    def __init__(self, function: Written, *constants: torch.Tensor) -> None:
        super().__init__()
        self.function = function
        self.names = [f"c{index}" for index in range(len(constants))]
        for name, constant in zip(self.names, constants, strict=True):
            self.register_buffer(name, constant)

    def forward(self, x: torch.Tensor) -> Any:  # Any: the same
        return self.function(x, *(getattr(self, name) for name in self.names))


class Called(nn.Module):
    """A torch.nn layer behind a forward that names its input x."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: torch.Tensor) -> Any:  # Any: the same
        return self.layer(x)


@dataclass(frozen=True)
class Case:
    """One way of writing: `model()` builds it, `shapes` are those of its inputs x, y, z.

    `low` and `high` bound the inputs' values. `refusal` is part of the reason with which lowering refuses the row.
    `bound` is the error in float64, relative to the output's scale.
    """

    name: str
    model: Callable[[], nn.Module]
    shapes: tuple[Shape, ...]
    low: float = -2.0
    high: float = 2.0
    refusal: str = ""
    bound: float = 1e-9

    @property
    def inputs(self) -> dict[str, Shape]:
        """The inputs' names and shapes."""
        return dict(zip("xyz", self.shapes, strict=False))


def written(
    name: str,
    function: Written,
    *shapes: Shape,
    low: float = -2.0,
    high: float = 2.0,
    refusal: str = "",
) -> Case:
    """A row for a function of its inputs."""
    forward = {1: OfOne, 2: OfTwo, 3: OfThree}[len(shapes)]
    return Case(name, lambda: forward(function), shapes, low, high, refusal)


def holding(name: str, function: Written, constants: Callable[[], tuple[torch.Tensor, ...]], shape: Shape) -> Case:
    """A row for a function of x and of constant tensors."""
    return Case(name, lambda: Holding(function, *constants()), (shape,))


def layer(name: str, build: Callable[[], nn.Module], *shapes: Shape, refusal: str = "") -> Case:
    """A row for a torch.nn layer, its parameters and statistics far from their first values."""
    return Case(name, lambda: Called(lively(build())), shapes, refusal=refusal)


def lively(module: nn.Module) -> nn.Module:
    """Fill vectors among parameters and buffers with values around 1, so that none is neutral."""
    with torch.no_grad():
        for tensor in (*module.parameters(), *module.buffers()):
            if tensor.is_floating_point() and tensor.dim() == 1:
                tensor.uniform_(0.5, 1.5)
    return module
