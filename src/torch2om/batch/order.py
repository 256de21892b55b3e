"""What a process is told and what it tells: an order, and the report of how far it came; JSON files in its folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from torch2om.analysis import Size
from torch2om.batch.listing import Job, Limits
from torch2om.batch.row import Outcome, SourceFile
from torch2om.records import json_text, typed

ORDER, REPORT = "order.json", "report.json"


@dataclass(frozen=True)
class Order:
    """A job with its surroundings: the folder it is found from, the output folder, its limits, how many run at once."""

    job: Job
    folder: str
    out: str
    limits: Limits
    processes: int
    keep_files: bool

    @property
    def place(self) -> Path:
        """The folder of this model's files."""
        return Path(self.folder, self.out, self.job.name)


@dataclass(frozen=True)
class Report:
    """How far a process came: the stage that it is in, for which target (empty: before all), and what it found."""

    doing: str = "the start of Python"
    target: str = ""
    stages: Mapping[str, float] = field(default_factory=dict)
    size: Size | None = None
    sources: tuple[SourceFile, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    peak: int = 0


def write_order(order: Order, room: Path) -> None:
    """Write an order into a process's folder."""
    (room / ORDER).write_text(json_text(order), encoding="utf-8")


def read_order(room: Path) -> Order:
    """Return the order in a process's folder."""
    order: Order = typed(Order, json.loads((room / ORDER).read_text(encoding="utf-8")))
    return order


def write_report(report: Report, room: Path) -> None:
    """Put a report in the place of the one before; whoever reads meanwhile reads either."""
    draft = room / f"{REPORT}.new"
    draft.write_text(json_text(report), encoding="utf-8")
    draft.replace(room / REPORT)


def read_report(room: Path) -> Report:
    """Return the last report; that of a process which told nothing says that it had not begun."""
    path = room / REPORT
    report: Report = typed(Report, json.loads(path.read_text(encoding="utf-8"))) if path.exists() else Report()
    return report
