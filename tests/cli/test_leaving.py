"""How a command ends: exit codes, usage errors, defects, interruption, pipes, colours."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from command import NET, Command

from torch2om.cli import knowledge, main
from torch2om.cli.application import application
from torch2om.cli.status import Status
from torch2om.version import __version__

MODULE = [sys.executable, "-m", "torch2om"]
LONG = NET + "".join(
    f'layer {{ name: "power-{i:0100}" type: "Power" bottom: "double" top: "p{i}" power_param {{ shift: {i} }} }}\n'
    for i in range(3000)
)


def test_version_is_the_packages(torch2om: Command) -> None:
    ran = torch2om("--version")
    assert (ran.code, ran.out) == (0, f"torch2om {__version__}\n")


def test_help_shows_every_verb_and_every_exit_code(torch2om: Command) -> None:
    out = torch2om("--help").out
    verbs = [command.callback.__name__ for command in application.registered_commands if command.callback]
    assert "compile" in verbs
    assert all(f" {verb} " in out for verb in verbs)
    assert all(f"{status:>3}  {status.meaning}" in out for status in Status)


@pytest.mark.parametrize(
    "line",
    [["nope"], ["check"], ["check", "net.prototxt"], ["limits", "--nope"], ["run", "x.prototxt", "--dtype", "int8"]],
)
def test_a_wrong_command_line_is_a_usage_error(torch2om: Command, line: list[str]) -> None:
    ran = torch2om(*line)
    assert ran.code == Status.USAGE
    assert ran.out == ""
    assert "Usage: torch2om" in ran.err


def test_a_refusal_is_json_too(torch2om: Command) -> None:
    ran = torch2om("limits", "ascend31", "--json")
    assert ran.code == Status.USAGE
    assert ran.json["error"] == "UsageError"
    assert ran.json["findings"][0]["code"] == "U131"
    assert ran.err == ""


@pytest.mark.parametrize("line", [["nope", "--json"], ["limits", "--nope", "--json"], ["analyze", "--format", "json"]])
def test_a_wrong_command_line_is_json_too(torch2om: Command, line: list[str]) -> None:
    ran = torch2om(*line)
    assert ran.code == Status.USAGE
    assert (ran.json["error"], ran.json["findings"][0]["code"]) == ("UsageError", "U100")
    assert ran.err == ""


def broken(*_: object) -> None:
    raise KeyError("secret")


def test_a_defect_says_so_without_a_traceback(torch2om: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(knowledge, "_code", broken)
    ran = torch2om("explain", "T402")
    assert ran.code == Status.DEFECT
    assert "internal defect: KeyError: 'secret'" in ran.err
    assert "at torch2om/cli/knowledge.py" in ran.err
    assert "torch2om --debug explain T402" in ran.err
    assert "Traceback" not in ran.err


def test_a_defect_is_json_too(torch2om: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(knowledge, "_code", broken)
    ran = torch2om("explain", "T402", "--json")
    assert ran.code == Status.DEFECT
    assert ran.json == {"error": "Defect", "findings": [], "defect": "KeyError: 'secret'"}
    assert "internal defect" in ran.err


def test_debug_shows_the_traceback_of_a_defect(torch2om: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(knowledge, "_code", broken)
    ran = torch2om("--debug", "explain", "T402")
    assert ran.code == Status.DEFECT
    assert "Traceback (most recent call last)" in ran.err
    assert "KeyError: 'secret'" in ran.err


def test_an_interruption_is_one_line(torch2om: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(knowledge, "_code", interrupted)
    ran = torch2om("explain", "T402")
    assert (ran.code, ran.err) == (Status.INTERRUPTED, "torch2om: interrupted\n")


SLEEPER = """
import pathlib, time, torch

class Sleeper(torch.nn.Module):
    def forward(self, x):
        pathlib.Path("started").touch()
        time.sleep(120)
        return x
"""


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_conversion_leaves_the_old_files(tmp_path: Path, number: signal.Signals, status: int) -> None:
    (tmp_path / "sleeper.py").write_text(SLEEPER)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "model.prototxt").write_text("old")
    line = [*MODULE, "convert", "sleeper.py:Sleeper", "--input", "x=1x2"]
    with subprocess.Popen(line, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        wait_for((tmp_path / "started").exists)
        process.send_signal(number)
        _, err = process.communicate(timeout=240)
    assert process.returncode == status
    assert err.splitlines()[1:] == (["torch2om: interrupted"] if number is signal.SIGINT else [])
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["model.prototxt"]
    assert (tmp_path / "out" / "model.prototxt").read_text() == "old"


def wait_for(reached: Callable[[], bool]) -> None:
    """Return as soon as something is so."""
    deadline = time.monotonic() + 240
    while not reached():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.05)


def test_a_broken_pipe_is_quiet(tmp_path: Path) -> None:
    (tmp_path / "long.prototxt").write_text(LONG)
    line = f"{sys.executable} -m torch2om analyze long.prototxt --format csv; echo $? >&2"
    shell = ["bash", "-c", f"( {line} ) | head -1"]
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    ran = subprocess.run(shell, cwd=tmp_path, env=buffered, capture_output=True, text=True, check=True)
    assert ran.stdout == "layer,type,output,macs,parameters,activation_bytes\n"
    assert ran.stderr == f"{Status.NO_READER}\n"


def test_a_pipe_gets_neither_colours_nor_broken_lines(torch2om: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "")
    monkeypatch.delenv("COLUMNS")
    ran = torch2om("limits", "ascend310")
    assert "\x1b[" not in ran.out
    assert any(len(line) > 80 for line in ran.out.splitlines())


@pytest.mark.parametrize(("variable", "coloured"), [("NO_COLOR", False), ("FORCE_COLOR", True)])
def test_colour_variables_are_respected(
    torch2om: Command, monkeypatch: pytest.MonkeyPatch, variable: str, coloured: bool
) -> None:
    monkeypatch.setenv(variable, "1")
    assert ("\x1b[1;31m" in torch2om("limits", "nope").err) == coloured


def test_help_is_quick_and_loads_neither_torch_nor_numpy() -> None:
    code = "import sys, torch2om.cli.application, typer.rich_utils; print(sorted({'torch', 'numpy', 'google.protobuf'} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


WITHOUT_TORCH = "import sys; sys.modules['torch'] = None; from torch2om.cli import main; main(sys.argv[1:])"


@pytest.mark.parametrize(
    "verb",
    [
        "check tiny.prototxt -t caffe",
        "analyze tiny.prototxt",
        "precision tiny.prototxt",
        "ops",
        "limits",
        "explain",
        "doctor",
    ],
)
def test_verbs_for_caffe_files_work_without_torch(net: Path, verb: str) -> None:
    ran = run_without_torch(net, verb)
    assert (ran.returncode in (0, 1 if verb == "doctor" else 0), ran.stderr) == (True, "")


def test_caffe_files_are_converted_and_verified_without_torch(net: Path) -> None:
    assert run_without_torch(net, "convert tiny.prototxt").returncode == Status.OK
    assert run_without_torch(net, "verify out").returncode == Status.OK
    assert run_without_torch(net, "inputs out").returncode == Status.OK
    run = net.parent / "device_out"
    shutil.copytree(net.parent / "out/device_in/golden/half", run, ignore=shutil.ignore_patterns("*.npy"))
    outputs = run_without_torch(net, "verify out --outputs device_out")
    assert (outputs.returncode, "as expected" in outputs.stdout) == (Status.OK, True)


def run_without_torch(net: Path, verb: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-c", WITHOUT_TORCH, *verb.split()]
    return subprocess.run(line, cwd=net.parent, capture_output=True, text=True, check=False)


def test_convert_without_torch_says_what_to_install(torch2om: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch2om.named_models.has_torch", lambda: False)
    ran = torch2om("convert", "module:Model", "--input", "x=1x2")
    assert ran.code == Status.USAGE
    assert "U141" in ran.err
    assert "torch2om[torch]" in ran.err


def test_a_command_runs_in_any_thread(capsys: pytest.CaptureFixture[str]) -> None:
    with ThreadPoolExecutor(1) as pool, pytest.raises(SystemExit) as end:
        pool.submit(main, ["--version"]).result()
    assert end.value.code == Status.OK
    assert __version__ in capsys.readouterr().out


def test_an_interruption_outside_of_a_verb_is_one_line_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("torch2om.cli.application", interrupted)
    with pytest.raises(SystemExit) as end:
        main([])
    assert end.value.code == Status.INTERRUPTED
    assert capsys.readouterr().err == "torch2om: interrupted\n"
