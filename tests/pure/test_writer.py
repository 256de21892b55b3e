"""Writing a prototxt: the text that each dialect's reader wants, and nothing that says what is so anyway."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torch2om.caffe.dialect import Dialect
from torch2om.caffe.reader import parse_net
from torch2om.caffe.writer import prototxt
from torch2om.ir.net import Input, Layer, Net, Output
from torch2om.ir.op import Op
from torch2om.layers import (
    ArgMax,
    DynamicConvolution,
    Gelu,
    Permute,
    Pooling,
    PoolMethod,
    Power,
    Reshape,
    Rounding,
    Slice,
    Tile,
    Upsample,
)


def text(op: Op, dialect: Dialect = "caffe", tops: int = 1) -> str:
    """Return the layer's own lines, without name, type, bottom and tops."""
    names = tuple(f"y{index}" for index in range(tops))
    net = Net("net", (Input("x", (1, 4, 6, 6)),), (Layer("y0", op, ("x",), names),), (Output("y0"),))
    written = prototxt(net, dialect)
    return written.split(f'top: "{names[-1]}"\n')[1].removesuffix("}\n")


def test_a_whole_prototxt_stands_in_caffes_style() -> None:
    layer = Layer("p", Pooling(PoolMethod.AVE, (2, 3), (2, 2)), ("x",), ("p",))
    assert prototxt(Net("net", (Input("x", (1, 4, 6, 6)),), (layer,), (Output("p"),)), "caffe") == (
        'name: "net"\n'
        'layer {\n  name: "x"\n  type: "Input"\n  top: "x"\n'
        "  input_param {\n    shape {\n      dim: 1\n      dim: 4\n      dim: 6\n      dim: 6\n    }\n  }\n}\n"
        'layer {\n  name: "p"\n  type: "Pooling"\n  bottom: "x"\n  top: "p"\n'
        "  pooling_param {\n    pool: AVE\n    kernel_h: 2\n    kernel_w: 3\n    stride: 2\n  }\n}\n"
    )


def test_the_first_axis_of_an_argmax_is_written_for_none_means_all_axes() -> None:
    assert text(ArgMax(axis=0)) == "  argmax_param {\n    axis: 0\n  }\n"
    assert text(ArgMax()) == ""


@pytest.mark.parametrize(
    ("dialect", "line"),
    [("caffe", "round_mode: FLOOR"), ("ascend", "round_mode: FLOOR"), ("opencv", "ceil_mode: false")],
)
def test_floor_pooling_is_spelled_as_each_reader_understands_it(dialect: Dialect, line: str) -> None:
    op = Pooling(kernel=(3, 3), stride=(2, 2), rounding=Rounding.FLOOR)
    assert (
        text(op, dialect) == f"  pooling_param {{\n    pool: MAX\n    kernel_size: 3\n    stride: 2\n    {line}\n  }}\n"
    )


def test_ceil_pooling_is_said_to_no_reader() -> None:
    assert "mode" not in "".join(text(Pooling(kernel=(3, 3)), dialect) for dialect in ("caffe", "ascend", "opencv"))


def test_upsampling_for_atc_is_a_stride_beside_a_scale_of_one() -> None:
    assert text(Upsample(2), "ascend") == "  upsample_param {\n    stride: 2\n    scale: 1\n  }\n"


def test_fields_that_atc_requires_are_written_at_their_defaults_too() -> None:
    assert text(Tile(tiles=1), "ascend") == "  tile_param {\n    tiles: 1\n  }\n"


def test_lists_and_nested_fields_are_written_one_by_one() -> None:
    assert (
        text(Permute((0, 2, 3, 1)), "ascend")
        == "  permute_param {\n    order: 0\n    order: 2\n    order: 3\n    order: 1\n  }\n"
    )
    assert text(Reshape((4, -1))) == "  reshape_param {\n    shape {\n      dim: 4\n      dim: -1\n    }\n  }\n"
    assert (
        text(Slice(slice_point=(1, 3), tops=3), tops=3)
        == "  slice_param {\n    slice_point: 1\n    slice_point: 3\n  }\n"
    )


def test_a_layer_of_defaults_has_no_parameters() -> None:
    assert text(Power()) == ""


@given(st.floats(width=32, allow_nan=False))
def test_a_float_is_read_back_as_the_same_float32(value: float) -> None:
    layer = Layer("y", Power(1, 1, value), ("x",), ("y",))
    net = Net("net", (Input("x", (1, 2)),), (layer,), (Output("y"),))
    assert parse_net(prototxt(net, "caffe"), None, "caffe").layers[0].op == Power(1, 1, value)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_name_is_read_back(name: str) -> None:
    layer = Layer(name, Power(2), ("x",), ("y",))
    net = Net(name, (Input("x", (1, 2)),), (layer,), (Output("y"),))
    found = parse_net(prototxt(net, "caffe"), None, "caffe")
    assert (found.name, found.layers[0].name) == (name, name)


@pytest.mark.parametrize(
    ("op", "bottoms", "dialect"), [(Gelu(), ("x",), "caffe"), (DynamicConvolution(), ("x", "x"), "ascend")], ids=str
)
def test_a_virtual_layer_cannot_be_written(op: Op, bottoms: tuple[str, ...], dialect: Dialect) -> None:
    net = Net("net", (Input("x", (1, 2, 1, 1)),), (Layer("y", op, bottoms, ("y",)),), (Output("y"),))
    with pytest.raises(ValueError, match=f"{type(op).__name__} has no Caffe spelling"):
        prototxt(net, dialect)
