"""The other machines: a container, and one behind ssh. The clients are stand-ins; quoting and clean-up are real."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from toolchain.conftest import REMOTE_STAND_IN, install
from toolchain.convertible import conversion
from toolchain.test_compilation import ODD_NAMES, ended, left, names, wait_for
from torch2om.emission import Artifact
from torch2om.errors import CompileError
from torch2om.toolchain import CompileOptions, Order, compile_files
from torch2om.toolchain.runner import Container, Host, Ssh
from torch2om.toolchain.runner.process import Call, run

HOSTS: list[Host] = [Ssh("board"), Container("cann"), Container("cann", "podman")]
TITLES = ["ssh", "docker", "podman"]
OPTIONS = {"ssh": ["--host", "board"], "docker": ["--image", "cann"]}


@pytest.fixture
def remote(bin_folder: Path, bare: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the other machine's files."""
    for client in ("ssh", "scp", "docker", "podman"):
        install(bin_folder / client, REMOTE_STAND_IN)
    folder = bare / "remote"
    folder.mkdir()
    monkeypatch.setenv("STAND_IN_REMOTE", str(folder))
    monkeypatch.setenv("STAND_IN_CALLS", str(bare / "calls"))
    return folder


@pytest.mark.parametrize("host", HOSTS, ids=TITLES)
def test_an_om_comes_back(artifact: Artifact, bare: Path, remote: Path, host: Host) -> None:
    heard: list[str] = []
    made = compile_files(artifact, Order(host=host), heard.append)
    assert made.om == artifact.folder / "model.om"
    assert made.om.read_bytes() == b"stand-in om " + " ".join(made.command[1:]).encode()
    assert "ATC run success, welcome to the next use." in heard
    assert list(remote.iterdir()) == []
    assert left(bare) == []


@pytest.mark.parametrize("host", HOSTS[:2], ids=TITLES[:2])
def test_no_file_name_reaches_another_shell(tmp_path: Path, remote: Path, bare: Path, host: Host) -> None:
    stem = "-".join(("", *ODD_NAMES))
    (tmp_path / "-o all;.cfg").write_text("{}")
    options = CompileOptions(fusion_switch_file=str(tmp_path / "-o all;.cfg"))
    made = compile_files(conversion(tmp_path / f"out {stem}", stem), Order(host=host, options=options))
    assert made.om == tmp_path / f"out {stem}" / f"{stem}.om"
    assert made.om.stat().st_size
    words = [word for line in (bare / "calls").read_text().splitlines() for word in json.loads(line)]
    assert not any(stem in word for word in words)


@pytest.mark.parametrize("host", HOSTS[:2], ids=TITLES[:2])
def test_a_compilers_path_is_one_word_there(artifact: Artifact, remote: Path, bare: Path, host: Host) -> None:
    tool = install(bare / "it's a; $place" / "atc")
    assert compile_files(artifact, Order(host=host, compiler=str(tool))).compiler == str(tool)


@pytest.mark.parametrize("host", HOSTS[:2], ids=TITLES[:2])
def test_a_refusal_leaves_nothing_there(
    artifact: Artifact, remote: Path, monkeypatch: pytest.MonkeyPatch, host: Host
) -> None:
    monkeypatch.setenv("STAND_IN_WISH", "E11009: No parser is registered for Op [relu, optype [Nonsense]].")
    with pytest.raises(CompileError) as failure:
        compile_files(artifact, Order(host=host))
    assert [found.code for found in failure.value.diagnostics] == ["K902", "K903"]
    assert failure.value.diagnostics[1].layer == "relu"
    assert list(remote.iterdir()) == []


@pytest.mark.parametrize("host", HOSTS[:2], ids=TITLES[:2])
def test_a_missing_compiler_is_said_of_the_other_machine(
    artifact: Artifact, remote: Path, bin_folder: Path, host: Host
) -> None:
    (bin_folder / "atc").unlink()
    made = compile_files(artifact, Order(host=host))
    assert made.om is None
    assert f"{host.title} has no atc" in made.notes[0].message


@pytest.fixture
def sleeper(remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the compiler sleep; return the file that then has its process id."""
    monkeypatch.setenv("STAND_IN_WISH", "sleep")
    monkeypatch.setenv("STAND_IN_PID", str(tmp_path / "pid"))
    return tmp_path / "pid"


def wait_until_gone(pid: int, folder: Path) -> None:
    deadline = time.monotonic() + 30
    while not ended(pid) or list(folder.iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("host", HOSTS[:2], ids=TITLES[:2])
def test_the_time_limit_ends_what_runs_there(
    artifact: Artifact, remote: Path, bare: Path, sleeper: Path, host: Host
) -> None:
    with pytest.raises(CompileError) as failure:
        compile_files(artifact, Order(host=host, seconds=2))
    assert failure.value.diagnostics[0].code == "K904"
    wait_until_gone(int(sleeper.read_text()), remote)
    assert left(bare) == []


@pytest.mark.parametrize(("host", "number"), [("ssh", signal.SIGINT), ("docker", signal.SIGTERM)])
def test_an_interruption_ends_what_runs_there(
    artifact: Artifact, remote: Path, sleeper: Path, host: str, number: signal.Signals
) -> None:
    line = [sys.executable, "-m", "torch2om", "compile", str(artifact.folder), *OPTIONS[host]]
    with subprocess.Popen(line, stderr=subprocess.DEVNULL, start_new_session=True) as process:
        pid = wait_for(sleeper)
        process.send_signal(number)
        assert process.wait(60) == (130 if number is signal.SIGINT else 143)
    wait_until_gone(pid, remote)
    assert not any(name.startswith(".torch2om") for name in names(artifact.folder))


def test_a_broken_connection_ends_what_runs_there(artifact: Artifact, remote: Path, sleeper: Path) -> None:
    """Killed outright, torch2om can tell nobody: the other machine notices that the connection has ended."""
    line = [sys.executable, "-m", "torch2om", "compile", str(artifact.folder), *OPTIONS["ssh"]]
    with subprocess.Popen(line, stderr=subprocess.DEVNULL, start_new_session=True) as process:
        pid = wait_for(sleeper)
        os.kill(process.pid, signal.SIGKILL)
    wait_until_gone(pid, remote)


@pytest.mark.parametrize(
    ("host", "said"),
    [
        (Ssh("nowhere"), "Could not resolve hostname"),
        (Container("missing"), "Unable to find image"),
        (Container("cann", "no-such-engine"), "cannot be started"),
    ],
)
def test_a_host_that_cannot_be_used_says_why(artifact: Artifact, remote: Path, host: Host, said: str) -> None:
    with pytest.raises(CompileError) as failure:
        compile_files(artifact, Order(host=host))
    (found,) = failure.value.diagnostics
    assert found.code == "K905"
    assert said in found.message
    assert list(remote.iterdir()) == []


def test_ssh_is_never_asked_for_a_password(artifact: Artifact, remote: Path, bare: Path) -> None:
    compile_files(artifact, Order(host=Ssh("board")))
    calls = [json.loads(line) for line in (bare / "calls").read_text().splitlines()]
    assert {call[0] for call in calls} == {"ssh", "scp"}
    assert all("BatchMode=yes" in call for call in calls)


def test_whoever_watches_a_program_may_end_it() -> None:
    seen: list[int] = []

    def watch(process: int) -> None:
        seen.append(process)
        if len(seen) > 1:
            raise KeyError("enough")

    with pytest.raises(KeyError):
        run(Call([sys.executable, "-c", "import time; time.sleep(600)"]), 60.0, watch=watch)
    with pytest.raises(ProcessLookupError):
        os.kill(seen[0], 0)
