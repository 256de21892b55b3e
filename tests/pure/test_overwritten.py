"""A convolution by a blob in Caffe files: what is written is read as one layer, any other use of such a place refused."""

from __future__ import annotations

import io

import numpy as np
import pytest

from torch2om.caffe.caffemodel import parse_caffemodel
from torch2om.caffe.overwritten import relies_on_memory
from torch2om.caffe.reader import parse_net
from torch2om.caffe.writer import caffemodel_size, prototxt, write_caffemodel
from torch2om.errors import CaffeFileError
from torch2om.executor import execute
from torch2om.ir.net import Input, Layer, Net, Output
from torch2om.ir.weight import constant
from torch2om.layers import DynamicConvolution, Power, Scale

NET = Net(
    "net",
    (Input("x", (2, 4, 5, 6)), Input("v", (6, 2, 3, 2))),
    (
        Layer("w", Power(scale=2), ("v",), ("w",)),
        Layer("y", DynamicConvolution((2, 1), (1, 0), (1, 2), 2), ("x", "w"), ("y",)),
        Layer("y/filters", DynamicConvolution((1, 1), (0, 0), (1, 1), 3), ("y", "filters"), ("y/filters",)),
        Layer("z", Scale(), ("y/filters",), ("z",), (constant(np.arange(1.0, 4.0)),)),
    ),
    (Output("z", name="z"),),
)
NET = Net(NET.name, (*NET.inputs, Input("filters", (3, 2, 1, 1))), NET.layers, NET.outputs)
TEXT = prototxt(NET, "caffe")

INPUTS = (
    'layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 1 dim: 2 dim: 4 dim: 4 } } }\n'
    'layer { name: "w" type: "Input" top: "w" input_param { shape { dim: 3 dim: 2 dim: 1 dim: 1 } } }\n'
)
PLACE = (
    'layer { name: "place" type: "Parameter" top: "place" param { name: "p" }\n'
    "  parameter_param { shape { dim: 3 dim: 2 dim: 1 dim: 1 } } }\n"
)
PUT = 'layer { name: "put" type: "Eltwise" bottom: "place" bottom: "w" top: "place" eltwise_param { coeff: 0 coeff: 1 } }\n'
USE = (
    'layer { name: "y" type: "Convolution" bottom: "x" top: "y" param { name: "p" }\n'
    "  convolution_param { num_output: 3 kernel_size: 1 bias_term: false } }\n"
)
END = 'layer { name: "end" type: "Silence" bottom: "place" }\n'
WHOLE = INPUTS + PLACE + PUT + END + USE


def test_what_is_written_is_read_as_it_was() -> None:
    stream = io.BytesIO()
    write_caffemodel(NET, stream)
    stored = {layer.name: layer for layer in parse_caffemodel(stream.getvalue()).layers}
    found = parse_net(TEXT, stored, "caffe")
    assert [(layer.name, layer.op, layer.bottoms, layer.tops) for layer in found.layers] == [
        (layer.name, layer.op, layer.bottoms, layer.tops) for layer in NET.layers
    ]
    assert (found.inputs[0].shape, found.outputs) == (NET.inputs[0].shape, NET.outputs)
    draw = np.random.default_rng(0)
    fed = {source.name: draw.standard_normal(source.shape) for source in NET.inputs}
    np.testing.assert_array_equal(execute(found, fed)["z"], execute(NET, fed)["z"])


def test_layers_without_numbers_of_their_own_are_not_in_the_caffemodel() -> None:
    stream = io.BytesIO()
    write_caffemodel(NET, stream)
    assert [layer.name for layer in parse_caffemodel(stream.getvalue()).layers] == ["w", "z"]
    assert caffemodel_size(NET) == len(stream.getvalue())


def test_the_written_layers_have_names_of_their_own() -> None:
    names = [line for line in TEXT.splitlines() if line.startswith("  name:")]
    assert len(set(names)) == len(names)
    assert '  name: "y/filters_1"' in names


def test_one_place_may_serve_several_convolutions() -> None:
    net = parse_net(WHOLE + USE.replace('"y"', '"z"'), None, "caffe")
    assert [(layer.name, layer.op, layer.bottoms) for layer in net.layers] == [
        (name, DynamicConvolution(), ("x", "w")) for name in "yz"
    ]


def test_a_parameter_that_nobody_shares_or_overwrites_is_what_it_was() -> None:
    alone = parse_net(INPUTS + PLACE + PUT, None, "caffe")
    assert [layer.op.caffe_type for layer in alone.layers] == ["Parameter", "Eltwise"]
    shared = parse_net(INPUTS + PLACE + USE, None, "caffe")
    assert [layer.op.caffe_type for layer in shared.layers] == ["Parameter", "Convolution"]


@pytest.mark.parametrize(
    "text",
    [
        WHOLE.replace("coeff: 0", "coeff: 1"),
        WHOLE.replace("coeff: 0 coeff: 1", "coeff: 0 coeff: 1 coeff: 1"),
        WHOLE.replace('bottom: "place" bottom: "w"', 'bottom: "w" bottom: "place"'),
        WHOLE.replace("Eltwise", "Scale").replace("eltwise_param { coeff: 0 coeff: 1 }", "scale_param { axis: 0 }"),
        INPUTS + PLACE + USE + PUT + END,
        WHOLE.replace(PUT, PUT + PUT.replace('"put"', '"again"')),
        WHOLE.replace(PUT, PUT + 'layer { name: "r" type: "ReLU" bottom: "w" top: "w" }\n'),
        WHOLE.replace(END, 'layer { name: "end" type: "ReLU" bottom: "place" top: "r" }\n'),
        WHOLE.replace('param { name: "p" }\n  convolution', 'param { name: "p" } param { name: "b" }\n  convolution'),
        WHOLE + 'layer { name: "s" type: "Scale" bottom: "y" top: "s" param { name: "p" } scale_param { axis: 0 } }\n',
    ],
    ids=["adds", "three", "order", "kind", "late", "twice", "rewritten", "read", "bias", "user"],
)
def test_another_use_of_an_overwritten_parameter_is_refused(text: str) -> None:
    with pytest.raises(CaffeFileError, match=r"F507 \[place\].*overwrites its parameter 'p'"):
        parse_net(text, None, "caffe")


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("bias_term: false", "", "without bias only"),
        ("num_output: 3", "num_output: 2", "do not fit filters of dims"),
        ("kernel_size: 1", "kernel_size: 3", "do not fit filters of dims"),
    ],
)
def test_a_convolution_that_does_not_fit_its_place_is_refused(old: str, new: str, why: str) -> None:
    with pytest.raises(CaffeFileError, match=rf"F507 \[y\].*{why}"):
        parse_net(WHOLE.replace(old, new), None, "caffe")


def test_who_converts_is_told_that_the_net_relies_on_memory() -> None:
    (note,) = relies_on_memory(NET)
    assert (note.code, note.severity, note.layer) == ("T418", "note", "y")
    assert note.message.startswith("2 products of two blobs are convolutions")
    scaled = Net(NET.name, NET.inputs, NET.layers[:1], (Output("w"),))
    assert relies_on_memory(scaled) == ()
