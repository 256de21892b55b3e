"""compile and convert --compile, as a user meets them; settings from a file; what doctor and explain say."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from torch2om.cli import main
from torch2om.emission import Artifact
from torch2om.errors import UsageError
from torch2om.toolchain.failures import FAILURES
from torch2om.toolchain.runner import Container, Local, Ssh
from torch2om.toolchain.settings import Settings, host, order, read_settings

Ran = tuple[int, str, str]


@pytest.fixture
def torch2om(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Ran]:
    """Return a function that runs one command line in an empty folder."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str | Path) -> Ran:
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        return (int(end.value.code or 0), *capsys.readouterr())

    return run


def test_compile_makes_the_om_and_streams_the_compiler(
    torch2om: Callable[..., Ran], artifact: Artifact, bin_folder: Path
) -> None:
    code, out, err = torch2om("compile", artifact.folder)
    assert code == 0
    assert "om: compiled" in out
    assert "cannot be read back" in out  # the stand-in's om is none
    assert "model.om" in out
    assert "ATC run success, welcome to the next use." in err


def test_compile_answers_machines_with_one_object(
    torch2om: Callable[..., Ran], artifact: Artifact, bin_folder: Path
) -> None:
    code, out, _ = torch2om("compile", artifact.folder, "-O", "precision-mode=force_fp32", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["om"] == str(artifact.folder / "model.om")
    assert "--precision_mode=force_fp32" in found["command"]


def test_compile_without_a_compiler_is_refused(torch2om: Callable[..., Ran], artifact: Artifact, bare: Path) -> None:
    code, out, _ = torch2om("compile", artifact.folder)
    assert code == 1
    assert "om: not compiled" in out
    assert "K901" in out
    assert (artifact.folder / "compile.sh").exists()


def test_a_failing_compiler_is_explained(
    torch2om: Callable[..., Ran], artifact: Artifact, bin_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_WISH", "E20001: Failed to compile Op [stem/conv]. (optype: [Conv2D])")
    code, out, err = torch2om("compile", artifact.folder)
    assert (code, out) == (1, "")
    assert "K902" in err
    assert "at /models/net.py:12" in err


@pytest.mark.parametrize(
    "arguments",
    [
        ["-O", "nope=1"],
        ["--extra", "nope"],
        ["--runner", "cloud"],
        ["--runner", "ssh"],
        ["--runner", "container"],
        ["--image", "-x"],
        ["--host=-x"],
        ["--host", "board:22"],
        ["--image", "i", "--engine", "lxc"],
        ["--soc", "Ascend999"],
        ["-t", "caffe"],
    ],
)
def test_a_wrong_request_is_a_usage_error(
    torch2om: Callable[..., Ran], artifact: Artifact, bin_folder: Path, arguments: list[str]
) -> None:
    code, out, err = torch2om("compile", artifact.folder, *arguments)
    assert (code, out) == (2, "")
    assert "error K91" in err


def caffe_files(artifact: Artifact) -> list[str]:
    return [str(artifact.prototxt), "-w", str(artifact.caffemodel), "--no-verify"]


def test_convert_and_compile_in_one_go(torch2om: Callable[..., Ran], artifact: Artifact, bin_folder: Path) -> None:
    code, out, _ = torch2om("convert", *caffe_files(artifact), "-o", "made", "--compile", "--json")
    assert code == 0
    assert json.loads(out)["compilation"]["om"] == "made/model.om"
    assert Path("made/model.om").exists()


def test_convert_succeeds_where_no_compiler_is(torch2om: Callable[..., Ran], artifact: Artifact, bare: Path) -> None:
    code, out, _ = torch2om("convert", *caffe_files(artifact), "-o", "made", "--compile")
    assert code == 0
    assert "om: not compiled" in out
    assert "CANN toolkit" in " ".join(out.split())
    assert Path("made/compile.sh").exists()


def test_convert_fails_with_its_compiler(
    torch2om: Callable[..., Ran], artifact: Artifact, bin_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_WISH", "E19999: Inner Error!")
    code, out, _ = torch2om("convert", *caffe_files(artifact), "-o", "made", "--compile")
    assert code == 1
    assert "K902" in out
    assert Path("made/model.prototxt").exists()


def test_convert_looks_at_the_compilers_options_first(torch2om: Callable[..., Ran], artifact: Artifact) -> None:
    code, _, err = torch2om("convert", *caffe_files(artifact), "-o", "made", "--compile", "-O", "nope=1")
    assert code == 2
    assert "K911" in err
    assert not Path("made").exists()


def test_the_settings_file_remembers_the_choice(
    torch2om: Callable[..., Ran], artifact: Artifact, bin_folder: Path, tmp_path: Path
) -> None:
    text = (
        f"[toolchain]\ntool = '{bin_folder}/atc'\ntimeout = 60\noption = ['log=error', 'precision_mode=force_fp16']\n"
    )
    Path("torch2om.toml").write_text(text)
    code, out, _ = torch2om("compile", artifact.folder, "--json", "-O", "precision_mode=force_fp32")
    command = json.loads(out)["command"]
    assert code == 0
    assert {"--log=error", "--precision_mode=force_fp32"} <= set(command)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[toolchain", "torch2om.toml"),
        ("toolchain = 1", "is no table"),
        ("[toolchain]\nrunnr = 'ssh'", "did you mean runner"),
        ("[toolchain]\ntimeout = 'long'", "number of seconds"),
        ("[toolchain]\ntool = 1", "tool is not a text"),
        ("[toolchain]\noption = 'log=error'", "not a list"),
    ],
)
def test_a_settings_file_that_says_nothing_clear_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "torch2om.toml").write_text(text)
    with pytest.raises(UsageError) as refusal:
        read_settings(tmp_path / "torch2om.toml")
    assert refusal.value.diagnostics[0].code == "K906"
    assert said in str(refusal.value)


def test_a_named_settings_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="K906"):
        read_settings(tmp_path / "missing.toml")


def test_the_runner_follows_from_what_is_named() -> None:
    assert host(Settings()) == Local()
    assert host(Settings(image="cann")) == Container("cann", "docker")
    assert host(Settings(host="me@board")) == Ssh("me@board")
    assert host(Settings(runner="local", host="me@board")) == Local()
    assert order(Settings(), "", "").seconds == 3600


def test_doctor_tells_of_the_compilers(torch2om: Callable[..., Ran], bin_folder: Path) -> None:
    (bin_folder / "omg").unlink()
    _, out, _ = torch2om("doctor", "--json")
    found = {entry["what"]: entry for entry in json.loads(out)["findings"]}
    assert found["atc (om files)"]["found"] == str(bin_folder / "atc")
    assert not found["omg (om files)"]["healthy"]
    assert not found["omg (om files)"]["needed"]


@pytest.mark.parametrize("code", ["E10016", "ez3003", "145006"])
def test_explain_knows_the_vendors_codes(torch2om: Callable[..., Ran], code: str) -> None:
    status, out, _ = torch2om("explain", code)
    assert status == 0
    assert FAILURES[code.upper()].cause in " ".join(out.split())
