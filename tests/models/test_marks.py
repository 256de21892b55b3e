"""Values that a net holds exactly (a clamp's bounds, a comparison's 0 and 1) stay so where something tells them apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch
from judging import subject, written
from torch import nn
from torch.nn import functional

from torch2om.targets import TARGETS

X = torch.Tensor
MARKS: Mapping[str, Callable[[X], X]] = {
    "the upper end of a ReLU6": lambda x: torch.sign(1 - functional.relu6(10 * x) / 6),
    "the ends of a ReLU6 and a ReLU in one blob": lambda x: torch.sign(
        torch.cat([functional.relu6(10 * x), x.relu()], 1) / 6 - 1
    ),
    "a bound that float32 rounds": lambda x: torch.sign((x.clamp(0.1, 0.7) - 0.1) * 3),
    "the same bound in a comparison": lambda x: (x.clamp(0.1, 0.7) >= 0.7).float(),
    "a bound on both sides of 0": lambda x: torch.sign(1 - functional.hardtanh(3 * x, -0.3, 0.3) / 0.3),
    "the ends of a HardSigmoid": lambda x: torch.sign(1 - functional.hardsigmoid(10 * x)),
    "a condition's 0 and 1": lambda x: torch.sign(((x > 0.3).float() * 0.3 + 0.7) - 1),
    "a condition's again": lambda x: torch.sign(1 - (x >= 0.3).float()),
    "the place of the largest": lambda x: (x.argmax(1).float() / 7 * 7 - 3 >= 0).float(),
    "a sign's -1, 0 and 1": lambda x: torch.sign((torch.sign(x) * 0.1 + 0.1) * 7),
    "0 before a root": lambda x: torch.sqrt(1 - functional.relu6(10 * x) / 6),
}


class Applied(nn.Module):
    def __init__(self, function: Callable[[X], X]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: X) -> X:
        return self.function(x)


@pytest.mark.parametrize("mark", MARKS)
def test_a_value_that_is_held_exactly_is_told_apart_as_pytorch_does(mark: str, tmp_path: Path) -> None:
    found = subject(Applied(MARKS[mark]).eval(), [(2, 4, 6, 6)])
    assert {name: written(found, name, tmp_path).verification.diagnostics for name in TARGETS} == dict.fromkeys(
        TARGETS, ()
    )


class ComparedAgain(nn.Module):
    def forward(self, x: X, y: X) -> X:
        return torch.sign((x >= y).float())


def test_a_comparison_of_blobs_is_compared_again(tmp_path: Path) -> None:
    found = subject(ComparedAgain().eval(), [(2, 9, 1), (1, 1, 1)])
    assert written(found, "opencv", tmp_path).verification.diagnostics == ()


class FirstOfSome(nn.Module):
    """The place of the largest, copied and compared: between the marks and what tells them apart are sums of copies."""

    def forward(self, x: X) -> X:
        place = x.argmax(1, keepdim=True)
        return (torch.arange(4).reshape(1, 4, 1, 1) == place).float().sum((2, 3)).sign()


@pytest.mark.parametrize("target", ["hilens", "opencv"])
def test_marks_are_followed_through_copies_and_sums(target: str, tmp_path: Path) -> None:
    found = subject(FirstOfSome().eval(), [(2, 4, 3, 3)])
    assert written(found, target, tmp_path).verification.diagnostics == ()


def test_lines_behind_a_mark_are_one_where_nothing_tells_it_apart(tmp_path: Path) -> None:
    smooth = subject(Applied(lambda x: ((x.clamp(0.1, 0.7) - 0.1) * 3).sigmoid()).eval(), [(2, 4, 6, 6)])
    kinds = [layer.op.caffe_type for layer in written(smooth, "caffe", tmp_path).net.layers]
    assert kinds == ["Clip", "Power", "Sigmoid"]
