"""A net as Caffe files: the prototxt's text, and the caffemodel as a stream of bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import BinaryIO

import numpy as np

from torch2om.caffe import caffemodel
from torch2om.caffe.dialect import Dialect
from torch2om.caffe.parameters import Value, Written, written
from torch2om.ir.net import Input, Layer, Net
from torch2om.ir.op import Op


def prototxt(net: Net, dialect: Dialect) -> str:
    """Return the net as a prototxt in the dialect: a name, an Input layer per input, then the layers in order."""
    blocks = [f"name: {_quoted(net.name)}\n"]
    blocks += [_input_block(source) for source in net.inputs]
    blocks += [_layer_block(layer, dialect) for layer in net.layers]
    return "".join(blocks)


def write_caffemodel(net: Net, stream: BinaryIO) -> None:
    """Write the net's weights in float32, one layer at a time.

    Every layer stands there with its bottoms: ATC counts them to find the input that a blob belongs to
    (atc-frontend.md section 2a).
    """
    caffemodel.write_caffemodel(stream, net.name, _outgoing(net))


def caffemodel_size(net: Net) -> int:
    """Return how many bytes the net's caffemodel has, from the shapes of its weights."""
    return caffemodel.file_size(net.name, _outgoing(net))


def _outgoing(net: Net) -> Iterator[caffemodel.OutgoingLayer]:
    for layer in net.layers:
        kind = layer.op.caffe_type or ""
        yield caffemodel.OutgoingLayer(layer.name, kind, layer.bottoms, layer.tops, layer.weights)


def _input_block(source: Input) -> str:
    dims = "".join(f"      dim: {dim}\n" for dim in source.shape)
    head = _head(source.name, "Input", (), (source.name,))
    return f"layer {{\n{head}  input_param {{\n    shape {{\n{dims}    }}\n  }}\n}}\n"


def _layer_block(layer: Layer, dialect: Dialect) -> str:
    if layer.op.caffe_type is None:
        raise ValueError(f"{layer.name} is virtual: {type(layer.op).__name__} has no Caffe spelling")
    head = _head(layer.name, layer.op.caffe_type, layer.bottoms, layer.tops)
    return f"layer {{\n{head}{_parameters(layer.op, dialect)}}}\n"


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
