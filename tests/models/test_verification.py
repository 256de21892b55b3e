"""What verify says of models whose own numbers are broken, boundless or empty."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from torch2om import Conversion, convert
from torch2om.errors import Severity, VerificationError
from torch2om.layers import Sigmoid
from torch2om.verification import MEANING_TOLERANCE


class Function(nn.Module):
    """A model of one function."""

    def __init__(self, function: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x)


def converted(model: nn.Module, folder: Path, target: str = "ascend310") -> Conversion:
    return convert(model.eval(), [(1, 4, 6, 6)], target, folder)


def test_a_model_that_breaks_in_its_own_precision_alone_is_said_to(tmp_path: Path) -> None:
    with pytest.raises(VerificationError) as caught:
        converted(Function(lambda x: (x * 1e30 * 1e30 + 1) * 1e-60), tmp_path)
    (found,) = caught.value.diagnostics
    assert found.code == "V703"
    assert "the model itself, in its own precision, computes NaN or infinity in" in found.message
    assert not list(tmp_path.iterdir())


def test_outputs_that_are_zero_are_noted(tmp_path: Path) -> None:
    head = nn.Conv2d(4, 2, 1, bias=False)
    nn.init.zeros_(head.weight)
    conversion = converted(nn.Sequential(nn.Conv2d(4, 4, 3), head), tmp_path)
    assert conversion.verification is not None
    (note,) = conversion.verification.notes
    assert (note.code, note.severity) == ("V706", Severity.NOTE)
    assert str(note) in str(conversion)


def test_outputs_that_are_not_zero_on_one_sample_are_not_noted(tmp_path: Path) -> None:
    conversion = converted(Function(lambda x: (x + 0.5).clamp(max=0)), tmp_path)  # 0 on every uniform sample
    assert conversion.verification is not None
    assert conversion.verification.notes == ()


@pytest.mark.parametrize("target", ["caffe", "ascend310", "opencv"])
@pytest.mark.parametrize(
    "function",
    [
        lambda x: x.masked_fill(torch.ones(6, 6).triu(1).bool(), -math.inf).softmax(-1),
        lambda x: (x + nn.Transformer.generate_square_subsequent_mask(6)).softmax(-1),
        lambda x: functional.max_pool2d(functional.pad(x, (0, 1, 0, 1), value=-math.inf), 3, 2),
    ],
    ids=["filled", "added", "padded"],
)
def test_infinity_that_forbids_a_place_is_no_broken_value(
    function: Callable[[torch.Tensor], torch.Tensor], target: str, tmp_path: Path
) -> None:
    assert converted(Function(function), tmp_path, target).artifact is not None


def test_a_declared_error_is_not_made_larger_by_sums_that_cancel(tmp_path: Path) -> None:
    """By itself the difference of the two forms is wrong by 2e-9 of its scale."""
    twice = Function(lambda x: functional.gelu(x) - 1.05 * x * 0.5 * (1 + torch.erf(x / 2**0.5)))
    conversion = converted(twice, tmp_path)
    assert conversion.verification is not None
    meaning = next(run for run in conversion.verification.runs if run.title == "meaning")
    assert {found.tolerance for found in meaning.comparisons} == {MEANING_TOLERANCE}
    errors = {found.call: found.error for found in meaning.comparisons}
    assert errors["gelu"] > 1e-11
    assert max(error for call, error in errors.items() if call not in {"gelu", "erf"}) < 1e-14


def test_a_mistake_behind_a_declared_error_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sigmoid, "value", lambda _, x: 1 / (1 + np.exp(-x)) + 5e-9)
    with pytest.raises(VerificationError, match="V701"):
        converted(Function(lambda x: functional.gelu(x).sigmoid()), tmp_path)


def test_a_rule_that_was_allowed_and_is_too_coarse_is_named_with_what_it_declared(tmp_path: Path) -> None:
    small = Function(lambda x: functional.gelu(-x.abs()) * 3)
    with pytest.raises(VerificationError) as caught:
        convert(small.eval(), [(1, 4, 6, 6)], "ascend310", tmp_path, allow=["gelu_as_tanh_form"])
    assert {found.code for found in caught.value.diagnostics} == {"V701", "V702"}
    text = "you allowed gelu_as_tanh_form, whose declared bound is 0.00048 of a blob's scale"
    assert all(text in found.hint for found in caught.value.diagnostics)


def test_a_rule_that_was_allowed_where_it_does_not_hold_is_named_too(tmp_path: Path) -> None:
    squared = Function(lambda x: x.pow((x > 100).float() + 2))
    with pytest.raises(VerificationError) as caught:
        convert(squared.eval(), [(1, 4, 6, 6)], "ascend310", tmp_path, allow=["power_of_positive_base"])
    text = "you allowed power_of_positive_base, which is exact only under a condition that may not hold here"
    assert caught.value.diagnostics[0].hint.startswith(text)


def test_what_no_bounded_rule_made_is_held_to_the_tolerance_itself(tmp_path: Path) -> None:
    conversion = converted(Function(lambda x: x.relu() * 2), tmp_path)
    assert conversion.verification is not None
    meaning = next(run for run in conversion.verification.runs if run.title == "meaning")
    assert {found.tolerance for found in meaning.comparisons} == {MEANING_TOLERANCE}


def test_calls_under_autocast_are_as_coarse_as_their_type(tmp_path: Path) -> None:
    def mixed(x: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return (x.flatten(1) @ torch.linspace(0, 1, 144 * 3).reshape(144, 3)).float()

    assert converted(Function(mixed), tmp_path).artifact is not None
