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
    assert str(net) in "".join(ran.out.split())
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


COLOURED = """
name: "coloured"
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 1 dim: 3 dim: 4 dim: 6 } } }
layer { name: "scaled" type: "Power" bottom: "x" top: "scaled" power_param { scale: 0.5 shift: -0.25 } }
layer { name: "pool" type: "Pooling" bottom: "scaled" top: "pool" pooling_param { pool: MAX kernel_size: 2 stride: 2 } }
"""


def coloured(torch2om: Command, tmp_path: Path, *options: str) -> Path:
    path = tmp_path / "coloured.prototxt"
    path.write_text(COLOURED)
    folder = tmp_path / "out"
    ran = torch2om("convert", path, "--target", "ascend310", "-o", folder, *options)
    assert ran.code == 0, ran.err
    return folder


@pytest.mark.parametrize("spec", ["imagenet", "to-tensor", "to-tensor+from-model"])
def test_a_picture_is_fed_as_bytes_and_the_model_gets_what_they_stand_for(
    torch2om: Command, tmp_path: Path, spec: str
) -> None:
    folder = coloured(torch2om, tmp_path, "--normalize", spec)
    found = torch2om("inputs", folder, "--json").json
    assert found["inputs"] == [{"index": 0, "name": "x", "dtype": "uint8", "shape": [1, 4, 6, 3], "bytes": 72}]
    fed = np.load(folder / "device_in/npy/0_x/sample_0.npy")
    assert fed.tobytes() == (folder / "device_in/bin/0_x/sample_0.bin").read_bytes()
    model, caffe = (np.load(folder / f"device_in/golden/{key}/sample_0_0.npy") for key in ("model", "caffe"))
    np.testing.assert_allclose(caffe, model, rtol=0.01, atol=0.01)
    pixels = fed[0].transpose(2, 0, 1).astype(np.float64) / 255
    if spec == "imagenet":
        mean, std = (np.array(of).reshape(3, 1, 1) for of in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
        pixels = (pixels - mean) / std
    expected = (0.5 * pixels - 0.25).reshape(3, 2, 2, 3, 2).max((2, 4))
    np.testing.assert_allclose(model[0], expected, rtol=1e-3, atol=1e-3)


def test_own_bytes_are_fed_and_other_numbers_are_refused(torch2om: Command, tmp_path: Path) -> None:
    folder = coloured(torch2om, tmp_path, "--normalize", "to-tensor")
    np.save(tmp_path / "bytes.npy", np.arange(72, dtype=np.uint8).reshape(1, 4, 6, 3))
    np.save(tmp_path / "floats.npy", np.full((1, 4, 6, 3), 0.5, np.float32))
    assert torch2om("inputs", folder, "--sample", tmp_path / "bytes.npy").code == 0
    assert (folder / "device_in/bin/0_x/sample_0.bin").read_bytes() == bytes(range(72))
    ran = torch2om("inputs", folder, "--sample", tmp_path / "floats.npy")
    assert ran.code == 2
    assert "whole numbers from 0 to 255" in ran.err.replace("\n ", "")


@pytest.mark.parametrize("spec", ["to-tensor", "to-tensor+from-model"])
def test_without_aipp_the_nets_own_input_is_written(torch2om: Command, tmp_path: Path, spec: str) -> None:
    folder = coloured(torch2om, tmp_path, "--normalize", spec)
    found = torch2om("inputs", folder, "--no-aipp", "--json").json
    assert found["inputs"][0]["dtype"] == "float32"
    model, caffe = (np.load(folder / f"device_in/golden/{key}/sample_0_0.npy") for key in ("model", "caffe"))
    np.testing.assert_allclose(model, caffe, rtol=1e-5, atol=1e-6)


def test_aipp_where_there_is_none_is_refused(torch2om: Command, converted: Path) -> None:
    ran = torch2om("inputs", converted, "--aipp")
    assert ran.code == 2
    assert "has no AIPP" in " ".join(ran.err.split())
