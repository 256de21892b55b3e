"""The verb batch: every model of a list is a row, whatever becomes of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from command import NET, Command

from torch2om.batch.listing import Limits
from torch2om.batch.row import Row
from torch2om.batch.state import State, is_current

MODELS = """
import os
import torch
from torch import nn

def good():
    return nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(100, 3))

class Random(nn.Module):
    def forward(self, x):
        return x + torch.rand_like(x)

def large():
    held = []
    while True:
        held.append(torch.ones(1 << 24))

def leaves():
    print("last words", flush=True)
    os._exit(7)
"""
LIST = """
targets = ["caffe", "ascend310"]
jobs = 2
limits = {memory = "1 GiB"}
[[model]]
model = "nets.py:good"
inputs = [[1, 2, 5, 5]]
[[model]]
model = "nets:Random"
inputs = "x=1x2"
[[model]]
model = "nets:large"
[[model]]
model = "nets:leaves"
[[model]]
model = "tiny.prototxt"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a list and its models."""
    folder = tmp_path_factory.mktemp("batch")
    (folder / "nets.py").write_text(MODELS)
    (folder / "tiny.prototxt").write_text(NET)
    (folder / "list.toml").write_text(LIST)
    return folder


@pytest.fixture(scope="module")
def table(folder: Path) -> dict[str, Any]:
    """Return the models of the table that a run of the whole list writes."""
    command = [sys.executable, "-m", "torch2om", "batch", str(folder / "list.toml"), "--json"]
    ran = subprocess.run(command, check=False, capture_output=True, text=True)
    assert ran.returncode == 1, ran.stderr
    assert json.loads(ran.stdout) == json.loads((folder / "out/table.json").read_text())
    assert sorted(line.split()[1] for line in ran.stderr.splitlines()) == [
        "Random:", "good:", "large:", "leaves:", "tiny:",
    ]  # fmt: skip
    return {row["name"]: row for row in json.loads(ran.stdout)["models"]}


def verdicts(row: dict[str, Any]) -> list[str]:
    return [target["verdict"] for target in row["targets"]]


def test_a_model_is_captured_once_and_converted_for_each_target(folder: Path, table: dict[str, Any]) -> None:
    row = table["good"]
    assert verdicts(row) == ["equal", "equal"]
    assert list(row["stages"]) == ["load", "capture", "canonicalize", "lower", "count"]
    for target in row["targets"]:
        assert list(target["stages"]) == ["simplify", "legalize", "check", "emit", "verify"]
        written = folder / "out/good" / target["target"]
        assert sorted(path.name for path in written.iterdir()) == [
            "good.caffemodel", "good.prototxt", "manifest.json",
        ]  # fmt: skip


def test_a_row_has_the_models_size_and_the_nets(table: dict[str, Any]) -> None:
    row = table["good"]
    assert row["parameters"] == 2 * 4 * 9 + 4 + 300 + 3
    assert row["macs"] == 25 * 4 * 18 + 300
    assert all(target["macs"] == row["macs"] and target["ratio"] == 1.0 for target in row["targets"])
    assert sum(row["targets"][0]["macs_by_type"].values()) == row["macs"]
    assert 0 < row["targets"][0]["errors"]["files"]["worst"] < 1e-5
    assert row["peak_bytes"] > 2**20


def test_a_refusal_has_its_codes_and_the_users_line(folder: Path, table: dict[str, Any]) -> None:
    assert verdicts(table["Random"]) == ["refused", "refused"]
    (finding,) = table["Random"]["targets"][0]["findings"]
    line = 1 + MODELS.splitlines().index("        return x + torch.rand_like(x)")
    assert (finding["code"], finding["file"], finding["line"]) == ("L302", str(folder / "nets.py"), line)


def test_a_model_that_takes_too_much_memory_is_ended(table: dict[str, Any]) -> None:
    assert verdicts(table["large"]) == ["out of memory", "out of memory"]
    assert "it had more than 1 GiB of memory, in load" in table["large"]["targets"][0]["findings"][0]["message"]


def test_a_process_that_dies_is_a_row_with_its_last_words(table: dict[str, Any]) -> None:
    assert verdicts(table["leaves"]) == ["died", "died"]
    (finding,) = table["leaves"]["targets"][0]["findings"]
    assert finding["message"] == "its process ended by exit code 7, in load"
    assert finding["details"] == ["last words"]


def test_caffe_files_stand_in_a_list_too(table: dict[str, Any]) -> None:
    assert verdicts(table["tiny"]) == ["equal", "equal"]
    assert table["tiny"]["macs"] == 0


def test_the_table_is_written_for_people_too(folder: Path, table: dict[str, Any]) -> None:
    lines = (folder / "out/table.md").read_text().splitlines()
    assert len([line for line in lines if line.startswith("| ")]) == 2 + 2 * len(table)
    assert any("| Random | caffe | refused |" in line and "L302 a deployed net" in line for line in lines)


def test_only_what_changed_is_run_again(torch2om: Command, tmp_path: Path) -> None:
    (tmp_path / "tiny.prototxt").write_text(NET)
    (tmp_path / "other.prototxt").write_text(NET)
    (tmp_path / "list.toml").write_text(
        'targets = "caffe"\n[[model]]\nmodel = "tiny.prototxt"\n[[model]]\nmodel = "other.prototxt"'
    )
    first = torch2om("batch", tmp_path / "list.toml")
    assert (first.code, first.err.count("as before")) == (0, 0)
    assert "2 models: 2 equal" in first.out
    assert torch2om("batch", tmp_path / "list.toml").err.count("as before") == 2
    (tmp_path / "tiny.prototxt").write_text(NET.replace("scale: 2", "scale: 3"))
    third = torch2om("batch", tmp_path / "list.toml")
    assert "other: caffe equal  (as before)" in third.err
    assert third.err.count("as before") == 1
    assert torch2om("batch", tmp_path / "list.toml", "--again").err.count("as before") == 0


def test_a_model_that_takes_too_long_is_ended_and_another_limit_runs_it_again(
    torch2om: Command, tmp_path: Path
) -> None:
    (tmp_path / "slow.py").write_text("import time\ntime.sleep(600)\n")
    text = 'keep_files = false\nlimits = {{seconds = {}}}\n[[model]]\nmodel = "slow.py:net"'
    (tmp_path / "list.toml").write_text(text.format(0.5))
    ran = torch2om("batch", tmp_path / "list.toml", "--json")
    assert ran.code == 1
    assert verdicts(ran.json["models"][0]) == ["out of time"]
    assert "0.5 seconds had passed, in " in ran.json["models"][0]["targets"][0]["findings"][0]["message"]
    assert "as before" in torch2om("batch", tmp_path / "list.toml").err
    (tmp_path / "list.toml").write_text(text.format(0.6))
    assert "as before" not in torch2om("batch", tmp_path / "list.toml").err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["rows.jsonl", "table.json", "table.md"]


def test_an_interrupted_run_keeps_what_is_finished_and_ends_what_runs(tmp_path: Path) -> None:
    (tmp_path / "tiny.prototxt").write_text(NET)
    (tmp_path / "slow.py").write_text(
        "import os, pathlib, time\npathlib.Path('pid').write_text(str(os.getpid()))\ntime.sleep(600)\n"
    )
    (tmp_path / "list.toml").write_text('[[model]]\nmodel = "tiny.prototxt"\n[[model]]\nmodel = "slow.py:net"')
    with subprocess.Popen(
        [sys.executable, "-m", "torch2om", "batch", str(tmp_path / "list.toml")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as run:
        until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text() != "")
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=30)
    assert (run.returncode, out) == (130, "")
    assert err.endswith("torch2om: interrupted\n")
    found = json.loads((tmp_path / "out/table.json").read_text())["models"]
    assert [(row["name"], verdicts(row)) for row in found] == [("tiny", ["equal"])]
    until(lambda: not alive(int((tmp_path / "pid").read_text())))


def until(holds: Any, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_list_that_is_wrong_runs_nothing(torch2om: Command, tmp_path: Path) -> None:
    (tmp_path / "list.toml").write_text('outs = 3\n[[model]]\nmodel = "gone.py:net"')
    ran = torch2om("batch", tmp_path / "list.toml")
    assert ran.code == 2
    assert "U152" in ran.err
    assert "U133" in ran.err
    assert [path.name for path in tmp_path.iterdir()] == ["list.toml"]


def test_a_line_that_was_cut_off_is_no_row(folder: Path, table: dict[str, Any], tmp_path: Path) -> None:
    text = (folder / "out/rows.jsonl").read_text()
    (tmp_path / "rows.jsonl").write_text(text + text[:200])
    rows = State(tmp_path).rows()
    assert rows.keys() == table.keys()
    good = rows["good"]
    assert isinstance(good, Row)
    assert [path.path for path in good.sources] == [str(folder / "nets.py")]
    assert is_current(good, good.job, Limits(seconds=5.0))
    assert not is_current(good, replace(good.job, samples=3), good.limits)
    assert not is_current(replace(good, version="0"), good.job, good.limits)
