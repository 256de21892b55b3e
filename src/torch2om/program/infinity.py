"""Infinities of the program as numbers: a net's layers multiply by 0, and infinity times 0 is none."""

from __future__ import annotations

import math

import torch
from torch import fx
from torch.fx.node import Argument

aten = torch.ops.aten

# What compares with a tensor, or adds one as a mask: infinity is a number like any other there.
_READERS = {
    aten.add.Tensor,
    aten.clamp.Tensor,
    aten.clamp_max.Tensor,
    aten.clamp_min.Tensor,
    aten.fmax.default,
    aten.fmin.default,
    aten.masked_fill.Tensor,
    aten.maximum.default,
    aten.minimum.default,
    aten.scaled_dot_product_attention.default,
    aten.where.self,
}
# Infinity again where it was infinity.
_VIEWS = {
    aten._to_copy.default,  # noqa: SLF001 - a name
    aten.expand.default,
    aten.index.Tensor,
    aten.neg.default,
    aten.permute.default,
    aten.select.int,
    aten.slice.Tensor,
    aten.to.dtype,
    aten.transpose.int,
    aten.unsqueeze.default,
    aten.view.default,
}

LARGEST = torch.finfo(torch.float32).max


def bounded(value: torch.Tensor) -> torch.Tensor:
    """Return min(max(x, -LARGEST), LARGEST); NaN stays.

    What models use infinity for is the same with the largest float32: -LARGEST loses to every float32 in a maximum,
    takes in whatever is added to it, and its exponential is 0.
    """
    return value.clamp(-LARGEST, LARGEST) if bool(value.isinf().any()) else value


def may_be_infinite(node: fx.Node) -> bool:
    """Whether everything that reads this constant, or views and negatives of it, compares with it or adds it as a mask.

    Bounds and masks hold infinity on purpose; what is multiplied by it has no meaning (C205).
    """
    return all(user.target in _READERS or (user.target in _VIEWS and may_be_infinite(user)) for user in node.users)


def bound_pads(graph: fx.Graph) -> None:
    """Let pads of infinity, before a pooling for its maximum, pad with the largest float32."""
    for node in graph.nodes:
        if node.target is aten.pad.default:
            node.args = tuple(map(_limited, node.args))
            node.kwargs = {name: _limited(value) for name, value in node.kwargs.items()}


def _limited(argument: Argument) -> Argument:
    return math.copysign(LARGEST, argument) if isinstance(argument, float) and math.isinf(argument) else argument
