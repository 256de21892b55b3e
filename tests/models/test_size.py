"""How large a model is, and what its written net multiplies beyond that."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from torch2om.batch.row import cost_of
from torch2om.lowering import lower
from torch2om.pipeline import prepared
from torch2om.program import Program, canonicalize, capture
from torch2om.reference import ProgramReference
from torch2om.targets import target


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.query = nn.Linear(8, 8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.scaled_dot_product_attention(self.query(x), x, x)


class ManyHeads(nn.Module):
    """Attention that PyTorch computes as one operator where no gradient is wanted."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.attention(x, x, x, need_weights=False)[0]
        return y


class Asking(nn.Module):
    """Calls a layer with a view of a parameter, as transformers with a token of their own do."""

    def __init__(self) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.ones(1, 8))
        self.query = nn.Linear(8, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = x + self.query(self.token.expand(1, -1)).sum()
        return y


class Enlarging(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.interpolate(self.conv(x), scale_factor=1.5, mode="bicubic")


def program(model: nn.Module, *shape: int) -> Program:
    return canonicalize(capture(model.eval(), [shape]))


def test_attention_counts_as_its_two_products() -> None:
    size = ProgramReference(program(Attention(), 2, 3, 5, 8)).size()
    assert size.parameters == 8 * 8 + 8
    assert size.macs == 2 * 3 * (5 * 8 * 8 + 2 * 5 * 5 * 8)


def test_attention_of_many_heads_counts_as_its_projections_and_products() -> None:
    size = ProgramReference(program(ManyHeads(), 3, 5, 8)).size()
    assert size.macs == 3 * (4 * 5 * 8 * 8 + 2 * 5 * 5 * 8)
    assert torch.backends.mha.get_fastpath_enabled()


def test_parameters_that_are_arguments_are_counted_and_go_on_learning() -> None:
    model = Asking()
    assert ProgramReference(program(model, 1, 8)).size().macs == 8 * 4
    assert all(each.requires_grad for each in model.parameters())


@pytest.mark.parametrize("kind", ["exported", "scripted"])
def test_a_model_from_a_file_has_its_size_too(tmp_path: Path, kind: str) -> None:
    model, example = nn.Linear(6, 7).eval(), torch.zeros(2, 6)
    given = torch.export.export(model, (example,)) if kind == "exported" else torch.jit.trace(model, example)  # type: ignore[no-untyped-call]  # torch has no types here
    size = ProgramReference(canonicalize(capture(given, [(2, 6)]))).size()
    assert (size.parameters, size.macs) == (6 * 7 + 7, 2 * 6 * 7)


def test_what_a_target_adds_is_named_by_operator_and_rules() -> None:
    net = lower(program(Enlarging(), 1, 3, 10, 10))
    cost = cost_of(prepared(net, target("ascend310")), net)
    convolution = 4 * 8 * 8 * 27
    assert cost.meant == convolution
    ((what, more),) = cost.added.items()
    assert cost.macs == convolution + more
    assert what.startswith("aten.upsample_bicubic2d")
    assert "resize_axes_by_maps" in what
    assert cost.by_type["Convolution"] >= convolution
