"""Many nets as branches of one program: captured and lowered once, then cut apart.

torch.export takes half a second for the smallest net and 20 ms for one more branch. What a capture or a lowering of
many refuses is found branch by branch: a lowering's refusals name their calls; for the rest the bundle is halved.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from benchmarks.sweep.branch import Branch
from torch import fx, nn

from torch2om.errors import Diagnostic, LoweringError, Torch2omError
from torch2om.ir.net import Input, Layer, Net, Output
from torch2om.ir.op import Array
from torch2om.lowering import lower
from torch2om.passes import simplify
from torch2om.program import Program, canonicalize, capture
from torch2om.reference import OWN_TOLERANCE, reference_values
from torch2om.verification import OwnRun, Sample

_PLACE = re.compile(r"\[(\d+)\]")


class Bundle(nn.Module):
    """Branches side by side, each with inputs and outputs of its own."""

    def __init__(self, branches: Sequence[Branch]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branch.module for branch in branches)
        self.counts = [len(branch.values) for branch in branches]

    def forward(self, x: list[torch.Tensor]) -> list[list[torch.Tensor]]:
        found, at = [], 0
        for branch, count in zip(self.branches, self.counts, strict=True):
            found.append(branch(*x[at : at + count]))
            at += count
        return found


@dataclass(frozen=True)
class Lowered:
    """A branch as a net, its sample, and PyTorch's float64 value of every call that its blobs mirror.

    It is the reference that the net's files must be equal to.
    """

    branch: Branch
    net: Net
    sample: Sample
    calls: Mapping[str, Array]
    title: str = "PyTorch"

    def values(self, sample: Sample, wanted: Collection[str]) -> Iterator[tuple[str, Array]]:  # noqa: ARG002 - the same
        """Yield the float64 values of these calls."""
        return ((call, self.calls[call]) for call in wanted)

    def own_runs(self, sample: Sample) -> Iterator[OwnRun]:  # noqa: ARG002 - there is one
        """Yield what the branch's module itself returns."""
        yield OwnRun(self.branch.results, OWN_TOLERANCE)


@dataclass(frozen=True)
class Refused:
    """A branch that was not lowered: with diagnostics, or with the error that nobody foresaw."""

    branch: Branch
    diagnostics: tuple[Diagnostic, ...] = ()
    crash: str = ""


Result = Lowered | Refused


def lowered(branches: Sequence[Branch]) -> Iterator[Result]:
    """Yield each branch as a net, or why it is none."""
    try:
        yield from _together(branches)
    except Exception as error:  # noqa: BLE001 - every error of the product is a finding
        if len(branches) > 1:
            middle = len(branches) // 2
            yield from lowered(branches[:middle])
            yield from lowered(branches[middle:])
        elif isinstance(error, Torch2omError):
            yield Refused(branches[0], error.diagnostics)
        else:
            yield Refused(branches[0], crash=f"{type(error).__name__}: {error}")


def _together(branches: Sequence[Branch]) -> list[Result]:
    sample = {f"x.{index}": value for index, value in enumerate(v for branch in branches for v in branch.values)}
    program = canonicalize(capture(Bundle(branches), {"x": [torch.from_numpy(value) for value in sample.values()]}))
    try:
        return _cut(lower(program), program, branches, sample)
    except LoweringError as error:
        blamed = _blamed(program, error)
        results: list[Result] = [Refused(branches[index], tuple(found)) for index, found in blamed.items()]
        rest = _without(program, set(blamed))
        return results + (_cut(lower(rest), rest, branches, sample) if rest.outputs else [])


def _blamed(program: Program, error: LoweringError) -> dict[int, list[Diagnostic]]:
    """Return branch -> the diagnostics of calls that lead to its outputs."""
    nodes = {node.name: node for node in program.graph_module.graph.nodes}
    places = {output.node: branch_of(output.place) for output in program.outputs}
    found: dict[int, list[Diagnostic]] = {}
    for diagnostic in error.diagnostics:
        for index in {places[name] for name in _reached(nodes[diagnostic.origin.call]) if name in places}:
            found.setdefault(index, []).append(diagnostic)
    return found


def _reached(node: fx.Node) -> set[str]:
    """Return the node and everything that is computed from it."""
    found: set[str] = set()
    pending = [node]
    while pending:
        at = pending.pop()
        if at.name not in found:
            found.add(at.name)
            pending += at.users
    return found


def _without(program: Program, refused: set[int]) -> Program:
    """Return the program without the outputs of these branches and the calls that only they need."""
    outputs = tuple(output for output in program.outputs if branch_of(output.place) not in refused)
    graph = program.graph_module.graph
    nodes = {node.name: node for node in graph.nodes}
    graph.output_node().args = (tuple(nodes[output.node] for output in outputs),)
    graph.eliminate_dead_code(is_impure_node=lambda node: node.op in ("placeholder", "output"))
    return replace(program, outputs=outputs)


def branch_of(place: str) -> int:
    """Return the branch that an output's place (`[branch][result]`) or a module's path (`branches.branch`) names."""
    found = _PLACE.match(place)
    assert found is not None
    return int(found[1])


def _cut(net: Net, program: Program, branches: Sequence[Branch], sample: Sample) -> list[Result]:
    """Return a net per branch: the layers that lead to its outputs."""
    reference = dict(reference_values(program, sample))
    feeds = iter(net.inputs)
    inputs = [tuple(next(feeds) for _ in branch.values) for branch in branches]
    found: list[Result] = []
    for index in dict.fromkeys(branch_of(output.place) for output in net.outputs):
        outputs = tuple(output for output in net.outputs if branch_of(output.place) == index)
        part = simplify(_cone(net, inputs[index], outputs))
        calls = {call: reference[call] for call in part.mirrors.values()}
        fed = {source.name: sample[source.name] for source in part.inputs}
        found.append(Lowered(branches[index], part, fed, calls))
    return found


def _cone(net: Net, inputs: tuple[Input, ...], outputs: tuple[Output, ...]) -> Net:
    """Return the net of these outputs: the layers that they need."""
    needed: dict[str, Layer] = {}
    blobs = {source.name for source in inputs}
    pending = [output.blob for output in outputs]
    while pending:
        blob = pending.pop()
        if blob not in blobs:
            layer = net.producers[blob]
            needed[layer.name] = layer
            blobs.update(layer.tops)
            pending += layer.bottoms
    layers = tuple(layer for layer in net.layers if layer.name in needed)
    mirrors = {blob: call for blob, call in net.mirrors.items() if blob in blobs}
    return Net("net", inputs, layers, outputs, mirrors)
