"""What these tests share: a small conversion, and a machine whose only compilers are stand-ins."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from toolchain.convertible import conversion
from torch2om.emission import Artifact

STAND_IN = Path(__file__).with_name("stand_in.py")
REMOTE_STAND_IN = Path(__file__).with_name("stand_in_remote.py")
VARIABLES = ("ASCEND_TOOLKIT_HOME", "ASCEND_HOME_PATH", "ASCEND_OPP_PATH", "DDK_HOME", "DDK_PATH")


def install(path: Path, program: Path = STAND_IN) -> Path:
    """Put a stand-in at a path, under the name of the program that it stands for."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!{sys.executable}\n{program.read_text(encoding='utf-8')}", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the home folder of a machine on which no compiler is found; temporary files go to `tmp` below it."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    home = tmp_path / "home"
    (home / "tmp").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("TMPDIR", str(home / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", str(home / "tmp"))
    return home


@pytest.fixture
def bin_folder(bare: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the first folder of PATH, which holds both stand-ins."""
    folder = bare / "bin"
    for tool in ("atc", "omg"):
        install(folder / tool)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


@pytest.fixture
def artifact(tmp_path: Path) -> Artifact:
    """Return the files of a small conversion."""
    return conversion(tmp_path / "out")
