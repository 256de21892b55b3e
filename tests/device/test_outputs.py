"""The files that a runner left: by which names they are known, which sizes they may have, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from board import Prepared, answer, prepared

from torch2om.device import compare, find_outputs
from torch2om.errors import DeviceError
from torch2om.metrics import Verdict

AIS_BENCH = ("{sample}_{index}", "{sample}_{index}")
MSAME = ("{sample}_output_{index}", "{sample}_output_{index}")
BLOBS = ("{sample}_r", "{sample}_down")


@pytest.fixture
def ready(tmp_path: Path) -> Prepared:
    return prepared(tmp_path)


def refusal(ready: Prepared, folder: Path) -> str:
    with pytest.raises(DeviceError) as raised:
        find_outputs(ready.record, folder)
    return str(raised.value)


@pytest.mark.parametrize("suffix", [".bin", ".npy", ".txt"])
@pytest.mark.parametrize("names", [AIS_BENCH, MSAME, BLOBS], ids=["ais_bench", "msame", "blobs"])
def test_each_runners_names_and_formats_are_known(
    ready: Prepared, tmp_path: Path, names: tuple[str, ...], suffix: str
) -> None:
    answer(tmp_path / "run", ready, names, suffix)
    found = find_outputs(ready.record, tmp_path / "run")
    assert [(file.sample, file.port.name) for file in found] == [
        ("sample_0", "r"),
        ("sample_0", "down"),
        ("sample_1", "r"),
        ("sample_1", "down"),
    ]
    np.testing.assert_allclose(found[2].numbers(), ready.golden(1, 0, "half"), rtol=1e-5)


@pytest.mark.parametrize("suffix", [".bin", ".npy"])
def test_half_precision_files_are_read(ready: Prepared, tmp_path: Path, suffix: str) -> None:
    answer(tmp_path / "run", ready, AIS_BENCH, suffix, "<f2")
    found = find_outputs(ready.record, tmp_path / "run")
    np.testing.assert_array_equal(found[0].numbers(), ready.golden(0, 0, "half"))


def test_the_one_subfolder_that_bears_the_time_is_found(ready: Prepared, tmp_path: Path) -> None:
    answer(tmp_path / "device_out" / "2022_11_29-03_11_35", ready, AIS_BENCH, ".bin")
    (tmp_path / "device_out" / "2022_11_29-03_11_35_summary.json").write_text("{}")
    assert len(find_outputs(ready.record, tmp_path / "device_out")) == 4


def test_several_runs_are_not_chosen_from(ready: Prepared, tmp_path: Path) -> None:
    for time in ("2022_11_29-03_11_35", "2022_11_30-03_11_35"):
        answer(tmp_path / "device_out" / time, ready, AIS_BENCH, ".bin")
    text = refusal(ready, tmp_path / "device_out")
    assert "D854: " in text.replace("error D854: ", "D854: ")
    assert "--outputs" in text


def test_an_empty_folder_and_none_are_refused(ready: Prepared, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "there is no file *.bin, *.npy, *.txt" in refusal(ready, tmp_path / "empty")
    assert "is no folder" in refusal(ready, tmp_path / "nowhere")


def test_of_one_sample_msame_writes_the_oms_name(tmp_path: Path) -> None:
    ready = prepared(tmp_path, samples=1)
    answer(tmp_path / "run", ready, ("model_output_{index}",) * 2, ".bin")
    assert [file.sample for file in find_outputs(ready.record, tmp_path / "run")] == ["sample_0", "sample_0"]


def test_of_one_sample_the_blobs_own_names_will_do(tmp_path: Path) -> None:
    ready = prepared(tmp_path, samples=1)
    answer(tmp_path / "run", ready, ("r", "down"), ".npy")
    assert [file.port.name for file in find_outputs(ready.record, tmp_path / "run")] == ["r", "down"]


def test_a_run_without_input_files_is_told(tmp_path: Path) -> None:
    ready = prepared(tmp_path, samples=1)
    answer(tmp_path / "run", ready, ("pure_infer_data_{index}",) * 2, ".bin")
    assert "was given no --input" in refusal(ready, tmp_path / "run")


def test_everything_wrong_is_said_at_once(ready: Prepared, tmp_path: Path) -> None:
    run = answer(tmp_path / "run", ready, AIS_BENCH, ".bin")
    (run / "sample_0_0.bin").rename(run / "cat_0.bin")
    (run / "sample_1_1.bin").write_bytes(b"123")
    (run / "sample_1_0.npy").write_bytes((run / "sample_1_0.bin").read_bytes())
    text = refusal(ready, run)
    assert "cat_0.bin is no output by its name; expected were names like sample_0_0.bin" in text
    assert "has no file for output 0 (r) of sample_0" in text
    assert "sample_1_0.bin and sample_1_0.npy are both output 0 (r) of sample_1" in text
    assert "sample_1_1.bin has 3 bytes; output 1 (down) has 4 numbers [1, 4]" in text


def test_an_index_beyond_the_outputs_is_no_output(ready: Prepared, tmp_path: Path) -> None:
    run = answer(tmp_path / "run", ready, AIS_BENCH, ".bin")
    (run / "sample_0_2.bin").write_bytes(bytes(4))
    assert "sample_0_2.bin is no output" in refusal(ready, run)


@pytest.mark.parametrize(
    ("size", "guess"),
    [
        (240 // 2, "--output_type=INT8 or UINT8"),
        (240 * 4, "--output_type=DOUBLE, INT64 or UINT64"),
        (240, None),
        (480, None),
        (1200, "a batch of 5 in float32, where the net has 2"),
        (2 * 2 * 16 * 4 * 5, "float16 in NC1HWC0 blocks (--is_output_adjust_hw_layout)"),
        (480 + 32, "float32 and 32 bytes more, as oms of the DDK's time have them"),
        (16, "output 1 (down) in float32"),
    ],
)
def test_a_size_that_does_not_fit_is_explained(ready: Prepared, tmp_path: Path, size: int, guess: str | None) -> None:
    """Output 0 has 2 x 3 x 4 x 5 numbers: 480 bytes in float32, 240 in float16."""
    run = answer(tmp_path / "run", ready, AIS_BENCH, ".bin")
    (run / "sample_0_0.bin").write_bytes(bytes(size))
    if guess is None:
        assert find_outputs(ready.record, run)[0].numbers().shape == (2, 3, 4, 5)
    else:
        assert f"it would fit {guess}" in refusal(ready, run)


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("sample_0_0.npy", b"not numpy", "is no readable .npy"),
        ("sample_0_0.npy", np.lib.format.magic(1, 0) + b"\x3c\x00{'descr': '<f4', 'fortran_order': False, 'shape': (9**9,)}\n ", "no readable"),
        ("sample_0_0.txt", b"one two three", "something else than numbers"),
        ("sample_0_0.txt", b"1 2 3", "has 3 numbers [3]"),
        ("sample_0_0.txt", b"1 " * 100_000, "too many for 120 numbers"),
        ("sample_0_0.txt", b"\xff\xfe", "something else than numbers"),
    ],
)  # fmt: skip
def test_content_that_is_none_is_refused(ready: Prepared, tmp_path: Path, name: str, content: bytes, text: str) -> None:
    run = answer(tmp_path / "run", ready, AIS_BENCH, ".bin")
    (run / "sample_0_0.bin").unlink()
    (run / name).write_bytes(content)
    assert text in refusal(ready, run)


def test_an_array_of_objects_or_of_another_size_is_refused(ready: Prepared, tmp_path: Path) -> None:
    run = answer(tmp_path / "run", ready, AIS_BENCH, ".npy")
    np.save(run / "sample_0_0.npy", np.array([{}], object), allow_pickle=True)
    np.save(run / "sample_0_1.npy", np.zeros((2, 4)))
    np.save(run / "sample_1_0.npy", np.zeros((2, 3, 4, 5), complex))
    text = refusal(ready, run)
    assert "sample_0_0.npy is no readable .npy" in text
    assert "sample_0_1.npy has 8 numbers [2, 4]" in text
    assert "sample_1_0.npy holds no real numbers" in text


def test_what_the_simulation_predicted_passes(ready: Prepared, tmp_path: Path) -> None:
    run = answer(tmp_path / "run", ready, MSAME, ".bin")
    found = compare(ready.record, ready.inputs, run)
    assert found.verdict is Verdict.PASS
    assert found.diagnostics == ()
    assert len(found.outputs) == 8
    assert len(found.deciding) == 4
    half = [each.measures.max_absolute for each in found.outputs if each.expectation.key == "half"]
    assert half == [0, 0, 0, 0]


def test_one_wrong_output_fails_and_is_named(ready: Prepared, tmp_path: Path) -> None:
    run = answer(tmp_path / "run", ready, AIS_BENCH, ".npy")
    np.save(run / "sample_1_1.npy", -np.load(run / "sample_1_1.npy"))
    found = compare(ready.record, ready.inputs, run)
    assert found.verdict is Verdict.FAIL
    (diagnostic,) = found.diagnostics
    assert diagnostic.code == "D857"
    assert diagnostic.message == "output 1 (down) of sample_1 differs from Caffe files"
    assert diagnostic.details[0].startswith("cosine -1 is below 0.9")


def test_a_doubtful_output_warns(ready: Prepared, tmp_path: Path) -> None:
    run = answer(tmp_path / "run", ready, AIS_BENCH, ".npy")
    np.save(run / "sample_0_0.npy", 1.1 * np.load(run / "sample_0_0.npy"))
    found = compare(ready.record, ready.inputs, run)
    assert found.verdict is Verdict.WARN
    assert [(each.sample, each.port.name) for each in found.warned] == [("sample_0", "r")]
    assert any("relative_euclidean 0.1 is above 0.05" in reason for reason in found.warned[0].reasons)
