"""An exported program as a `Program`: inputs, outputs and constants by name; what no net can be is refused here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch import fx
from torch.export import ExportedProgram
from torch.export.graph_signature import OutputKind

from torch2om.errors import CaptureError, Diagnostic, Problems
from torch2om.origin import Origin
from torch2om.program.arguments import Arguments, names_in_order
from torch2om.program.graph import Program, ProgramInput, ProgramOutput
from torch2om.program.infinity import bounded, may_be_infinite
from torch2om.program.lineage import users_line
from torch2om.program.structure import Leaf, Tree


def assemble(
    exported: ExportedProgram,
    name: str,
    arguments: Arguments,
    places: Sequence[Leaf],
    module: Callable[..., Tree],
    notes: tuple[Diagnostic, ...],
) -> Program:
    """Return the program. `places` are the places of the exported results in forward's result.

    Raises `CaptureError` with everything that keeps it from being a net: shapes that depend on data (C202), constants
    that are not finite (C205), no tensor among the results (C206).
    """
    problems = Problems()
    outputs = _outputs(exported, places)
    constants = stored_constants(exported)
    _check_shapes(exported, problems)
    _check_finite(exported, constants, problems)
    if not outputs:
        problems.add(Diagnostic("C206", "forward() returns no tensor"))
    problems.raise_as(CaptureError)
    return Program(
        name=name,
        exported=exported,
        graph_module=exported.graph_module,
        inputs=_inputs(exported, arguments),
        outputs=outputs,
        constants=constants,
        arguments=arguments.names,
        module=module,
        notes=notes,
    )


def _nodes(exported: ExportedProgram) -> Mapping[str, fx.Node]:
    return {node.name: node for node in exported.graph.nodes}


def _inputs(exported: ExportedProgram, arguments: Arguments) -> tuple[ProgramInput, ...]:
    nodes = _nodes(exported)
    names = names_in_order(arguments.names)
    values = [(str(node), nodes[str(node)].meta["val"]) for node in exported.graph_signature.user_inputs]
    return tuple(
        ProgramInput(name, tuple(value.shape), node, value.dtype)
        for name, (node, value) in zip(names, values, strict=True)
    )


def user_results(exported: ExportedProgram) -> Iterator[str | None]:
    """Yield forward's results in order: the node's name, or None for a value that is no tensor."""
    nodes = _nodes(exported)
    for spec in exported.graph_signature.output_specs:
        if spec.kind is OutputKind.USER_OUTPUT:
            node = nodes.get(getattr(spec.arg, "name", None) or "")
            yield node.name if node is not None and isinstance(node.meta.get("val"), torch.Tensor) else None


def _outputs(exported: ExportedProgram, places: Sequence[Leaf]) -> tuple[ProgramOutput, ...]:
    results = zip(places, user_results(exported), strict=True)
    return tuple(ProgramOutput(leaf.place, leaf.name, node) for leaf, node in results if node is not None)


def stored_constants(exported: ExportedProgram) -> dict[str, torch.Tensor]:
    """Return the tensors behind the graph's constant nodes that are used, sharing the model's memory.

    Infinities in buffers that are bounds or masks become numbers (`bounded`).
    """
    signature = exported.graph_signature
    held = {**exported.state_dict, **exported.constants}
    targets = {
        **signature.inputs_to_parameters,
        **signature.inputs_to_buffers,
        **signature.inputs_to_lifted_tensor_constants,
    }
    used = {node.name: node for node in exported.graph.nodes if node.op == "placeholder" and node.users}
    found = {node: held[target].detach().cpu() for node, target in targets.items() if node in used}
    masks = (node for node in found.keys() - signature.inputs_to_parameters.keys() if may_be_infinite(used[node]))
    return {**found, **{node: bounded(found[node]) for node in masks}}


def _check_shapes(exported: ExportedProgram, problems: Problems) -> None:
    """Note the first call whose value's shape, or whose plain number, depends on data: the rest follows from it."""
    for node in exported.graph.nodes:
        value = node.meta.get("val")
        frame = users_line(node)
        origin = Origin(node.name, str(node.target), file=frame.file, line=frame.line, code=frame.code)
        if isinstance(value, torch.SymInt | torch.SymFloat | torch.SymBool):
            text = "the model reads a number out of a tensor here, so the net would change with its input"
            problems.add(Diagnostic("C202", text, origin=origin, hint="keep the value a tensor: leave out .item()"))
            return
        if isinstance(value, torch.Tensor) and not all(isinstance(dim, int) for dim in value.shape):
            text = f"the shape of {node.target}'s result depends on its input's values"
            problems.add(Diagnostic("C202", text, origin=origin, hint="use torch.where, or a mask of fixed size"))
            return


def _check_finite(exported: ExportedProgram, constants: Mapping[str, torch.Tensor], problems: Problems) -> None:
    signature = exported.graph_signature
    names = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
    broken = [names.get(node, node) for node, value in constants.items() if not _is_finite(value)]
    if broken:
        text = f"{len(broken)} of {len(constants)} parameters and constants hold NaN or infinity"
        problems.add(Diagnostic("C205", text, details=tuple(broken)))


def _is_finite(value: torch.Tensor) -> bool:
    """Whether all elements are finite; a finite sum says so without a second array."""
    if not value.is_floating_point() or bool(torch.isfinite(value.sum())):
        return True
    return bool(torch.isfinite(value).all())
