"""What is written for the board: files that runners take, golden outputs, and the record of them."""

from __future__ import annotations

import hashlib
import json
import shlex
from pathlib import Path

import numpy as np
import pytest
from board import NET, SHAPE, prepared

from torch2om.device import DeviceRecord, ais_bench, as_fed, golden_of_files, msame, read_record, write_inputs
from torch2om.errors import UsageError
from torch2om.executor import execute
from torch2om.manifest import Manifest
from torch2om.verification import random_samples


def test_every_input_has_a_folder_with_a_raw_file_per_sample(tmp_path: Path) -> None:
    ready = prepared(tmp_path)
    folders = sorted(path.name for path in (ready.inputs / "bin").iterdir())
    assert folders == ["0_x", "1_a_b_c"]
    samples = list(random_samples(NET.inputs, 2))
    for index, sample in enumerate(samples):
        raw = (ready.inputs / f"bin/0_x/sample_{index}.bin").read_bytes()
        assert raw == sample["x"].astype("<f4").tobytes()
        np.testing.assert_array_equal(np.load(ready.inputs / f"npy/1_a_b_c/sample_{index}.npy"), sample["a/b.c"])


def test_golden_outputs_bear_the_names_that_the_device_gives(tmp_path: Path) -> None:
    ready = prepared(tmp_path)
    (first, _) = random_samples(NET.inputs, 2)
    for key, dtype in (("caffe", np.float32), ("half", np.float16)):
        expected = execute(NET, first, dtype)
        np.testing.assert_array_equal(ready.golden(0, 0, key), expected["r"])
        np.testing.assert_array_equal(ready.golden(0, 1, key), expected["down"])
    raw = np.fromfile(ready.inputs / "golden/caffe/sample_0_0.bin", "<f4")
    np.testing.assert_array_equal(raw.reshape(SHAPE), ready.golden(0, 0))


def test_the_record_lists_ports_and_every_file_with_its_digest(tmp_path: Path) -> None:
    ready = prepared(tmp_path)
    data = json.loads((ready.inputs / "inputs.json").read_text())
    assert data["inputs"][1] == {"index": 1, "name": "a/b.c", "dtype": "float32", "shape": [1, 4], "bytes": 16}
    assert [(port["index"], port["name"], port["bytes"]) for port in data["outputs"]] == [
        (0, "r", 480),
        (1, "down", 16),
    ]
    written = {str(path.relative_to(ready.inputs)) for path in ready.inputs.rglob("*") if path.is_file()}
    assert {file["path"] for file in data["files"]} == written - {"inputs.json"}
    for file in data["files"]:
        content = (ready.inputs / file["path"]).read_bytes()
        assert (file["bytes"], file["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())


def test_the_record_is_read_back(tmp_path: Path) -> None:
    ready = prepared(tmp_path)
    assert read_record(ready.inputs, ready.artifact.manifest.files) == ready.record


def test_a_second_call_replaces_the_first(tmp_path: Path) -> None:
    prepared(tmp_path, samples=3)
    ready = prepared(tmp_path, samples=1)
    assert [path.name for path in (ready.inputs / "bin/0_x").iterdir()] == ["sample_0.bin"]
    assert sorted(path.name for path in ready.inputs.iterdir()) == ["bin", "golden", "inputs.json", "npy"]


def test_golden_outputs_are_those_of_the_numbers_that_the_board_gets() -> None:
    fed = as_fed({"x": np.full(SHAPE, 1 / 3), "a/b.c": np.ones((1, 4), np.uint8)})
    assert {values.dtype for values in fed.values()} == {np.dtype(np.float32)}
    assert golden_of_files(NET, [fed]).outputs[0][0][0, 0, 0, 0] == np.float32(3 * np.float64(np.float32(1 / 3)))


def manifest_of(folder: Path) -> Manifest:
    return prepared(folder).artifact.manifest


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="D853"):
        write_inputs(manifest, [], [], other)
    assert [path.name for path in other.iterdir()] == ["thesis.txt"]


def test_a_comma_in_the_folders_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="comma"):
        write_inputs(manifest_of(tmp_path), [], [], tmp_path / "a,b")


def test_the_command_lines_name_one_folder_per_input_in_order(tmp_path: Path) -> None:
    record = prepared(tmp_path).record
    folders = "my in/bin/0_x,my in/bin/1_a_b_c"
    assert shlex.split(ais_bench(record, Path("my in"), "model.om", Path("device_out"))) == [
        *("python3", "-m", "ais_bench", "--model", "model.om", "--input", folders),
        *("--output", ".", "--output_dirname", "device_out", "--outfmt", "NPY"),
    ]
    assert shlex.split(msame(record, Path("my in"), "model.om", Path("device_out"))) == [
        *("./msame", "--model", "model.om", "--input", folders, "--output", "device_out", "--outfmt", "BIN"),
    ]


def refusal(folder: Path, record: DeviceRecord) -> str:
    with pytest.raises(UsageError) as raised:
        read_record(folder, record.conversion)
    return str(raised.value)


def test_a_missing_record_is_refused_with_the_way_to_make_one(tmp_path: Path) -> None:
    ready = prepared(tmp_path)
    assert "torch2om inputs DIR" in refusal(tmp_path / "nowhere", ready.record)


@pytest.mark.parametrize("damage", ["{", "[]", "null", '{"format": 1}', '{"net": 3}', "[" * 100_000, "\udcff"])
def test_a_record_that_is_none_is_refused(tmp_path: Path, damage: str) -> None:
    ready = prepared(tmp_path)
    (ready.inputs / "inputs.json").write_bytes(damage.encode("utf-8", "surrogateescape"))
    assert "D852" in refusal(ready.inputs, ready.record)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("format", 2),
        ("samples", []),
        ("samples", ["../../etc/passwd"]),
        ("samples", ["sample_0"] * 1000),
        ("outputs", []),
        ("expectations", [{"key": "../..", "title": "x", "decides": True}]),
        ("files", [{"path": "/etc/passwd", "bytes": 1, "sha256": ""}]),
    ],
)
def test_a_record_that_does_not_hold_together_is_refused(tmp_path: Path, field: str, value: object) -> None:
    ready = prepared(tmp_path)
    path = ready.inputs / "inputs.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {field: value}))
    assert "D852" in refusal(ready.inputs, ready.record)


def test_a_golden_file_that_was_changed_is_refused(tmp_path: Path) -> None:
    ready = prepared(tmp_path)
    path = ready.inputs / "golden/caffe/sample_0_0.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"\x00")
    assert "golden/caffe/sample_0_0.npy" in refusal(ready.inputs, ready.record)
    path.unlink()
    assert "golden/caffe/sample_0_0.npy" in refusal(ready.inputs, ready.record)


def test_inputs_of_another_conversion_are_refused(tmp_path: Path) -> None:
    ready = prepared(tmp_path)
    with pytest.raises(UsageError, match="another conversion"):
        read_record(ready.inputs, ready.artifact.manifest.files[:1])
