"""compile_files on this machine: what is written, what decides success, and what is told when it fails."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from toolchain.conftest import install
from toolchain.convertible import conversion, images, vectors
from torch2om.emission import Artifact
from torch2om.errors import CompileError, LegalityError, Severity, UsageError
from torch2om.ir.net import Output
from torch2om.manifest import PictureRecord
from torch2om.preprocessing.normalization import NOTHING
from torch2om.toolchain import CompileOptions, Order, compile_files
from torch2om.toolchain.diagnosis import diagnose
from torch2om.toolchain.failures import SUCCEEDED
from torch2om.toolchain.search import find_here

ODD_NAMES = ["with space", "it's", 'a"b', "$HOME", "`id`", "-leading", "模型", "new\nline", "semi;colon", "*"]


# The stand-in, and this machine's own atc where there is one.
HERE = find_here("atc")
COMPILERS = ["stand-in", *([pytest.param(HERE, marks=pytest.mark.atc)] if HERE else [])]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def left(home: Path) -> list[Path]:
    """What is left of the temporary files."""
    return list((home / "tmp").iterdir())


def test_a_net_is_compiled(artifact: Artifact, bare: Path, bin_folder: Path) -> None:
    heard: list[str] = []
    made = compile_files(artifact, Order(), heard.append)
    assert made.om == artifact.folder / "model.om"
    assert made.compiler == str(bin_folder / "atc")
    assert made.om.read_bytes() == b"stand-in om " + " ".join(made.command[1:]).encode()
    assert made.command == (
        "atc",
        "--model=model.prototxt",
        "--weight=model.caffemodel",
        "--framework=0",
        "--output=model",
        "--soc_version=Ascend310",
        "--input_shape=x:1,3,8,8",
        "--input_format=NCHW",
        "--out_nodes=cut:1;cut:0",
    )
    assert names(artifact.folder) == {*(path.name for path in artifact.files), "model.om", "compile.sh", "compile.log"}
    assert "ATC run success, welcome to the next use." in heard
    assert made.log.read_text().splitlines()[1:] == heard
    assert left(bare) == []


@pytest.mark.parametrize("compiler", COMPILERS)
def test_every_compiler_at_hand_makes_an_om(artifact: Artifact, bin_folder: Path, compiler: str) -> None:
    tool = str(bin_folder / "atc") if compiler == "stand-in" else compiler
    heard: list[str] = []
    made = compile_files(artifact, Order(compiler=tool), heard.append)
    assert made.om is not None
    assert made.om.stat().st_size
    assert any(SUCCEEDED[0] in line for line in heard)


@pytest.mark.parametrize("compiler", COMPILERS)
def test_every_compiler_at_hand_names_an_input_that_is_not_there(
    artifact: Artifact, bin_folder: Path, compiler: str
) -> None:
    tool = str(bin_folder / "atc") if compiler == "stand-in" else compiler
    script = compile_files(artifact, Order(compiler=tool)).script
    script.write_text(script.read_text().replace("--input_shape=x:", "--input_shape=nothing:"))
    ran = subprocess.run(["/bin/bash", script, tool], capture_output=True, text=True, check=False)
    assert ran.returncode
    assert any(found.message.startswith("E10016") for found in diagnose(ran.stdout.splitlines(), {}))


@pytest.mark.parametrize("stem", ODD_NAMES)
@pytest.mark.parametrize("folder", ["out", 'it\'s a $folder\n"模型"'])
def test_no_file_name_breaks_the_script(tmp_path: Path, bin_folder: Path, stem: str, folder: str) -> None:
    made = compile_files(conversion(tmp_path / folder, stem), Order())
    assert made.om == tmp_path / folder / f"{stem}.om"
    assert made.om.stat().st_size


def test_the_script_is_run_by_hand_too(artifact: Artifact, bin_folder: Path, tmp_path: Path) -> None:
    compile_files(artifact, Order())
    (artifact.folder / "model.om").unlink()
    moved = artifact.folder.rename(tmp_path / "else where")
    ran = subprocess.run(["/bin/bash", moved / "compile.sh"], cwd="/", capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout
    assert (moved / "model.om").stat().st_size


def test_the_name_of_an_om_may_gain_the_hosts(
    artifact: Artifact, bin_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_SUFFIX", "_linux_x86_64")
    assert compile_files(artifact, Order()).om == artifact.folder / "model.om"


def test_omg_compiles_for_hilens(tmp_path: Path, bin_folder: Path) -> None:
    made = compile_files(conversion(tmp_path / "out", to="hilens"), Order())
    assert made.om is not None
    assert made.command[0] == "omg"
    assert not any("soc_version" in argument for argument in made.command)


def test_files_of_options_travel_beside_the_script(artifact: Artifact, bin_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "all off;.json").write_text("{}")
    options = CompileOptions(fusion_switch_file=str(tmp_path / "all off;.json"))
    made = compile_files(artifact, Order(options=options))
    assert "--fusion_switch_file=fusion_switch_file.json" in made.command
    assert (artifact.folder / "fusion_switch_file.json").read_text() == "{}"


def test_without_a_compiler_the_script_says_what_is_missing(artifact: Artifact, bare: Path) -> None:
    made = compile_files(artifact, Order())
    assert made.om is None
    (note,) = made.notes
    assert (note.code, note.severity) == ("K901", Severity.WARNING)
    assert f"looked at {bare}/Ascend/ascend-toolkit/latest/bin/atc" in note.details
    assert "CANN" in note.hint
    ran = subprocess.run(["/bin/bash", made.script], capture_output=True, text=True, check=False)
    assert ran.returncode == 69
    assert "no atc was found. Install the CANN toolkit" in ran.stdout


PLACES = [
    ("atc", "ASCEND_TOOLKIT_HOME=toolkit", "toolkit/bin/atc"),
    ("atc", "ASCEND_HOME_PATH=toolkit", "toolkit/bin/atc"),
    ("atc", "ASCEND_TOOLKIT_HOME=toolkit", "toolkit/compiler/bin/atc"),
    ("atc", "", "Ascend/ascend-toolkit/latest/compiler/bin/atc"),
    ("atc", "", "Ascend/ascend-toolkit/latest/bin/atc"),
    ("atc", "", "Ascend/ascend-toolkit/latest/atc/bin/atc"),
    ("omg", "DDK_HOME=ddk", "ddk/uihost/bin/omg"),
    ("omg", "DDK_PATH=ddk", "ddk/bin/x86_64-linux-gcc5.4/omg"),
]


@pytest.mark.parametrize(("tool", "variable", "place"), PLACES)
def test_each_documented_place_is_looked_at(
    tmp_path: Path, bare: Path, monkeypatch: pytest.MonkeyPatch, tool: str, variable: str, place: str
) -> None:
    install(bare / place)
    if variable:
        name, _, folder = variable.partition("=")
        monkeypatch.setenv(name, str(bare / folder))
    made = compile_files(conversion(tmp_path / "out", to="hilens" if tool == "omg" else "ascend310"), Order())
    assert made.om is not None
    assert made.compiler == str(bare / place)


def test_the_script_looks_where_each_generation_installs(artifact: Artifact, bare: Path) -> None:
    text = compile_files(artifact, Order()).script.read_text()
    for place in (
        "cann",
        "ascend-toolkit/latest/compiler",
        "ascend-toolkit/latest",
        "ascend-toolkit/latest/atc",
        "atc",
    ):
        assert f'look "/usr/local/Ascend/{place}/bin/atc"' in text


ENVIRONMENT = """#!/bin/bash
echo "OPP=${ASCEND_OPP_PATH:-}" "LD=${LD_LIBRARY_PATH:-}" "PY=${PYTHONPATH:-}"
exit 3
"""


def printing(path: Path) -> None:
    """Put a compiler at a path that prints its environment and fails."""
    path.parent.mkdir(parents=True)
    path.write_text(ENVIRONMENT)
    path.chmod(0o755)


def environment(artifact: Artifact) -> str:
    heard: list[str] = []
    with pytest.raises(CompileError):
        compile_files(artifact, Order(), heard.append)
    return heard[0]


def test_set_env_is_sourced_where_the_environment_is_not_set(
    artifact: Artifact, bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = bare / "Ascend/ascend-toolkit"
    printing(home / "latest/compiler/bin/atc")
    (home / "set_env.sh").write_text("export ASCEND_OPP_PATH=sourced$UNSET_VARIABLE\n")
    assert "OPP=sourced" in environment(artifact)
    monkeypatch.setenv("ASCEND_OPP_PATH", "mine")
    assert "OPP=mine" in environment(artifact)


def test_the_first_generations_variables_are_exported(artifact: Artifact, bare: Path) -> None:
    home = bare / "Ascend/ascend-toolkit/latest"
    printing(home / "atc/bin/atc")
    (home / "opp").mkdir()
    said = environment(artifact)
    assert f"OPP={home}/opp" in said
    assert f"LD={home}/atc/lib64" in said
    assert f"PY={home}/atc/python/site-packages" in said


def test_omg_gets_the_libraries_of_its_ddk(tmp_path: Path, bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    printing(bare / "ddk/uihost/bin/omg")
    monkeypatch.setenv("DDK_HOME", str(bare / "ddk"))
    assert f"LD={bare}/ddk/uihost/lib" in environment(conversion(tmp_path / "out", to="hilens"))


@pytest.mark.parametrize("path", ["bin/atc", "{home}/bin/atc"])
def test_a_named_compiler_is_taken(
    artifact: Artifact, bin_folder: Path, bare: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.chdir(bare)
    made = compile_files(artifact, Order(compiler=path.format(home=bare)))
    assert made.om is not None
    assert made.compiler == str(bin_folder / "atc")


def test_a_named_compiler_that_is_not_there_is_missing(artifact: Artifact, bin_folder: Path) -> None:
    made = compile_files(artifact, Order(compiler="/nowhere/atc"))
    assert made.om is None
    assert made.notes[0].details == ("looked at /nowhere/atc",)


def test_a_refusal_is_explained_at_the_users_line(
    artifact: Artifact, bare: Path, bin_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "EZ3003: [PID: 7] 2025-06-16-13:02:36.801.136 No supported Ops kernel and engine are found for [stem/conv], optype [Conv2D]."
    monkeypatch.setenv("STAND_IN_WISH", text)
    (artifact.folder / "model.om").write_bytes(b"old")
    with pytest.raises(CompileError) as failure:
        compile_files(artifact, Order())
    failed, said = failure.value.diagnostics
    assert failed.code == "K902"
    assert "exit code 255" in failed.message
    assert "is of an earlier run" in failed.details[0]
    assert said.message == "EZ3003: No supported Ops kernel and engine are found for [stem/conv], optype [Conv2D]."
    assert (said.layer, said.origin.line) == ("stem/conv", 12)
    assert (artifact.folder / "model.om").read_bytes() == b"old"
    assert text in (artifact.folder / "compile.log").read_text()
    assert left(bare) == []


def test_an_exit_code_of_0_without_an_om_is_a_failure(
    artifact: Artifact, bin_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_WISH", "no om")
    with pytest.raises(CompileError) as failure:
        compile_files(artifact, Order())
    assert failure.value.diagnostics[0].code == "K902"
    assert not (artifact.folder / "model.om").exists()


def ended(pid: int) -> bool:
    """Whether a process is gone, or waits only to be reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.fixture
def sleeper(bin_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the compiler sleep; return the file that then has its process id."""
    monkeypatch.setenv("STAND_IN_WISH", "sleep")
    monkeypatch.setenv("STAND_IN_PID", str(tmp_path / "pid"))
    return tmp_path / "pid"


def wait_for(file: Path) -> int:
    deadline = time.monotonic() + 60
    while not (file.exists() and file.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return int(file.read_text())


def test_the_time_limit_ends_the_compiler_and_what_it_left(artifact: Artifact, bare: Path, sleeper: Path) -> None:
    with pytest.raises(CompileError) as failure:
        compile_files(artifact, Order(seconds=2))
    assert failure.value.diagnostics[0].code == "K904"
    assert ended(int(sleeper.read_text()))
    assert left(bare) == []


def test_an_interruption_ends_the_compiler_and_what_it_left(artifact: Artifact, bare: Path, sleeper: Path) -> None:
    line = [sys.executable, "-m", "torch2om", "compile", str(artifact.folder)]
    with subprocess.Popen(line, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        pid = wait_for(sleeper)
        process.send_signal(2)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.endswith("torch2om: interrupted\n")
    assert ended(pid)
    assert left(bare) == []
    assert not any(name.startswith(".torch2om") for name in names(artifact.folder))


def test_lines_arrive_while_the_compiler_runs(artifact: Artifact, sleeper: Path) -> None:
    heard = threading.Event()
    pids: list[int] = []

    def listen(line: str) -> None:
        if line == "sleeping":
            heard.set()
            pids.append(wait_for(sleeper))
            os.kill(pids[0], 15)

    with pytest.raises(CompileError):
        compile_files(artifact, Order(seconds=60), listen)
    assert heard.is_set()


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (Order(target="caffe"), "K913"),
        (Order(target="opencv"), "K913"),
        (Order(soc="Ascend910B1"), "K913"),
        (Order(soc="Ascend310P3"), "K913"),
        (Order(options=CompileOptions(soc_version="Ascend310")), "K911"),
        (Order(options=CompileOptions(dynamic_batch_size="1")), "K912"),
    ],
)
def test_what_cannot_be_compiled_is_refused_and_nothing_is_written(
    artifact: Artifact, bin_folder: Path, order: Order, code: str
) -> None:
    with pytest.raises(UsageError) as refusal:
        compile_files(artifact, order)
    assert refusal.value.diagnostics[0].code == code
    assert not (artifact.folder / "compile.sh").exists()


def test_another_target_of_the_same_front_end_is_taken_if_it_accepts(artifact: Artifact, bin_folder: Path) -> None:
    made = compile_files(artifact, Order(target="ascend310p"))
    assert "--soc_version=Ascend310P3" in made.command


def test_files_that_the_target_refuses_are_not_compiled(tmp_path: Path, bin_folder: Path) -> None:
    text = (conversion(tmp_path / "a").prototxt).read_text()
    assert 'type: "ReLU"' in text
    artifact = conversion(tmp_path / "b", to="caffe")
    with pytest.raises(LegalityError):
        compile_files(replaced(artifact, 'type: "ReLU"', 'type: "Nonsense"'), Order(target="ascend310"))


def replaced(artifact: Artifact, old: str, new: str) -> Artifact:
    artifact.prototxt.write_text(artifact.prototxt.read_text().replace(old, new))
    return artifact


def test_an_output_that_is_an_input_has_no_layer_to_name(tmp_path: Path, bin_folder: Path) -> None:
    net = images()
    artifact = conversion(tmp_path / "out", to="caffe", net=replace(net, outputs=(*net.outputs, Output("x", "[2]"))))
    with pytest.raises(UsageError, match="no layer makes it"):
        compile_files(artifact, Order(target="ascend310"))


def test_the_conversions_aipp_file_is_compiled_in(artifact: Artifact, bin_folder: Path) -> None:
    (artifact.folder / "model.aipp.cfg").write_text("aipp_op { aipp_mode: static input_format: RGB888_U8 }")
    record = PictureRecord("x", "model.aipp.cfg", "rgb888", (1, 8, 8, 3), 192, NOTHING, NOTHING)
    pictured = replace(artifact, manifest=replace(artifact.manifest, pictures=(record,)))
    assert "--insert_op_conf=insert_op_conf.cfg" in compile_files(pictured, Order()).command


def test_gears_are_compiled_where_the_net_takes_them(artifact: Artifact, bin_folder: Path) -> None:
    made = compile_files(artifact, Order(options=CompileOptions(dynamic_batch_size="1,4")))
    assert "--input_shape=x:-1,3,8,8" in made.command
    assert "--dynamic_batch_size=1,4" in made.command
    made = compile_files(artifact, Order(options=CompileOptions(dynamic_image_size="8,8;16,24")))
    assert "--input_shape=x:1,3,-1,-1" in made.command


def test_a_gear_that_a_layer_does_not_take_is_named_with_the_layer(tmp_path: Path, bin_folder: Path) -> None:
    artifact = conversion(tmp_path / "out", net=vectors())
    options = CompileOptions(dynamic_dims="3,3;4,4", input_shape="a:2,-1;b:2,-1")
    with pytest.raises(UsageError) as refusal:
        compile_files(artifact, Order(options=options))
    (wrong,) = refusal.value.diagnostics
    assert (wrong.code, wrong.layer) == ("K912", "fc_a")
    assert "does not take 4,4" in wrong.message
