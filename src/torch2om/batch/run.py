"""The run: rows that still stand are kept, the others are made, and the table is written whatever happens."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import Protocol

from torch2om.batch.listing import Job, Listing
from torch2om.batch.order import Order
from torch2om.batch.row import Row
from torch2om.batch.state import State, is_current
from torch2om.batch.table import write_table
from torch2om.batch.workers import Workers
from torch2om.publication import reported, require_place


class Listener(Protocol):
    """Hears how a run goes on."""

    def kept(self, row: Row) -> None:
        """A row stands from an earlier run."""

    def begun(self, name: str) -> None:
        """A model's process begins."""

    def ended(self, row: Row) -> None:
        """A row is made."""


@dataclass(frozen=True)
class Result:
    """The rows that there are, in the order of the list."""

    listing: Listing
    rows: tuple[Row, ...]

    @property
    def equal(self) -> bool:
        """Whether every model has its files for every target, proved equal."""
        return all(row.equal for row in self.rows)


def run(listing: Listing, workers: Workers, listener: Listener, *, again: bool = False) -> Result:
    """Make every row of the list that does not stand yet (`again`: every row), and write the table.

    A run that is interrupted keeps what is finished. Raises `EmitError` where nothing can be written.
    """
    out = listing.folder / listing.out
    require_place(out)
    state = State(out)
    rows = {} if again else _standing(listing, state)
    for row in rows.values():
        listener.kept(row)
    missing = [order_of(listing, job) for job in listing.jobs if job.name not in rows]
    try:
        with closing(workers.rows(missing, listener.begun)) as made:
            for row in made:
                state.add(row)
                rows[row.job.name] = row
                listener.ended(row)
    finally:
        found = tuple(rows[job.name] for job in listing.jobs if job.name in rows)
        if found:
            with reported(out):
                write_table(found, out)
    return Result(listing, found)


def _standing(listing: Listing, state: State) -> dict[str, Row]:
    known = state.rows()
    pairs = ((job, known[job.name]) for job in listing.jobs if job.name in known)
    return {job.name: row for job, row in pairs if is_current(row, job, listing.limits)}


def order_of(listing: Listing, job: Job) -> Order:
    """Return a job with its surroundings."""
    return Order(job, str(listing.folder), str(listing.out), listing.limits, listing.processes, listing.keep_files)
