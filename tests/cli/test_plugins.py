"""Lowerings of a user's own package, by argument and by entry point: the example of the documentation."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import torch
from command import Command

from torch2om.errors import UsageError
from torch2om.lowering import plugins
from torch2om.lowering.plugins import GROUP, installed_lowerings, lowerings_of

EXAMPLE = Path(__file__).parents[2] / "examples" / "own_operator"
CONVERT = ["convert", "photo_ops:Edges", "--input", "image=1x3x8x8", "--target", "caffe"]


def point(value: str) -> EntryPoint:
    return EntryPoint("mine", value, GROUP)


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return the path of a module `own_table` that tests may write."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own_table", raising=False)
    return tmp_path / "own_table.py"


def install(folder: Path) -> None:
    """Write what pip would write for the example: its metadata beside it on the import path."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    info = folder / f"photo_ops-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    entries = "".join(f"{name} = {value}\n" for name, value in project["entry-points"][GROUP].items())
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n{entries}")


def test_an_installed_package_brings_its_operator(
    torch2om: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path)
    monkeypatch.syspath_prepend(EXAMPLE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    ran = torch2om(*CONVERT)
    assert ran.code == 0, ran.err
    assert "photo_ops:Edges for caffe: equal to PyTorch" in ran.out
    found = {finding["what"]: finding["found"] for finding in torch2om("doctor", "--json").json["findings"]}
    assert found["lowerings of photo-ops"] == "1 operators"


def test_without_the_entry_point_the_operator_is_refused_by_name(
    torch2om: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(EXAMPLE)
    monkeypatch.chdir(tmp_path)
    ran = torch2om(*CONVERT)
    assert ran.code == 1
    assert "L301" in ran.err
    assert "photo.gray.default" in ran.err


def test_the_example_runs_by_argument(tmp_path: Path) -> None:
    line = [sys.executable, "convert.py", str(tmp_path / "out")]
    ran = subprocess.run(line, cwd=EXAMPLE, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "out" / "model.caffemodel").is_file()


@pytest.mark.parametrize(
    ("text", "value", "said"),
    [
        ("LOWERINGS = {}", "missing_module:LOWERINGS", "No module named 'missing_module'"),
        ("LOWERINGS = {}", "own_table:TABLE", "has no attribute 'TABLE'"),
        ("LOWERINGS = [1]", "own_table:LOWERINGS", "is a list, not a mapping"),
        ("LOWERINGS = {'relu': print}", "own_table:LOWERINGS", "'relu' is not an operator overload"),
        (
            "import torch\nLOWERINGS = {torch.ops.aten.relu.default: lambda b, x: x}",
            "own_table:LOWERINGS",
            "takes ['x'], the schema says ['self']",
        ),
        ("raise OSError('gone')", "own_table:LOWERINGS", "OSError: gone"),
    ],
)
def test_a_broken_package_is_named(table: Path, text: str, value: str, said: str) -> None:
    table.write_text(text)
    with pytest.raises(UsageError) as refusal:
        lowerings_of(point(value))
    (diagnostic,) = refusal.value.diagnostics
    assert diagnostic.code == "U142"
    assert f"the lowerings of package mine ({value})" in diagnostic.message
    assert said in diagnostic.message


def test_two_packages_for_one_operator_are_refused(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table.write_text("import torch\nLOWERINGS = {torch.ops.aten.relu.default: lambda b, self: self}\n")
    points = (EntryPoint("one", "own_table:LOWERINGS", GROUP), EntryPoint("two", "own_table:LOWERINGS", GROUP))
    monkeypatch.setattr(plugins, "entry_points", lambda **_: points)
    with pytest.raises(UsageError, match=r"aten\.relu\.default has a lowering in one as well"):
        installed_lowerings()


def test_a_packages_lowering_is_found(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table.write_text("import torch\nLOWERINGS = {torch.ops.aten.relu.default: lambda b, self: self}\n")
    monkeypatch.setattr(plugins, "entry_points", lambda **_: (point("own_table:LOWERINGS"),))
    assert list(installed_lowerings()) == [torch.ops.aten.relu.default]


def test_a_broken_package_is_shown_by_doctor(torch2om: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch2om.doctor.entry_points", lambda **_: (point("missing_module:LOWERINGS"),))
    monkeypatch.setattr("torch2om.doctor.requires", lambda _: [])
    ran = torch2om("doctor")
    assert ran.code == 0
    assert "missing_module" in ran.out
