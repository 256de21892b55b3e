"""Blobs under other dims than PyTorch's, where a target has no such blobs: what they hold, and what they mirror."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from legality import assert_same, legal, net_of, normal

from torch2om.caffe_models import convert_caffe
from torch2om.ir.net import Input, Layer, Net, Output
from torch2om.layers import Erf, Exp, Power, Reduce, ReduceKind, ReLU
from torch2om.targets import TARGETS

SUM = Reduce(ReduceKind.SUM, (0, 1))


@pytest.mark.parametrize("target", ["hilens", "opencv"])
@pytest.mark.parametrize("kind", [ReduceKind.SUM, ReduceKind.MAX, ReduceKind.MIN, ReduceKind.MEAN])
def test_a_reduction_to_no_dims_is_one_element_where_the_target_has_no_such_blobs(
    kind: ReduceKind, target: str
) -> None:
    made = assert_same(net_of(Reduce(kind, (0, 1)), [(2, 3)]), target, [normal(2, 3)])
    (output,) = made.outputs
    assert made.shapes[output.blob] == TARGETS[target].seen(())


@pytest.mark.parametrize("target", ["caffe", "ascend310"])
def test_a_reduction_to_no_dims_stays_one_where_the_target_has_a_layer_for_it(target: str) -> None:
    made = legal(net_of(SUM, [(2, 3)]), target)
    (output,) = made.outputs
    assert made.shapes[output.blob] == ()


@pytest.mark.parametrize("target", ["hilens", "opencv"])
def test_no_blob_of_no_dims_is_left_between_layers(target: str) -> None:
    layers = (Layer("s", SUM, ("x",), ("s",)), Layer("e", Exp(), ("s",), ("e",)), Layer("y", ReLU(), ("e",), ("y",)))
    net = Net("net", (Input("x", (2, 3)),), layers, (Output("y"), Output("s")))
    made = legal(net, target)
    assert all(made.shapes[blob] for blob in made.shapes)


def test_a_file_whose_output_has_no_dims_is_proved_for_a_target_without_them(tmp_path: Path) -> None:
    (tmp_path / "old.prototxt").write_text(
        'layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 } } }\n'
        'layer { name: "y" type: "Reduction" bottom: "x" top: "y" }\n'
    )
    found = convert_caffe(tmp_path / "old.prototxt", None, "opencv", tmp_path / "out")
    assert found.artifact is not None
    assert [output.shape for output in found.artifact.manifest.outputs] == [(1, 1)]


def test_what_a_joined_reshape_mirrored_is_mirrored_by_the_blob_that_it_reshaped() -> None:
    layers = (Layer("e", Erf(), ("x",), ("e",)), Layer("y", Power(scale=2), ("e",), ("y",)))
    net = replace(Net("net", (Input("x", (11,)),), layers, (Output("y"),)), mirrors={"e": "erf", "y": "mul"})
    made = legal(net, "opencv")
    (matrix,) = [blob for blob, call in made.mirrors.items() if call == "erf"]
    assert made.shapes[matrix] == (1, 11)
