"""Inputs and outputs of an om against those of the files: how many, in which order, which names, shapes and types."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch2om.ir.op import Shape
from torch2om.ir.text import shape_text
from torch2om.manifest import Manifest
from torch2om.om.ports import Port
from torch2om.om.reader import OmModel

_REAL = ("float32", "float16")
_PICTURE = "uint8"


@dataclass(frozen=True, slots=True)
class PortMatch:
    """One input or output: what the files have, what the om has, what is wrong, and what is worth knowing."""

    kind: str
    name: str
    shape: Shape
    port: Port | None
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def match_ports(manifest: Manifest, model: OmModel) -> tuple[PortMatch, ...]:
    """Return a match for each input and output of the files, and for each one more that the om has."""
    own = [port for port in model.ports.inputs if not _is_setting(port)]
    inputs = [(record.name, record.shape) for record in manifest.inputs]
    outputs = list(dict.fromkeys((record.blob, record.shape) for record in manifest.outputs))
    geared = bool(model.ports.gears)
    return (
        *_matched("input", inputs, own, geared, ()),
        *_matched("output", outputs, model.ports.outputs, geared, manifest.unread),
    )


def _is_setting(port: Port) -> bool:
    """Whether an input is the runtime's: gears and the settings of dynamic AIPP are given by calls."""
    return port.name.startswith("ascend_")


def _matched(
    kind: str, wanted: Sequence[tuple[str, Shape]], found: Sequence[Port], geared: bool, unread: Sequence[str]
) -> Iterator[PortMatch]:
    names = [_names(port) for port in found]
    for index, (name, shape) in enumerate(wanted):
        if index >= len(found):
            yield PortMatch(kind, name, shape, None, (f"the om has only {len(found)} {kind}s",))
            continue
        port = found[index]
        problems = (
            *_name_problems(kind, name, names, index),
            *_shape_problems(shape, port, geared),
            *_type_problems(port),
        )
        yield PortMatch(kind, name, shape, port, problems, tuple(_notes(name, names[index], port, geared)))
    for port in found[len(wanted) :]:
        known = not {port.name, port.layer, port.top}.isdisjoint(unread)
        note = "a top that nobody reads; --out_nodes would leave it out"
        problems = () if known else (f"the files have no such {kind}",)
        yield PortMatch(kind, port.name, port.shape, port, problems, (note,) if known else ())


def _names(port: Port) -> tuple[str, ...]:
    """Return the names of the files under which an om's port may go: its top, its layer, its own."""
    return tuple(dict.fromkeys(name for name in (port.top, port.layer, port.name) if name))


def _name_problems(kind: str, name: str, names: Sequence[tuple[str, ...]], index: int) -> Iterator[str]:
    if name in names[index]:
        return
    place = next((number for number, each in enumerate(names) if name in each), None)
    if place is not None:
        yield f"it is number {place} in the om, not {index}"
    elif not _is_made_up(names[index]):
        yield f"{kind} {index} of the om is called {names[index][0]}"


def _is_made_up(names: tuple[str, ...]) -> bool:
    """Whether an output goes under a compiler's own name: `trans_...` is an operator that changes the layout."""
    return names[0].startswith("trans")


def _shape_problems(shape: Shape, port: Port, geared: bool) -> Iterator[str]:
    given = port.model_shape or port.shape
    if port.layout == "NHWC" and not port.model_shape and len(given) == 4:
        given = (given[0], given[3], *given[1:3])
    first = 1 if geared else 0
    if _stripped(given[first:]) != _stripped(shape[first:]):
        yield f"its shape in the om is {shape_text(given)}"


def _stripped(shape: Shape) -> Shape:
    """Return a shape without ones at its end: ATC gives every blob four axes."""
    while shape and shape[-1] == 1:
        shape = shape[:-1]
    return shape


def _type_problems(port: Port) -> Iterator[str]:
    if port.dtype not in (*_REAL, _PICTURE):
        yield f"its numbers in the om are {port.dtype}"


def _notes(name: str, names: tuple[str, ...], port: Port, geared: bool) -> Iterator[str]:
    if name not in names and _is_made_up(names):
        yield f"called {port.name} in the om: matched by its place"
    if port.dtype == _PICTURE:
        yield f"prepared by AIPP: the caller gives {shape_text(port.shape)} bytes"
    elif port.dtype != _REAL[0]:
        yield f"the caller gives or gets {port.dtype}"
    if geared:
        yield "dynamic: the first axis is not compared"
