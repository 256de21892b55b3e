"""What the user feeds, bound to forward's argument names."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from torch2om.errors import Diagnostic, Problems, UsageError
from torch2om.ir.op import Shape
from torch2om.ir.text import shape_text
from torch2om.program.structure import Tree

Feed = torch.Tensor | Shape
Inputs = Mapping[str, Feed | Tree] | Sequence[Feed] | Feed

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@dataclass(frozen=True)
class Arguments:
    """The arguments of one call of forward: `args` and `kwargs` hold tensors, `names` the same with input names."""

    args: tuple[Tree, ...]
    kwargs: dict[str, Tree]
    names: tuple[tuple[Tree, ...], dict[str, Tree]]

    def __str__(self) -> str:
        """`x=1x3x8x8 of float32, mask=1x8 of float32`: for what the model says of its inputs."""
        values = torch.utils._pytree.tree_leaves((self.args, self.kwargs))  # noqa: SLF001 - torch.export's own order
        fed = zip(names_in_order(self.names), values, strict=True)
        return ", ".join(f"{name}={shape_text(value.shape)} of {_kind(value)}" for name, value in fed)


def bind(signature: inspect.Signature, inputs: Inputs, like: torch.Tensor) -> Arguments:
    """Return the arguments for forward(); shapes become random tensors of the dtype and device of `like`.

    Inputs are given by name (`x`, `x.0` and `x.key` for the parts of a list or dict, or nested values) or in order.
    Raises `UsageError` with every missing (U111), unknown (U112), malformed (U113) or non-float (U114) input.
    """
    problems = Problems()
    wanted = _wanted(signature)
    given = _by_name(inputs, wanted, problems)
    _compare(wanted, given, problems)
    trees = {name: _Feeder(like, problems).tree(name, given[name]) for name in given if name in wanted}
    extra = next((name for name, parameter in wanted.items() if parameter.kind is parameter.VAR_KEYWORD), None)
    if extra is not None:
        trees |= {name: _Feeder(like, problems).tree(name, given[name]) for name in given if name not in wanted}
    problems.raise_as(UsageError)
    return _arranged(wanted, trees)


def _wanted(signature: inspect.Signature) -> dict[str, inspect.Parameter]:
    return dict(signature.parameters)


def _arranged(wanted: Mapping[str, inspect.Parameter], trees: Mapping[str, tuple[Tree, Tree]]) -> Arguments:
    """Return positional arguments up to the first one left to its default, and keyword arguments after it."""
    args: list[tuple[Tree, Tree]] = []
    kwargs: dict[str, tuple[Tree, Tree]] = {}
    in_order = True
    for name, parameter in wanted.items():
        in_order = in_order and parameter.kind in _POSITIONAL and name in trees
        if in_order:
            args.append(trees[name])
        elif parameter.kind is parameter.VAR_POSITIONAL and name in trees:
            names_of, values_of = trees[name]
            several = isinstance(values_of, list | tuple)
            args += zip(names_of, values_of, strict=True) if several else [trees[name]]
        elif name in trees:
            kwargs[name] = trees[name]
    kwargs |= {name: tree for name, tree in trees.items() if name not in wanted}
    names = tuple(named for named, _ in args), {key: name for key, (name, _) in kwargs.items()}
    return Arguments(tuple(value for _, value in args), {key: value for key, (_, value) in kwargs.items()}, names)


def _in_order(values: Sequence[Tree], wanted: Mapping[str, inspect.Parameter], problems: Problems) -> dict[str, Tree]:
    """Return argument name -> value, the rest as a list under the name of `*rest`."""
    names = [name for name, parameter in wanted.items() if parameter.kind in _POSITIONAL]
    bound = dict(zip(names, values, strict=False))
    rest = next((name for name, parameter in wanted.items() if parameter.kind is parameter.VAR_POSITIONAL), None)
    if len(values) > len(names) and rest is None:
        problems.add(Diagnostic("U112", f"{len(values)} inputs were given; forward() takes {_listed(wanted)}"))
    return bound if rest is None else {**bound, rest: list(values[len(names) :])}


def _by_name(inputs: Inputs, wanted: Mapping[str, inspect.Parameter], problems: Problems) -> dict[str, Tree]:
    """Return argument name -> what was given for it, with `x.key` gathered under `x`."""
    if not isinstance(inputs, Mapping):
        values: Sequence[Tree] = [inputs] if isinstance(inputs, torch.Tensor) or _is_shape(inputs) else inputs
        return _in_order(values, wanted, problems)
    gathered: dict[str, Tree] = {}
    for name, value in inputs.items():
        top, _, rest = name.partition(".")
        if rest and name not in wanted:
            part = gathered.setdefault(top, {})
            part[rest] = value
        else:
            gathered[name] = value
    return {name: _nested(value) for name, value in gathered.items()}


def _nested(value: Tree) -> Tree:
    """Return dotted keys as nested dicts, and dicts whose keys are 0, 1, 2, ... as lists."""
    if not isinstance(value, dict):
        return value
    grouped: dict[str, Tree] = {}
    for key, item in value.items():
        top, _, rest = str(key).partition(".")
        if rest:
            grouped.setdefault(top, {})[rest] = item
        else:
            grouped[top] = item
    nested = {key: _nested(item) for key, item in grouped.items()}
    positions = [str(index) for index in range(len(nested))]
    return [nested[index] for index in positions] if sorted(nested) == sorted(positions) else nested


def _compare(wanted: Mapping[str, inspect.Parameter], given: Mapping[str, Tree], problems: Problems) -> None:
    """Note missing and unknown inputs."""
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    needed = [
        name
        for name, parameter in wanted.items()
        if parameter.default is parameter.empty and parameter.kind not in variadic
    ]
    for name in needed:
        if name not in given:
            text = f"no input was given for {name}; forward() takes {_listed(wanted)}"
            problems.add(Diagnostic("U111", text, hint=f"--input {name}=1x3x224x224, with the model's own dims"))
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in wanted.values()):
        return
    for name in given:
        if name not in wanted:
            problems.add(Diagnostic("U112", f"forward() has no argument {name}; it takes {_listed(wanted)}"))


def _listed(wanted: Mapping[str, inspect.Parameter]) -> str:
    """Return the arguments as forward's signature has them, with their defaults."""
    bare = [str(parameter.replace(annotation=parameter.empty)) for parameter in wanted.values()]
    return ", ".join(bare) or "no arguments"


def _is_shape(value: object) -> bool:
    """Whether a value is dims: a sequence of whole numbers."""
    return (
        isinstance(value, Sequence)
        and not isinstance(value, str)
        and len(value) > 0
        and all(isinstance(dim, int) and not isinstance(dim, bool) for dim in value)
    )


class _Feeder:
    """Turns what was given for one argument into tensors, and names them."""

    def __init__(self, like: torch.Tensor, problems: Problems) -> None:
        self._like = like
        self._problems = problems

    def tree(self, name: str, value: Tree) -> tuple[Tree, Tree]:
        """Return the names and the tensors of one argument, in the same nesting."""
        if isinstance(value, torch.Tensor):
            return name, self._tensor(name, value)
        if _is_shape(value):
            return name, self._random(name, tuple(value))
        if isinstance(value, Mapping):
            parts = {key: self.tree(f"{name}.{key}", item) for key, item in value.items()}
            return {key: part[0] for key, part in parts.items()}, {key: part[1] for key, part in parts.items()}
        if isinstance(value, list | tuple) and value:
            items = [self.tree(f"{name}.{index}", item) for index, item in enumerate(value)]
            kind = type(value) if type(value) in (list, tuple) else tuple
            return kind(item[0] for item in items), kind(item[1] for item in items)
        text = f"{name} is {value!r}: neither dims nor a tensor"
        self._problems.add(Diagnostic("U113", text, hint=f"--input {name}=1x3x224x224"))
        return name, self._like

    def _tensor(self, name: str, tensor: torch.Tensor) -> torch.Tensor:
        if not tensor.is_floating_point():
            text = f"{name} is a tensor of {_kind(tensor)}; Caffe's blobs hold floating point only"
            self._problems.add(Diagnostic("U114", text))
        return tensor.detach()

    def _random(self, name: str, shape: Shape) -> torch.Tensor:
        if min(shape) < 1 or math.prod(shape) >= 2**31:
            text = f"{name} has dims {'x'.join(map(str, shape))}; each dim is a whole number of at least 1"
            self._problems.add(Diagnostic("U113", text))
            return self._like
        generator = torch.Generator().manual_seed(0)
        return torch.randn(shape, generator=generator).to(self._like)


def _kind(tensor: torch.Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def names_in_order(names: tuple[tuple[Tree, ...], dict[str, Tree]]) -> Iterator[str]:
    """Yield the input names in the order in which torch.export flattens the arguments."""
    flat: list[Any] = torch.utils._pytree.tree_leaves(names)  # noqa: SLF001 - torch.export's own order
    return iter(flat)
