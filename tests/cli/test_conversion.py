"""convert, verify and analyze of PyTorch models, as a user meets them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from command import Command

from torch2om import verification

MODEL = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 4, 3, padding=1)
        self.fc = nn.Linear(4, 3)

    def forward(self, x):
        y = torch.relu(self.conv(x) + 6)
        return {"classes": self.fc(y.mean((2, 3)))}

class Smooth(nn.Module):
    def forward(self, x):
        return nn.functional.gelu(3 * x)

class Branching(nn.Module):
    def forward(self, x):
        return x if x.sum() > 0 else -x

class Random(nn.Module):
    def forward(self, x):
        return x + torch.rand_like(x)

class Talking(Net):
    def forward(self, x):
        print("hello from forward")
        return super().forward(x)

class NeedsWidth(nn.Module):
    def __init__(self, width):
        super().__init__()

def broken():
    raise RuntimeError("no such backbone")
"""
FILES = ["manifest.json", "model.caffemodel", "model.prototxt"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, which holds `net.py`."""
    (tmp_path / "net.py").write_text(MODEL)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def converted(torch2om: Command, here: Path) -> Path:
    """Return the folder of a conversion without verification."""
    assert torch2om("convert", "net.py:Net", "--input", "x=1x2x5x5", "--no-verify").code == 0
    return here / "out"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("target", ["caffe", "ascend310", "opencv"])
def test_convert_writes_three_files_and_proves_them(torch2om: Command, here: Path, target: str) -> None:
    ran = torch2om("convert", "net.py:Net", "--input", "x=1x2x5x5", "--target", target, "-o", "made")
    assert ran.code == 0, ran.err
    assert names(here / "made") == FILES
    assert f"net.py:Net for {target}: equal to PyTorch" in ran.out
    assert "made/model.caffemodel" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80


def test_convert_shows_a_line_per_stage_on_stderr(torch2om: Command, here: Path) -> None:
    ran = torch2om("convert", "net.py:Net", "--input", "x=1x2x5x5")
    stages = ["load", "capture", "canonicalize", "lower", "simplify", "legalize", "check", "emit", "verify"]
    assert [line.split()[0] for line in ran.err.splitlines()] == stages
    assert all(re.fullmatch(r"\w+ +\d+\.\d+ s", line) for line in ran.err.splitlines())


def test_a_terminal_sees_the_running_stage_and_then_the_screen_alone(
    torch2om: Command, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    ran = torch2om("convert", "net.py:Net", "--input", "x=1x2x5x5", "--no-verify")
    assert ran.code == 0
    assert "legalize" in ran.err
    assert ran.err.count("\x1b[2K") >= 9  # each line that was shown is erased at the end
    assert "legalize" in ran.out


def test_convert_answers_machines_with_one_object(torch2om: Command, here: Path) -> None:
    found = torch2om("convert", "net.py:Net", "--input", "x=1x2x5x5", "--json", "--name", "tiny").json
    assert found["files"] == ["out/tiny.prototxt", "out/tiny.caffemodel", "out/manifest.json"]
    assert found["verification"]["equal"]
    assert found["inputs"] == [{"name": "x", "shape": [1, 2, 5, 5], "argument": "x"}]
    assert [(record["shape"], record["place"]) for record in found["outputs"]] == [([1, 3], "['classes']")]
    assert found["parameters"] == 2 * 4 * 9 + 4 + 4 * 3 + 3
    assert [finding["code"] for finding in found["findings"]] == ["C204"]


def test_what_the_model_prints_is_no_result(torch2om: Command, here: Path) -> None:
    ran = torch2om("convert", "net.py:Talking", "--input", "x=1x2x5x5", "--no-verify", "--json")
    assert ran.json["layers"] > 0
    assert "hello from forward" in ran.err


def test_an_output_folder_that_is_a_file_is_told_before_any_work(torch2om: Command, here: Path) -> None:
    ran = torch2om("convert", "net.py:Net", "--input", "x=1x2x5x5", "-o", "net.py")
    assert ran.code == 1
    assert "error E601: net.py: it is a file, not a folder" in ran.err
    assert "capture" not in ran.err


def test_a_rule_that_is_not_exact_runs_if_it_is_allowed(torch2om: Command, here: Path) -> None:
    given = ("convert", "net.py:Smooth", "--input", "x=1x2x5x5", "--json")
    assert "gelu_by_tail" in torch2om(*given).json["rules"]
    allowed = torch2om(*given, "--allow", "gelu_as_tanh_form").json
    assert {"gelu_as_tanh_form", "gelu_by_sigmoid"} <= allowed["rules"].keys()
    worst = max(found["error"] for run in allowed["verification"]["runs"] for found in run["worst"])
    assert 1e-5 < worst < 4.8e-4


def test_no_verify_says_so(torch2om: Command, here: Path) -> None:
    ran = torch2om("convert", "net.py:Net", "--input", "x=1x2x5x5", "--no-verify", "-o", "made")
    assert ran.code == 0
    assert "not verified" in ran.out
    assert names(here / "made") == FILES


def test_weights_are_loaded_and_their_wrapping_is_told(torch2om: Command, here: Path) -> None:
    namespace: dict[str, type[torch.nn.Module]] = {}
    exec(MODEL, namespace)  # noqa: S102 - the text above
    state = {f"module.{key}": torch.ones_like(value) for key, value in namespace["Net"]().state_dict().items()}
    torch.save({"state_dict": state}, "weights.pth")
    ran = torch2om("convert", "net.py:Net", "--input", "x=1x2x5x5", "--weights", "weights.pth", "--json")
    assert ran.code == 0
    assert any("module." in finding["message"] for finding in ran.json["findings"])
    np.savez("in.npz", x=np.ones((1, 2, 5, 5)))
    run = torch2om("run", "out/model.prototxt", "out/model.caffemodel", "--inputs", "in.npz", "-o", "out.npz", "--all")
    assert run.code == 0
    with np.load("out.npz") as blobs:
        largest = max(float(values.max()) for values in blobs.values())
    assert largest > 18  # 2 x 9 ones and a bias in the middle of the image


@pytest.mark.parametrize("form", ["npz", "npy"])
def test_a_sample_replaces_the_random_inputs(torch2om: Command, here: Path, form: str) -> None:
    image = np.ones((1, 2, 5, 5), np.uint8)
    np.savez("s.npz", x=image)
    np.save("s.npy", image)
    ran = torch2om("convert", "net.py:Net", "-i", "x=1x2x5x5", "--sample", f"s.{form}", "--json")
    assert ran.code == 0
    assert {run["sample"] for run in ran.json["verification"]["runs"]} == {0}


def test_a_samples_shapes_are_the_inputs_where_none_is_given(torch2om: Command, here: Path) -> None:
    np.savez("s.npz", x=np.ones((3, 2, 5, 5), np.float64))
    found = torch2om("convert", "net.py:Net", "--sample", "s.npz", "--json").json
    assert found["inputs"][0]["shape"] == [3, 2, 5, 5]


@pytest.mark.parametrize(
    ("array", "file", "said"),
    [
        (np.ones((1, 2, 4, 5)), "s.npz", "the inputs are x=1x2x5x5"),
        (np.ones((1, 2, 5, 5), complex), "s.npz", "not real numbers"),
    ],
)
def test_a_sample_that_does_not_fit_is_refused(
    torch2om: Command, here: Path, array: np.ndarray, file: str, said: str
) -> None:
    np.savez(file, x=array)
    ran = torch2om("convert", "net.py:Net", "-i", "x=1x2x5x5", "--sample", file)
    assert ran.code == 2
    assert "U115" in ran.err
    assert said in " ".join(ran.err.split())


def test_a_bare_array_needs_the_inputs_name(torch2om: Command, here: Path) -> None:
    np.save("s.npy", np.ones((1, 2, 5, 5)))
    ran = torch2om("convert", "net.py:Net", "--sample", "s.npy")
    assert ran.code == 2
    assert "name it with --input" in ran.err


@pytest.mark.parametrize(
    ("arguments", "status", "code"),
    [
        (["missing.py:Net", "-i", "x=1x2"], 2, "U101"),
        (["net.py:Nett", "-i", "x=1x2"], 2, "U101"),
        (["net.py:FILES", "-i", "x=1x2"], 2, "U101"),
        (["net.py:NeedsWidth", "-i", "x=1x2"], 2, "U103"),
        (["net.py:broken", "-i", "x=1x2"], 2, "U104"),
        (["net.py:Net", "-i", "y=1x2x5x5"], 2, "U112"),
        (["net.py:Net"], 2, "U111"),
        (["net.py:Net", "-i", "x=1x2x0x5"], 2, "U113"),
        (["net.py:Net", "-i", "x"], 2, "U113"),
        (["net.py:Net", "-i", "x=1x2x5x5", "-i", "x=1x2x6x6"], 2, "U113"),
        (["net.py:Net", "-i", "x=1x2x5x5", "--name", ""], 2, "U144"),
        (["net.py:Net", "-i", "x=1x2x5x5", "--name", "a/b"], 2, "U144"),
        (["net.py:Net", "-i", "x=1x2x5x5", "--allow", "gelu_by_tail"], 2, "U145"),
        (["net.safetensors", "-i", "x=1x2x5x5"], 2, "U101"),
        (["net.py:Net", "-i", "x=1x2x5x5", "-w", "missing.pth"], 2, "U121"),
        (["net.py:Net", "-i", "x=1x2x5x5", "-t", "ascend999"], 2, "U131"),
        (["net.py:Net", "-i", "x=1x7x5x5"], 1, "C207"),
        (["net.py:Branching", "-i", "x=1x2"], 1, "C201"),
        (["net.py:Random", "-i", "x=1x2"], 1, "L302"),
    ],
)
def test_bad_input_gets_its_code_and_nothing_is_written(
    torch2om: Command, here: Path, arguments: list[str], status: int, code: str
) -> None:
    ran = torch2om("convert", *arguments, "-o", "deep/out")
    assert f"error {code}" in ran.err
    assert ran.code == status
    assert ran.out == ""
    assert "Traceback" not in ran.err
    assert not (here / "deep").exists()


def test_a_refusal_shows_the_users_line(torch2om: Command, here: Path) -> None:
    line = 1 + MODEL.splitlines().index("        return x + torch.rand_like(x)")
    err = torch2om("convert", "net.py:Random", "-i", "x=1x2").err
    assert f"  at net.py:{line}\n" in err
    assert f"{line:>5} │ return x + torch.rand_like(x)" in err
    assert "hint: " in err
    (finding,) = torch2om("convert", "net.py:Random", "-i", "x=1x2", "--json").json["findings"]
    assert (finding["file"], finding["line"]) == (str(here / "net.py"), line)


def test_the_users_own_exception_is_shown_at_the_users_line(torch2om: Command, here: Path) -> None:
    err = torch2om("convert", "net.py:broken", "-i", "x=1x2").err
    assert "RuntimeError: no such backbone" in err
    assert 'raise RuntimeError("no such backbone")' in err


def test_an_exported_program_holds_its_weights(torch2om: Command, here: Path) -> None:
    program = torch.export.export(torch.nn.Sequential(torch.nn.ReLU()), (torch.ones(1, 2),))
    torch.export.save(program, "relu.pt2")
    torch.save({}, "weights.pth")
    assert torch2om("convert", "relu.pt2", "--no-verify").code == 0
    ran = torch2om("convert", "relu.pt2", "-w", "weights.pth")
    assert ran.code == 2
    assert "has its own weights" in " ".join(ran.err.split())


def test_verify_proves_a_folder_again(torch2om: Command, converted: Path) -> None:
    ran = torch2om("verify", converted)
    assert ran.code == 0
    assert "equal to PyTorch" in ran.out
    assert torch2om("verify", converted, "--json").json["equal"]


def test_verify_tells_another_models_numbers_apart(torch2om: Command, converted: Path) -> None:
    Path("net.py").write_text(MODEL.replace("self.conv(x) + 6", "self.conv(x) + 7"))
    ran = torch2om("verify", converted)
    assert ran.code == 1
    assert "DIFFERS from PyTorch" in ran.out
    assert "error V702" in ran.out
    assert "net.py" in ran.out


def test_verify_tells_changed_files_apart(torch2om: Command, converted: Path) -> None:
    path = converted / "model.prototxt"
    path.write_text(path.read_text() + "\n")
    ran = torch2om("verify", converted)
    assert ran.code == 2
    assert "V704" in ran.err


def test_verify_wants_a_model_where_the_manifest_names_none(torch2om: Command, converted: Path) -> None:
    path = converted / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps({**manifest, "source": {"model": "", "weights": "", "seed": 0}}))
    assert "name it with --model" in torch2om("verify", converted).err
    assert torch2om("verify", converted, "--model", "net.py:Net").code == 0


def test_verify_of_an_empty_folder_is_a_usage_error(torch2om: Command, tmp_path: Path) -> None:
    ran = torch2om("verify", tmp_path)
    assert ran.code == 2
    assert "U133" in ran.err


def test_files_that_differ_are_not_written(torch2om: Command, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "FILES_TOLERANCE", 1e-12)
    ran = torch2om("convert", "net.py:Net", "-i", "x=1x2x5x5")
    assert ran.code == 1
    assert "DIFFERS from PyTorch" in ran.out
    assert "error V702" in ran.out
    assert "nothing was written" in ran.out
    assert not (here / "out").exists()


def test_analyze_takes_a_pytorch_model(torch2om: Command, here: Path) -> None:
    found = torch2om("analyze", "net.py:Net", "-i", "x=1x2x5x5", "--format", "json").json
    assert found["total"]["parameters"] == 2 * 4 * 9 + 4 + 4 * 3 + 3
    assert found["total"]["macs"] == 25 * 4 * 18 + 12
