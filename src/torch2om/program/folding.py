"""Constant subgraphs, computed once: weight norm, position tables, literals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import fx

from torch2om.program.evaluation import compute, widened
from torch2om.program.infinity import bounded


def fold(graph: fx.Graph, constants: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Compute what depends on constants alone, and return the constants that are used after that.

    The numbers are computed in float64 and stored in float32 (float64 if the model has them so); a view of a constant
    stays a view, sharing its memory. A computed infinity is stored as a number (`bounded`). A computed node keeps its
    name and becomes a placeholder. Random calls stay.
    """
    values: dict[fx.Node, Any] = {node: constants[node.name] for node in graph.nodes if node.name in constants}
    for node in graph.nodes:
        if node.op == "call_function" and _is_constant(node, values):
            values[node] = _computed(node, values)
    kept = [node for node in values if _is_needed(node, values)]
    found = {node.name: _stored(node, values[node]) for node in kept}
    for node in kept:
        _stand_in(node)
    graph.eliminate_dead_code(is_impure_node=lambda node: node.op in ("placeholder", "output"))
    return found


def _is_constant(node: fx.Node, values: Mapping[fx.Node, object]) -> bool:
    if torch.Tag.nondeterministic_seeded in getattr(node.target, "tags", ()):
        return False
    return all(source in values for source in node.all_input_nodes)


def _is_needed(node: fx.Node, values: Mapping[fx.Node, object]) -> bool:
    return isinstance(values[node], torch.Tensor) and any(user not in values for user in node.users)


def _computed(node: fx.Node, values: Mapping[fx.Node, Any]) -> Any:  # Any: a tensor or several
    if _is_view(node):
        return compute(node, values.__getitem__, torch.float64)
    return compute(node, lambda source: _wide(values[source]), torch.float64)


def _wide(value: Any) -> Any:  # Any: a tensor or several
    return widened(value, torch.float64) if isinstance(value, torch.Tensor) else value


def _is_view(node: fx.Node) -> bool:
    """Whether the result is a view of the first argument, so that its numbers are the same in any dtype."""
    schema = getattr(node.target, "_schema", None)
    return schema is not None and bool(schema.returns) and schema.returns[0].alias_info is not None


def _stored(node: fx.Node, value: torch.Tensor) -> torch.Tensor:
    if node.op == "placeholder" or value.dtype != torch.float64:
        return value
    limited = value if _is_view(node) else bounded(value)
    return limited if node.meta["val"].dtype == torch.float64 else limited.to(torch.float32)


def _stand_in(node: fx.Node) -> None:
    """Make a computed node a placeholder of the same name."""
    if node.op == "placeholder":
        return
    node.op, node.target = "placeholder", node.name
    node.args, node.kwargs = (), {}
