"""The verb batch: a list of models, and one table of what became of them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from torch2om.cli import figures
from torch2om.cli.answer import Answer
from torch2om.cli.options import AsJson
from torch2om.cli.progress import LiveScreen
from torch2om.cli.status import Status
from torch2om.cli.tables import table

if TYPE_CHECKING:
    from torch2om.batch.row import Outcome, Row
    from torch2om.batch.run import Result
    from torch2om.batch.workers import Workers

STYLES = {"equal": "bold green", "refused": "bold yellow"}  # whatever else is, is wrong


def batch(
    listing: Annotated[
        Path, typer.Argument(metavar="LIST.toml", help="The models; docs/batch.md.", show_default=False)
    ],
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", "-j", metavar="N", min=1, help="How many models at once, instead of the list's number."),
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Also run what is finished and has not changed.")] = False,
    cluster: Annotated[
        str,
        typer.Option("--cluster", metavar="tcp://HOST:8786", help="Run on the workers of this Dask scheduler."),
    ] = "",
    as_json: AsJson = False,
) -> Answer:
    """Convert a list of models, each for its targets, and write one table of the results.

    Each model runs in a process of its own, within the list's limits. What is finished and has not changed is not run
    again. Writes table.json and table.md beside the models' folders; exit code 0 if everything is converted and equal.
    """
    from torch2om.batch.reading import read_list
    from torch2om.batch.run import run

    read = read_list(listing, jobs)
    with Progress(len(read.jobs)) as progress:
        result = run(read, _workers(cluster, read.processes), progress, again=again)
    return _answer(result)


def _workers(cluster: str, processes: int) -> Workers:
    if cluster:
        from torch2om.batch.cluster import Cluster

        return Cluster(cluster)
    from torch2om.batch.workers import Here

    return Here(processes)


class Progress(LiveScreen):
    """One line per model on stderr as it ends; on a terminal also what runs."""

    def __init__(self, models: int) -> None:
        super().__init__()
        self._models = models
        self._ended = 0
        self._running: dict[str, None] = {}

    def kept(self, row: Row) -> None:
        """Show a row that stands from an earlier run."""
        self._line(row, "as before")

    def begun(self, name: str) -> None:
        """Show that a model's process begins."""
        self._running[name] = None
        self._show_running()

    def ended(self, row: Row) -> None:
        """Show what became of a model."""
        self._running.pop(row.job.name, None)
        self._line(row, figures.seconds(row.seconds))
        self._show_running()

    def _line(self, row: Row, when: str) -> None:
        self._ended += 1
        done = ", ".join(f"{outcome.target} {_said(outcome)}" for outcome in row.outcomes)
        self._screen.show(Text(f"{self._ended}/{self._models}  {row.job.name}: {done}  ({when})"))

    def _show_running(self) -> None:
        self.running(name=", ".join(self._running) or "done")


def _said(outcome: Outcome) -> str:
    """Return the verdict with the codes of what stands against it."""
    codes = dict.fromkeys(found.code for found in outcome.findings if found.severity == "error")
    return " ".join([str(outcome.verdict), *codes])


def _answer(result: Result) -> Answer:
    from torch2om.batch.table import payload

    counts = Counter(outcome.verdict for row in result.rows for outcome in row.outcomes)
    out = result.listing.folder / result.listing.out
    total = ", ".join(f"{number} {verdict}" for verdict, number in counts.most_common())
    shown = Group(
        Text.assemble((figures.counted(len(result.rows), "model"), "bold"), f": {total}"),
        Text(),
        _table(result),
        Text(f"{out / 'table.json'}\n{out / 'table.md'}"),
    )
    return Answer(payload(result.rows), shown, Status.OK if result.equal else Status.REFUSED)


def _table(result: Result) -> RenderableType:
    from torch2om.batch.table import ratio, reason

    numbers = ("layers", "MACs", "ratio", "float64", "float32")
    shown = table("model", "target", "verdict", *numbers, "reason", numbers=numbers)
    for row in result.rows:
        for outcome in row.outcomes:
            share, net = ratio(row, outcome), outcome.net
            worst = [outcome.errors[kind].worst if kind in outcome.errors else None for kind in ("meaning", "files")]
            shown.add_row(
                row.job.name,
                outcome.target,
                Text(str(outcome.verdict), STYLES.get(outcome.verdict, "bold red")),
                "" if net is None else str(net.layers),
                "" if net is None else figures.count(net.macs),
                "" if share is None else f"{share:.3f}",
                *("" if error is None else figures.error(error) for error in worst),
                reason(outcome),
            )
    return shown
