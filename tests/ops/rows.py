"""The rows of the case table, captured and lowered once for all tests that run them.

torch.export takes a third of a second for the smallest program and a few milliseconds for one more branch, so that
rows are captured in groups, as branches of one program.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from cases import CASES
from cases.case import Case
from torch import nn
from torch.utils import _pytree as pytree

from torch2om.errors import Torch2omError
from torch2om.executor import execute
from torch2om.ir.op import Array
from torch2om.lowering import lower
from torch2om.program import Program, canonicalize, capture

BY_NAME = {case.name: case for case in CASES}
ACCEPTED = [case.name for case in CASES if not case.refusal]
REFUSED = [case.name for case in CASES if case.refusal]
GROUP = 32


@dataclass(frozen=True)
class Row:
    """What the lowered row computes in float64 on one sample of its inputs, and what PyTorch makes of it."""

    case: Case
    computed: tuple[Array, ...]
    wanted: tuple[Array, ...]

    def assert_equal(self) -> None:
        """Assert that the outputs are PyTorch's, within the case's bound of each one's scale."""
        assert len(self.computed) == len(self.wanted)
        for got, want in zip(self.computed, self.wanted, strict=True):
            assert got.shape == want.shape
            scale = np.abs(want).max(initial=0.0)
            assert np.abs(got - want).max(initial=0.0) <= self.case.bound * scale


class Branches(nn.Module):
    """Rows side by side: each branch has inputs and outputs of its own."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(built(name) for name in names)

    def forward(self, x: list[list[torch.Tensor]]) -> list[Any]:  # Any: as the rows return
        return [branch(*values) for branch, values in zip(self.branches, x, strict=True)]


def built(name: str) -> nn.Module:
    """Return the row's module, seeded."""
    torch.manual_seed(0)
    return BY_NAME[name].model().eval()


@cache
def canonical(*names: str) -> Program:
    """Return the canonical program of these rows."""
    shapes = [list(BY_NAME[name].inputs.values()) for name in names]
    zeros = [[torch.zeros(shape) for shape in of_row] for of_row in shapes]
    return canonicalize(capture(Branches(names), {"x": zeros}))


@cache
def group(name: str) -> tuple[str, ...]:
    """Return the accepted rows that are captured together with this one."""
    first = ACCEPTED.index(name) // GROUP * GROUP
    return tuple(ACCEPTED[first : first + GROUP])


@cache
def computed(*names: str) -> Mapping[str, tuple[Array, ...]]:
    """Return row -> its outputs as the lowered net computes them in float64."""
    net = lower(canonical(*names))
    values = [value.numpy() for name in names for value in drawn(BY_NAME[name]).values()]
    blobs = execute(net, {source.name: value for source, value in zip(net.inputs, values, strict=True)})
    return {
        name: tuple(blobs[output.blob] for output in net.outputs if output.place.startswith(f"[{index}]"))
        for index, name in enumerate(names)
    }


@cache
def row(name: str) -> Row:
    """Return the row with its results and PyTorch's; alone, if it stands in a group that is refused."""
    try:
        found = computed(*group(name))
    except Torch2omError:
        found = computed(name)
    module = built(name).double()
    with torch.no_grad():
        results = module(*(value.clone() for value in drawn(BY_NAME[name]).values()))
    wanted = tuple(leaf.double().numpy() for leaf in pytree.tree_leaves(results) if isinstance(leaf, torch.Tensor))
    return Row(BY_NAME[name], found[name], wanted)


def drawn(case: Case) -> dict[str, torch.Tensor]:
    """Return seeded float64 inputs, evenly distributed between the case's bounds."""
    generator = torch.Generator().manual_seed(1)
    return {
        name: torch.rand(shape, generator=generator, dtype=torch.float64) * (case.high - case.low) + case.low
        for name, shape in case.inputs.items()
    }
