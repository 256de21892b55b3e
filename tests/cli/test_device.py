"""verify --outputs, as people and machines see it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from command import Command

from torch2om.caffe.reader import read_net
from torch2om.device import as_fed, golden_of_files, golden_of_half, write_inputs
from torch2om.emission import artifact_in
from torch2om.verification import random_samples


@pytest.fixture
def converted(torch2om: Command, net: Path, tmp_path: Path) -> Path:
    """Return a conversion's folder with device_in below it."""
    folder = tmp_path / "out"
    assert torch2om("convert", net, "--target", "caffe", "-o", folder).code == 0
    artifact = artifact_in(folder)
    read = read_net(artifact.prototxt, artifact.caffemodel)
    data = [as_fed(sample) for sample in random_samples(read.inputs, 2)]
    write_inputs(
        artifact.manifest, data, [golden_of_files(read, data), golden_of_half(read, data)], folder / "device_in"
    )
    return folder


def board(converted: Path, run: Path, factor: float = 1.0) -> Path:
    run.mkdir()
    for sample in range(2):
        golden = np.load(converted / f"device_in/golden/half/sample_{sample}_0.npy")
        (run / f"sample_{sample}_output_0.bin").write_bytes((factor * golden).astype("<f2").tobytes())
    return run


def test_a_run_as_expected(torch2om: Command, converted: Path, tmp_path: Path) -> None:
    ran = torch2om("verify", converted, "--outputs", board(converted, tmp_path / "run"))
    assert ran.code == 0
    assert "tiny on the device: as expected" in ran.out
    assert "half: simulated half precision" in ran.out.replace("\n", " ")


def test_a_run_that_warns_says_why(torch2om: Command, converted: Path, tmp_path: Path) -> None:
    ran = torch2om("verify", converted, "--outputs", board(converted, tmp_path / "run", 1.1))
    assert ran.code == 0
    assert "nearly as expected" in ran.out
    assert "relative_euclidean 0.09" in ran.out.replace("\n", " ")


def test_a_run_that_fails_has_its_code_and_exit_status(torch2om: Command, converted: Path, tmp_path: Path) -> None:
    ran = torch2om("verify", converted, "--outputs", board(converted, tmp_path / "run", -1.0))
    assert ran.code == 1
    assert "NOT as expected" in ran.out
    assert "D857" in ran.out


def test_the_record_has_every_comparison(torch2om: Command, converted: Path, tmp_path: Path) -> None:
    found = torch2om("verify", converted, "--outputs", board(converted, tmp_path / "run"), "--json").json
    assert found["verdict"] == "pass"
    assert [(each["sample"], each["against"], each["decides"]) for each in found["outputs"]] == [
        ("sample_0", "caffe", True),
        ("sample_0", "half", False),
        ("sample_1", "caffe", True),
        ("sample_1", "half", False),
    ]
    assert found["outputs"][0]["cosine"] == pytest.approx(1)
    assert found["findings"] == []


def test_files_that_do_not_fit_are_refused(torch2om: Command, converted: Path, tmp_path: Path) -> None:
    run = board(converted, tmp_path / "run")
    (run / "sample_0_output_0.bin").write_bytes(bytes(3))
    ran = torch2om("verify", converted, "--outputs", run)
    assert ran.code == 1
    assert "D856" in ran.err


def test_without_inputs_the_way_to_write_them_is_told(torch2om: Command, converted: Path, tmp_path: Path) -> None:
    ran = torch2om("verify", converted, "--outputs", board(converted, tmp_path / "run"), "--golden", tmp_path)
    assert ran.code == 2
    assert "torch2om inputs DIR" in ran.err.replace("\n  ", " ")


@pytest.mark.parametrize("option", [("--model", "a.b:c"), ("--sample", "x.npy"), ("--om", "model.om")])
def test_options_of_other_comparisons_are_refused(
    torch2om: Command, converted: Path, tmp_path: Path, option: tuple[str, str]
) -> None:
    ran = torch2om("verify", converted, "--outputs", tmp_path, *option)
    assert ran.code == 2
    assert "U143" in ran.err


def test_golden_outputs_without_a_run_are_refused(torch2om: Command, converted: Path) -> None:
    ran = torch2om("verify", converted, "--golden", converted / "device_in")
    assert ran.code == 2
    assert "U143" in ran.err
