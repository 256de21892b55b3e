"""A program decomposed span by span: each distinct span once, for most of what a deep net does it does often.

`run_decompositions` traces the whole program several times. Here it gets a program of the distinct spans side by
side, and what it makes of each takes the place of every span that is the same but for its operands.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, NamedTuple

import torch
from torch import fx, nn
from torch.export import ExportedProgram, ModuleCallEntry, ModuleCallSignature
from torch.export.graph_signature import (
    ExportGraphSignature,
    InputKind,
    InputSpec,
    OutputKind,
    OutputSpec,
    TensorArgument,
)
from torch.utils import _pytree as pytree

from torch2om.program.spans import CHECKS, Span, spans, tensors

aten = torch.ops.aten
Decompose = Callable[[ExportedProgram], ExportedProgram]

_OF_STRIDES = {aten.as_strided.default, aten.as_strided_.default, aten.as_strided_copy.default}
_TENSORS = {InputKind.USER_INPUT, InputKind.PARAMETER, InputKind.BUFFER, InputKind.CONSTANT_TENSOR}
_MARK = "custom"  # the record that PyTorch hands on from a call to its parts


class _Key(NamedTuple):
    """What a decomposition may depend on: the calls, how the operands lie in memory, and which results are wanted."""

    calls: tuple[tuple[object, str], ...]
    operands: tuple[tuple[object, ...], ...]
    results: tuple[int, ...]


@dataclass(frozen=True)
class _Piece:
    """What a span becomes: calls on the operands, and the nodes that are its results."""

    operands: Sequence[fx.Node]
    calls: Sequence[fx.Node]
    results: Sequence[fx.Node]


def decomposed_by_pieces(exported: ExportedProgram, decompose: Decompose) -> ExportedProgram | None:
    """Return what `decompose` makes of the program, or None where a span alone does not say what becomes of it."""
    found = spans(exported.graph)
    if not found or not _is_plain(exported) or not all(_stands_alone(call) for span in found for call in span):
        return None
    keys = [_key(span) for span in found]
    distinct = dict(zip(keys, found, strict=True))
    try:
        together = decompose(_side_by_side(list(distinct.values()), exported.verifier))
    except Exception:  # noqa: BLE001 - whatever PyTorch cannot do, it says it better of the user's own program
        return None
    if not _is_closed(together, sum(len(_operands(span)) for span in distinct.values())):
        return None
    pieces = dict(zip(distinct, _cut(together, list(distinct.values())), strict=True))
    placed = {span[0]: (span, pieces[key]) for span, key in zip(found, keys, strict=True)}
    return _with_graph(exported, _joined(exported.graph, placed))


def _is_plain(exported: ExportedProgram) -> bool:
    """Whether the program takes tensors, changes none of them, and has no subgraphs."""
    signature = exported.graph_signature
    return (
        all(spec.kind in _TENSORS for spec in signature.input_specs)
        and all(spec.kind is OutputKind.USER_OUTPUT for spec in signature.output_specs)
        and all(node.op in ("placeholder", "call_function", "output") for node in exported.graph.nodes)
    )


def _stands_alone(call: fx.Node) -> bool:
    """Whether operands and results are dense tensors of static shape, and no strides are spelled out."""
    if call.target is operator.getitem:
        return next(tensors(call), None) is not None
    known = isinstance(call.target, torch._ops.OpOverload)  # noqa: SLF001 - torch's public operators are of this type
    known &= all(isinstance(node.meta.get("val"), torch.Tensor) for node in call.all_input_nodes)
    results, operands = list(tensors(call)), [value for node in call.all_input_nodes for value in tensors(node)]
    return known and call.target not in _OF_STRIDES and bool(results) and all(map(_is_dense, results + operands))


def _is_dense(value: torch.Tensor) -> bool:
    return value.layout is torch.strided and all(isinstance(size, int) for size in (*value.shape, *value.stride()))


def _operands(span: Span) -> list[fx.Node]:
    """Return what the span reads of other spans, in order."""
    own = set(span)
    return list(dict.fromkeys(source for call in span for source in call.all_input_nodes if source not in own))


def _results(span: Span) -> list[fx.Node]:
    """Return the calls of the span that others read."""
    own = set(span)
    return [call for call in span if any(user not in own and user.target not in CHECKS for user in call.users)]


def _key(span: Span) -> _Key:
    operands, results = _operands(span), set(_results(span))
    places = {node: f"value {place}" for place, node in enumerate([*operands, *span])}
    calls = [(call.target, repr(fx.node.map_arg((call.args, call.kwargs), places.__getitem__))) for call in span]
    values = [node.meta["val"] for node in operands]
    lying = [(tuple(value.shape), value.stride(), value.dtype, value.device) for value in values]
    return _Key(tuple(calls), tuple(lying), tuple(place for place, call in enumerate(span) if call in results))


def _side_by_side(distinct: Sequence[Span], verifier: type) -> ExportedProgram:
    """Return the program of these spans, each with inputs of its own and its calls marked with their places in it."""
    graph, place = fx.Graph(), count()
    inputs = [[_input(graph, source, next(place)) for source in _operands(span)] for span in distinct]
    results = []
    for span, own in zip(distinct, inputs, strict=True):
        values = dict(zip(_operands(span), own, strict=True))
        for number, call in enumerate(span):
            values[call] = graph.node_copy(call, values.__getitem__)
            values[call].meta[_MARK] = {_MARK: number}
        results += [values[call] for call in _results(span)]
    graph.output(tuple(results))
    taken = [TensorArgument(name=node.name) for own in inputs for node in own]
    returned = [TensorArgument(name=node.name) for node in results]
    signature = ExportGraphSignature(
        [InputSpec(InputKind.USER_INPUT, argument, None) for argument in taken],
        [OutputSpec(OutputKind.USER_OUTPUT, argument, None) for argument in returned],
    )
    into, out = pytree.tree_structure(((0,) * len(taken), {})), pytree.tree_structure((0,) * len(returned))
    entry = ModuleCallEntry("", ModuleCallSignature([], [], into, out))
    return ExportedProgram(nn.Module(), graph, signature, {}, {}, [entry], verifiers=[verifier])


def _input(graph: fx.Graph, source: fx.Node, place: int) -> fx.Node:
    node = graph.placeholder(f"operand{place}")
    value = source.meta["val"]
    node.meta["val"] = value.new_empty_strided(value.shape, value.stride())
    return node


def _is_closed(together: ExportedProgram, operands: int) -> bool:
    """Whether all that became of the spans is calls of theirs on their operands.

    Not so where a part needs a constant of its own, where a call changes an operand without a word of it in its
    schema, and where a view is taken once more at the end, for what it showed has changed.
    """
    signature = together.graph_signature
    kinds = {spec.kind for spec in signature.output_specs}
    marked = all(_MARK in node.meta for node in together.graph.nodes if node.op == "call_function")
    return len(signature.input_specs) == operands and kinds == {OutputKind.USER_OUTPUT} and marked


def _cut(together: ExportedProgram, distinct: Sequence[Span]) -> list[_Piece]:
    """Return the piece of each span: what its results need."""
    order = {node: place for place, node in enumerate(together.graph.nodes)}
    inputs = iter([node for node in order if node.op == "placeholder"])
    returned: Any = together.graph.output_node().args[0]  # Any: a tuple of nodes
    outputs = iter(returned)
    pieces = []
    for span in distinct:
        operands = [next(inputs) for _ in _operands(span)]
        results = [next(outputs) for _ in _results(span)]
        needed = sorted(_needed(results) - set(operands), key=order.__getitem__)
        pieces.append(_Piece(operands, needed, results))
    return pieces


def _needed(results: Iterable[fx.Node]) -> set[fx.Node]:
    found: set[fx.Node] = set()
    waiting = list(results)
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting.extend(node.all_input_nodes)
    return found


def _joined(graph: fx.Graph, pieces: Mapping[fx.Node, tuple[Span, _Piece]]) -> fx.Graph:
    """Return the graph with the piece of every span in the place of its first call."""
    joined = fx.Graph()
    values: dict[fx.Node, fx.Node] = {}
    for node in graph.nodes:
        if node in pieces:
            span, piece = pieces[node]
            results = _placed(joined, span, piece, [values[source] for source in _operands(span)])
            values.update(zip(_results(span), results, strict=True))
        elif node.op != "call_function":
            values[node] = joined.node_copy(node, values.__getitem__)
            values[node].name = node.name  # a copy gets another name where this is one of Python's own (`input`)
    joined.eliminate_dead_code(is_impure_node=lambda node: node.op in ("placeholder", "output"))
    return joined


def _placed(graph: fx.Graph, span: Span, piece: _Piece, operands: Sequence[fx.Node]) -> list[fx.Node]:
    """Put the calls of a piece in the graph, with the record of where the span's came from; return its results."""
    values = dict(zip(piece.operands, operands, strict=True))
    for part in piece.calls:
        arguments = fx.node.map_arg((part.args, part.kwargs), values.__getitem__)
        values[part] = graph.create_node("call_function", part.target, *arguments, name=_name(part.target))
        values[part].meta = {**span[part.meta[_MARK][_MARK]].meta, "val": part.meta["val"]}
    return [values[result] for result in piece.results]


def _name(target: Any) -> str:  # Any: FX types it for all kinds of nodes; a call's is a function
    """Return what PyTorch names a call after."""
    return str(getattr(target, "overloadpacket", target).__name__)


def _with_graph(exported: ExportedProgram, graph: fx.Graph) -> ExportedProgram:
    """Return the program with another graph that has the same inputs and as many results."""
    signature = exported.graph_signature
    results: Any = graph.output_node().args[0]  # Any: nodes, and values that are no tensors
    specs = [
        replace(spec, arg=TensorArgument(name=result.name)) if isinstance(result, fx.Node) else spec
        for spec, result in zip(signature.output_specs, results, strict=True)
    ]
    return ExportedProgram(
        exported.graph_module,
        graph,
        replace(signature, output_specs=specs),
        exported.state_dict,
        exported.range_constraints,
        exported.module_call_graph[:1],
        constants=exported.constants,
        verifiers=[exported.verifier],
    )
