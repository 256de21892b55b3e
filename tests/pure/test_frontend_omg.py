"""What omg wants of a prototxt beyond its limits: the names of tops, one input at a time, fields that it knows."""

from __future__ import annotations

from pathlib import Path

import pytest
from atc_nets import input_layer

from torch2om.acceptance import assured, examine_files
from torch2om.errors import LegalityError, Severity
from torch2om.frontend import judge_as_omg
from torch2om.ir.net import Input, Layer, Net, Output
from torch2om.layers import ReLU
from torch2om.targets import target

X = input_layer("x", (1, 4, 8, 8))
LAYER = 'layer { name: "%s" type: "ReLU" bottom: "x" top: "%s" %s }\n'
INPUT = 'input: "%s" input_shape { dim: 2 }\n'
IN_A_ROW = 'input: "x" input: "z" input_shape { dim: 2 } input_shape { dim: 2 }'
HILENS = target("hilens")

# what obeys, what breaks, the code
RULES = {
    "a top bears its layer's name": (X + LAYER % ("l", "l", ""), X + LAYER % ("l", "y", ""), "T416"),
    "a layer in place may bear any": (X + LAYER % ("l", "x", ""), X + LAYER % ("l", "z", ""), "T416"),
    "a layer for training is not looked at": (
        X + LAYER % ("l", "y", "include { phase: TRAIN }"),
        X + LAYER % ("l", "y", "include { phase: TEST }"),
        "T416",
    ),
    "inputs do not stand in a row": (INPUT % "x" + INPUT % "z" + LAYER % ("l", "l", ""), IN_A_ROW, "T416"),
    "nor in a list": (
        'input: "input" # input: "z"\ninput_dim: [1, 3, 8, 8]',
        'input: ["x", "z"] input_dim: [1, 3, 8, 8, 1, 3, 8, 8]',
        "T416",
    ),
    "a Proposal has one kind of parameters": (
        X + LAYER % ("l", "l", "proposal_param { }"),
        X + LAYER % ("l", "l", "proposal_param { } python_param { }"),
        "T416",
    ),
    "the text is a prototxt": (X, X + "layer {", "F501"),
}


@pytest.mark.parametrize("rule", RULES)
def test_omg_takes_what_obeys_and_refuses_what_breaks(rule: str) -> None:
    obeys, breaks, code = RULES[rule]
    assert judge_as_omg(obeys) == ()
    (found,) = judge_as_omg(breaks, file="net.prototxt")
    assert (found.code, found.severity) == (code, Severity.ERROR)
    assert found.source


def test_a_field_that_omg_does_not_know_is_told() -> None:
    (found,) = judge_as_omg(X + LAYER % ("l", "l", "foo_param { }"))
    assert (found.code, found.severity, found.message) == (
        "F509",
        Severity.WARNING,
        "line 2: omg does not know foo_param",
    )


def net_named(top: str) -> Net:
    return Net("net", (Input("x", (1, 4, 8, 8)),), (Layer("l", ReLU(), ("x",), (top,)),), (Output(top),))


def test_what_we_write_for_hilens_is_named_as_omg_wants() -> None:
    assert assured(net_named("l"), HILENS) == net_named("l")
    with pytest.raises(LegalityError, match="T416"):
        assured(net_named("y"), HILENS)


def test_files_for_hilens_are_examined_by_their_limits_and_their_names(tmp_path: Path) -> None:
    path = tmp_path / "net.prototxt"
    path.write_text(X + LAYER % ("l", "l", ""))
    assert examine_files(path, None, HILENS).outputs == {"l": (1, 4, 8, 8)}
    path.write_text(X + LAYER.replace("ReLU", "Threshold") % ("l", "y", ""))
    assert [found.code for found in examine_files(path, None, HILENS).findings] == ["T401", "T416"]
