"""A net as Caffe files: the prototxt's text, and the caffemodel as a stream of bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from torch2om.caffe import caffemodel
from torch2om.caffe.dialect import Dialect
from torch2om.caffe.overwritten import PUT
from torch2om.caffe.parameters import Value, Written, written
from torch2om.ir.builder import Names
from torch2om.ir.net import Input, Layer, Net
from torch2om.ir.op import Array, Op, Shape
from torch2om.ir.weight import Weight
from torch2om.layers import DynamicConvolution, Parameter, Silence

Watch = Callable[[str, Array], None]
"""Is told a layer's name and numbers of its weights on their way to the file."""


def prototxt(net: Net, dialect: Dialect) -> str:
    """Return the net as a prototxt in the dialect: a name, an Input layer per input, then the layers in order."""
    blocks = [f"name: {_quoted(net.name)}\n"]
    blocks += [_input_block(source) for source in net.inputs]
    names = Names((*net.shapes, *(layer.name for layer in net.layers)))
    for layer in net.layers:
        if isinstance(layer.op, DynamicConvolution) and dialect == "caffe":
            blocks += _by_parameter(layer, layer.op, net.shapes[layer.bottoms[1]], names)
        else:
            blocks.append(_layer_block(layer, dialect))
    return "".join(blocks)


def write_caffemodel(net: Net, stream: BinaryIO, watch: Watch = lambda _layer, _numbers: None) -> None:
    """Write the net's weights in float32, some numbers at a time, telling `watch` of them.

    Every layer stands there with its bottoms: ATC counts them to find the input that a blob belongs to
    (atc-frontend.md section 2a).
    """
    layers = (
        _outgoing(layer, tuple(_Watched(weight, layer.name, watch) for weight in layer.weights))
        for layer in _stored(net)
    )
    caffemodel.write_caffemodel(stream, net.name, layers)


def caffemodel_size(net: Net) -> int:
    """Return how many bytes the net's caffemodel has, from the shapes of its weights."""
    return caffemodel.file_size(net.name, (_outgoing(layer, layer.weights) for layer in _stored(net)))


def _stored(net: Net) -> Iterator[Layer]:
    """Yield the layers but those whose parameter is overwritten: Caffe wants all weights of a layer there, or none."""
    return (layer for layer in net.layers if not isinstance(layer.op, DynamicConvolution))


def _outgoing(layer: Layer, blobs: tuple[caffemodel.Streamed, ...]) -> caffemodel.OutgoingLayer:
    return caffemodel.OutgoingLayer(layer.name, layer.op.caffe_type or "", layer.bottoms, layer.tops, blobs)


@dataclass(frozen=True, slots=True)
class _Watched:
    """A weight on its way to the file."""

    weight: Weight
    layer: str
    watch: Watch

    @property
    def shape(self) -> Shape:
        """The weight's."""
        return self.weight.shape

    def pieces(self, dtype: npt.DTypeLike) -> Iterator[Array]:
        """Yield the weight's, each once it was told."""
        for piece in self.weight.pieces(dtype):
            self.watch(self.layer, piece)
            yield piece


def _input_block(source: Input) -> str:
    dims = "".join(f"      dim: {dim}\n" for dim in source.shape)
    head = _head(source.name, "Input", (), (source.name,))
    return f"layer {{\n{head}  input_param {{\n    shape {{\n{dims}    }}\n  }}\n}}\n"


def _layer_block(layer: Layer, dialect: Dialect) -> str:
    if layer.op.caffe_type is None:
        raise ValueError(f"{layer.name} is virtual: {type(layer.op).__name__} has no Caffe spelling")
    return _block(_head(layer.name, layer.op.caffe_type, layer.bottoms, layer.tops), layer.op, dialect)


def _by_parameter(layer: Layer, op: DynamicConvolution, filters: Shape, names: Names) -> Iterator[str]:
    """Yield the layers that `overwritten` reads as one: a place for the filters, what puts them there, who has them."""
    x, w = layer.bottoms
    place, put, end = (names.unique(f"{layer.name}/{part}") for part in ("filters", "put", "end"))
    shared = f"  param {{\n    name: {_quoted(place)}\n  }}\n"
    yield _block(_head(place, "Parameter", (), (place,)) + shared, Parameter(filters), "caffe")
    yield _block(_head(put, "Eltwise", (place, w), (place,)), PUT, "caffe")
    yield _block(_head(end, "Silence", (place,), ()), Silence(), "caffe")
    yield _block(_head(layer.name, "Convolution", (x,), layer.tops) + shared, op.by(filters), "caffe")


def _block(head: str, op: Op, dialect: Dialect) -> str:
    return f"layer {{\n{head}{_parameters(op, dialect)}}}\n"


def _head(name: str, kind: str, bottoms: tuple[str, ...], tops: tuple[str, ...]) -> str:
    lines = [f"  name: {_quoted(name)}\n  type: {_quoted(kind)}\n"]
    lines += [f"  bottom: {_quoted(bottom)}\n" for bottom in bottoms]
    lines += [f"  top: {_quoted(top)}\n" for top in tops]
    return "".join(lines)


@cache
def _parameters(op: Op, dialect: Dialect) -> str:
    if not op.message:
        return ""
    body = "".join(_lines(written(op, dialect)))
    return f"  {op.message} {{\n{body}  }}\n" if body else ""


def _lines(fields: Written) -> Iterator[str]:
    """Yield the fields' lines; fields of one nested message (`shape.dim`) stand in one block."""
    opened = ""
    for path, value in fields:
        *parents, name = path.split(".")
        parent = parents[0] if parents else ""
        if parent != opened:
            if opened:
                yield "    }\n"
            if parent:
                yield f"    {parent} {{\n"
            opened = parent
        yield f"{'      ' if parent else '    '}{name}: {_scalar(value)}\n"
    if opened:
        yield "    }\n"


def _scalar(value: Value) -> str:
    """Return a field's value as text: floats as the shortest text of the float32 that the reader will hold."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(np.float32(value))
    return str(value)


_SPECIAL = re.compile(r'[\x00-\x1f"\\\x7f]')


def _quoted(text: str) -> str:
    """Return the text as a string of protobuf's text format: quotes, backslashes and control characters in octal."""
    escaped = _SPECIAL.sub(lambda found: f"\\{ord(found.group()):03o}", text)
    return f'"{escaped}"'
