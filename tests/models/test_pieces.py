"""Programs that are decomposed span by span are what run_decompositions makes of them as a whole."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from own_nets import CRNN, UNet, YoloHead
from programs import SHAPE, Applied, Outer, agreement
from torch import fx, nn
from torch.export import ExportedProgram
from torch.nn import functional

from torch2om.program import Program, canonicalize, capture
from torch2om.program.decompositions import decompositions
from torch2om.program.pieces import decomposed_by_pieces
from torch2om.program.spans import spans

Call = tuple[object, ...]


def whole(exported: ExportedProgram) -> ExportedProgram:
    with torch.no_grad():
        found: ExportedProgram = exported.run_decompositions(dict(decompositions()))
    return found


def by_pieces(exported: ExportedProgram) -> ExportedProgram | None:
    with torch.no_grad():
        return decomposed_by_pieces(exported, whole)


def written(program: Program) -> Iterator[Call]:
    """Yield the calls: operator, arguments by the order in which they are first read, result, and the user's line."""
    known: dict[fx.Node, str] = {}

    def named(node: fx.Node) -> str:
        return known.setdefault(node, f"value {len(known)}")

    for call in program.calls():
        arguments = repr(fx.node.map_arg((call.args, call.kwargs), named))
        origin = program.origin(call)
        value: Any = call.meta["val"]
        results = [(one.shape, one.dtype) for one in (value if isinstance(value, list | tuple) else [value])]
        place = origin.module, origin.leaf, origin.file, origin.line, origin.code
        yield str(call.target), named(call), arguments, results, place
    yield tuple(output.place for output in program.outputs)


def fill_parts(x: torch.Tensor) -> torch.Tensor:
    mask = x.new_zeros(8, 8)
    for step in range(3):
        mask[step : step + 2, step:] = step
    return x + mask


def change_parts(x: torch.Tensor) -> torch.Tensor:
    y = x * 2
    z = y + 1
    y[:, 0].add_(z[:, 1])
    first, second = torch.split(y, 2, 1)
    second.mul_(first)
    return y * z


def read_a_changed_view(x: torch.Tensor) -> torch.Tensor:
    y = x + 1
    row = y[:, 0]
    y.relu_()
    return row + y[:, 1]


def attend(x: torch.Tensor) -> torch.Tensor:
    q, k, v = x.flatten(2).chunk(3, 2)[0], x.flatten(2)[:, :, ::3], x.flatten(2)[:, :, :22]
    return functional.scaled_dot_product_attention(q, k, v, is_causal=True)


def repeat(x: torch.Tensor, *blocks: nn.Module) -> torch.Tensor:
    for block in blocks:
        x = x + block(x)
    return x


NETS: dict[str, Callable[[], tuple[nn.Module, tuple[int, ...]]]] = {
    "block": lambda: (Outer(), SHAPE),
    "unet": lambda: (UNet(), (1, 3, 32, 32)),
    "yolo": lambda: (YoloHead(), (1, 3, 32, 32)),
    "crnn": lambda: (CRNN(), (1, 1, 16, 24)),
    "mask": lambda: (Applied(fill_parts), SHAPE),
    "parts": lambda: (Applied(change_parts), SHAPE),
    "attention": lambda: (Applied(attend), (2, 4, 8, 9)),
    "random": lambda: (Applied(lambda x: x + torch.rand(8) * torch.rand(8)), SHAPE),
    "several": lambda: (Applied(lambda x: (x.max(1), x.sort(1), x, x.unbind(3)[2])), SHAPE),
    "transformer": lambda: (nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), (2, 5, 8)),
}


@pytest.mark.parametrize("name", NETS)
def test_the_program_is_the_same_call_by_call(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, shape = NETS[name]()
    captured = capture(model.eval(), [shape])
    assert by_pieces(captured.exported) is not None
    program = canonicalize(captured)
    stage = importlib.import_module("torch2om.program.canonicalize")  # the package shows the function under this name
    monkeypatch.setattr(stage, "decomposed_by_pieces", lambda *_: None)
    assert list(written(program)) == list(written(canonicalize(captured)))


def test_what_is_done_often_is_decomposed_once() -> None:
    asked: list[ExportedProgram] = []

    def note(exported: ExportedProgram) -> ExportedProgram:
        asked.append(exported)
        return whole(exported)

    captured = capture(Applied(repeat, *(nn.Linear(8, 8) for _ in range(5))).eval(), [(2, 8)])
    with torch.no_grad():
        assert decomposed_by_pieces(captured.exported, note) is not None
    assert [str(node.target) for node in asked[0].graph.nodes if node.op == "call_function"] == [
        "aten.linear.default",
        "aten.add.Tensor",
    ]


def test_constants_of_another_type_are_another_span() -> None:
    captured = capture(Applied(lambda x: (x.long() * 1, x.long() * 1.0, x.long() * True)).eval(), [SHAPE])
    found = by_pieces(captured.exported)
    assert found is not None
    results: Any = found.graph.output_node().args[0]
    assert [node.meta["val"].dtype for node in results] == [torch.int64, torch.float32, torch.int64]


def test_an_in_place_call_is_in_the_span_of_what_it_changes() -> None:
    found = spans(capture(Outer().eval(), [SHAPE]).exported.graph)
    assert found is not None
    assert [len(span) for span in found if len(span) > 1] == [2]  # the batch norm and its ReLU


def _state(x: torch.Tensor, norm: nn.BatchNorm2d) -> torch.Tensor:
    assert norm.running_mean is not None
    norm.running_mean.add_(1)
    return x + norm.running_mean.sum()


@pytest.mark.parametrize(
    ("function", "parts"),
    [
        (lambda x: x.add_(1) * 2, ()),
        (_state, (nn.BatchNorm2d(4),)),
        (lambda x: x.as_strided((2, 4), (4, 1)) * 2, ()),
        (read_a_changed_view, ()),
        (lambda x: x, ()),
    ],
    ids=["input", "buffer", "strides", "view", "nothing"],
)
def test_what_a_span_does_not_tell_is_decomposed_as_a_whole(
    function: Callable[..., Any], parts: tuple[nn.Module, ...]
) -> None:
    assert by_pieces(capture(Applied(function, *parts).eval(), [SHAPE]).exported) is None


def test_in_place_calls_of_a_file_are_decomposed_as_a_whole(tmp_path: Path) -> None:
    torch.export.save(torch.export.export(Outer().eval(), (torch.randn(SHAPE),)), tmp_path / "m.pt2")
    captured = capture(torch.export.load(tmp_path / "m.pt2"), [SHAPE])
    assert by_pieces(captured.exported) is None
    assert agreement(canonicalize(captured)) < 1e-6
