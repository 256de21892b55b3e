"""The verb precision, as people and machines see it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from command import Command

HOT = """
name: "hot"
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 1 dim: 8 } } }
layer { name: "up" type: "Power" bottom: "x" top: "up" power_param { scale: 1e6 } }
layer { name: "down" type: "Power" bottom: "up" top: "down" power_param { scale: 1e-6 } }
"""


def hot(folder: Path) -> Path:
    path = folder / "hot.prototxt"
    path.write_text(HOT)
    return path


def test_a_net_that_holds_is_said_to_hold(torch2om: Command, net: Path) -> None:
    ran = torch2om("precision", net)
    assert ran.code == 0
    assert "tiny in half precision: holds" in ran.out
    assert "none needs a higher precision" in ran.out


def test_layers_to_keep_come_with_the_compilers_options(torch2om: Command, tmp_path: Path) -> None:
    ran = torch2om("precision", hot(tmp_path))
    assert ran.code == 1
    assert "hot in half precision: BREAKS the outputs" in ran.out
    assert "Keep 2 layers in a higher precision:" in ran.out
    assert "--keep_dtype=FILE" in ran.out
    assert "--fp16_high_prec=1" in ran.out
    assert "ATC manual, --keep_dtype" in ran.out


def test_the_file_for_atc_is_written(torch2om: Command, tmp_path: Path) -> None:
    file = tmp_path / "keep.cfg"
    ran = torch2om("precision", hot(tmp_path), "--write", file)
    assert file.read_text() == "up\ndown\n"
    assert "--keep_dtype=" in ran.out


def test_no_file_is_written_where_no_layer_is_kept(torch2om: Command, net: Path, tmp_path: Path) -> None:
    assert torch2om("precision", net, "--write", tmp_path / "keep.cfg").code == 0
    assert not (tmp_path / "keep.cfg").exists()


def test_a_file_that_cannot_be_written_is_refused(torch2om: Command, tmp_path: Path) -> None:
    ran = torch2om("precision", hot(tmp_path), "--write", tmp_path / "nowhere" / "keep.cfg")
    assert ran.code == 1
    assert "E601" in ran.err


def test_the_record_has_every_layer_and_output(torch2om: Command, tmp_path: Path) -> None:
    found = torch2om("precision", hot(tmp_path), "--samples", "2", "--json").json
    assert found["verdict"] == "fail"
    assert [(line["layer"], line["type"]) for line in found["layers"]] == [("up", "Power"), ("down", "Power")]
    assert found["layers"][0]["error"] is None  # infinite
    assert found["layers"][0]["own_if_kept"] < 1e-3
    assert found["layers"][0]["numbers"]["overflowed"] > 8
    assert [output["sample"] for output in found["outputs"]] == [0, 1]
    assert {output["verdict"] for output in found["outputs_with_layers_kept"]} == {"pass"}
    assert found["keep_dtype"] == "up\ndown\n"
    assert found["op_precision_mode"] == "[ByNodeName]\nup=high_precision\ndown=high_precision\n"
    assert all(option["source"] for option in found["options"])


def test_own_samples_are_judged(torch2om: Command, tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    np.save(path, np.full((1, 8), 1e-2, np.float32))
    assert torch2om("precision", hot(tmp_path), "--sample", path).code == 0
