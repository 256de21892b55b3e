"""convert and verify of Caffe files that somebody else wrote, as a user meets them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import NET, Command

WEIGHTLESS = (
    NET
    + 'layer { name: "conv" type: "Convolution" bottom: "double" top: "conv" convolution_param { num_output: 3 kernel_size: 1 } }\n'
)
FILES = ["manifest.json", "model.caffemodel", "model.prototxt"]


@pytest.fixture
def here(net: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, which holds `tiny.prototxt`."""
    monkeypatch.chdir(net.parent)
    return net.parent


def test_convert_writes_files_that_are_equal_to_the_old_ones(torch2om: Command, here: Path) -> None:
    ran = torch2om("convert", "tiny.prototxt", "--target", "opencv")
    assert ran.code == 0
    assert "tiny.prototxt for opencv: equal to tiny.prototxt" in ran.out
    assert sorted(path.name for path in (here / "out").iterdir()) == FILES
    assert [line.split()[0] for line in ran.err.splitlines()] == [
        "read",
        "simplify",
        "legalize",
        "check",
        "emit",
        "verify",
    ]


def test_the_manifest_names_the_old_files_and_each_layers_line(torch2om: Command, here: Path) -> None:
    torch2om("convert", "tiny.prototxt", "--no-verify")
    found = json.loads((here / "out" / "manifest.json").read_text())
    assert found["source"]["model"] == "tiny.prototxt"
    assert [(layer["name"], layer["file"], layer["line"]) for layer in found["layers"]] == [
        ("pool", "tiny.prototxt", 4),
        ("double", "tiny.prototxt", 5),
    ]


def test_verify_compares_with_the_old_files_again(torch2om: Command, here: Path) -> None:
    torch2om("convert", "tiny.prototxt")
    assert torch2om("verify", "out").code == 0
    (here / "tiny.prototxt").write_text(NET.replace("scale: 2", "scale: 3"))
    ran = torch2om("verify", "out", "--json")
    assert ran.code == 1
    assert [(found["code"], found["layer"], found["line"]) for found in ran.json["findings"]] == [
        ("V702", "double", 5)
    ] * 2


def test_a_weight_without_numbers_is_refused_before_anything_is_written(torch2om: Command, here: Path) -> None:
    (here / "tiny.prototxt").write_text(WEIGHTLESS)
    ran = torch2om("convert", "tiny.prototxt", "--json")
    assert ran.code == 1
    assert {(found["code"], found["layer"], found["line"]) for found in ran.json["findings"]} == {("F506", "conv", 6)}
    assert not (here / "out").exists()


def test_a_caffe_file_says_its_inputs_dims_itself(torch2om: Command, here: Path) -> None:
    ran = torch2om("convert", "tiny.prototxt", "--input", "x=1x2x8x8")
    assert ran.code == 2
    assert "U112" in ran.err


def test_what_the_target_cannot_have_is_refused_at_the_old_files_line(torch2om: Command, here: Path) -> None:
    (here / "tiny.prototxt").write_text(NET.replace("pool: MAX", "pool: STOCHASTIC"))
    ran = torch2om("convert", "tiny.prototxt", "--json")
    assert ran.code == 1
    assert [(found["code"], found["layer"], found["line"]) for found in ran.json["findings"]] == [("T402", "pool", 4)]


def test_the_screen_and_the_manifest_tell_which_rules_rewrote_how_many_layers(torch2om: Command, here: Path) -> None:
    layers = (
        'layer { name: "s" type: "Swish" bottom: "double" top: "s" }\n'
        'layer { name: "t" type: "Swish" bottom: "s" top: "t" }\n'
        'layer { name: "d" type: "Dropout" bottom: "t" top: "d" }\n'
    )
    (here / "tiny.prototxt").write_text(NET + layers)
    ran = torch2om("convert", "tiny.prototxt", "--target", "ascend310")
    assert "2 layers rewritten for ascend310: swish_by_sigmoid (2)" in " ".join(ran.out.split())
    records = json.loads((here / "out" / "manifest.json").read_text())["layers"]
    assert [record["name"] for record in records if record["via"] == ["swish_by_sigmoid"]] == [
        "s/sigmoid",
        "s",
        "t/sigmoid",
        "d",
    ]


PRIORS = 'layer { name: "p" type: "PriorBox" bottom: "pool" bottom: "x" top: "p" prior_box_param { min_size: 2 } }\n'
FOUND = (
    'layer { name: "shifts" type: "Reshape" bottom: "pool" top: "shifts" reshape_param { shape { dim: 1 dim: -1 } } }\n'
    'layer { name: "found" type: "SSDDetectionOutput" bottom: "shifts" bottom: "shifts" bottom: "p" top: "found"\n'
    "  detection_output_param { num_classes: 4 } }\n"
)


def test_a_net_of_ssd_is_converted_up_to_its_last_layer(torch2om: Command, here: Path) -> None:
    pooled = NET.replace("dim: 2 dim: 4 dim: 4", "dim: 4 dim: 4 dim: 4")
    (here / "tiny.prototxt").write_text(pooled + PRIORS + FOUND)
    ran = torch2om("convert", "tiny.prototxt", "--target", "hilens")
    assert ran.code == 1
    assert "error F510 [found]: SSDDetectionOutput is judged by `check` alone" in ran.err
    assert "at tiny.prototxt:8" in ran.err
    (here / "tiny.prototxt").write_text(pooled + PRIORS)
    assert torch2om("convert", "tiny.prototxt", "--target", "hilens").code == 0


def test_a_constant_that_half_precision_has_not_is_told_where_a_chip_computes_in_it(
    torch2om: Command, here: Path
) -> None:
    (here / "tiny.prototxt").write_text(NET.replace("scale: 2", "scale: -1e9"))
    for target, told in (("ascend310", ["T417"]), ("hilens", ["T417"]), ("caffe", [])):
        found = torch2om("convert", "tiny.prototxt", "--target", target, "--json").json["findings"]
        assert [(each["code"], each["severity"]) for each in found] == [(code, "note") for code in told]
    assert "T417" in torch2om("convert", "tiny.prototxt").out
