"""An operator of the sweep: a way of writing something in PyTorch, with parameters drawn from their whole range."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import torch
from torch import nn

Shape = tuple[int, ...]
Build = Callable[[Random, Shape], nn.Module]


@dataclass(frozen=True)
class Operator:
    """`build(random, shape)` returns a module that takes a blob of that shape; `ranks` are those it may have."""

    name: str
    family: str
    ranks: tuple[int, ...]
    build: Build


@dataclass(frozen=True)
class Family:
    """Operators that belong together; called with a name and ranks, it registers the decorated builder."""

    name: str
    operators: list[Operator] = field(default_factory=list)

    def __call__(self, name: str, *ranks: int) -> Callable[[Build], Build]:
        """Register the decorated builder under this name, for blobs of these ranks."""

        def register(build: Build) -> Build:
            self.operators.append(Operator(name, self.name, ranks, build))
            return build

        return register


class Call(nn.Module):
    """function(x, further blobs, constants, options): a way of writing as a module.

    `others` are the shapes of the further blobs. Numbers among the options stand in the text of the net.
    """

    def __init__(
        self, function: Callable[..., Any], *constants: torch.Tensor, others: tuple[Shape, ...] = (), **options: Any
    ) -> None:
        super().__init__()
        self.function = function
        self.others = others
        self.options = options
        self.held = [f"c{index}" for index in range(len(constants))]
        for name, constant in zip(self.held, constants, strict=True):
            self.register_buffer(name, constant)

    def forward(self, x: torch.Tensor, *blobs: torch.Tensor) -> Any:  # Any: one tensor, or several in tuples
        return self.function(x, *blobs, *(getattr(self, name) for name in self.held), **self.options)

    def extra_repr(self) -> str:
        """The function's name, what it is given beside x, and its options."""
        name = getattr(self.function, "__name__", type(self.function).__name__)
        given = [f"blob {list(shape)}" for shape in self.others]
        given += [f"constant {list(getattr(self, held).shape)}" for held in self.held]
        given += [f"{key}={value}" for key, value in self.options.items()]
        return ", ".join([name, *given])


def others(module: nn.Module) -> tuple[Shape, ...]:
    """Return the shapes of the blobs that a module takes beside x."""
    return module.others if isinstance(module, Call) else ()
