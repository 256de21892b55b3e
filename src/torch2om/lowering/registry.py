"""The registry of lowerings: a function per ATen operator, whose parameters are the operator's schema.

`@lowers(aten.relu.default)` over `def relu(b, self) -> Blob`. The names are checked against the schema at import;
positional, keyword and default values are bound here once for all. What a parameter is annotated with decides what it
gets: `Blob` a tensor of the net (a constant is turned into one), `Weight` a constant (anything else is refused),
`Blob | Weight` whichever it is.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar, get_type_hints

import torch

from torch2om.errors import Refuse
from torch2om.ir.blob import Blob
from torch2om.ir.weight import Weight
from torch2om.lowering.scope import Scope

Overload = torch._ops.OpOverload  # noqa: SLF001 - torch's public operators are of this type
Lowered = Blob | tuple[Blob, ...] | list[Blob]
Function = Callable[..., Lowered]
F = TypeVar("F", bound=Function)


@dataclass(frozen=True)
class Lowering:
    """A checked lowering function and what each of its parameters accepts.

    `refusal` is the reason if every call of the operator is refused.
    """

    function: Function
    parameters: Mapping[str, tuple[str, Any]]  # schema name -> own name, annotation (Any: whatever typing makes of it)
    refusal: str = ""

    def __call__(self, scope: Scope, arguments: Mapping[str, object]) -> Lowered:
        """Call the function with bound arguments, constants turned into blobs where only blobs are accepted."""
        given = {}
        for name, value in arguments.items():
            parameter, accepted = self.parameters[name]
            given[parameter] = _fit(scope, name, value, accepted)
        return self.function(scope, **given)


_REGISTRY: dict[Overload, Lowering] = {}


def lowers(*overloads: Overload) -> Callable[[F], F]:
    """Register the decorated function as the lowering of these ATen overloads; a wrong parameter name fails here."""

    def register(function: F) -> F:
        for overload in overloads:
            if overload in _REGISTRY:
                raise ValueError(f"{overload} has two lowerings")
            _REGISTRY[overload] = checked(overload, function)
        return function

    return register


def refuses(*overloads: Overload, reason: str, hint: str) -> None:
    """Register that these overloads have no meaning in Caffe's layers: every call is refused with the reason."""

    def refuse(_: Scope, **__: object) -> Lowered:
        raise Refuse(reason, hint=hint)

    for overload in overloads:
        names = [argument.name for argument in overload._schema.arguments]  # noqa: SLF001 - the same
        _REGISTRY[overload] = Lowering(refuse, {name: (name, object) for name in names}, reason)


def registered() -> Mapping[Overload, Lowering]:
    """Return all built-in lowerings."""
    return MappingProxyType(_REGISTRY)


def checked(overload: Overload, function: Function) -> Lowering:
    """Return the function as a lowering of `overload`; raise `TypeError` if its parameters are not the schema's."""
    wanted = [argument.name for argument in overload._schema.arguments]  # noqa: SLF001 - the schema has no other door
    _, *names = inspect.signature(function).parameters
    if [name.rstrip("_") if name not in wanted else name for name in names] != wanted:
        raise TypeError(f"lowering {function.__name__} of {overload} takes {names}, the schema says {wanted}")
    hints = get_type_hints(function)
    return Lowering(function, {want: (name, hints.get(name, object)) for want, name in zip(wanted, names, strict=True)})


def bind(overload: Overload, args: Sequence[object], kwargs: Mapping[str, object]) -> dict[str, object]:
    """Return schema argument name -> value for a call, defaults filled in."""
    schema = overload._schema.arguments  # noqa: SLF001 - the schema has no other door
    bound = {argument.name: value for argument, value in zip(schema, args, strict=False)}
    for argument in schema[len(args) :]:
        bound[argument.name] = kwargs.get(argument.name, argument.default_value)
    return bound


def _fit(scope: Scope, name: str, value: object, accepted: object) -> object:
    text = str(accepted)
    takes_blob, takes_weight = "Blob" in text, "Weight" in text
    if isinstance(value, Weight) and takes_blob and not takes_weight:
        return scope.constant(value)
    if isinstance(value, Blob) and takes_weight and not takes_blob:
        raise Refuse(
            f"{name} is computed from the input, but Caffe's layer holds it as a constant",
            hint=f"make {name} a parameter, a buffer or a constant of the model",
        )
    if isinstance(value, list | tuple):
        return [_fit(scope, name, item, accepted) for item in value]
    return value
