"""Small models, and what the tests ask of their programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from torch2om.errors import Torch2omError
from torch2om.program import Inputs, Model, Program, canonicalize, capture
from torch2om.reference import original_outputs, reference_values

SHAPE = (2, 4, 8, 8)


class Applied(nn.Module):
    """A function as a model, with modules of its own."""

    def __init__(self, function: Callable[..., Any], *children: nn.Module) -> None:
        super().__init__()
        self.function = function
        self.parts = nn.ModuleList(children)

    def forward(self, x: torch.Tensor) -> Any:
        return self.function(x, *self.parts)


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1)
        self.bn = nn.BatchNorm2d(4)
        self.act = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.act(self.bn(self.conv(x)))
        return y + x


class Outer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = Block()
        self.head = nn.Linear(4, 3)

    def pooled(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean((2, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.head(self.pooled(self.stem(x)))
        return y


def refused(model: Model, inputs: Inputs = (SHAPE,)) -> tuple[str, ...]:
    with pytest.raises(Torch2omError) as caught:
        canonicalize(capture(model, inputs))
    return tuple(found.code for found in caught.value.diagnostics)


def canonical(function: Callable[..., Any], *children: nn.Module, shape: tuple[int, ...] = SHAPE) -> Program:
    return canonicalize(capture(Applied(function, *children).eval(), [shape]))


def targets(program: Program) -> list[str]:
    return [str(call.target).removeprefix("aten.") for call in program.calls()]


def agreement(program: Program) -> float:
    """The largest relative difference between the float64 reference and the user's own model, over all outputs."""
    generator = np.random.default_rng(0)
    feeds = {source.name: generator.random(source.shape, dtype=np.float32) for source in program.inputs}
    values = dict(reference_values(program, feeds))
    wanted = original_outputs(program, feeds)
    return max(
        float(np.abs(values[output.node] - own).max() / max(np.abs(own).max(), 1e-9))
        for output, own in zip(program.outputs, wanted, strict=True)
    )
