"""inspect and diff of om files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from command import Command

OWN = Path(__file__).parents[1] / "data" / "om"
LANDMARKS = OWN / "landmark68_template_model.om"
PONG = OWN / "a3c_pong_model.om"


def test_inspect_shows_a_section_for_each_thing(torch2om: Command) -> None:
    ran = torch2om("inspect", LANDMARKS)
    assert ran.code == 0
    assert ran.out.startswith("CNNFacepoint: model of omg (DDK 1.x, HiLens), 322.4 kB\n")
    for said in (
        "108.0 kB of work, 279.6 kB of weights, 1 stream",
        "output_0_Dense2_0   float32   1x136x1x1   NCHW       544",
        "16x1x5x5      NCHW   FRACTAL_Z    12800   Conv1",
        "21 kernel, 1 fusion_start, 1 fusion_end; none on the AI CPU",
    ):
        assert said in ran.out
    assert ran.err == ""


def test_inspect_names_the_layers_that_were_fused(torch2om: Command) -> None:
    out = torch2om("inspect", PONG).out
    assert "BiasAdd" in out
    assert "12 programs" in out
    assert "tvm_blockdim" not in out


def test_inspect_shows_attributes_on_request(torch2om: Command) -> None:
    assert "  tvm_blockdim = 2\n" in torch2om("inspect", PONG, "--attributes").out


def test_inspect_gives_machines_everything(torch2om: Command) -> None:
    found = torch2om("inspect", LANDMARKS, "--json").json
    assert (found["bytes"], found["head"]["name"], found["findings"]) == (322435, "CNNFacepoint", [])
    (model,) = found["models"]
    assert model["generation"] == "omg (DDK 1.x, HiLens)"
    assert [each["name"] for each in model["partitions"]] == ["MODEL_DEF", "WEIGHTS_DATA", "TASK_INFO"]
    assert [each["shape"] for each in (*model["inputs"], *model["outputs"])] == [[1, 1, 40, 40], [1, 136, 1, 1]]
    conv = next(op for op in model["graphs"][0]["operators"] if op["name"] == "Conv1")
    assert (conv["type"], conv["attributes"]["kernel"]) == ("Convolution", [5, 5])
    assert model["weights"][-1] == {
        "name": "Conv1_const_1",
        "dtype": "float16",
        "shape": [16, 1, 5, 5],
        "axes": "NCHW",
        "layout": "FRACTAL_Z",
        "bytes": 12800,
        "read_by": "Conv1 input 1",
    }
    assert model["tasks"]["types"] == {"fusion_start": 1, "kernel": 21, "fusion_end": 1}


def test_inspect_writes_the_unpacked_weights(torch2om: Command, tmp_path: Path) -> None:
    ran = torch2om("inspect", LANDMARKS, "--weights", tmp_path / "w.npz", "--json")
    assert ran.json["weights_file"] == str(tmp_path / "w.npz")
    with np.load(tmp_path / "w.npz") as found:
        assert len(found.files) == 12
        assert found["Conv1_const_1"].shape == (16, 1, 5, 5)
        assert found["Conv1_const_1"].dtype == np.float16


def test_inspect_says_what_a_file_is_that_is_no_om(torch2om: Command, tmp_path: Path) -> None:
    path = tmp_path / "model.om"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    ran = torch2om("inspect", path)
    assert ran.code == 1
    assert "error O802" in ran.err
    assert "git-lfs pointer" in ran.err
    path.write_bytes(LANDMARKS.read_bytes()[:-1000])
    ran = torch2om("inspect", path, "--json")
    assert ran.code == 1
    assert [finding["code"] for finding in ran.json["findings"]] == ["O803"]
    assert torch2om("inspect", tmp_path / "missing.om").code == 2


@pytest.mark.parametrize("arguments", [("inspect", LANDMARKS, "--json"), ("diff", LANDMARKS, LANDMARKS)])
def test_neither_torch_nor_protobuf_is_needed(arguments: tuple[str | Path, ...]) -> None:
    given = [str(argument) for argument in arguments]
    blocked = "sys.modules.update({'torch': None, 'google.protobuf': None})"
    script = f"import sys; {blocked}; from torch2om.cli import main; main({given!r})"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_diff_of_a_file_with_itself_is_nothing(torch2om: Command) -> None:
    ran = torch2om("diff", PONG, PONG)
    assert (ran.code, ran.out) == (0, "the same\n")
    assert torch2om("diff", PONG, PONG, "--json").json["same"] is True


def test_diff_shows_what_changed(torch2om: Command, tmp_path: Path) -> None:
    changed = bytearray(LANDMARKS.read_bytes())
    changed[11948 + 512 : 11948 + 514] = b"\0B"  # the first number of the first filters, after two tables of places
    (tmp_path / "changed.om").write_bytes(changed)
    ran = torch2om("diff", LANDMARKS, tmp_path / "changed.om", "--json")
    assert ran.code == 1
    (difference,) = ran.json["differences"]
    assert (difference["section"], difference["what"], difference["right"]) == (
        "weights",
        "Conv1 input 1: numbers",
        "3 at 0",
    )
    assert "1 difference\n" in torch2om("diff", LANDMARKS, tmp_path / "changed.om").out
