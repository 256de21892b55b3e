"""The run: seeds to verdicts, a bundle of nets at a time."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from multiprocessing import get_context

from benchmarks.sweep.branch import draw
from benchmarks.sweep.bundle import lowered
from benchmarks.sweep.verdict import Verdict, Verdicts

from torch2om.targets import TARGETS

BUNDLE = 100
CLOSELY = 10  # of every tenth net the written files are checked, and loaded by OpenCV itself


@dataclass(frozen=True)
class Plan:
    """Which nets, at which targets, so many together in one program."""

    seeds: range
    targets: tuple[str, ...] = tuple(TARGETS)
    together: int = BUNDLE


def swept(plan: Plan, jobs: int = 1) -> Iterator[Sequence[Verdict]]:
    """Yield the verdicts bundle by bundle, computed by so many processes."""
    bundles = [plan.seeds[at : at + plan.together] for at in range(0, len(plan.seeds), plan.together)]
    work = partial(verdicts, targets=plan.targets)
    if jobs == 1:
        yield from map(work, bundles)
        return
    with get_context("spawn").Pool(jobs, maxtasksperchild=20) as pool:
        yield from pool.imap(work, bundles)


def verdicts(seeds: Iterable[int], targets: Collection[str]) -> list[Verdict]:
    """Return the verdicts on the nets of these numbers, captured as one program."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's, on parameters that are drawn
        results = list(lowered([draw(seed) for seed in seeds]))
    judges = [Verdicts(result, closely=result.branch.seed % CLOSELY == 0) for result in results]
    return [judge.at(TARGETS[name]) for judge in judges for name in targets]


def alone(seeds: Iterable[int], targets: Collection[str]) -> list[Verdict]:
    """Return the verdicts on the nets of these numbers, each captured as a program of its own."""
    return list(chain.from_iterable(verdicts((seed,), targets) for seed in seeds))
