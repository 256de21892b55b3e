"""Models that were exported before (`torch.export.save`): their arguments, and one static shape for each."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

import torch
from torch.export import ExportedProgram

from torch2om.errors import CaptureError, Diagnostic, Problems, UsageError
from torch2om.ir.op import Shape
from torch2om.program.arguments import Arguments, Inputs, bind, names_in_order
from torch2om.program.structure import Tree, leaves


def bind_exported(exported: ExportedProgram, inputs: Inputs) -> Arguments:
    """Return the arguments of an exported program; without inputs, those that it was exported with.

    Raises `UsageError` for inputs that do not fit, and for dims that the program has fixed otherwise (U113).
    """
    args, kwargs = _example(exported)
    signature = _signature(exported, args, kwargs)
    arguments = bind(signature, inputs or _as_inputs(signature, args, kwargs), torch.empty(0, dtype=_dtype(exported)))
    problems = Problems()
    for name, tensor, fixed in zip(
        names_in_order(arguments.names), _tensors(arguments), _user_values(exported), strict=True
    ):
        if not _fits(tensor.shape, fixed):
            text = f"{name} is {_dims(tensor.shape)}; the program was exported for {_dims(fixed.shape)}"
            problems.add(Diagnostic("U113", text, hint="export the model again for these dims"))
    problems.raise_as(UsageError)
    return arguments


def specialize(exported: ExportedProgram, arguments: Arguments) -> ExportedProgram:
    """Return the program for the arguments' shapes: itself, or exported anew where it has dynamic dims.

    Raises `CaptureError` if that fails (C202).
    """
    if all(isinstance(dim, int) for value in _user_values(exported) for dim in value.shape):
        return exported
    try:
        return torch.export.export(exported.module(), arguments.args, arguments.kwargs, strict=False)
    except Exception as error:
        text = f"the exported program has dynamic dims and cannot be fixed to these: {error}"
        raise CaptureError(Diagnostic("C202", text)) from error


def _example(exported: ExportedProgram) -> tuple[tuple[Tree, ...], dict[str, Tree]]:
    """Return the arguments' tree with the graph's input values as leaves."""
    spec = exported.call_spec.in_spec
    if spec is None:
        raise CaptureError(Diagnostic("C203", "the exported program keeps no record of its arguments"))
    args, kwargs = torch.utils._pytree.tree_unflatten(_user_values(exported), spec)  # noqa: SLF001 - export's trees
    return tuple(args), dict(kwargs)


def _user_values(exported: ExportedProgram) -> list[torch.Tensor]:
    """Return the (fake) tensors that the user feeds, in the program's order. Raises `CaptureError` for other values."""
    nodes = {node.name: node for node in exported.graph.nodes if node.op == "placeholder"}
    names = exported.graph_signature.user_inputs
    if not all(isinstance(name, str) and name in nodes for name in names):
        text = "the exported program takes inputs that are no tensors"
        raise CaptureError(Diagnostic("C203", text, hint="export the model with these as constants"))
    return [nodes[str(name)].meta["val"] for name in names]


def _signature(exported: ExportedProgram, args: tuple[Tree, ...], kwargs: Mapping[str, Tree]) -> inspect.Signature:
    """Return forward's signature: the names that the program recorded, or those of its graph."""
    record = exported.module_call_graph[0].signature
    known = list(getattr(record, "forward_arg_names", None) or ())
    names = known[: len(args)] if len(known) >= len(args) else list(exported.graph_signature.user_inputs)[: len(args)]
    positional = [inspect.Parameter(str(name), inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in names]
    return inspect.Signature([*positional, *(inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY) for key in kwargs)])


def _as_inputs(signature: inspect.Signature, args: tuple[Tree, ...], kwargs: Mapping[str, Tree]) -> dict[str, Tree]:
    """Return the example arguments as shapes by name. Raises `UsageError` for dims that the program leaves open."""
    values = dict(zip(signature.parameters, (*args, *kwargs.values()), strict=True))
    open_ = [name for name, value in values.items() if not _is_static(value)]
    if open_:
        text = f"the exported program leaves dims of {', '.join(open_)} open"
        raise UsageError(Diagnostic("U111", text, hint=f"--input {open_[0]}=1x3x224x224, with the dims to deploy"))
    return {name: _shapes(value) for name, value in values.items()}


def _is_static(value: Tree) -> bool:
    tensors = [leaf.value for leaf in leaves(value)]
    return all(isinstance(dim, int) for tensor in tensors if isinstance(tensor, torch.Tensor) for dim in tensor.shape)


def _shapes(value: Tree) -> Tree:
    def real(tensor: torch.Tensor) -> torch.Tensor:
        return torch.zeros(tensor.shape, dtype=tensor.dtype)

    return torch.utils._pytree.tree_map(real, value)  # noqa: SLF001 - torch.export's own trees


def _tensors(arguments: Arguments) -> list[torch.Tensor]:
    found: list[torch.Tensor] = torch.utils._pytree.tree_leaves((arguments.args, arguments.kwargs))  # noqa: SLF001
    return found


def _dtype(exported: ExportedProgram) -> torch.dtype:
    return next((value.dtype for value in _user_values(exported) if value.is_floating_point()), torch.float32)


def _fits(shape: Shape, fixed: torch.Tensor) -> bool:
    dims = list(fixed.shape)
    return len(shape) == len(dims) and all(
        not isinstance(want, int) or want == dim for dim, want in zip(shape, dims, strict=True)
    )


def _dims(shape: Shape) -> str:
    return "x".join(str(dim) for dim in shape)
