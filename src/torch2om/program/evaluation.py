"""Calls computed one at a time, in a float width of our choice: the ground of the reference and of constant folding."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import fx

# Copies that only arrange memory are no calls of a canonical program, so a view meets strides that it cannot cut.
_ON_ANY_STRIDES: Mapping[Any, Callable[..., Any]] = {torch.ops.aten.view.default: torch.ops.aten.reshape.default}


def compute(node: fx.Node, value_of: Callable[[fx.Node], Any], dtype: torch.dtype) -> Any:  # Any: a tensor or several
    """Return a call's result on given values, where every float dtype in its arguments stands for `dtype`.

    A call that makes its tensor from nothing (zeros, arange) makes it in `dtype` if it is of floats.
    """
    args, kwargs = fx.node.map_aggregate((node.args, node.kwargs), lambda leaf: _argument(leaf, value_of, dtype))
    if not node.all_input_nodes and _takes_dtype(node) and _is_float(node.meta.get("val")):
        kwargs = {**kwargs, "dtype": dtype}
    target: Any = node.target  # Any: FX types it for all kinds of nodes; a call's is a function
    function = _ON_ANY_STRIDES.get(target, target)
    return function(*args, **kwargs)


def _argument(leaf: Any, value_of: Callable[[fx.Node], Any], dtype: torch.dtype) -> Any:  # Any: whatever a call takes
    if isinstance(leaf, fx.Node):
        return value_of(leaf)
    if isinstance(leaf, torch.dtype):
        return dtype if leaf.is_floating_point else leaf
    return torch.device("cpu") if isinstance(leaf, torch.device) else leaf


def _takes_dtype(node: fx.Node) -> bool:
    schema = getattr(node.target, "_schema", None)
    return schema is not None and any(argument.name == "dtype" for argument in schema.arguments)


def _is_float(value: object) -> bool:
    return isinstance(value, torch.Tensor) and value.is_floating_point()


def widened(value: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Return float values in `dtype`, others as they are."""
    return value.to(dtype) if value.is_floating_point() else value
