"""What we would write is judged by ATC's own front end before it is written."""

from __future__ import annotations

import pytest

from torch2om.acceptance import assured
from torch2om.errors import LegalityError
from torch2om.ir.net import Input, Layer, Net, Output
from torch2om.ir.op import Array
from torch2om.ir.weight import Weight, constant
from torch2om.layers import Concat, InnerProduct, ReLU, Swish
from torch2om.origin import Origin
from torch2om.targets import target

ASCEND = target("ascend310")


def net(*layers: Layer) -> Net:
    return Net("net", (Input("x", (2, 4)),), layers, (Output(layers[-1].tops[0]),))


def test_a_net_within_the_limits_that_the_front_end_takes_is_returned() -> None:
    weights = (constant([[1.0] * 4] * 3), constant([0.0] * 3))
    fine = net(Layer("fc", InnerProduct(3), ("x",), ("fc",), weights), Layer("relu", ReLU(), ("fc",), ("relu",)))
    assert assured(fine, ASCEND) is fine


def test_a_layer_beyond_the_table_is_refused_by_the_limits() -> None:
    with pytest.raises(LegalityError, match="T401"):
        assured(net(Layer("swish", Swish(), ("x",), ("swish",))), ASCEND)


def uncomputed(*shape: int) -> Weight:
    def refuse(_: object) -> Array:
        raise AssertionError("a weight was computed")

    return Weight(shape, refuse)


@pytest.mark.parametrize("name", ["caffe", "ascend310", "hilens"])
def test_a_caffemodel_that_nobody_could_read_is_refused_before_its_weights_are_computed(name: str) -> None:
    layer = Layer("fc", InnerProduct(2**15), ("x",), ("fc",), (uncomputed(2**15, 2**14), uncomputed(2**15)))
    with pytest.raises(LegalityError) as raised:
        assured(Net("net", (Input("x", (2, 2**14)),), (layer,), (Output("fc"),)), target(name))
    (found,) = [found for found in raised.value.diagnostics if found.code == "E603"]
    assert "2,147,614,794 bytes, more than the 2,147,483,647" in found.message
    assert found.details == ("fc has 536,903,680 weights",)


def test_a_caffemodel_of_nearly_two_gibibytes_is_not_too_large() -> None:
    op, weight = InnerProduct(2**15, bias_term=False), uncomputed(2**15, 2**14 - 1)
    fits = Net("net", (Input("x", (2, 2**14 - 1)),), (Layer("fc", op, ("x",), ("fc",), (weight,)),), (Output("fc"),))
    assert assured(fits, target("caffe")) is fits


def test_a_file_that_only_the_front_end_refuses_is_refused_at_the_users_line() -> None:
    """A name that ATC's regular expression does not match: no limit of a layer says so."""
    origin = Origin(call="cat", file="model.py", line=7)
    bad = net(Layer("two words", Concat(), ("x", "x"), ("two words",), (), origin))
    with pytest.raises(LegalityError) as raised:
        assured(bad, ASCEND)
    assert any("E11018" in str(found) for found in raised.value.diagnostics)
    assert raised.value.diagnostics[0].origin.line == 7


def test_other_targets_have_no_front_end_of_ours() -> None:
    bad = net(Layer("two words", ReLU(), ("x",), ("two words",)))
    assert assured(bad, target("caffe")) is bad
