"""Models that come as exported programs or as TorchScript."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from programs import SHAPE, Outer, agreement, refused, targets
from torch import nn
from torch.nn import functional

from torch2om.errors import UsageError
from torch2om.loading import load_model
from torch2om.program import canonicalize, capture


class TestExportedPrograms:
    def test_are_captured_with_their_own_inputs_and_places(self, tmp_path: Path) -> None:
        class Named(nn.Module):
            def forward(self, x: torch.Tensor, *, gain: torch.Tensor) -> dict[str, torch.Tensor]:
                return {"out": x * gain}

        exported = torch.export.export(Named().eval(), (torch.randn(2, 3),), {"gain": torch.randn(3)})
        torch.export.save(exported, tmp_path / "m.pt2")
        program = canonicalize(capture(torch.export.load(tmp_path / "m.pt2")))
        assert [(source.name, source.shape) for source in program.inputs] == [("x", (2, 3)), ("gain", (3,))]
        assert [(output.place, output.name) for output in program.outputs] == [("['out']", "out")]
        assert agreement(program) < 1e-6

    def test_keep_modules_and_lines(self, tmp_path: Path) -> None:
        torch.export.save(torch.export.export(Outer().eval(), (torch.randn(SHAPE),)), tmp_path / "m.pt2")
        program = canonicalize(capture(torch.export.load(tmp_path / "m.pt2"), [SHAPE]))
        conv = next(program.origin(call) for call in program.calls())
        assert (conv.module, conv.leaf, conv.code) == (
            "stem.conv",
            True,
            "y: torch.Tensor = self.act(self.bn(self.conv(x)))",
        )

    def test_refuse_other_dims_and_names(self) -> None:
        exported = torch.export.export(nn.Linear(3, 2).eval(), (torch.randn(2, 3),))
        assert refused(exported, {"input": (4, 3)}) == ("U113",)
        assert "U112" in refused(exported, {"x": (2, 3)})

    def test_with_open_dims_take_the_given_ones(self) -> None:
        batch = torch.export.Dim("batch", min=2, max=64)
        exported = torch.export.export(nn.Linear(3, 2).eval(), (torch.randn(4, 3),), dynamic_shapes=({0: batch},))
        program = canonicalize(capture(exported, {"input": (6, 3)}))
        assert program.inputs[0].shape == (6, 3)
        assert agreement(program) < 1e-6
        assert refused(exported, ()) == ("U111",)


def _traced(model: nn.Module) -> torch.jit.ScriptModule:
    traced: torch.jit.ScriptModule = torch.jit.trace(model, torch.randn(SHAPE))  # type: ignore[no-untyped-call]  # untyped in torch
    return traced


@pytest.mark.filterwarnings("ignore:.torch.jit")  # deprecated, and still what users have
class TestTorchScript:
    class Chosen(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList([nn.Conv2d(4, 4, 3, padding=1) for _ in range(2)])
            self.deep = True

        def forward(self, x: torch.Tensor, scale: float = 2.0) -> tuple[torch.Tensor, torch.Tensor]:
            for layer in self.layers:
                if self.deep:
                    x = functional.relu(layer(x)) * scale
            return x, x.view(x.shape[0], -1)

    @pytest.mark.parametrize("kind", ["trace", "script"])
    def test_is_captured_with_parameter_names_as_modules(self, kind: str, tmp_path: Path) -> None:
        model = self.Chosen().eval()
        script = _traced(model) if kind == "trace" else torch.jit.script(model)
        script.save(tmp_path / "m.pt")
        program = canonicalize(capture(load_model(str(tmp_path / "m.pt")), {"x": SHAPE}))
        assert targets(program).count("conv2d.default") == 2
        convs = [program.origin(call) for call in program.calls() if "conv" in str(call.target)]
        assert [(conv.module, conv.leaf) for conv in convs] == [("layers.0", True), ("layers.1", True)]
        assert [output.place for output in program.outputs] == ["[0]", "[1]"]
        assert agreement(program) < 1e-5

    def test_in_training_mode_is_evaluated(self) -> None:
        script = torch.jit.script(nn.Sequential(nn.BatchNorm2d(4), nn.Dropout())).train()
        program = canonicalize(capture(script, [SHAPE]))
        assert targets(program) == ["batch_norm.default"]
        assert program.notes[0].code == "C204"
        assert script.training

    def test_sizes_read_in_a_trace_are_fixed(self) -> None:
        class Shuffle(nn.Module):
            def forward(self, x: torch.Tensor) -> torch.Tensor:
                n, c, h, w = x.shape
                return x.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)

        program = canonicalize(capture(_traced(Shuffle().eval()), [SHAPE]))
        assert agreement(program) < 1e-6

    def test_a_branch_on_a_value_is_refused(self) -> None:
        class Branching(nn.Module):
            def forward(self, x: torch.Tensor) -> torch.Tensor:
                if bool(x.sum() > 1e9):
                    x = x * 2
                return x

        assert refused(torch.jit.script(Branching().eval())) == ("C201",)

    def test_names_come_from_the_schema(self) -> None:
        script = torch.jit.script(self.Chosen().eval())
        with pytest.raises(UsageError, match=r"x, scale=2\.0"):
            capture(script, {"y": SHAPE})
