"""MODEL as written on a command line: `package.module:callable`, `file.py:callable`, a .pt2, a TorchScript .pt.

A callable may be given arguments, which are Python literals: `net.py:build(num_classes=21)`.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import re
import sys
import traceback
from collections.abc import Callable
from difflib import get_close_matches
from functools import partial
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, TypeGuard
from urllib.error import URLError

import torch
from torch import nn
from torch.export import ExportedProgram

from torch2om.errors import Diagnostic, UsageError
from torch2om.loading.vision import repair_torchvision
from torch2om.program import Model
from torch2om.program.detectors import refuse_detector, refuse_detector_builder
from torch2om.program.failures import origin_of, quiet

_FORMS = "write package.module:callable, file.py:callable, a .pt2 of torch.export.save, or a TorchScript .pt"
_CALL = re.compile(r"(?P<callable>[^()]*:[\w.]+)\((?P<arguments>.*)\)", re.DOTALL)
_AS_WEIGHTS = "name the code of the model as MODEL, and give this file as --weights {}"
_OFFLINE = (
    "it downloads weights: have it take none, as in MODEL 'net.py:build(weights=None)'; "
    "torchvision's detectors and segmentation models want weights_backbone=None"
)
_HINTS = {
    ".py": "{}:NAME, with the name of the model's class or function",
    ".safetensors": _AS_WEIGHTS,
}
_ARCHIVES = {".pt", ".pth", ".ts", ".torchscript"}


def load_model(spec: str, seed: int = 0) -> Model:
    """Return the model that `spec` names; a class or function is called, with the arguments that `spec` has for it.

    `seed` makes a model with random weights the same one each time.
    Modules are found from the current folder, and what stands beside a file is found from that file. Raises
    `UsageError`: nothing there (U101), no model (U102), arguments needed (U103), an exception of its own (U104);
    `CaptureError` for a whole detector (C208).
    """
    torch.manual_seed(seed)
    called = _CALL.fullmatch(spec)
    args, options = _arguments(called["arguments"], spec) if called else ((), {})
    place, colon, name = (called["callable"] if called else spec).rpartition(":")
    if not colon or "/" in name or "\\" in name:
        return _load_file(Path(spec))
    repair_torchvision()
    module = _load_source(Path(place)) if place.endswith(".py") else _import(place)
    value: Any = _attribute(module, name, spec)  # Any: whatever the user's name stands for
    refuse_detector_builder(value)
    if called and _is_model(value):
        raise UsageError(Diagnostic("U103", f"{called['callable']} is a model already, and takes no arguments"))
    return _built(partial(value, *args, **options) if called and callable(value) else value, spec)


def _arguments(text: str, spec: str) -> tuple[tuple[Any, ...], dict[str, Any]]:  # Any: literals
    """Return the positional and the named arguments of a call as written. Raises `UsageError` (U103)."""
    try:
        call = ast.parse(f"f({text})", mode="eval").body
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
            named = {str(given.arg): ast.literal_eval(given.value) for given in call.keywords}
            return tuple(map(ast.literal_eval, call.args)), named
        problem: Exception | None = None
    except (ValueError, SyntaxError) as error:
        problem = error
    hint = "write numbers, strings, None, True, False, and lists or dicts of them: net.py:build(num_classes=21)"
    raise UsageError(Diagnostic("U103", f"{spec} has arguments that are no literals", hint=hint)) from problem


def load_transform(spec: str) -> object:
    """Return the transform that `package.module:name` or `file.py:name` names, made by a call where it is a function.

    `timm:NAME` is timm's configuration of a pretrained model. Raises `UsageError` as `load_model` does.
    """
    place, _, name = spec.rpartition(":")
    repair_torchvision()
    if place == "timm":
        models = _import("timm.models")
        found: object = _run(lambda: models.get_pretrained_cfg(name), f"asking timm for {name}")
        if found is None:
            raise UsageError(Diagnostic("U101", f"timm has no configuration of a pretrained model {name!r}"))
        return found
    module = _load_source(Path(place)) if place.endswith(".py") else _import(place)
    value: Any = _attribute(module, name, spec)  # Any: whatever the user's name stands for
    is_maker = inspect.isfunction(value) or inspect.isclass(value) or isinstance(value, partial)
    return _run(value, f"calling {spec}") if is_maker and not _needed(value) else value


def _load_file(path: Path) -> Model:
    """Return the model of a .pt2 or a TorchScript file."""
    if path.suffix not in {".pt2", *_ARCHIVES}:
        hint = _HINTS.get(path.suffix, _FORMS).format(path)
        raise UsageError(Diagnostic("U101", f"{str(path)!r} names no model", hint=hint))
    if not path.is_file():
        raise UsageError(Diagnostic("U101", f"there is no file {path}"))
    try:
        with quiet():
            return torch.export.load(path) if path.suffix == ".pt2" else _script(path)
    except UsageError:
        raise
    except Exception as error:
        text = f"{path} cannot be read as a{'n exported program' if path.suffix == '.pt2' else ' TorchScript model'}"
        raise UsageError(Diagnostic("U133", f"{text}: {_first_line(error)}")) from error


def _script(path: Path) -> Model:
    """Return a TorchScript model. Raises `UsageError` (U102) for what torch.save wrote."""
    try:
        model: Model = torch.jit.load(path, map_location="cpu")  # type: ignore[no-untyped-call]  # torch has no types here
    except RuntimeError as error:
        if "constants.pkl" not in str(error):
            raise
        text = f"{path} holds what torch.save wrote, not a TorchScript model"
        hint = _AS_WEIGHTS.format(path)
        raise UsageError(Diagnostic("U102", text, hint=hint)) from error
    return model


class _AsItStands(SourceFileLoader):
    """Compiles the file anew: Python knows a cached compilation by size and whole seconds, and may take an old one."""

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 - as the loader has it
        """Return the file's own code."""
        code: CodeType = self.source_to_code(self.get_data(self.path), self.path)
        return code


def _load_source(path: Path) -> ModuleType:
    """Run a Python file as a module, with its own folder on the import path."""
    if not path.is_file():
        near = get_close_matches(path.name, [found.name for found in path.parent.glob("*.py")])
        hint = f"did you mean {path.parent / near[0]}?" if near else ""
        raise UsageError(Diagnostic("U101", f"there is no file {path}", hint=hint))
    name = path.stem if path.stem not in sys.modules else f"{path.stem}@{path.resolve()}"
    place = path.resolve()
    found = importlib.util.spec_from_file_location(name, place, loader=_AsItStands(name, str(place)))
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    _search(path.resolve().parent)
    sys.modules[name] = module
    try:
        _run(lambda: found.loader.exec_module(module), f"importing {path}")  # type: ignore[union-attr]  # asserted above
    except UsageError:
        del sys.modules[name]
        raise
    return module


def _import(name: str) -> ModuleType:
    """Import a module by its dotted name, from the current folder first."""
    _search(Path.cwd())
    try:
        module: ModuleType = _run(lambda: importlib.import_module(name), f"importing {name}")
    except UsageError as failed:
        absent = getattr(failed.__cause__, "name", None) if isinstance(failed.__cause__, ModuleNotFoundError) else None
        if absent is None or not f"{name}.".startswith(f"{absent}."):
            raise
        hint = f"install it, run from the folder that holds it, or: {_FORMS}"
        text = f"there is no module {absent!r}, seen from {Path.cwd()}"
        raise UsageError(Diagnostic("U101", text, hint=hint)) from failed.__cause__
    return module


def _search(folder: Path) -> None:
    """Put a folder first on the import path, as Python does with the folder of a script."""
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def _attribute(module: ModuleType, name: str, spec: str) -> object:
    value: object = module
    for part in name.split("."):
        if not hasattr(value, part):
            models = _callables(module)
            near = get_close_matches(name, models)
            hint = f"did you mean {spec.removesuffix(name)}{near[0]}?" if near else ""
            text = f"{module.__name__} has no {name!r}; it defines {', '.join(models) or 'no callables'}"
            raise UsageError(Diagnostic("U101", text, hint=hint))
        value = getattr(value, part)
    return value


def _callables(module: ModuleType) -> list[str]:
    """Return the names that could be meant: modules, classes of modules, and functions that the module defines."""
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (
            isinstance(value, nn.Module)
            or (inspect.isclass(value) and issubclass(value, nn.Module) and value.__module__ == module.__name__)
            or (inspect.isfunction(value) and value.__module__ == module.__name__)
            or (callable(value) and name in getattr(module, "__all__", ()))
        )
    ]


def _built(value: Any, spec: str) -> Model:  # Any: whatever the user's name stands for
    """Return the model, called into being if it is a class or a function."""
    name = spec.partition(":")[2]
    if _is_model(value):
        refuse_detector(value, f"name a function that returns torch2om.detection.dense_part({name})")
        return value
    if not callable(value):
        raise UsageError(
            Diagnostic("U102", f"{spec} is of type {type(value).__name__}, neither a model nor a callable")
        )
    needed = _needed(value)
    if needed:
        hint = f"give them, as in MODEL '{spec}({needed[0]}=...)', or name a function without arguments that does"
        raise UsageError(Diagnostic("U103", f"{spec} needs arguments: {', '.join(needed)}", hint=hint))
    with quiet():
        model = _run(value, f"calling {spec}")
    if not _is_model(model):
        raise UsageError(
            Diagnostic("U102", f"{spec} returned a value of type {type(model).__name__}, not a torch.nn.Module")
        )
    call = name if name.endswith(")") else f"{name}()"
    refuse_detector(model, f"name a function that returns torch2om.detection.dense_part({call})")
    return model


def _is_model(value: Any) -> TypeGuard[Model]:  # Any: whatever the user's name stands for
    return isinstance(value, nn.Module | ExportedProgram)


def _needed(function: Callable[..., Any]) -> list[str]:
    """Return the parameters without a default."""
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:
        return []
    return [found.name for found in parameters if found.default is found.empty and found.kind not in variadic]


def _run(action: Callable[[], Any], doing: str) -> Any:  # Any: what the user's code returns
    """Run the user's code. Raises `UsageError` (U104) with its exception, shown in full."""
    try:
        return action()
    except (Exception, SystemExit) as error:
        text = f"{doing} failed: {_first_line(error)}"
        hint = _OFFLINE if isinstance(error, URLError) else ""
        raise UsageError(Diagnostic("U104", text, origin=origin_of(error), hint=hint, details=_trace(error))) from error


def _trace(error: BaseException) -> tuple[str, ...]:
    """Return the traceback from the user's first line on."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith("<") and frame.filename != __file__]
    return tuple(f"{frame.filename}:{frame.lineno} in {frame.name}: {frame.line}" for frame in own)


def _first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".strip().partition("\n")[0]
