"""python -m benchmarks.zoo --families --torchvision --jobs 2 --out out/zoo

Converts a selection of the zoo, each model in a process of its own, and prints a line for each. The rows are kept in
the folder: the same command goes on where it was interrupted. `python -m benchmarks.zoo.page out/zoo docs/coverage.md`
writes the page.

What is selected runs in this order: `--names`, `--torchvision` (all of them), `--families` (the smallest model of each
of timm's families), `--under N` (every timm model of fewer parameters), each with the smallest first. `--retry` runs
what is missing or was not equal, whatever the folder holds: after a change of torch2om that is not a new version.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.zoo.entries import job_of, named, smallest, timm_entries, timm_parameters, torchvision_entries
from benchmarks.zoo.entry import Entry
from benchmarks.zoo.record import Record, write_record

from torch2om.batch import Here, Limits, Listing, Row, run
from torch2om.batch.reading import bytes_of
from torch2om.batch.state import State

REPOSITORY = Path(__file__).parents[2]


class Lines:
    """Prints a line for each model as it ends."""

    def __init__(self, models: int) -> None:
        self._models = models
        self._ended = 0
        self._begin = time.monotonic()

    def kept(self, _row: Row, /) -> None:
        self._ended += 1

    def begun(self, name: str) -> None:
        """Nothing is printed: a line tells of an end."""

    def ended(self, row: Row) -> None:
        self._ended += 1
        said = ", ".join(
            " ".join([outcome.target, outcome.verdict, *dict.fromkeys(found.code for found in outcome.findings)])
            for outcome in row.outcomes
        )
        minutes = (time.monotonic() - self._begin) / 60
        memory = f"{row.peak / 2**30:.1f} GiB"
        print(
            f"{self._ended}/{self._models} {minutes:.1f} min  {row.job.name}: {said}  ({row.seconds:.0f} s, {memory})",
            flush=True,
        )


def main(words: Sequence[str] | None = None) -> int:
    given = _arguments(words)
    entries = _selected(given)
    targets = tuple(given.targets.split(","))
    listing = Listing(
        REPOSITORY,
        given.out.resolve(),
        tuple(job_of(entry, targets) for entry in entries),
        Limits(given.seconds, bytes_of(given.memory)),
        given.jobs,
        keep_files=False,
    )
    write_record(Record.now(entries, _command(given)), given.out)
    if given.retry:
        listing = _unequal(listing)
    result = run(listing, Here(given.jobs), Lines(len(listing.jobs)), again=given.again or given.retry)
    return 0 if result.equal else 1


def _unequal(listing: Listing) -> Listing:
    """Return the list without the models that have an equal row."""
    rows = State(listing.out).rows()
    jobs = tuple(job for job in listing.jobs if job.name not in rows or not rows[job.name].equal)
    return replace(listing, jobs=jobs)


def _command(given: argparse.Namespace) -> str:
    """Return what was said of the models, without the places of this machine and what does not change a row."""
    said = vars(given)
    kinds = " ".join(f"--{kind}" for kind in ("torchvision", "families") if said[kind])
    names = f"--names {' '.join(given.names)}" if given.names else ""
    under = f"--under {given.under:g}" if given.under else ""
    limits = f"--targets {given.targets} --jobs {given.jobs} --seconds {given.seconds:g} --memory '{given.memory}'"
    return " ".join(part for part in (names, kinds, under, limits) if part)


def _selected(given: argparse.Namespace) -> tuple[Entry, ...]:
    found = list(named(given.names)) if given.names else []
    if given.torchvision:
        found += torchvision_entries()
    if given.families or given.under:
        every = timm_entries()
        counts = timm_parameters([entry.name for entry in every], given.out / "parameters.json", given.jobs)
        if given.families:
            found += smallest(every, counts)
        small = [entry for entry in every if counts[entry.name] < given.under]
        found += sorted(small, key=lambda entry: counts[entry.name])
    return tuple(dict.fromkeys(found))


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.zoo")
    parser.add_argument("--families", action="store_true", help="the smallest model of each family of timm's")
    parser.add_argument("--torchvision", action="store_true", help="every model of torchvision's")
    parser.add_argument("--names", nargs="+", default=[], help="these models, of timm and torchvision")
    parser.add_argument("--under", type=float, default=0, help="every timm model of fewer parameters")
    parser.add_argument("--targets", default="caffe,ascend310")
    parser.add_argument("--jobs", type=int, default=1, help="how many models at once")
    parser.add_argument("--seconds", type=float, default=1200, help="for one model, all targets together")
    parser.add_argument("--memory", default="10 GiB", help="of one model's process")
    parser.add_argument("--again", action="store_true", help="also run what is finished and has not changed")
    parser.add_argument("--retry", action="store_true", help="run what is missing or was not equal")
    parser.add_argument("--out", type=Path, default=Path("out/zoo"))
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())
