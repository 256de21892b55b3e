"""The constants of an om, found by the layers that they belong to and by how many numbers they hold."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice

import numpy as np

from torch2om.om.reader import OmModel
from torch2om.om.weights import Weight

_MOST_TRIES = 32  # constants of one size that a weight without a name is compared with
_GEAR = re.compile(r"_ascend_mbatch_batch_\d+$")  # what ATC adds to the names of each gear's own graph


class Constants:
    """The constants of real numbers in all models of an om; each can be claimed once."""

    def __init__(self, models: Sequence[OmModel]) -> None:
        self._by_layer: defaultdict[str, list[tuple[Weight, ...]]] = defaultdict(list)
        self._by_count: defaultdict[int, list[Weight]] = defaultdict(list)
        self._claimed: set[str] = set()
        for index, model in enumerate(models):
            self._add(model, f"model {index + 1}: " if index else "")

    def _add(self, model: OmModel, prefix: str) -> None:
        found = {each.name: replace(each, name=f"{prefix}{each.name}") for each in model.weights}
        for op in model.definition.all_ops():
            read = tuple(found[name] for source in op.inputs if (name := source.rpartition(":")[0]) in found)
            for layer in dict.fromkeys((_GEAR.sub("", op.name), *op.original_names)) if read else ():
                self._by_layer[layer].append(read)
        for weight in found.values():
            if weight.dtype.startswith(("float", "bfloat")):
                self._by_count[count(weight)].append(weight)

    def of_layer(self, name: str) -> Iterator[Weight]:
        """Yield the unclaimed constants that a layer's operator reads."""
        return (weight for weight in self._read_for(name) if weight.name not in self._claimed)

    def has_own(self, name: str, host: str) -> bool:
        """Whether a layer has an operator with constants that is not the one of its host."""
        of_host = {weight.name for weight in self._read_for(host)}
        return any(weight.name not in of_host for weight in self._read_for(name))

    def _read_for(self, layer: str) -> Iterator[Weight]:
        return chain.from_iterable(self._by_layer.get(layer, ()))

    def of_count(self, number: int) -> Iterator[Weight]:
        """Yield some unclaimed constants of so many numbers."""
        unclaimed = (weight for weight in self._by_count.get(number, ()) if weight.name not in self._claimed)
        return islice(unclaimed, _MOST_TRIES)

    def claim(self, name: str) -> None:
        """Note that a constant was identified."""
        self._claimed.add(name)

    def unclaimed(self) -> tuple[str, ...]:
        """Return the constants that were not identified; each gear's copy of one that was is none."""
        return tuple(name for same in self._by_count.values() for name in self._unclaimed(same))

    def _unclaimed(self, same: Sequence[Weight]) -> Iterator[str]:
        known = [weight for weight in same if weight.name in self._claimed]
        for weight in same:
            if weight.name not in self._claimed and not any(_is_copy(weight, each) for each in known[:_MOST_TRIES]):
                yield weight.name


def count(weight: Weight) -> int:
    """Return how many numbers a constant's shape has room for."""
    return int(np.prod(weight.shape, dtype=object))


def _is_copy(one: Weight, other: Weight) -> bool:
    return (one.layout, one.dtype) == (other.layout, other.dtype) and np.array_equal(
        np.frombuffer(one.data, np.uint8), np.frombuffer(other.data, np.uint8)
    )
