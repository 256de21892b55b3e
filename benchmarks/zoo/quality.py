"""python -m benchmarks.zoo.quality --out out/quality: what a reader of the written nets would strike out.

For each model of the zoo (torchvision's, and the smallest of each of timm's families; or those of `--names`) and each
target: the layers of the legal net, and those that a net of the same meaning does not need, as the tests' judge names
them. Nothing is written or verified. The rows are kept in the folder: the same command goes on where it was
interrupted, and prints the table.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path

from benchmarks.zoo import torchvision_models
from benchmarks.zoo.entries import job_of, named, smallest, timm_entries, timm_parameters, torchvision_entries
from benchmarks.zoo.entry import Entry

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "models"))
from quality import weaknesses

from torch2om.acceptance import assured
from torch2om.errors import Torch2omError
from torch2om.ir.net import Net
from torch2om.passes import simplify
from torch2om.pipeline import Timer, prepared
from torch2om.pytorch_models import PyTorchModel
from torch2om.targets import target

KINDS = ("classification", "segmentation", "detection")  # of torchvision's: the others are refused
NAMED = re.compile(r"'[^']*'")


@dataclass(frozen=True)
class Row:
    """What was found in a model's net for a target: how many layers it has, and the sentences; or why it is refused."""

    model: str
    target: str
    layers: int
    weaknesses: tuple[str, ...] = ()
    refusal: str = ""


def judged(entry: Entry, targets: Sequence[str]) -> tuple[Row, ...]:
    """Return a row for each target; the model enters once."""
    job = job_of(entry, tuple(targets))
    model = getattr(import_module(f"benchmarks.zoo.{entry.library}_models"), entry.name)()
    try:
        entered = PyTorchModel(model, [source.shape for source in job.inputs]).enter(_untimed())
    except Torch2omError as error:
        return tuple(Row(entry.title, name, 0, refusal=_codes(error)) for name in targets)
    net = simplify(entered.net)
    return tuple(_row(entry.title, net, name) for name in targets)


def _untimed() -> Timer:
    return Timer([], lambda _: None, lambda _: None)


def _row(title: str, net: Net, name: str) -> Row:
    chosen = target(name)
    try:
        legal = prepared(net, chosen)
        assured(legal, chosen)
    except Torch2omError as error:
        return Row(title, name, 0, refusal=_codes(error))
    return Row(title, name, len(legal.layers), tuple(weaknesses(legal)))


def _codes(error: Torch2omError) -> str:
    return " ".join(dict.fromkeys(found.code for found in error.diagnostics))


def table(rows: Iterable[Row]) -> Iterator[str]:
    """Yield the lines of a table in Markdown: every model and target, the kinds of what was found, and how many."""
    yield "| model | target | layers | could be struck out |"
    yield "| --- | --- | ---: | --- |"
    for row in rows:
        yield f"| {row.model} | `{row.target}` | {row.layers or ''} | {_found(row)} |"


def _found(row: Row) -> str:
    """Return what a row tells, the sentences of one kind together."""
    if row.refusal:
        return f"refused {row.refusal}"
    kinds = Counter(NAMED.sub("...", each) for each in row.weaknesses)
    return "; ".join(f"{count} times: {kind}" for kind, count in kinds.most_common()) or "nothing"


def _kept(place: Path) -> list[Row]:
    if not place.exists():
        return []
    records = map(json.loads, place.read_text(encoding="utf-8").splitlines())
    return [Row(**{**record, "weaknesses": tuple(record["weaknesses"])}) for record in records]


def _selected(given: argparse.Namespace) -> tuple[Entry, ...]:
    if given.names:
        return named(given.names)
    every = timm_entries()
    counts = timm_parameters([entry.name for entry in every], given.out / "parameters.json", 1)
    families = [entry for entry in smallest(every, counts) if counts[entry.name] <= given.most]
    others = [entry for entry in torchvision_entries() if entry.family in KINDS]
    return (*families, *(entry for entry in others if torchvision_models.parameters_of(entry.name) <= given.most))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.zoo.quality")
    parser.add_argument("--names", nargs="+", default=[], help="these models, of timm and torchvision")
    parser.add_argument("--targets", default="caffe,ascend310")
    parser.add_argument("--most", type=float, default=120e6, help="parameters of a model")
    parser.add_argument("--out", type=Path, default=Path("out/quality"))
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    place = given.out / "rows.jsonl"
    known = {row.model for row in _kept(place)}
    entries = [entry for entry in _selected(given) if entry.title not in known]
    # A process for each model: torch gives back what an export took only when its process ends.
    with get_context("fork").Pool(1, maxtasksperchild=1) as pool, place.open("a", encoding="utf-8") as file:
        for rows in pool.imap(partial(judged, targets=given.targets.split(",")), entries):
            file.writelines(json.dumps(asdict(row)) + "\n" for row in rows)
            file.flush()
    print("\n".join(table(_kept(place))))


if __name__ == "__main__":
    main()
