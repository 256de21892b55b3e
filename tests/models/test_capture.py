"""Inputs, outputs, modes, and what is refused at which line."""

from __future__ import annotations

import dataclasses
import logging
import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from programs import SHAPE, Applied, agreement, canonical, refused, targets
from torch import nn
from torch.nn import functional

from torch2om.errors import CaptureError, Severity, UsageError
from torch2om.program import canonicalize, capture


class TestInputs:
    def test_are_bound_by_name_in_forwards_order(self) -> None:
        class Two(nn.Module):
            def forward(self, left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
                return left - right.sum()

        program = capture(Two(), {"right": (3, 4), "left": (2, 5)})
        assert [(source.name, source.shape) for source in program.inputs] == [("left", (2, 5)), ("right", (3, 4))]

    def test_may_be_given_in_order_as_shapes_or_tensors(self) -> None:
        model = Applied(functional.relu)
        assert capture(model, [torch.ones(2, 3)]).inputs == capture(model, [(2, 3)]).inputs
        assert capture(model, torch.ones(2, 3)).inputs == capture(model, (2, 3)).inputs

    def test_of_defaulted_and_keyword_arguments(self) -> None:
        class Optional(nn.Module):
            def forward(
                self, x: torch.Tensor, gain: torch.Tensor | None = None, *, bias: torch.Tensor | None = None
            ) -> torch.Tensor:
                x = x if gain is None else x * gain
                return x if bias is None else x + bias

        assert [source.name for source in capture(Optional(), {"x": (2, 3)}).inputs] == ["x"]
        program = canonicalize(capture(Optional(), {"bias": (3,), "x": (2, 3)}))
        assert [source.name for source in program.inputs] == ["x", "bias"]
        assert agreement(program) < 1e-6

    def test_in_lists_and_dicts_are_flattened_under_dotted_names(self) -> None:
        class Nested(nn.Module):
            def forward(self, pyramid: list[torch.Tensor], extra: dict[str, torch.Tensor]) -> torch.Tensor:
                return pyramid[0] * 2 + pyramid[1] + extra["mask"]

        named = {"pyramid.1": (2, 3), "pyramid.0": (2, 3), "extra.mask": (3,)}
        for inputs in (named, {"pyramid": [(2, 3), (2, 3)], "extra": {"mask": (3,)}}):
            program = capture(Nested(), inputs)
            assert [source.name for source in program.inputs] == ["pyramid.0", "pyramid.1", "extra.mask"]
            assert agreement(canonicalize(program)) < 1e-6

    def test_of_variadic_arguments_in_order(self) -> None:
        class Variadic(nn.Module):
            def forward(self, x: torch.Tensor, *rest: torch.Tensor) -> torch.Tensor:
                return x - sum(rest)

        names = [[source.name for source in capture(Variadic(), [(3,)] * count).inputs] for count in (2, 3)]
        assert names == [["x", "rest.0"], ["x", "rest.0", "rest.1"]]
        assert [source.name for source in capture(Variadic(), {"x": (3,), "rest": (3,)}).inputs] == ["x", "rest"]

    def test_of_variadic_arguments(self) -> None:
        class Variadic(nn.Module):
            def forward(self, *xs: torch.Tensor, **named: torch.Tensor) -> torch.Tensor:
                return xs[0] - xs[1] + named["z"]

        program = canonicalize(capture(Variadic(), {"xs.0": (2, 3), "xs.1": (2, 3), "z": (3,)}))
        assert [source.name for source in program.inputs] == ["xs.0", "xs.1", "z"]
        assert agreement(program) < 1e-6

    def test_missing_and_unknown_are_listed_together_with_forwards_arguments(self) -> None:
        class Two(nn.Module):
            def forward(self, left: torch.Tensor, right: torch.Tensor, scale: float = 1.0) -> torch.Tensor:
                return left + right * scale

        with pytest.raises(UsageError) as caught:
            capture(Two(), {"left": (1,), "middle": (1,)})
        assert [found.code for found in caught.value.diagnostics] == ["U111", "U112"]
        assert "left, right, scale=1.0" in str(caught.value)

    @pytest.mark.parametrize("dims", [(2, 0, 3), (-1, 3), "1x3", 5, None, []])
    def test_malformed_are_refused(self, dims: object) -> None:
        assert refused(Applied(functional.relu), {"x": dims}) == ("U113",)

    @pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.complex64])
    def test_that_are_not_float_are_refused(self, dtype: torch.dtype) -> None:
        assert refused(Applied(functional.relu), [torch.zeros(2, 3, dtype=dtype)]) == ("U114",)

    def test_too_many_are_refused(self) -> None:
        assert refused(Applied(functional.relu), [(1,), (1,)]) == ("U112",)


class TestOutputs:
    def test_of_every_nesting_have_places_and_names(self) -> None:
        class Pair(NamedTuple):
            low: torch.Tensor
            high: torch.Tensor

        @dataclasses.dataclass
        class Result:
            logits: torch.Tensor
            aux: list[torch.Tensor]

        cases: list[tuple[Callable[[torch.Tensor], Any], list[tuple[str, str]]]] = [
            (lambda x: x + 1, [("", "")]),
            (lambda x: (x + 1, [x + 2]), [("[0]", ""), ("[1][0]", "")]),
            (
                lambda x: {"out": x + 1, "aux": [x + 2, x + 3]},
                [("['out']", "out"), ("['aux'][0]", "aux.0"), ("['aux'][1]", "aux.1")],
            ),
            (lambda x: Pair(x + 1, x + 2), [(".low", "low"), (".high", "high")]),
            (lambda x: Result(x + 1, [x + 2]), [(".logits", "logits"), (".aux[0]", "aux.0")]),
            (lambda x: (x + 1, None, 3, "text"), [("[0]", "")]),
        ]
        for function, expected in cases:
            program = canonical(function)
            assert [(output.place, output.name) for output in program.outputs] == expected
            assert agreement(program) < 1e-6

    def test_may_be_inputs_constants_or_the_same_twice(self) -> None:
        program = canonical(lambda x: (x, torch.ones(3), y := x * 2, y))
        assert [output.node in program.constants for output in program.outputs] == [False, True, False, False]
        assert program.outputs[0].node == program.inputs[0].node
        assert program.outputs[2].node == program.outputs[3].node
        assert agreement(program) < 1e-6

    def test_without_a_tensor_are_refused(self) -> None:
        assert refused(Applied(lambda _: (None, 3))) == ("C206",)


class TestMode:
    def test_eval_is_used_noted_and_undone(self) -> None:
        model = nn.Sequential(nn.BatchNorm2d(4), nn.Dropout(0.5)).train()
        model[1].eval()
        program = canonicalize(capture(model, [SHAPE]))
        assert targets(program) == ["batch_norm.default"]
        assert [module.training for module in model.modules()] == [True, True, False]
        assert [(note.code, note.severity) for note in program.notes] == [("C204", Severity.NOTE)]
        assert agreement(program) < 1e-5

    def test_flags_come_back_after_a_failure(self) -> None:
        model = nn.Linear(3, 2).train()
        assert refused(model, [(1, 5)]) == ("C207",)
        assert model.training

    def test_an_eval_model_has_no_note(self) -> None:
        assert capture(nn.ReLU().eval(), [(1, 3)]).notes == ()

    def test_wrappers_are_taken_off(self) -> None:
        for wrapped in (nn.DataParallel(nn.Linear(3, 2)), torch.compile(nn.Linear(3, 2))):
            assert isinstance(wrapped, nn.Module)
            assert capture(wrapped.eval(), [(1, 3)]).name == "Linear"

    def test_nothing_is_printed_or_warned(self, capfd: pytest.CaptureFixture[str]) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            refused(Applied(lambda x: x if x.sum() > 0 else -x))
            canonical(lambda x, conv: conv(x), nn.Conv2d(4, 2, 3))
        assert capfd.readouterr() == ("", "")
        assert logging.getLogger("torch").level == logging.getLogger("torch.export").parent.level  # type: ignore[union-attr]  # it has one

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
    def test_other_float_widths_keep_their_numbers(self, dtype: torch.dtype) -> None:
        program = canonicalize(capture(nn.Conv2d(4, 3, 3).eval().to(dtype), [SHAPE]))
        assert program.inputs[0].dtype == dtype
        assert {value.dtype for value in program.constants.values()} == {dtype}
        assert agreement(program) < {torch.float16: 1e-2, torch.bfloat16: 5e-2, torch.float64: 1e-12}[dtype]


class TestRefusals:
    @staticmethod
    def at(function: Callable[[torch.Tensor], Any]) -> tuple[str, str]:
        """The code, and the text of the user's line."""
        with pytest.raises(CaptureError) as caught:
            canonicalize(capture(Applied(function).eval(), [SHAPE]))
        (found,) = caught.value.diagnostics
        assert Path(found.origin.file).name == Path(__file__).name
        return found.code, found.origin.code

    def test_a_branch_on_a_value(self) -> None:
        def branching(x: torch.Tensor) -> torch.Tensor:
            if x.sum() > 0:
                return x + 1
            return x

        assert self.at(branching) == ("C201", "if x.sum() > 0:")

    def test_a_loop_on_a_value(self) -> None:
        def looping(x: torch.Tensor) -> torch.Tensor:
            while x.abs().max() > 1:
                x = x / 2
            return x

        assert self.at(looping) == ("C201", "while x.abs().max() > 1:")

    def test_an_assertion_on_a_value(self) -> None:
        def asserting(x: torch.Tensor) -> torch.Tensor:
            assert (x > 0).all()
            return x

        assert self.at(asserting) == ("C201", "assert (x > 0).all()")

    def test_a_branch_in_the_graph(self) -> None:
        def branching(x: torch.Tensor) -> Any:
            return torch.cond(x.sum() > 0, torch.sin, torch.cos, (x,))

        assert self.at(branching) == ("C201", "return torch.cond(x.sum() > 0, torch.sin, torch.cos, (x,))")

    def test_a_length_from_a_value(self) -> None:
        def cutting(x: torch.Tensor) -> torch.Tensor:
            return x[:, : int(x.max())]

        assert self.at(cutting) == ("C202", "return x[:, : int(x.max())]")

    def test_a_number_from_a_value(self) -> None:
        code, _ = self.at(lambda x: x * x.sum().item())
        assert code == "C202"

    @pytest.mark.parametrize("function", [lambda x: x.nonzero(), lambda x: x[x > 0]])
    def test_a_shape_from_values(self, function: Callable[[torch.Tensor], torch.Tensor]) -> None:
        assert self.at(function)[0] == "C202"

    def test_the_models_own_exception(self) -> None:
        def failing(x: torch.Tensor) -> torch.Tensor:
            raise ValueError("no such layer")

        assert self.at(failing) == ("C207", 'raise ValueError("no such layer")')

    def test_dims_that_do_not_fit(self) -> None:
        def multiplying(x: torch.Tensor) -> torch.Tensor:
            return x @ torch.ones(5, 2)

        assert self.at(multiplying) == ("C207", "return x @ torch.ones(5, 2)")

    def test_the_models_own_exception_comes_with_what_it_was_fed(self) -> None:
        with pytest.raises(CaptureError) as caught:
            capture(nn.Embedding(10, 4).eval(), {"input": (1, 5)})
        assert caught.value.diagnostics[0].hint == "forward() was called with input=1x5 of float32"

    def test_packed_sequences(self) -> None:
        def packing(x: torch.Tensor) -> torch.Tensor:
            return nn.utils.rnn.pack_padded_sequence(x, [3, 2], batch_first=True).data

        assert self.at(packing) == (
            "C202",
            "return nn.utils.rnn.pack_padded_sequence(x, [3, 2], batch_first=True).data",
        )

    def test_quantized_modules(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = nn.Sequential(nn.Linear(4, 4), torch.ao.nn.quantized.dynamic.Linear(4, 4))  # type: ignore[no-untyped-call]  # torch has no types for it
        with pytest.raises(CaptureError, match="C209: the model is quantized") as caught:
            capture(model, [(1, 4)])
        assert caught.value.diagnostics[0].origin.module == "1"

    def test_a_model_that_is_prepared_for_quantization_is_a_float_model(self) -> None:
        class Added(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.add = torch.ao.nn.quantized.FloatFunctional()

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                return self.add.add_relu(x, x)

        assert len(capture(Added(), [(1, 4)]).outputs) == 1

    def test_what_runs_but_cannot_be_traced(self) -> None:
        def leaving(x: torch.Tensor) -> torch.Tensor:
            return torch.from_numpy(x.numpy() * 2)

        assert self.at(leaving) == ("C203", "return torch.from_numpy(x.numpy() * 2)")

    def test_broken_weights_are_listed_all(self) -> None:
        first, last = nn.Linear(3, 3), nn.Linear(3, 3)
        model = nn.Sequential(first, nn.Linear(3, 3), last).eval()
        with torch.no_grad():
            first.weight[0, 0] = float("nan")
            last.bias[1] = float("inf")
        with pytest.raises(CaptureError) as caught:
            capture(model, [(1, 3)])
        (found,) = caught.value.diagnostics
        assert (found.code, found.details) == ("C205", ("0.weight", "2.bias"))

    def test_infinite_statistics_are_broken_and_infinite_bounds_are_not(self) -> None:
        class Bounded(nn.Module):
            most: torch.Tensor

            def __init__(self) -> None:
                super().__init__()
                self.norm = nn.BatchNorm1d(3)
                self.register_buffer("most", torch.tensor(math.inf))

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                y: torch.Tensor = self.norm(x)
                return torch.clamp(y, -self.most, self.most) + torch.clamp(y, max=self.most)

        model = Bounded().eval()
        capture(model, [(1, 3)])
        assert isinstance(model.norm.running_var, torch.Tensor)
        model.norm.running_var[0] = math.inf
        with pytest.raises(CaptureError) as caught:
            capture(model, [(1, 3)])
        (found,) = caught.value.diagnostics
        assert (found.code, found.details) == ("C205", ("norm.running_var",))

    def test_large_finite_weights_are_not_broken(self) -> None:
        model = nn.Linear(3, 3).eval()
        with torch.no_grad():
            model.weight.fill_(3e38)
        assert capture(model, [(1, 3)]).outputs

    def test_a_memory_between_runs(self) -> None:
        class Counting(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.count: torch.Tensor
                self.register_buffer("count", torch.zeros(1))

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                self.count += 1
                return x * self.count

        assert refused(Counting().eval()) == ("C203",)

    def test_a_memory_that_no_output_uses_is_left_out(self) -> None:
        class Counting(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.count: torch.Tensor
                self.register_buffer("count", torch.zeros(1))

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                self.count += 1
                return x * 2

        assert targets(canonicalize(capture(Counting().eval(), [SHAPE]))) == ["mul.Tensor"]

    def test_parameters_without_numbers(self) -> None:
        with torch.device("meta"):
            model = nn.Linear(3, 2)
        assert refused(model.eval(), [(1, 3)]) == ("C203",)
