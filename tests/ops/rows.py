"""The rows of the case table, captured and lowered once for all tests that run them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from cases import CASES
from cases.case import Case
from torch.utils import _pytree as pytree

from torch2om.executor import execute
from torch2om.ir.net import Net
from torch2om.ir.op import Array
from torch2om.lowering import lower
from torch2om.program import Program, canonicalize, capture

BY_NAME = {case.name: case for case in CASES}
ACCEPTED = [case.name for case in CASES if not case.refusal]
REFUSED = [case.name for case in CASES if case.refusal]


@dataclass(frozen=True)
class Row:
    """A lowered row: its program and net, one float64 sample of its inputs, and what PyTorch makes of it in float64."""

    case: Case
    program: Program
    net: Net
    sample: Mapping[str, Array]
    wanted: tuple[Array, ...]

    def assert_equal(self, net: Net) -> None:
        """Assert that the net computes PyTorch's outputs in float64, within the case's bound of each one's scale."""
        blobs = execute(net, self.sample)
        assert len(net.outputs) == len(self.wanted)
        for output, want in zip(net.outputs, self.wanted, strict=True):
            got = blobs[output.blob]
            assert got.shape == want.shape
            scale = np.abs(want).max(initial=0.0)
            assert np.abs(got - want).max(initial=0.0) <= self.case.bound * scale


@cache
def canonical(name: str) -> Program:
    """Return the row's canonical program."""
    case = BY_NAME[name]
    torch.manual_seed(0)
    return canonicalize(capture(case.model().eval(), case.inputs))


@cache
def row(name: str) -> Row:
    """Return the row, lowered and with PyTorch's results."""
    case, program = BY_NAME[name], canonical(name)
    sample = drawn(case)
    torch.manual_seed(0)
    module = case.model().eval().double()
    with torch.no_grad():
        results = module(*(value.clone() for value in sample.values()))
    wanted = tuple(leaf.double().numpy() for leaf in pytree.tree_leaves(results) if isinstance(leaf, torch.Tensor))
    return Row(case, program, lower(program), {name: value.numpy() for name, value in sample.items()}, wanted)


def drawn(case: Case) -> dict[str, torch.Tensor]:
    """Return seeded float64 inputs, evenly distributed between the case's bounds."""
    generator = torch.Generator().manual_seed(1)
    return {
        name: torch.rand(shape, generator=generator, dtype=torch.float64) * (case.high - case.low) + case.low
        for name, shape in case.inputs.items()
    }
