"""Calls that tracing took apart, put together again: both shrinks, and the tensor that was written back to itself.

PyTorch runs its Python forms of softshrink and hardshrink before `run_decompositions` asks its table, and an in-place
change of a part ends with the part being written where it is already.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import fx

aten = torch.ops.aten
Value = Any  # an argument of a call: node, number, list or None


def recover(graph: fx.Graph) -> None:
    """Replace every group of calls that says what one call says."""
    for node in list(graph.nodes):
        if node.target is aten.cat.default and (whole := _whole(node)) is not None:
            node.replace_all_uses_with(whole)
        if node.target is aten.where.self and (form := _softshrink(node) or _hardshrink(node)) is not None:
            target, x, width = form
            with graph.inserting_before(node):
                call = graph.create_node("call_function", target, (x, width), name=target._opname)  # noqa: SLF001 - no other door
            call.meta = dict(node.meta)
            node.replace_all_uses_with(call)


def _whole(cat: fx.Node) -> fx.Node | None:
    """cat(x[:a], x[a:b], ..., x[z:]) is x."""
    pieces: Value = cat.args[0]
    dim: Value = cat.args[1] if len(cat.args) > 1 else 0
    sources: set[fx.Node] = set()
    reached = 0
    for piece in pieces:
        parts = _arguments(piece, aten.slice.Tensor)
        if parts is None or len(parts) != 4 or parts[1:3] != (dim, reached):
            return None
        sources.add(parts[0])
        reached += piece.meta["val"].shape[dim]
    source = sources.pop()
    return source if not sources and reached == source.meta["val"].shape[dim] else None


def _softshrink(where: fx.Node) -> tuple[Value, fx.Node, float] | None:
    """where(|x| > w, x - sign(x) * w, x * 0) is softshrink(x, w)."""
    condition, shrunk, zero = _three(where)
    above, below = _arguments(condition, aten.gt.Scalar), _arguments(shrunk, aten.sub.Tensor)
    if above is None or below is None or _arguments(zero, aten.mul.Tensor) != (below[0], 0):
        return None
    x, width = below[0], above[1]
    step = _arguments(below[1], aten.mul.Tensor)
    matches = step is not None and step[1] == width and _arguments(step[0], aten.sign.default) == (x,)
    return (aten.softshrink.default, x, width) if matches and _arguments(above[0], aten.abs.default) == (x,) else None


def _hardshrink(where: fx.Node) -> tuple[Value, fx.Node, float] | None:
    """where(|x| <= w, 0, x) is hardshrink(x, w)."""
    condition, zero, x = _three(where)
    below = _arguments(condition, aten.le.Scalar)
    if below is None or _arguments(zero, aten.scalar_tensor.default) != (0,) or not isinstance(x, fx.Node):
        return None
    return (aten.hardshrink.default, x, below[1]) if _arguments(below[0], aten.abs.default) == (x,) else None


def _three(where: fx.Node) -> tuple[Value, Value, Value]:
    condition, x, y = where.args
    return condition, x, y


def _arguments(value: Value, target: Value) -> tuple[Value, ...] | None:
    """Return the positional arguments of a call of `target`; None if the value is no such call."""
    return value.args if isinstance(value, fx.Node) and value.target is target else None
