"""Small nets for the judge: a layer behind its inputs, with a caffemodel that holds the blobs named."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from torch2om.caffe.blobs import StoredBlob
from torch2om.caffe.caffemodel import StoredLayer, StoredNet
from torch2om.caffe.schema import CaffeMessage, schema
from torch2om.caffe.tokens import SyntaxProblem
from torch2om.frontend import Judgement, Unreadable, judge

Dims = Sequence[int]
IMAGE = (1, 4, 8, 8)


def input_layer(name: str, dims: Dims) -> str:
    given = " ".join(f"dim: {size}" for size in dims)
    return f'layer {{ name: "{name}" type: "Input" top: "{name}" input_param {{ shape {{ {given} }} }} }}\n'


def net_of(kind: str, params: str, inputs: Sequence[Dims] = (IMAGE,), tops: Sequence[str] = ("y",)) -> str:
    """The text of a layer "l" of that type that reads inputs x0, x1, ... of these dims."""
    names = [f"x{index}" for index, _ in enumerate(inputs)]
    sources = "".join(input_layer(name, dims) for name, dims in zip(names, inputs, strict=True))
    ends = " ".join([f'bottom: "{name}"' for name in names] + [f'top: "{top}"' for top in tops])
    return f'{sources}layer {{ name: "l" type: "{kind}" {ends} {params} }}\n'


def caffemodel_for(text: str, weights: Mapping[str, Sequence[Dims]]) -> StoredNet | Unreadable:
    """Every layer of the text with the blobs named for it, all values 0.1."""
    try:
        net = schema("ascend").parse_text(text, unknown="ignore")
    except SyntaxProblem:
        return Unreadable("the prototxt that names its layers cannot be read")
    return StoredNet("", tuple(stored_layer(layer, weights.get(layer.name, ())) for layer in net.layer))


def stored_layer(layer: CaffeMessage, shapes: Sequence[Dims]) -> StoredLayer:
    blobs = tuple(stored_blob(tuple(shape)) for shape in shapes)
    bias = layer.convolution_param.bias_term and layer.inner_product_param.bias_term
    return StoredLayer(2, layer.name, layer.type, tuple(layer.bottom), tuple(layer.top), blobs, bias, 0)


def stored_blob(shape: tuple[int, ...], source: str = "data") -> StoredBlob:
    return StoredBlob(shape, np.broadcast_to(np.float32(0.1), (max(math.prod(shape), 0),)), source, 0)


def judged(text: str, weights: Mapping[str, Sequence[Dims]] | None = None) -> Judgement:
    """The judgement on a text with the blobs named for its layers."""
    return judge(text, caffemodel_for(text, weights or {}))


def judged_layer(kind: str, params: str, inputs: Sequence[Dims] = (IMAGE,), blobs: Sequence[Dims] = ()) -> Judgement:
    """The judgement on one layer behind its inputs."""
    return judged(net_of(kind, params, inputs), {"l": blobs})
