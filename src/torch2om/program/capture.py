"""The stage capture: torch.export makes a static graph of the model in eval mode."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.export import ExportedProgram

from torch2om.errors import CaptureError, Diagnostic, Problems, Severity
from torch2om.origin import Origin
from torch2om.program.arguments import Arguments, Inputs, bind
from torch2om.program.assembly import assemble
from torch2om.program.detectors import inner_detectors_refused, refuse_detector
from torch2om.program.exported import bind_exported, specialize
from torch2om.program.failures import explain, quiet
from torch2om.program.graph import Program
from torch2om.program.lineage import announce
from torch2om.program.structure import Leaf, Tree, leaves
from torch2om.program.torchscript import script_signature, traced

Model = nn.Module | ExportedProgram | torch.jit.ScriptModule


def capture(model: Model, inputs: Inputs = (), *, name: str = "") -> Program:
    """Return the model as a static graph, in eval mode, for inputs of exactly these shapes.

    `inputs` maps forward's argument names to dims or tensors (or gives them in order); parts of a list or dict are
    named `x.0`, `x.key`. The net stands for real numbers: a model in half or double precision is captured in its own
    precision, and every stage after it works with the same numbers in the precision that the stage needs. The
    model's training flags are as before afterwards, its parameters are shared, not copied.
    Raises `UsageError` for inputs that do not fit forward(), `CaptureError` for a model that is no static graph.
    """
    if isinstance(model, ExportedProgram):
        return _capture_exported(model, inputs, name or "model")
    model = _unwrapped(model)
    notes = _notes(model)
    _refuse_quantized(model)
    refuse_detector(model)
    with evaluating(model), torch.no_grad(), quiet():
        arguments = bind(_signature(model), inputs, _like(model))
        exported, places = _export(model, arguments)
    return assemble(exported, name or _name(model), arguments, places, model, notes)


def _capture_exported(exported: ExportedProgram, inputs: Inputs, name: str) -> Program:
    arguments = bind_exported(exported, inputs)
    with torch.no_grad(), quiet():
        static = specialize(exported, arguments)
        places = list(leaves(_placeholders(exported)))
        return assemble(static, name, arguments, places, exported.module(), ())


def _placeholders(exported: ExportedProgram) -> Tree:
    """Return the program's result with numbers for tensors: its nesting is all that is wanted."""
    spec = exported.call_spec.out_spec
    if spec is None:
        raise CaptureError(Diagnostic("C206", "the exported program returns nothing"))
    return torch.utils._pytree.tree_unflatten(range(spec.num_leaves), spec)  # noqa: SLF001 - torch.export's own trees


def _export(model: nn.Module, arguments: Arguments) -> tuple[ExportedProgram, list[Leaf]]:
    """Return the exported program, whose results are flat, and the places of these results in forward's result."""
    try:
        if isinstance(model, torch.jit.ScriptModule):
            flat, args, places = traced(model, arguments)
            return torch.export.export(flat, args, strict=False), places
        announce(model)
        with inner_detectors_refused(model), _flat_results(model) as places:
            exported = torch.export.export(model, arguments.args, arguments.kwargs, strict=False)
    except CaptureError:
        raise
    except Exception as error:
        raise explain(error, lambda: model(*arguments.args, **arguments.kwargs), str(arguments)) from error
    return exported, places


@contextmanager
def _flat_results(model: nn.Module) -> Iterator[list[Leaf]]:
    """Make forward() return the tuple of its leaves, and yield the list that receives their places.

    torch.export takes results of few types; a hook takes any dataclass apart before it looks.
    """
    places: list[Leaf] = []

    def flatten(_model: nn.Module, _args: Tree, result: Tree) -> tuple[object, ...]:
        places[:] = leaves(result)
        return tuple(leaf.value for leaf in places)

    hook = model.register_forward_hook(flatten)
    try:
        yield places
    finally:
        hook.remove()


@contextmanager
def evaluating(model: Callable[..., Any]) -> Iterator[None]:
    """Put every module of the model in eval mode, and give each its own flag back afterwards."""
    modules = list(model.modules()) if isinstance(model, nn.Module) else []
    flags = [module.training for module in modules]
    try:
        for module in modules:
            module.training = False
        yield
    finally:
        for module, flag in zip(modules, flags, strict=True):
            module.training = flag


def _unwrapped(model: nn.Module) -> nn.Module:
    """Return the model inside the wrappers that compile it or spread it over devices."""
    while True:
        spread = isinstance(model, nn.DataParallel | nn.parallel.DistributedDataParallel)
        inner = getattr(
            model, "module" if spread else "_orig_mod", None
        )  # torch.compile keeps the model under the latter
        if not isinstance(inner, nn.Module):
            return model
        model = inner


def _notes(model: nn.Module) -> tuple[Diagnostic, ...]:
    training = [path for path, module in model.named_modules() if module.training]
    if not training:
        return ()
    who = "the model is" if model.training else f"{', '.join(training[:3])}{', ...' if len(training) > 3 else ''} are"
    text = f"{who} in training mode; converted in eval mode, and left as it was"
    return (Diagnostic("C204", text, severity=Severity.NOTE, hint="call model.eval() to silence this"),)


def _refuse_quantized(model: nn.Module) -> None:
    """Raise `CaptureError` (C209) for a model with quantized layers; one that is only prepared for them is float."""
    quantized = [path for path, module in model.named_modules() if _is_quantized(module)]
    if quantized:
        text = "the model is quantized, and Caffe's blobs hold floating point only"
        hint = "convert the model as it was before quantization; a chip's own tools quantize the files"
        raise CaptureError(Diagnostic("C209", text, origin=Origin(module=quantized[0]), hint=hint))


def _is_quantized(module: nn.Module) -> bool:
    """Whether a module computes with integers. PyTorch keeps the float stand-ins of quantized operators among them."""
    kind = type(module)
    return ".quantized." in kind.__module__ and kind.__name__ not in {"FloatFunctional", "FXFloatFunctional"}


def _signature(model: nn.Module) -> inspect.Signature:
    if isinstance(model, torch.jit.ScriptModule):
        return script_signature(model)
    return inspect.signature(model.forward)


def _like(model: nn.Module) -> torch.Tensor:
    """Return a tensor of the dtype and device that the model computes in: those of its first float parameter."""
    values = (value for value in (*model.parameters(), *model.buffers()) if value.is_floating_point())
    first = next(values, torch.empty(0))
    if first.device.type == "meta":
        problems = Problems()
        text = "the model's parameters are on the meta device: they have shapes but no numbers"
        problems.add(Diagnostic("C203", text, hint="build the model on the CPU and load its weights"))
        problems.raise_as(CaptureError)
    return torch.empty(0, dtype=first.dtype, device=first.device)


def _name(model: nn.Module) -> str:
    original = getattr(model, "original_name", "")
    return original or type(model).__name__
