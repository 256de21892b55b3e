"""The inputs of a parsed prototxt: Input layers, and the old `input:` fields with their dims."""

from __future__ import annotations

from collections.abc import Iterator

from torch2om.caffe.entries import LayerEntry
from torch2om.caffe.schema import CaffeMessage
from torch2om.errors import Diagnostic, Problems
from torch2om.ir.net import Input
from torch2om.ir.op import Shape
from torch2om.origin import NOWHERE, Origin

# Layers that feed a net: DummyData is an input in ATC (atc-frontend.md section 3), a constant filler in BVLC.
_FIELDS = {"Input": "input_param", "DummyData": "dummy_data_param"}


def is_input(entry: LayerEntry) -> bool:
    """Whether the layer declares inputs."""
    return entry.type in _FIELDS


def layer_inputs(entry: LayerEntry, problems: Problems) -> Iterator[Input]:
    """Yield the inputs of an Input layer: one per top; one shape may serve all tops (BVLC input_layer.cpp)."""
    shapes = [tuple(shape.dim) for shape in getattr(entry.message, _FIELDS[entry.type]).shape]
    if len(shapes) not in (1, len(entry.tops)) or not entry.tops:
        text = f"{len(shapes)} shapes for {len(entry.tops)} tops"
        problems.add(Diagnostic("F508", text, origin=entry.origin, layer=entry.name))
    else:
        for top, shape in zip(entry.tops, shapes * (len(entry.tops) if len(shapes) == 1 else 1), strict=True):
            yield from _input(top, shape, entry.origin, problems)


def net_inputs(net: CaffeMessage, problems: Problems) -> Iterator[Input]:
    """Yield the inputs of the `input:` fields, with `input_shape`, or four `input_dim` each."""
    names = list(net.input)
    shapes = [tuple(shape.dim) for shape in net.input_shape]
    dims = list(net.input_dim)
    if not shapes:
        shapes = [tuple(dims[start : start + 4]) for start in range(0, len(dims), 4)]
    if len(shapes) != len(names):
        text = f"{len(names)} inputs are declared, {len(shapes)} have dims"
        problems.add(Diagnostic("F508", text))
        return
    for name, shape in zip(names, shapes, strict=True):
        yield from _input(name, shape, NOWHERE, problems)


def _input(name: str, shape: Shape, origin: Origin, problems: Problems) -> Iterator[Input]:
    if all(dim > 0 for dim in shape):
        yield Input(name, shape, origin)
    else:
        problems.add(Diagnostic("F508", f"input {name!r} has dims {list(shape)}", origin=origin, layer=name))
