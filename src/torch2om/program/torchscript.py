"""TorchScript models: run once on the inputs, with every ATen call recorded.

The recording follows the branches and loops that depend on shapes, as eager execution does, and refuses those that
depend on values. `torch._export.converter` is the other way; it does not take every scripted model (a list of sizes
that is sliced, a warning call).
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import torch
from torch import fx, nn
from torch.fx.experimental.proxy_tensor import make_fx

from torch2om.errors import CaptureError, Diagnostic
from torch2om.program.arguments import Arguments
from torch2om.program.structure import Leaf, Tree, leaves

aten = torch.ops.aten


def script_signature(model: torch.jit.ScriptModule) -> inspect.Signature:
    """Return the signature of a TorchScript model's forward, from its schema."""
    _, *arguments = model.forward.schema.arguments  # type: ignore[attr-defined]  # a script method, typed as a function
    return inspect.Signature([_parameter(argument) for argument in arguments])


def _parameter(argument: torch.Argument) -> inspect.Parameter:
    default = argument.default_value if argument.has_default_value() else inspect.Parameter.empty
    kind = inspect.Parameter.KEYWORD_ONLY if argument.kwarg_only else inspect.Parameter.POSITIONAL_OR_KEYWORD
    return inspect.Parameter(argument.name, kind, default=default)


def traced(
    model: torch.jit.ScriptModule, arguments: Arguments
) -> tuple[nn.Module, tuple[torch.Tensor, ...], list[Leaf]]:
    """Return the recorded graph as a module of flat inputs and results, its inputs, and the results' places."""
    flat, spec = torch.utils._pytree.tree_flatten((arguments.args, arguments.kwargs))  # noqa: SLF001 - export's trees
    places: list[Leaf] = []

    def run(*tensors: torch.Tensor) -> tuple[object, ...]:
        args, kwargs = torch.utils._pytree.tree_unflatten(tensors, spec)  # noqa: SLF001 - export's trees
        places[:] = leaves(model(*args, **kwargs))
        return tuple(leaf.value for leaf in places)

    with torch.jit.optimized_execution(should_optimize=False):  # type: ignore[attr-defined]  # public, but not in __all__
        graph = make_fx(run, pre_dispatch=True, _error_on_data_dependent_ops=False)(*flat)
    _refuse_reading(graph)
    _restore_names(graph, model)
    return graph, tuple(flat), places


def _refuse_reading(graph: fx.GraphModule) -> None:
    """Raise `CaptureError` if a number was read from a tensor that depends on the input.

    Numbers read from sizes are tensors of their own in traced models, and as fixed as the shapes.
    """
    fed: set[fx.Node] = set()
    for node in graph.graph.nodes:
        if node.op == "placeholder" or fed.intersection(node.all_input_nodes):
            fed.add(node)
        if node in fed and node.target in (aten.item.default, aten._local_scalar_dense.default):  # noqa: SLF001 - a name
            text = "the TorchScript model reads a tensor's value, to branch on it or as a number"
            raise CaptureError(Diagnostic("C201", text, hint="script a model without this branch"))


def _restore_names(graph: fx.GraphModule, model: torch.jit.ScriptModule) -> None:
    """Give the recorded constants the names that they have in the model."""
    names = {_place(tensor): name for name, tensor in _tensors(model)}
    for node in graph.graph.nodes:
        if node.op == "get_attr":
            tensor = getattr(graph, node.target)
            name = names.get(_place(tensor))
            if name is not None:
                _hold(graph, name, tensor)
                node.target = name
    graph.recompile()


def _tensors(model: torch.jit.ScriptModule) -> Iterator[tuple[str, torch.Tensor]]:
    yield from model.named_parameters()
    yield from model.named_buffers()


def _place(tensor: torch.Tensor) -> tuple[Tree, ...]:
    """Return what tells one view of memory from another."""
    return tensor.data_ptr(), tensor.shape, tensor.stride(), tensor.dtype


def _hold(root: nn.Module, name: str, tensor: torch.Tensor) -> None:
    """Register a tensor under a dotted name, making the modules on the way."""
    *path, last = name.split(".")
    for part in path:
        if not hasattr(root, part):
            root.add_module(part, nn.Module())
        root = getattr(root, part)
    if not hasattr(root, last):
        root.register_buffer(last, tensor)
