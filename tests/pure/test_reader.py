"""Reading prototxt and caffemodel: other people's files, old spellings, and everything that can be wrong with them."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from torch2om.caffe.dialect import Dialect
from torch2om.caffe.reader import parse_net, read_net
from torch2om.errors import CaffeFileError, UsageError
from torch2om.executor import execute
from torch2om.ir.net import Net
from torch2om.ir.op import Shape
from torch2om.ir.text import to_text
from torch2om.layers import Reverse

FOREIGN = Path(__file__).parents[1] / "data" / "golden" / "foreign.zip"
with zipfile.ZipFile(FOREIGN) as _archive:
    FILES = {name: _archive.read(name) for name in _archive.namelist()}
RUNS = sorted(name.removesuffix(".npz") for name in FILES if name.endswith(".npz"))
INPUT = 'layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 1 dim: 2 dim: 4 dim: 4 } } }\n'


def refusal(text: str) -> str:
    with pytest.raises(CaffeFileError) as raised:
        parse_net(text, None, file="net.prototxt")
    return str(raised.value)


def outputs(net: Net) -> dict[str, str]:
    return {output.name: output.blob for output in net.outputs}


def test_the_collection_holds_every_net_that_caffe_runs() -> None:
    runs = [name for name, data in FILES.items() if name.endswith(".json") and json.loads(data)["caffe"] == "runs"]
    assert len(runs) == len(RUNS) == 78


@pytest.mark.parametrize("name", RUNS)
def test_a_file_of_another_converter_gives_the_numbers_of_caffe(name: str, tmp_path: Path) -> None:
    for suffix in (".prototxt", ".caffemodel"):
        (tmp_path / f"net{suffix}").write_bytes(FILES[name + suffix])
    net = read_net(tmp_path / "net.prototxt", tmp_path / "net.caffemodel")
    arrays = dict(np.load(io.BytesIO(FILES[f"{name}.npz"])))
    expected = {key.removeprefix("out:"): value for key, value in arrays.items() if key.startswith("out:")}
    found = execute(net, {key.removeprefix("in:"): v for key, v in arrays.items() if key.startswith("in:")}, np.float32)
    assert outputs(net).keys() == expected.keys()
    for output, value in expected.items():
        blob = found[outputs(net)[output]]
        assert blob.shape == value.shape
        assert np.abs(blob - value).max() <= 1e-5 * np.abs(value).max()


def test_in_place_layers_become_versions_of_their_blob() -> None:
    text = INPUT + (
        'layer { name: "a" type: "AbsVal" bottom: "x" top: "y" }\n'
        'layer { name: "b" type: "ReLU" bottom: "y" top: "y" }\n'
        'layer { name: "c" type: "Sigmoid" bottom: "y" top: "y" }\n'
    )
    net = parse_net(text, None)
    assert [(layer.bottoms, layer.tops) for layer in net.layers] == [
        (("x",), ("y/a",)),
        (("y/a",), ("y/b",)),
        (("y/b",), ("y",)),
    ]
    assert outputs(net) == {"y": "y"}


def test_an_input_that_is_overwritten_in_place_keeps_its_name() -> None:
    net = parse_net(INPUT + 'layer { name: "r" type: "ReLU" bottom: "x" top: "x" }', None)
    assert net.inputs[0].name == "x"
    assert outputs(net) == {"x": "x/r"}
    found = execute(net, {"x": np.full((1, 2, 4, 4), -1.0)})
    assert not found["x/r"].any()


def test_old_input_fields_and_v1_layers_are_read() -> None:
    text = (
        'input: "x" input_dim: 1 input_dim: 2 input_dim: 4 input_dim: 4\n'
        'layers { name: "p" type: POOLING bottom: "x" top: "p" pooling_param { kernel_size: 2 stride: 2 } }\n'
        'layers { name: "r" type: RELU bottom: "p" top: "p" relu_param { negative_slope: 0.5 } }\n'
    )
    net = parse_net(text, None)
    assert [layer.op.caffe_type for layer in net.layers] == ["Pooling", "ReLU"]
    assert net.shapes["p"] == (1, 2, 2, 2)


REVERSE = INPUT + 'layer { name: "r" type: "Reverse" bottom: "x" top: "r" }\n'


@pytest.mark.parametrize(("dialect", "axis"), [("ascend", (0,)), ("omg", (1,))])
def test_an_axis_that_a_reverse_leaves_out_is_what_the_targets_reader_takes(dialect: Dialect, axis: Shape) -> None:
    assert parse_net(REVERSE, None, dialect).layers[0].op == Reverse(axis)


def test_an_axis_left_out_is_refused_where_it_is_not_known_who_reads() -> None:
    assert "axis is missing: ascend takes (0,), omg takes (1,)" in refusal(REVERSE)


def test_layers_of_the_train_phase_are_left_out() -> None:
    text = INPUT + (
        'layer { name: "a" type: "Dropout" bottom: "x" top: "a" include { phase: TRAIN } }\n'
        'layer { name: "b" type: "ReLU" bottom: "x" top: "b" exclude { phase: TRAIN } }\n'
        'layer { name: "c" type: "ReLU" bottom: "b" top: "c" include { stage: "deploy" } }\n'
    )
    assert [layer.name for layer in parse_net(text, None).layers] == ["b"]


def test_constant_fillers_give_weights_and_random_ones_refuse_to() -> None:
    conv = 'layer {{ name: "c" type: "Convolution" bottom: "x" top: "c" convolution_param {{ num_output: 1 kernel_size: 1 {} }} }}'
    filled = conv.format('weight_filler { type: "constant" value: 2 } bias_filler { type: "constant" value: 1 }')
    found = execute(parse_net(INPUT + filled, None), {"x": np.ones((1, 2, 4, 4))})
    assert np.all(found["c"] == 5)
    net = parse_net(INPUT + conv.format('weight_filler { type: "xavier" }'), None)
    assert net.shapes["c"] == (1, 1, 4, 4)
    with pytest.raises(CaffeFileError, match="its filler, xavier, is random"):
        execute(net, {"x": np.ones((1, 2, 4, 4))})
    with pytest.raises(CaffeFileError, match="it has no filler"):
        execute(parse_net(INPUT + conv.format(""), None), {"x": np.ones((1, 2, 4, 4))})


FILLED = """layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 3 dim: 1 dim: 2 } } }
layer { name: "cont" type: "Input" top: "cont" input_param { shape { dim: 3 dim: 1 } } }
layer { name: "y" type: "%s" bottom: "x" %s top: "y" %s }
"""
TWO = 'weight_filler { type: "constant" value: 2 }'


@pytest.mark.parametrize(
    ("kind", "parameters", "filled"),
    [
        ("InnerProduct", f"inner_product_param {{ num_output: 1 {TWO} }}", [2, 0]),
        ("InnerProduct", "inner_product_param { num_output: 1 bias_filler { value: 3 } }", [0, 3]),
        ("Scale", "scale_param { bias_term: true filler { value: 2 } }", [2, 0]),
        ("Scale", "scale_param { bias_term: true num_axes: 2 bias_filler { value: 2 } }", [1, 2]),
        ("LSTM", f"recurrent_param {{ num_output: 1 {TWO} bias_filler {{ value: 3 }} }}", [2, 3, 2]),
        ("RNN", f"recurrent_param {{ num_output: 1 {TWO} bias_filler {{ value: 3 }} }}", [2, 3, 2, 2, 3]),
    ],
)
def test_a_filler_that_is_left_out_beside_another_is_the_constant_that_caffe_takes(
    kind: str, parameters: str, filled: list[float]
) -> None:
    cont = 'bottom: "cont"' if "recurrent" in parameters else ""
    (layer,) = parse_net(FILLED % (kind, cont, parameters), None).layers
    assert [np.unique(weight.array()).tolist() for weight in layer.weights] == [[value] for value in filled]


def test_layers_that_name_one_parameter_share_its_weights() -> None:
    layer = (
        'layer {{ name: "{0}" type: "InnerProduct" bottom: "{1}" top: "{0}" param {{ name: "w" }} inner_product_param '
        "{{ num_output: 32 bias_term: false {2} }} }}\n"
    )
    text = INPUT + layer.format("a", "x", 'weight_filler { type: "constant" value: 1 }') + layer.format("b", "a", "")
    net = parse_net(text, None)
    assert net.layers[0].weights[0] is net.layers[1].weights[0]


def test_a_syntax_error_is_refused_with_line_and_column() -> None:
    assert "net.prototxt:2:" in refusal(INPUT + 'layer { name "r" }')


def test_an_unknown_field_is_refused_with_line_and_column() -> None:
    text = INPUT + 'layer { name: "r" type: "ReLU" bottom: "x" top: "r"\n relu_param { slope: 1 } }'
    assert "F501" in refusal(text)
    assert ":3:" in refusal(text)


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        ('layer { name: "r" type: "Relu" bottom: "x" top: "r" }', ("F502", "'Relu'", "net.prototxt:2")),
        ('layer { name: "r" type: "ReLU" bottom: "z" top: "r" }', ("F503", "'z'", "no layer produces")),
        (
            'layer { name: "r" type: "ReLU" bottom: "z" top: "r" }\nlayer { name: "z" type: "ReLU" bottom: "x" top: "z" }',
            ("F503", "before 'z' produces it"),
        ),
        (
            'layer { name: "r" type: "ReLU" bottom: "z" top: "r" }\nlayer { name: "z" type: "ReLU" bottom: "r" top: "z" }',
            ("F504", "depends on it"),
        ),
        ('layer { name: "e" type: "Eltwise" bottom: "x" top: "e" }', ("F507", "Eltwise")),
        ('layer { name: "r" type: "ReLU" bottom: "x" top: "r" top: "s" }', ("F507", "2 tops")),
        (
            'layer { name: "r" type: "ReLU" bottom: "x" top: "r" }\nlayer { name: "s" type: "ReLU" bottom: "x" top: "r" }',
            ("F507", "already made"),
        ),
        (
            'layer { name: "p" type: "Pooling" bottom: "x" top: "p" pooling_param { kernel_size: 2 ceil_mode: false } }',
            ("F507", "ceil_mode"),
        ),
        ('layer { name: "y" type: "Input" top: "y" }', ("F508", "0 shapes for 1 tops")),
        (
            'layer { name: "r" type: "ReLU" bottom: "x" top: "r" include { phase: TEST } exclude { phase: TRAIN } }',
            ("F507", "both include and exclude"),
        ),
    ],
)
def test_a_broken_layer_is_refused_at_its_line(layer: str, words: tuple[str, ...]) -> None:
    text = refusal(INPUT + layer)
    assert all(word in text for word in words), text


def test_all_problems_are_reported_at_once_and_their_consequences_are_not() -> None:
    text = INPUT + (
        'layer { name: "a" type: "Nonsense" bottom: "x" top: "a" }\n'
        'layer { name: "b" type: "ReLU" bottom: "a" top: "b" }\n'
        'layer { name: "c" type: "Nothing" bottom: "x" top: "c" }\n'
    )
    with pytest.raises(CaffeFileError) as raised:
        parse_net(text, None)
    assert [found.layer for found in raised.value.diagnostics] == ["a", "c"]


def test_a_missing_file_and_a_truncated_caffemodel_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "net.prototxt").write_text(INPUT)
    with pytest.raises(UsageError, match="U133"):
        read_net(tmp_path / "none.prototxt")
    (tmp_path / "net.caffemodel").write_bytes(FILES[f"{RUNS[0]}.caffemodel"][:-7])
    with pytest.raises(CaffeFileError, match="F505"):
        read_net(tmp_path / "net.prototxt", tmp_path / "net.caffemodel")


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    name = next(name for name in RUNS if name.startswith("conv_asym_kernel"))
    text = FILES[f"{name}.prototxt"].decode().replace("num_output: 8", "num_output: 16", 1)
    (tmp_path / "net.prototxt").write_text(text)
    (tmp_path / "net.caffemodel").write_bytes(FILES[f"{name}.caffemodel"])
    with pytest.raises(CaffeFileError, match="is needed"):
        read_net(tmp_path / "net.prototxt", tmp_path / "net.caffemodel")


def test_a_net_as_text_shows_each_layer_on_a_line() -> None:
    net = parse_net(
        INPUT + 'layer { name: "r" type: "ReLU" bottom: "x" top: "r" relu_param { negative_slope: 0.5 } }', None
    )
    assert to_text(net) == "net(x: 1x2x4x4) -> r\n  r: 1x2x4x4 = ReLU(negative_slope=0.5)(x)\n"
