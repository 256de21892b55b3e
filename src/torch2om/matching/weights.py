"""Finds each weight of the files among the constants of an om, and says how equal it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from torch2om.ir.op import Array
from torch2om.ir.weight import SMALL, Weight
from torch2om.matching.arrangements import Comparison, Values, compare
from torch2om.matching.constants import Constants, count
from torch2om.matching.wanted import FOLDED, Variant, Wanted
from torch2om.om.layouts import Packed
from torch2om.om.weights import Weight as Stored


class State(StrEnum):
    """What was found of a weight."""

    EQUAL = "equal"
    DIFFERS = "differs"
    UNIDENTIFIED = "not identified"


@dataclass(frozen=True, slots=True)
class WeightMatch:
    """A weight of the files: its layer and place there, what was found, where in the om, and how it stands there.

    `host` is the layer in which a compiler put it: its state is then that of the host's weights.
    """

    layer: str
    kind: str
    index: int
    state: State
    constant: str = ""
    how: str = ""
    comparison: Comparison | None = None
    host: str = ""


def match_weights(wanted: Sequence[Wanted], constants: Constants) -> tuple[WeightMatch, ...]:
    """Return a match for each weight of the files, in the net's order."""
    folded: dict[str, State] = {}
    found: list[WeightMatch] = []
    for each in wanted:
        if each.host in folded and (
            folded[each.host] is State.EQUAL or not constants.has_own(each.layer.name, each.host)
        ):
            found.extend(_absorbed(each, folded[each.host]))
            continue
        variant, matches = _best(each, constants)
        if variant.title == FOLDED:
            folded[each.layer.name] = max((match.state for match in matches), key=list(State).index)
        for match in matches:
            if match.state is State.EQUAL:
                constants.claim(match.constant)
        found.extend(matches)
    return tuple(found)


def _absorbed(each: Wanted, state: State) -> Iterator[WeightMatch]:
    """Yield the weights of a layer that stands within another one: with that one's they were compared."""
    for index in range(len(each.layer.weights)):
        yield WeightMatch(each.layer.name, _kind(each), index, state, how=f"folded into {each.host}", host=each.host)


def _kind(each: Wanted) -> str:
    return each.layer.op.caffe_type or type(each.layer.op).__name__


def _best(each: Wanted, constants: Constants) -> tuple[Variant, tuple[WeightMatch, ...]]:
    """Return the variant of which most weights are equal; the first of equals."""
    tried = []
    for variant in each.variants:
        matches = _matches(each, variant, constants)
        tried.append((variant, matches))
        if all(match.state is State.EQUAL for match in matches):
            break
    return max(tried, key=lambda item: sum(match.state is State.EQUAL for match in item[1]))


def _matches(each: Wanted, variant: Variant, constants: Constants) -> tuple[WeightMatch, ...]:
    taken: set[str] = set()
    found = []
    for index, weight in enumerate(variant.weights):
        blank = WeightMatch(each.layer.name, _kind(each), index, State.UNIDENTIFIED, how=variant.title)
        match = _find(blank, variant, weight, constants, taken)
        taken.add(match.constant)
        found.append(match)
    return tuple(found)


def _find(blank: WeightMatch, variant: Variant, weight: Weight, constants: Constants, taken: set[str]) -> WeightMatch:
    """Return the match with an equal constant; without one, the nearest constant of the layer's own operator."""
    expected = weight.array(np.float64 if weight.size <= SMALL else np.float32)
    named = [each for each in constants.of_layer(blank.layer) if each.name not in taken]
    nearest = blank
    for stored in named:
        match = _compared(blank, variant, expected, stored)
        if match.state is State.EQUAL:
            return match
        nearest = min(nearest, match, key=_distance)
    if nearest.state is State.UNIDENTIFIED:
        for stored in constants.of_count(expected.size):
            match = _compared(blank, variant, expected, stored) if stored.name not in taken else blank
            if match.state is State.EQUAL:
                return replace(match, how=f"{match.how}, found by its numbers")
    return nearest


def _distance(match: WeightMatch) -> float:
    return float("inf") if match.comparison is None else match.comparison.excess


def _compared(blank: WeightMatch, variant: Variant, expected: Array, stored: Stored) -> WeightMatch:
    if count(stored) != expected.size:
        return blank
    try:
        values: Values = stored.filters()
    except Packed:
        return blank
    if values.dtype.kind != "f":
        return blank
    comparison = compare(values, variant, blank.index, expected)
    if comparison is None:
        return blank
    state = State.EQUAL if comparison.equal else State.DIFFERS
    how = ", ".join(filter(None, (blank.how, comparison.how)))
    return replace(blank, state=state, constant=stored.name, how=how, comparison=comparison)
