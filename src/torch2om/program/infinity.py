"""Infinities of the program as numbers: a net's layers multiply by 0, and infinity times 0 is none."""

from __future__ import annotations

import math

import torch
from torch import fx
from torch.fx.node import Argument

aten = torch.ops.aten

LARGEST = torch.finfo(torch.float32).max


def bounded(value: torch.Tensor) -> torch.Tensor:
    """Return min(max(x, -LARGEST), LARGEST); NaN stays.

    What models use infinity for is the same with the largest float32: -LARGEST loses to every float32 in a maximum,
    takes in whatever is added to it, and its exponential is 0.
    """
    return value.clamp(-LARGEST, LARGEST) if bool(value.isinf().any()) else value


def bound_pads(graph: fx.Graph) -> None:
    """Let pads of infinity, before a pooling for its maximum, pad with the largest float32."""
    for node in graph.nodes:
        if node.target is aten.pad.default:
            node.args = tuple(map(_limited, node.args))
            node.kwargs = {name: _limited(value) for name, value in node.kwargs.items()}


def _limited(argument: Argument) -> Argument:
    return math.copysign(LARGEST, argument) if isinstance(argument, float) and math.isinf(argument) else argument
