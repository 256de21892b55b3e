"""The fewest steps that bring dims into another order: each cuts them into runs, and lets these follow otherwise."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from functools import cache
from itertools import count
from typing import NamedTuple, Protocol

Dims = tuple[int, ...]


class Cut(NamedTuple):
    """A step: where the items are cut into parts, and in which order the parts follow then."""

    edges: Dims
    order: Dims

    def parts(self, items: tuple[Dims, ...]) -> tuple[tuple[Dims, ...], ...]:
        """Return the items, cut."""
        return tuple(items[start:stop] for start, stop in zip((0, *self.edges), (*self.edges, None), strict=True))

    def apply(self, items: tuple[Dims, ...]) -> tuple[Dims, ...]:
        """Return the items as they follow after the step."""
        parts = self.parts(items)
        return tuple(item for place in self.order for item in parts[place])


class Kind(Hashable, Protocol):
    """What a step may be."""

    @property
    def joins(self) -> int:
        """How many items a step can at most put behind those that they shall follow."""

    def cuts(self, items: int) -> Iterable[Cut]:
        """Yield every step of so many items, the preferred ones first."""


def fewest(wanted: Dims, kind: Kind) -> Iterator[tuple[Cut, tuple[Dims, ...]]]:
    """Yield the fewest steps from ascending dims to `wanted`, each with the runs of dims that it cuts.

    What follows as wanted stays together.
    """
    place = {dim: index for index, dim in enumerate(wanted)}
    runs = _joined(tuple((dim,) for dim in sorted(wanted)), place)
    order = _ranks(tuple(place[run[0]] for run in runs))
    for cut in next(path for most in count() if (path := _path(order, most, kind)) is not None):
        yield cut, runs
        runs = _joined(cut.apply(runs), place)


def _joined(runs: tuple[Dims, ...], place: Mapping[int, int]) -> tuple[Dims, ...]:
    """Return the runs, those made one that follow each other as wanted."""
    found: list[Dims] = []
    for run in runs:
        if found and place[run[0]] == place[found[-1][-1]] + 1:
            found[-1] = (*found[-1], *run)
        else:
            found.append(run)
    return tuple(found)


@cache
def _path(order: Dims, most: int, kind: Kind) -> tuple[Cut, ...] | None:
    """Return so many steps at most that sort 0, 1, ... in this order, in which no number follows the one before it."""
    if len(order) <= 1:
        return ()
    if len(order) > 1 + kind.joins * most:
        return None
    for places, cut in _steps(len(order), kind).items():
        path = _path(_ranks(tuple(order[place] for place in places)), most - 1, kind)
        if path is not None:
            return (cut, *path)
    return None


def _ranks(order: Dims) -> Dims:
    """Return the numbers as 0, 1, ..., those made one that follow each other."""
    starts = [item for item, before in zip(order, (None, *order), strict=False) if before is None or item != before + 1]
    ranked = {item: rank for rank, item in enumerate(sorted(starts))}
    return tuple(ranked[item] for item in starts)


@cache
def _steps(items: int, kind: Kind) -> Mapping[Dims, Cut]:
    """Return the places of so many items after each step -> the first step that leads to them."""
    unmoved = tuple((item,) for item in range(items))
    found: dict[Dims, Cut] = {}
    for cut in kind.cuts(items):
        places = tuple(item for (item,) in cut.apply(unmoved))
        if places != tuple(range(items)):
            found.setdefault(places, cut)
    return found
