"""Origins from FX metadata: the user's line and the module path of every call.

torch.export leaves two records on a node: `nn_module_stack`, the modules being called, outermost first, and
`stack_trace`, the Python frames as text, innermost last. Of the frames it keeps those of functions named `forward`
and of functions that were announced to it (`announce`).
"""

from __future__ import annotations

import inspect
import re
import sys
import sysconfig
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import fx, nn
from torch.fx import traceback

from torch2om.origin import Origin

_FRAME = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+), in .*\n +(?P<code>.*)')
_TORCH = str(Path(torch.__file__).parent) + "/"
_OURS = str(Path(__file__).parents[1]) + "/"
_PYTHON = sysconfig.get_path("stdlib") + "/"
_PACKAGES = tuple({sysconfig.get_path(name) + "/" for name in ("purelib", "platlib")})
_LIBRARY_LAYERS = ("torch.nn.", "torchvision.ops.")


class Frame(NamedTuple):
    """One Python frame: where, and the text of the line."""

    file: str
    line: int
    code: str


NO_FRAME = Frame("", 0, "")


def users_frame(frames: Iterable[Frame]) -> Frame:
    """Return the innermost frame (the last) of the user's own code, else of a library of models, else `NO_FRAME`.

    The user's own code is what is neither part of torch nor installed as a library; a model that comes whole from
    a library (torchvision, timm) has only the library's lines to show.
    """
    outside = [frame for frame in frames if not frame.file.startswith((_TORCH, _OURS, "<")) and not _is_pythons(frame)]
    own = [frame for frame in outside if not frame.file.startswith(_PACKAGES)]
    return (own or outside or [NO_FRAME])[-1]


def _is_pythons(frame: Frame) -> bool:
    """Whether the frame is of Python's own library, below which installed packages may lie."""
    return frame.file.startswith(_PYTHON) and not frame.file.startswith(_PACKAGES)


def announce(model: nn.Module) -> None:
    """Have torch.export record the lines of the model's own methods and functions, not of `forward` alone.

    torch keeps a frame of every function that was once given to `annotate_fn`; the functions stay as they are.
    """
    kinds = {type(module) for module in model.modules()}
    held = {value for module in model.modules() for value in vars(module).values() if inspect.isfunction(value)}
    for function in held.union(*map(_functions, kinds)):
        traceback.annotate_fn({})(function)


def _functions(kind: type) -> Iterator[Callable[..., Any]]:
    """Yield the methods of a module class and the functions of its file, without those of torch."""
    own = [base for base in kind.__mro__ if not _file(base).startswith(_TORCH)]
    namespaces = [vars(base) for base in own] + [vars(sys.modules[base.__module__]) for base in own]
    for namespace in namespaces:
        yield from (value for value in list(namespace.values()) if inspect.isfunction(value) and not _is_torch(value))


def _file(kind: type) -> str:
    return getattr(sys.modules.get(kind.__module__), "__file__", None) or _TORCH


def _is_torch(function: Callable[..., Any]) -> bool:
    return function.__code__.co_filename.startswith(_TORCH)


@cache
def _frame_of_trace(stack_trace: str) -> Frame:
    found = (match.group("file", "line", "code") for match in _FRAME.finditer(stack_trace))
    return users_frame(Frame(file, int(line), code.strip()) for file, line, code in found)


def users_line(node: fx.Node) -> Frame:
    """Return the user's line that made a node."""
    return _frame_of_trace(node.meta.get("stack_trace") or "")


class _Scope(NamedTuple):
    """The innermost module of a call: which invocation of it (a module may be called twice), its path and class."""

    invocation: str
    path: str
    kind: str


def _scope(node: fx.Node, owners: Mapping[str, str]) -> _Scope:
    """Return the module that a call was made in; without a record, the owner of the parameters it uses.

    A TorchScript file keeps no record of modules, but its parameters still have their names.
    """
    stack = node.meta.get("nn_module_stack") or {}
    invocation, (path, kind) = next(reversed(stack.items()), ("", ("", "")))
    if path:
        return _Scope(invocation, path, kind if isinstance(kind, str) else f"{kind.__module__}.{kind.__qualname__}")
    held = {owners[source.name] for source in node.all_input_nodes if source.name in owners}
    return _Scope(node.name, held.pop(), "") if len(held) == 1 else _Scope("", "", "")


def _containers(paths: Iterable[str]) -> frozenset[str]:
    """Return the paths that have modules below them."""
    return frozenset(path[:dot] for path in paths for dot in range(len(path)) if path[dot] == ".")


def trace_origins(calls: Iterable[fx.Node], owners: Mapping[str, str]) -> Mapping[str, Origin]:
    """Return call name -> origin, for the calls of one graph.

    A call is in a leaf if its innermost module has no modules below it and is either a layer of PyTorch's library or
    makes just this one call: then the module's path names it. `owners` maps constant nodes to module paths.
    """
    scopes = {call: _scope(call, owners) for call in calls}
    containers = _containers({scope.path for scope in scopes.values()} | set(owners.values()))
    made = Counter(scope.invocation for scope in scopes.values())
    return {
        call.name: _origin(
            call,
            scope,
            leaf=bool(scope.path)
            and scope.path not in containers
            and (scope.kind.startswith(_LIBRARY_LAYERS) or made[scope.invocation] == 1),
        )
        for call, scope in scopes.items()
    }


def _origin(call: fx.Node, scope: _Scope, *, leaf: bool) -> Origin:
    frame = users_line(call)
    target = call.target if isinstance(call.target, str) else getattr(call.target, "__name__", "")
    if isinstance(call.target, torch._ops.OpOverload):  # noqa: SLF001 - torch's public operators are of this type
        target = str(call.target)
    return Origin(call.name, target, scope.path, leaf, frame.file, frame.line, frame.code)
