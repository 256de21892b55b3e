"""How the CLI's tests call it: in this process, with what it wrote and how it left."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import NET, Command, Ran

from torch2om.cli import main


@pytest.fixture
def torch2om(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Return a function that runs one command line in a pipe 80 columns wide."""
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments: str | Path) -> Ran:
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Ran(int(end.value.code or 0), out, err)

    return run


@pytest.fixture
def net(tmp_path: Path) -> Path:
    """Return a prototxt: 2x2 max pooling, then times two."""
    path = tmp_path / "tiny.prototxt"
    path.write_text(NET)
    return path
