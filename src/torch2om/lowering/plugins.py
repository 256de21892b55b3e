"""Lowerings that other packages bring: entry points of the group `torch2om.lowerings`.

An entry point names a mapping from operator overload to lowering function::

    [project.entry-points."torch2om.lowerings"]
    mine = "my_package.lowerings:LOWERINGS"
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points

from torch2om.errors import Diagnostic, UsageError
from torch2om.lowering.registry import Function, Overload, checked

GROUP = "torch2om.lowerings"


def installed_lowerings() -> dict[Overload, Function]:
    """Return the lowerings of every installed package, by operator.

    Raises `UsageError` (U142) naming the package whose entry point is broken, or two packages for one operator.
    """
    found: dict[Overload, Function] = {}
    owners: dict[Overload, EntryPoint] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
        for overload, function in lowerings_of(point).items():
            if overload in owners:
                raise _broken(point, f"{overload} has a lowering in {_owner(owners[overload])} as well")
            owners[overload] = point
            found[overload] = function
    return found


def lowerings_of(point: EntryPoint) -> Mapping[Overload, Function]:
    """Return what one entry point brings, checked against the operators' schemas; raises `UsageError` (U142)."""
    try:
        table = point.load()
    except Exception as error:
        raise _broken(point, f"{type(error).__name__}: {error}") from error
    if not isinstance(table, Mapping):
        raise _broken(point, f"{point.value} is a {type(table).__name__}, not a mapping from operator to function")
    for overload, function in table.items():
        _check(point, overload, function)
    return table


def _check(point: EntryPoint, overload: object, function: Function) -> None:
    if not isinstance(overload, Overload):
        raise _broken(point, f"{overload!r} is not an operator overload such as torch.ops.aten.relu.default")
    try:
        checked(overload, function)
    except (TypeError, ValueError, NameError) as error:
        raise _broken(point, str(error)) from error


def _broken(point: EntryPoint, reason: str) -> UsageError:
    text = f"the lowerings of package {_owner(point)} ({point.value}) cannot be used: {reason}"
    return UsageError(Diagnostic("U142", text, hint=f"mend or uninstall {_owner(point)}"))


def _owner(point: EntryPoint) -> str:
    return point.dist.name if point.dist else point.name
