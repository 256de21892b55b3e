"""Names come from the user's model: unique, legal for ATC, every first top named as its layer."""

from __future__ import annotations

import re

from torch2om.ir.net import Input, Layer, Net, Output
from torch2om.ir.validator import validate
from torch2om.layers import Power, ReLU, Slice
from torch2om.origin import Origin
from torch2om.passes import name_layers

LEGAL = re.compile(r"[A-Za-z0-9./_-]+")


def relu(name: str, bottom: str, origin: Origin) -> Layer:
    return Layer(name, ReLU(), (bottom,), (name,), (), origin)


def names(*layers: Layer, outputs: tuple[Output, ...] = (), mirrored: bool = True) -> list[str]:
    mirrors = {top: f"call {top}" for layer in layers for top in layer.tops} if mirrored else {}
    net = Net("net", (Input("x", (1, 4)),), layers, outputs or (Output(layers[-1].tops[0]),), mirrors)
    named = validate(name_layers(net))
    assert all(LEGAL.fullmatch(layer.name) and layer.tops[0] == layer.name for layer in named)
    return [layer.name for layer in named]


def test_a_leaf_module_gives_its_path_and_a_call_in_a_container_adds_itself() -> None:
    leaf = Origin("relu", "aten.relu.default", "layer1.0.relu", leaf=True)
    call = Origin("add", "aten.add.Tensor", "layer1.0")
    root = Origin("relu_3", "aten.relu.default", "")
    assert names(relu("a", "x", leaf), relu("b", "a", call), relu("c", "b", root)) == [
        "layer1.0.relu",
        "layer1.0.add",
        "relu",
    ]


def test_a_module_called_twice_is_numbered() -> None:
    leaf = Origin("relu", "aten.relu.default", "act", leaf=True)
    assert names(relu("a", "x", leaf), relu("b", "a", leaf)) == ["act", "act_1"]


def test_a_layer_that_only_helps_bears_its_type_behind_the_name() -> None:
    origin = Origin("norm", "aten.layer_norm.default", "norm", leaf=True)
    helper = Layer("a", Power(2), ("x",), ("a",), (), origin)
    net = Net("net", (Input("x", (1, 4)),), (helper, relu("b", "a", origin)), (Output("b"),), {"b": "norm"})
    assert [layer.name for layer in name_layers(net)] == ["norm/power", "norm"]


def test_of_two_layers_with_one_value_the_output_bears_the_name() -> None:
    origin = Origin("fc", "aten.linear.default", "fc", leaf=True)
    layers = (relu("a", "x", origin), relu("b", "a", origin))
    mirrors = {"a": "fc", "b": "fc"}
    net = Net("net", (Input("x", (1, 4)),), layers, (Output("b"),), mirrors)
    assert [layer.name for layer in name_layers(net)] == ["fc/relu", "fc"]


def test_characters_that_atc_refuses_are_replaced() -> None:
    assert names(relu("a", "x", Origin("c", "aten.relu.default", "blocks[0]:é", leaf=True))) == ["blocks_0___"]


def test_an_output_bears_the_users_name_and_inputs_keep_theirs() -> None:
    leaf = Origin("relu", "aten.relu.default", "x", leaf=True)
    assert names(relu("a", "x", leaf), relu("b", "a", leaf), outputs=(Output("b", "['logits']", "logits"),)) == [
        "x_1",
        "logits",
    ]


def test_every_top_of_a_layer_has_a_name_of_its_own() -> None:
    origin = Origin("split", "aten.split_with_sizes.default", "")
    cut = Layer("s", Slice(slice_point=(2,)), ("x",), ("s", "t"), (), origin)
    net = Net("net", (Input("x", (1, 4)),), (cut,), (Output("s"), Output("t")), {"s": "a", "t": "b"})
    named = name_layers(net)
    assert named.layers[0].tops == ("split_with_sizes", "split_with_sizes.1")
    assert named.output_blobs == named.layers[0].tops


def test_naming_twice_changes_nothing() -> None:
    leaf = Origin("relu", "aten.relu.default", "act", leaf=True)
    net = Net(
        "net", (Input("x", (1, 4)),), (relu("a", "x", leaf), relu("b", "a", leaf)), (Output("b"),), {"a": "r", "b": "s"}
    )
    once = name_layers(net)
    assert name_layers(once) == once
