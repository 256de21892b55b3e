"""The zoo's entries: which models there are, what they are fed, how large they are."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType

from benchmarks.zoo import torchvision_models
from benchmarks.zoo.entry import TIMM, TORCHVISION, Entry

from torch2om.batch import Input, Job
from torch2om.ir.op import Shape

CHUNK = 20  # models that a process counts before it says so


def job_of(entry: Entry, targets: tuple[str, ...], samples: int = 1) -> Job:
    """Return an entry as a list has it."""
    inputs = tuple(Input("", dims) for dims in _fed(entry))
    return Job(entry.title, f"benchmarks.zoo.{entry.library}_models:{entry.name}", "", inputs, targets, samples)


def _fed(entry: Entry) -> Iterator[Shape]:
    if entry.library == TIMM:
        yield (1, *_timm().size_of(entry.name))
        return
    batch = torchvision_models.batch_of(entry.name)
    yield from ((batch, *size) for size in torchvision_models.sizes_of(entry.name))


def _timm() -> ModuleType:
    """Return timm's models: timm is an extra of its own, and torchvision's do without."""
    return import_module("benchmarks.zoo.timm_models")


def torchvision_entries() -> tuple[Entry, ...]:
    """Return every model of torchvision's, the smallest first."""
    kinds = sorted(torchvision_models.kinds().items(), key=lambda item: torchvision_models.parameters_of(item[0]))
    return tuple(Entry(TORCHVISION, kind, name) for name, kind in kinds)


def timm_entries() -> tuple[Entry, ...]:
    """Return every model of timm's."""
    return tuple(Entry(TIMM, family, name) for family, names in _timm().families().items() for name in names)


def named(names: Collection[str]) -> tuple[Entry, ...]:
    """Return the entries of these names, with or without the library's (a bare name is of both)."""
    every = (*timm_entries(), *torchvision_entries())
    found = tuple(entry for entry in every if not {entry.title, entry.name}.isdisjoint(names))
    unknown = set(names) - {entry.title for entry in found} - {entry.name for entry in found}
    if unknown:
        raise SystemExit(f"neither timm nor torchvision has {', '.join(sorted(unknown))}")
    return found


def smallest(entries: Iterable[Entry], parameters: dict[str, int]) -> tuple[Entry, ...]:
    """Return the smallest entry of each family."""
    found: dict[str, Entry] = {}
    for entry in sorted(entries, key=lambda entry: (parameters[entry.name], entry.name)):
        found.setdefault(entry.family, entry)
    return tuple(found.values())


def timm_parameters(names: Collection[str], place: Path, jobs: int) -> dict[str, int]:
    """Return name -> number of parameters, counted without memory for them; what is known is kept in a file."""
    known: dict[str, int] = json.loads(place.read_text(encoding="utf-8")) if place.exists() else {}
    for counts in _counted(sorted(set(names) - known.keys()), jobs):
        known.update(counts)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(known, indent=1), encoding="utf-8")
        print(f"{len(known)} of {len(names)} timm models counted", flush=True)
    return known


def _counted(names: list[str], jobs: int) -> Iterator[dict[str, int]]:
    chunks = [names[at : at + CHUNK] for at in range(0, len(names), CHUNK)]
    if chunks:
        with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
            yield from pool.map(_timm().parameters_of, chunks)
