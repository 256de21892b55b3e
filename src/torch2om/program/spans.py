"""A captured graph in spans: stretches of calls that a rewriter may take one by one, whatever it does with the others.

A call that changes nothing is a span of its own. One that changes a tensor in place is in the span that begins with the
call that made the tensor: beyond its end nobody reads anything that still changes.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import fx

aten = torch.ops.aten
Span = list[fx.Node]

CHECKS = {
    aten._assert_tensor_metadata.default,  # noqa: SLF001 - a name
    aten._assert_async.msg,  # noqa: SLF001 - a name
    aten._assert_async.default,  # noqa: SLF001 - a name
    aten._assert_scalar.default,  # noqa: SLF001 - a name
}


def spans(graph: fx.Graph) -> list[Span] | None:
    """Return the graph's calls in spans, without its checks; None if it changes what no call of its own made.

    A part of a call's result belongs to that call's span.
    """
    lasts = _lasts(list(graph.nodes))
    if lasts is None:
        return None
    found: list[Span] = []
    owners: dict[fx.Node, Span] = {}
    end = -1
    for place, node in enumerate(graph.nodes):
        if node.op == "call_function" and node.target not in CHECKS:
            if node.target is operator.getitem:
                owners[node] = owners[node.args[0]]
            elif place > end:
                found.append(owners.setdefault(node, []))
            owners.setdefault(node, found[-1]).append(node)
        end = max(end, lasts[place])
    return found


def _lasts(nodes: Sequence[fx.Node]) -> list[int] | None:
    """Return, for every node, the place of the last call that changes the memory which the node was first to have."""
    firsts: dict[int, int] = {}
    for place, node in enumerate(nodes):
        for value in tensors(node):
            firsts.setdefault(_memory(value), place)
    lasts = list(range(len(nodes)))
    for place, node in enumerate(nodes):
        if not _is_in_place(node):
            continue
        changed = {firsts[_memory(value)] for source in _written(node) for value in tensors(source)}
        if not changed or any(firsts[_memory(value)] not in changed for value in tensors(node)):
            return None  # a graph that was read from a file tells no memory from another
        if any(nodes[first].op == "placeholder" for first in changed):
            return None
        lasts[min(changed)] = place
    return lasts


def _is_in_place(node: fx.Node) -> bool:
    return isinstance(node.target, torch._ops.OpOverload) and node.target._schema.is_mutable  # noqa: SLF001 - no other door


def _written(call: fx.Node) -> Iterator[fx.Node]:
    """Yield the arguments that an in-place call changes."""
    schema = call.target._schema  # type: ignore[union-attr]  # noqa: SLF001 - an OpOverload: it is in place
    for place, argument in enumerate(schema.arguments):
        value = call.args[place] if place < len(call.args) else call.kwargs.get(argument.name)
        if argument.alias_info is not None and argument.alias_info.is_write and isinstance(value, fx.Node):
            yield value


def tensors(node: fx.Node) -> Iterator[torch.Tensor]:
    """Yield the tensors that a node stands for."""
    value: Any = node.meta.get("val")  # Any: a tensor, several, a number or None
    values = value if isinstance(value, list | tuple) else [value]
    yield from (one for one in values if isinstance(one, torch.Tensor))


def _memory(value: torch.Tensor) -> int:
    return int(value.untyped_storage()._cdata)  # noqa: SLF001 - the identity of a storage that has no data
