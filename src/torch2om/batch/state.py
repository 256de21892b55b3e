"""Finished rows on disk, a line each as they come: what a run that is begun again need not do again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from torch2om.batch.listing import Job, Limits
from torch2om.batch.row import BOUNDED, Row, SourceFile
from torch2om.manifest import file_record
from torch2om.records import json_line, typed
from torch2om.version import __version__

ROWS = "rows.jsonl"
LOST = "B955"


class State:
    """The rows that an output folder knows of."""

    def __init__(self, out: Path) -> None:
        self._path = out / ROWS
        self._out = out

    def rows(self) -> dict[str, Row]:
        """Return name -> its last row; a line that another version wrote, or that was cut off, is none."""
        if not self._path.is_file():
            return {}
        found = (_row(line) for line in self._path.read_text(encoding="utf-8").splitlines())
        return {row.job.name: row for row in found if row is not None}

    def add(self, row: Row) -> None:
        """Write a row behind the others, whole before anything else happens."""
        self._out.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(json_line(row) + "\n")


def is_current(row: Row, job: Job, limits: Limits) -> bool:
    """Whether a run would come to the same: the entry, the version and the user's files are what they were.

    Limits matter to a row that came to one of them; a worker that was lost says nothing of the model.
    """
    if any(found.code == LOST for outcome in row.outcomes for found in outcome.findings):
        return False
    bounded = any(outcome.verdict in BOUNDED for outcome in row.outcomes)
    same = row.job == job and row.version == __version__ and (not bounded or row.limits == limits)
    return same and all(map(_stands, row.sources))


def _stands(source: SourceFile) -> bool:
    path = Path(source.path)
    return path.is_file() and file_record(path).digest == source.digest


def _row(line: str) -> Row | None:
    try:
        value: Any = json.loads(line)
        row: Row = typed(Row, value)
    except (ValueError, TypeError):
        return None
    return row
