"""The verb inputs: for a net of Caffe files, whose own files are what the board is held against."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from command import Command


@pytest.fixture
def converted(torch2om: Command, net: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    assert torch2om("convert", net, "--target", "caffe", "-o", folder).code == 0
    return folder


def test_inputs_are_written_and_the_way_on_is_printed(torch2om: Command, converted: Path) -> None:
    ran = torch2om("inputs", converted, "--samples", "1")
    assert ran.code == 0
    assert (converted / "device_in/bin/0_x/sample_0.bin").stat().st_size == 4 * 2 * 4 * 4
    assert "python3 -m ais_bench \\\n  --model model.om \\\n" in ran.out
    assert "./msame \\\n  --model model.om \\\n" in ran.out
    assert "  --outputs device_out" in ran.out
    assert "expected outputs by: tiny.prototxt, Caffe files, simulated half precision" in ran.out


def test_own_samples_and_an_own_folder(torch2om: Command, converted: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.full((1, 2, 4, 4), 2.5))
    found = torch2om("inputs", converted, "--sample", tmp_path / "x.npy", "-o", tmp_path / "in", "--json").json
    assert found["samples"] == ["sample_0"]
    assert found["inputs"][0]["bytes"] == 128
    assert found["commands"].keys() == {"ais_bench", "msame"}
    np.testing.assert_array_equal(np.load(tmp_path / "in/golden/model/sample_0_0.npy"), np.full((1, 2, 2, 2), 5.0))


def test_where_the_model_cannot_be_run_a_note_says_why(torch2om: Command, converted: Path, net: Path) -> None:
    net.unlink()
    ran = torch2om("inputs", converted)
    assert ran.code == 0
    assert "note D858: golden outputs are those of the Caffe files alone" in ran.out
    assert str(net) in ran.out.replace("\n", "")
    assert not (converted / "device_in/golden/model").exists()


def test_what_the_board_sends_back_is_judged(torch2om: Command, converted: Path, tmp_path: Path) -> None:
    assert torch2om("inputs", converted, "-o", tmp_path / "in").code == 0
    run = tmp_path / "device_out" / "2026_01_31-12_00_00"
    run.mkdir(parents=True)
    for sample in range(2):
        source = tmp_path / f"in/golden/half/sample_{sample}_0.npy"
        (run / source.name).write_bytes(source.read_bytes())
    ran = torch2om("verify", converted, "--outputs", tmp_path / "device_out", "--golden", tmp_path / "in")
    assert ran.code == 0
    assert "tiny on the device: as expected" in ran.out
