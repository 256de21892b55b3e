"""Where the largest elements are: every form of Caffe's ArgMax on every target, and who may read what ATC's gives."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from legality import ALL, applied, assert_same, kinds, legal, net_of, normal, refusal

from torch2om.acceptance import examine_files
from torch2om.caffe.reader import parse_net
from torch2om.caffe.writer import write_caffemodel
from torch2om.ir.net import Input, Layer, Net, Output
from torch2om.ir.op import Array
from torch2om.ir.weight import constant
from torch2om.layers import ArgMax, ArgReduce, Deconvolution, Power, ReduceKind, Reshape
from torch2om.targets import TARGETS

SHAPE = (2, 3, 4, 5)
WITH_EQUALS: Array = np.rint(normal(*SHAPE))


@pytest.mark.parametrize("target", ALL)
@pytest.mark.parametrize(
    ("axis", "top_k", "out_max_val"), [*product((None, 0, 1, -1), (1, 2), (False, True)), (None, 60, False)]
)
def test_every_form_of_arg_max_runs_on_every_target(
    axis: int | None, top_k: int, out_max_val: bool, target: str
) -> None:
    net = net_of(ArgMax(out_max_val, top_k, axis), [SHAPE])
    made = assert_same(net, target, [WITH_EQUALS])
    assert target != "caffe" or made.layers == net.layers


def followed(*layers: Layer) -> Net:
    """Return the net of an argmax over channels and these layers behind it."""
    first = Layer("place", ArgReduce(ReduceKind.MAX, 1, keepdim=True), ("x",), ("place",))
    return Net("net", (Input("x", SHAPE),), (first, *layers), (Output(layers[-1].tops[0] if layers else "place"),))


@pytest.mark.parametrize("target", ["ascend310", "hilens"])
def test_places_that_no_layer_computes_with_come_from_arg_max(target: str) -> None:
    for net in (followed(), followed(Layer("y", Reshape((2, 20)), ("place",), ("y",)))):
        assert "ArgMax" in kinds(legal(net, target))


@pytest.mark.parametrize("target", ["ascend310", "hilens"])
def test_the_place_among_all_elements_comes_from_arg_max(target: str) -> None:
    flat = Layer("flat", Reshape((120,)), ("x",), ("flat",))
    found = Layer("y", ArgReduce(ReduceKind.MAX, 0), ("flat",), ("y",))
    made = assert_same(Net("net", (Input("x", SHAPE),), (flat, found), (Output("y"),)), target, [WITH_EQUALS])
    assert "ArgMax" in kinds(made)
    assert made.shapes[made.outputs[0].blob] == (1,)


@pytest.mark.parametrize("target", ["ascend310", "hilens"])
def test_places_that_a_layer_computes_with_are_no_int32(target: str) -> None:
    filters = Deconvolution(2, (3, 3), bias_term=False)
    weighted = Layer("y", filters, ("place",), ("y",), (constant(normal(1, 2, 3, 3)),))
    renamed = Layer("r", Reshape((2, 20)), ("place",), ("r",))
    for net in (followed(weighted), followed(renamed, Layer("y", Power(shift=1), ("r",), ("y",)))):
        made = assert_same(net, target, [WITH_EQUALS])
        assert "ArgMax" not in kinds(made)
        assert "arg_max_by_marks" in applied(made)


def test_check_warns_of_a_layer_that_computes_with_places(tmp_path: Path) -> None:
    text = (
        'layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 1 dim: 3 dim: 4 dim: 4 } } }\n'
        'layer { name: "a" type: "ArgMax" bottom: "x" top: "a" argmax_param { axis: 1 } }\n'
        'layer { name: "y" type: "Power" bottom: "a" top: "y" power_param { shift: 1 } }\n'
    )
    prototxt, caffemodel = tmp_path / "net.prototxt", tmp_path / "net.caffemodel"
    prototxt.write_text(text)
    with caffemodel.open("wb") as stream:
        write_caffemodel(parse_net(text, None), stream)
    found = examine_files(prototxt, caffemodel, TARGETS["ascend310"])
    assert found.accepted
    assert [(each.code, each.layer) for each in found.findings if "int32" in each.message] == [("T415", "a")]


def test_more_elements_than_are_compared_each_with_each_are_refused_with_their_number() -> None:
    text = refusal(net_of(ArgMax(top_k=2, axis=1), [(1, 1025)]), "ascend310")
    assert "top_k is 2" in text
    assert "the 2 largest of 1025: comparing each with each is for 2 to 1024" in text
