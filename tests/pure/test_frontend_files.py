"""The rules on a file as a whole: text, names, types, inputs, edges, outputs. Each breaks with ATC's code."""

from __future__ import annotations

import pytest
from atc_nets import caffemodel_for, input_layer, judged

from torch2om.frontend import Stage, Unreadable, judge

X = input_layer("x", (1, 4, 8, 8))


def relu(name: str, bottom: str, top: str, more: str = "", kind: str = "ReLU") -> str:
    return f'layer {{ name: "{name}" type: "{kind}" bottom: "{bottom}" top: "{top}" {more} }}\n'


DIMS = "input_dim: 1 input_dim: 4 input_dim: 8 input_dim: 8 "
SHAPE = "input_shape { dim: 1 dim: 4 } "
RELU = relu("l", "x", "y")
CONDITION = 'layer { name: "l" type: "CondTake" bottom: "x" bottom: "x" top: "y" top: "i" top: "n" %s }\n'
SECOND = 'layer { name: "z" type: "Input" top: "%s" input_param { shape { dim: 2 } } }\n'
POOL = 'layer { name: "p" type: "Pooling" bottom: "x" top: "a" top: "b" pooling_param { global_pooling: true } }\n'

BROKEN = {
    "a brace that is never closed": (X + "layer {", "E13005"),
    "a value of another type": (X + relu("l", "x", "y", "relu_param { negative_slope: SUM }"), "E13005"),
    "an enum's value that does not exist": (
        X + relu("l", "x", "y", "pooling_param { pool: MEAN }", "Pooling"),
        "E13005",
    ),
    "a field twice": (X + 'layer { name: "l" name: "m" type: "ReLU" bottom: "x" top: "y" }', "E13005"),
    "a required field that is missing": (X + CONDITION % 'condtake_param { mode: "a" }', "E13005"),
    "no layer": ('name: "net"', "E11022"),
    "old layers only": ('layers { name: "l" type: RELU bottom: "x" top: "y" }', "E11021"),
    "a name with a space": (X + relu("a b", "x", "y"), "E11018"),
    "no name": (X + relu("", "x", "y"), "E11018"),
    "a name twice": (X + relu("l", "x", "y") + relu("l", "y", "z"), "E13009"),
    "an unknown type": (X + relu("l", "x", "y", kind="Swish"), "E13010"),
    "a type in other letters": (X + relu("l", "x", "y", kind="Relu"), "E13010"),
    "DetectionOutput": (X + relu("l", "x", "y", kind="DetectionOutput"), "E13010"),
    "a Python layer": (X + relu("l", "x", "y", kind="Python"), "E11009"),
    "both input_dim and input_shape": ('input: "x" ' + DIMS + SHAPE + RELU, "E11001"),
    "three input_dim": ('input: "x" input_dim: 1 input_dim: 4 input_dim: 8 ' + RELU, "E11003"),
    "two inputs with one input_shape": ('input: "x" input: "z" ' + SHAPE + RELU, "E11004"),
    "an input without dims": ('input: "x" ' + RELU, "E11005"),
    "an Input without its message": ('layer { name: "x" type: "Input" top: "x" }' + RELU, "E11005"),
    "an Input without shape": ('layer { name: "x" type: "Input" top: "x" input_param { } }' + RELU, "E11027"),
    "an Input with two tops": (X.replace('top: "x"', 'top: "x" top: "z"') + RELU, "E11035"),
    "two inputs with one top": (X + SECOND % "x" + RELU, "E11036"),
    "a negative dim": (input_layer("x", (-1, 4)) + RELU, "E10001"),
    "a layer without top": (X + 'layer { name: "l" type: "ReLU" bottom: "x" }', "E11037"),
    "a bottom that nobody makes": (X + relu("l", "z", "y"), "E11012"),
    "an in-place layer on nothing": (X + relu("l", "z", "z"), "E11012"),
    "a bottom too many": (X + 'layer { name: "l" type: "ReLU" bottom: "x" bottom: "x" top: "y" }', "E19999"),
    "a blob that two layers write": (
        X + relu("a", "x", "y") + relu("b", "x", "y") + relu("c", "y", "z"),
        "E19999",
    ),
    "an output that the op does not have": (X + POOL + relu("l", "b", "y"), "E19999"),
    "a circle": (X + relu("a", "b", "a") + relu("b", "a", "b"), "E19999"),
    "If": (X + relu("l", "x", "y", kind="If"), "E19999"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_the_parser_refuses(what: str) -> None:
    text, code = BROKEN[what]
    judgement = judged(text)
    assert (judgement.stage, judgement.codes) == (Stage.MODEL, (code,))


TAKEN = {
    "names of all letters that may be": (X + relu("A/b.c_d-9", "x", "y"), {"A/b.c_d-9:0": (1, 4, 8, 8)}),
    "unknown fields": (X + relu("l", "x", "y", "foo_param { a: 1 }"), {"l:0": (1, 4, 8, 8)}),
    "input_dim": ('input: "x" ' + DIMS + RELU, {"l:0": (1, 4, 8, 8)}),
    "input_shape": ('input: "x" ' + SHAPE + RELU, {"l:0": (1, 4)}),
    "an input named as a layer": ('input: "l" ' + SHAPE + relu("l", "l", "y"), {"l:0": (1, 4)}),
    "DummyData": (
        'layer { name: "x" type: "DummyData" top: "x" dummy_data_param { shape { dim: 3 } } }' + RELU,
        {"l:0": (3,)},
    ),
    "two outputs, in the file's order": (
        X + relu("b", "x", "y") + relu("a", "x", "z"),
        {"b:0": (1, 4, 8, 8), "a:0": (1, 4, 8, 8)},
    ),
    "an input that nobody reads is an output": (X + SECOND % "z" + RELU, {"z:0": (2,), "l:0": (1, 4, 8, 8)}),
    "an in-place chain": (X + relu("a", "x", "x") + relu("b", "x", "x"), {"b:0": (1, 4, 8, 8)}),
    "layers in any order": (relu("b", "y", "z") + relu("a", "x", "y") + X, {"b:0": (1, 4, 8, 8)}),
    "one blob written twice and never read": (
        X + relu("a", "x", "y") + relu("b", "x", "y"),
        {"a:0": (1, 4, 8, 8), "b:0": (1, 4, 8, 8)},
    ),
    "a layer of the TRAIN phase": (X + RELU + relu("t", "q", "r", "include { phase: TRAIN }"), {"l:0": (1, 4, 8, 8)}),
    "an include without phase drops the layer": (
        X + RELU + relu("t", "q", "r", 'include { stage: "s" }'),
        {"l:0": (1, 4, 8, 8)},
    ),
    "a layer of the TEST phase stays": (X + relu("l", "x", "y", "include { phase: TEST }"), {"l:0": (1, 4, 8, 8)}),
    "exclude is not read": (X + relu("l", "x", "y", "exclude { phase: TEST }"), {"l:0": (1, 4, 8, 8)}),
}


@pytest.mark.parametrize("what", TAKEN)
def test_the_parser_takes(what: str) -> None:
    text, outputs = TAKEN[what]
    judgement = judged(text)
    assert judgement.accepted, judgement.findings
    assert judgement.outputs == outputs


def test_an_output_beyond_those_of_the_op_is_refused() -> None:
    judgement = judged(X + POOL)
    assert (judgement.stage, judgement.codes) == (Stage.OUT, ())


def test_outputs_bear_the_names_of_the_tops() -> None:
    judgement = judged(X + relu("a", "x", "x") + relu("b", "x", "y"))
    assert judgement.tops == {"b:0": "y"}


def test_every_error_of_a_stage_is_told() -> None:
    judgement = judged(X + relu("a b", "x", "y", kind="Swish") + relu("c d", "x", "z"))
    assert [finding.code for finding in judgement.findings] == ["T411", "T401", "T411"]
    assert judgement.codes == ("E11018", "E13010")


def test_a_finding_names_the_layer_and_its_line() -> None:
    text = X + relu("a", "x", "y") + relu("b", "q", "z")
    (finding,) = judge(text, caffemodel_for(text, {}), file="net.prototxt").findings
    assert (finding.layer, finding.origin.file, finding.origin.line) == ("b", "net.prototxt", 3)


def test_a_file_that_is_no_caffemodel_is_refused_after_the_model() -> None:
    assert judge(X + RELU, Unreadable("it is empty")).stage is Stage.WEIGHTS
    assert judge(X + relu("l", "q", "y"), Unreadable("it is empty")).stage is Stage.MODEL
