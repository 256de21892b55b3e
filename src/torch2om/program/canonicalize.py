"""The stage canonicalize: functional ATen, few forms, constant subgraphs computed once, nothing that does nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import fx
from torch.export import ExportedProgram
from torch.export.graph_signature import OutputKind

from torch2om.errors import CaptureError, Diagnostic, Problems
from torch2om.program.assembly import stored_constants, user_results
from torch2om.program.decompositions import decompositions
from torch2om.program.failures import origin_of, quiet
from torch2om.program.folding import fold
from torch2om.program.graph import Program, ProgramInput
from torch2om.program.infinity import bound_pads
from torch2om.program.pieces import decomposed_by_pieces
from torch2om.program.recovery import recover
from torch2om.program.spans import CHECKS
from torch2om.program.spellings import unify
from torch2om.program.unpooling import recover_unpoolings

aten = torch.ops.aten

# A copy, a view of the whole, a mark for autograd: the value is the argument's.
_IDENTITIES = {
    aten.alias.default,
    aten.clone.default,
    aten.contiguous.default,
    aten.detach.default,
    aten.lift_fresh.default,
    aten.lift_fresh_copy.default,
    aten.resolve_conj.default,
    aten.resolve_neg.default,
}
# The value is the argument's where the shape is.
_RESHAPES = {aten.view.default, aten.expand.default, aten.permute.default, aten.squeeze.dims, aten.repeat.default}


def canonicalize(program: Program) -> Program:
    """Return the program in the forms that lowering knows; its values at every remaining call are the same numbers.

    Conversions between float widths are no calls of a net and are removed, as are copies, checks and what no output
    needs. Shapes in `view` and `expand` are concrete, computed infinities the largest float32. Raises `CaptureError`
    (C203) if PyTorch cannot decompose the program, or if the model changes a buffer that it uses.
    """
    exported = _decomposed(program.exported)
    graph = exported.graph_module.graph
    wanted = [name for name in user_results(exported) if name is not None]
    _return(graph, wanted)
    unify(graph)
    _remove_identities(graph)
    recover(graph)
    recover_unpoolings(graph)
    bound_pads(graph)
    graph.eliminate_dead_code(is_impure_node=lambda node: node.op in ("placeholder", "output"))
    _refuse_branches(program, exported)
    _refuse_state(exported)
    constants = fold(graph, stored_constants(exported))
    results = graph.output_node().args[0]
    outputs = zip(program.outputs, results, strict=True)
    return replace(
        program,
        exported=exported,
        graph_module=exported.graph_module,
        inputs=_renamed(program, exported),
        outputs=tuple(replace(output, node=node.name) for output, node in outputs),
        constants=constants,
    )


def _decomposed(exported: ExportedProgram) -> ExportedProgram:
    try:
        with torch.no_grad(), quiet():
            return decomposed_by_pieces(exported, _run_decompositions) or _run_decompositions(exported)
    except Exception as error:
        text = f"PyTorch cannot decompose the program: {type(error).__name__}: {error}"
        raise CaptureError(Diagnostic("C203", text, origin=origin_of(error))) from error


def _run_decompositions(exported: ExportedProgram) -> ExportedProgram:
    decomposed: ExportedProgram = exported.run_decompositions(dict(decompositions()))
    return decomposed


def _return(graph: fx.Graph, names: list[str]) -> None:
    """Let the graph return exactly these nodes: no new values of buffers, nothing that is no tensor."""
    nodes = {node.name: node for node in graph.nodes}
    graph.output_node().args = (tuple(nodes[name] for name in names),)


def _remove_identities(graph: fx.Graph) -> None:
    for node in list(graph.nodes):
        if node.target in CHECKS:
            graph.erase_node(node)
        elif _is_identity(node):
            node.replace_all_uses_with(node.args[0])
            graph.erase_node(node)
        elif node.target in (aten.view.default, aten.expand.default):
            node.args = (node.args[0], list(node.meta["val"].shape))
            node.kwargs = {}


def _is_identity(node: fx.Node) -> bool:
    source = node.args[0] if node.args else None
    if not isinstance(source, fx.Node) or node.op != "call_function":
        return False
    before, after = source.meta.get("val"), node.meta.get("val")
    if not isinstance(before, torch.Tensor) or not isinstance(after, torch.Tensor):
        return False
    if node.target is aten._to_copy.default:  # noqa: SLF001 - a name
        return before.dtype == after.dtype or (before.is_floating_point() and after.is_floating_point())
    if node.target is aten.permute.default:
        return list(node.args[1]) == list(range(before.dim()))  # type: ignore[arg-type]  # the schema says int[]
    return node.target in _IDENTITIES or (node.target in _RESHAPES and before.shape == after.shape)


def _refuse_branches(program: Program, exported: ExportedProgram) -> None:
    """Raise `CaptureError` for every torch.cond and its kin: a net has no branches."""
    problems = Problems()
    whole = replace(program, exported=exported, graph_module=exported.graph_module)
    for node in whole.calls():
        if isinstance(node.target, torch._ops.HigherOrderOperator):  # noqa: SLF001 - the type of torch.cond
            text = f"{node.target} runs one of several subgraphs, and a net has no branches"
            hint = "use torch.where, or export the branch that deployment takes"
            problems.add(Diagnostic("C201", text, origin=whole.origin(node), hint=hint))
    problems.raise_as(CaptureError)


def _refuse_state(exported: ExportedProgram) -> None:
    """Raise `CaptureError` for every buffer that the model both changes and uses: a net has no memory between runs."""
    signature = exported.graph_signature
    changed = {spec.target for spec in signature.output_specs if spec.kind is OutputKind.BUFFER_MUTATION}
    used: Mapping[str, bool] = {node.name: bool(node.users) for node in exported.graph.nodes}
    problems = Problems()
    for node, target in signature.inputs_to_buffers.items():
        if target in changed and used.get(node, False):
            text = f"the model changes its own buffer {target} and uses it, and a net has no memory between runs"
            hint = "export the model in eval mode, or pass the state as an input and an output"
            problems.add(Diagnostic("C203", text, hint=hint))
    problems.raise_as(CaptureError)


def _renamed(program: Program, exported: ExportedProgram) -> tuple[ProgramInput, ...]:
    nodes = exported.graph_signature.user_inputs
    return tuple(replace(source, node=str(node)) for source, node in zip(program.inputs, nodes, strict=True))
