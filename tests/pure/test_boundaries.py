"""Every limit of every target from both sides: what is just within it is accepted, what is just beyond is refused by it.

The nets are generated from the rows themselves: the ends of a Range and what lies next to them, what a OneOf lists and
what not, the ranks and counts of bottoms at both ends. A Formula has forms on both its sides in `formulas`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest
from boundaries import BASES, ELSEWHERE, OF_BOTTOMS, OF_RANK, OUTSIDE, Form
from detection_forms import DETECTION_SIDES
from formulas import SIDES, Sides

from torch2om.ir.net import Layer
from torch2om.ir.op import BadOp, Op
from torch2om.ir.weight import Weight
from torch2om.targets import TARGETS
from torch2om.targets.limits import After, Bottoms, Formula, Limit, OneOf, Range, Rank, Site, Target, Violation

# ascend310p and ascend310b have the table of ascend310 (test_targets).
READERS = [TARGETS[name] for name in ("caffe", "ascend310", "hilens", "opencv")]


@dataclass(frozen=True)
class Row:
    """A limit of a target; `kind` is None for a limit of every layer."""

    target: Target
    kind: type[Op] | None
    limit: Limit

    def __str__(self) -> str:
        return f"{self.target.name}-{self.kind.__name__ if self.kind else 'every'}-{self.limit.sentence[:40]}"


ROWS = [
    *(Row(target, None, limit) for target in READERS for limit in target.general),
    *(Row(target, kind, limit) for target in READERS for kind, limits in target.accepts.items() for limit in limits),
    *(Row(of.narrowed, kind, limit) for of in READERS for kind, limits in of.computed.items() for limit in limits),
]


def site_of(form: Form) -> Site:
    """Return the layer where it stands; raises `BadOp` if there is no such layer at all."""
    weights = tuple(Weight(shape, lambda _: np.zeros(1)) for shape in form.op.expected_weights(form.bottoms))
    bottoms = tuple(f"x{index}" for index in range(len(form.bottoms)))
    tops = form.op.infer(form.bottoms, [weight.shape for weight in weights])
    layer = Layer("layer", form.op, bottoms, tuple(f"y{index}" for index in range(len(tops))), weights)
    return Site.of(layer, form.bottoms, tuple(map(_maker(form, bottoms), form.makers)))


def _maker(form: Form, bottoms: tuple[str, ...]) -> Callable[[Op | None], Layer | None]:
    made = {
        op: Layer(f"maker{index}", op, (), tuple(b for b, by in zip(bottoms, form.makers, strict=True) if by is op))
        for index, op in enumerate(form.makers)
        if op is not None
    }
    return lambda op: None if op is None else made[op]


def violations(target: Target, form: Form) -> tuple[Violation, ...]:
    site = site_of(form)
    return target.violations(site.layer, form.bottoms, site.makers)


def is_broken(row: Row, form: Form) -> bool:
    """Whether the form breaks this limit and is refused, or there is no such layer at all."""
    try:
        return bool(row.limit.broken(site_of(form))) and bool(violations(row.target, form))
    except BadOp:
        return True


def with_value(kind: type[Op], name: str, value: object) -> Form:
    base = BASES[kind]
    return replace(base, op=replace(base.op, **{name: value}))


def within_and_beyond(low: int, high: int) -> Iterator[tuple[int, bool]]:
    yield from ((value, low <= value <= high) for value in sorted({low - 1, low, high, high + 1}))


def of_range(kind: type[Op], limit: Range) -> Iterator[tuple[object, bool]]:
    now = getattr(BASES[kind].op, limit.name)
    for value, fits in within_and_beyond(int(limit.low), int(limit.high)):
        yield ((value, *now[1:]) if isinstance(now, tuple) else value), fits


def of_choice(kind: type[Op], limit: OneOf) -> Iterator[tuple[object, bool]]:
    yield from ((value, True) for value in limit.values)
    if (kind, limit.name) not in ELSEWHERE:
        outside = not limit.values[0] if isinstance(limit.values[0], bool) else OUTSIDE[kind, limit.name]
        yield outside, False


def made(row: Row, value: object) -> Form:
    """Return the form of the row's layer whose field, rank or number of bottoms is the value."""
    assert row.kind is not None
    match row.limit:
        case Range(name=name) | OneOf(name=name):
            return with_value(row.kind, name, value)
        case Rank():
            return OF_RANK[row.kind](int(str(value)))
        case _:
            return OF_BOTTOMS[row.kind](int(str(value)))


def values(row: Row) -> Iterator[tuple[object, bool]]:
    """Yield the values at both sides of the limit, and whether they are within it."""
    assert row.kind is not None
    match row.limit:
        case Range():
            yield from of_range(row.kind, row.limit)
        case OneOf():
            yield from of_choice(row.kind, row.limit)
        case Rank(low=low, high=high) | Bottoms(low=low, high=high):
            yield from ((value, fits) for value, fits in within_and_beyond(low, high) if value >= 0)


SPOKEN = (Formula, After)
ALL_SIDES = {**SIDES, **DETECTION_SIDES}
GENERATED = [(row, value, fits) for row in ROWS if not isinstance(row.limit, SPOKEN) for value, fits in values(row)]
FORMULAS = [row for row in ROWS if isinstance(row.limit, SPOKEN)]


@pytest.mark.parametrize(("row", "value", "fits"), GENERATED, ids=str)
def test_a_limit_ends_where_its_row_says(row: Row, value: object, fits: bool) -> None:
    if fits:
        assert violations(row.target, made(row, value)) == ()
        return
    try:
        form = made(row, value)
    except BadOp:
        return  # no such layer exists
    assert is_broken(row, form)


def sides(row: Row) -> Sides:
    """Return the forms at both sides of a Formula."""
    name = row.kind.__name__ if row.kind else ""
    (found,) = [
        found for (kind, words), found in ALL_SIDES.items() if kind == name and row.limit.sentence.startswith(words)
    ]
    return found


@pytest.mark.parametrize("row", FORMULAS, ids=str)
def test_a_formula_holds_on_one_side_and_not_on_the_other(row: Row) -> None:
    found = sides(row)
    assert [form for form in found.obey if violations(row.target, form)] == []
    assert [form for form in found.broken if not is_broken(row, form)] == []


def test_every_limit_is_looked_at_from_both_sides() -> None:
    seen = {(id(row), fits) for row, _, fits in GENERATED}
    seen |= {(id(row), False) for row in ROWS if (row.kind, getattr(row.limit, "name", "")) in ELSEWHERE}
    seen |= {
        (id(row), bool(side))
        for row in FORMULAS
        for side, forms in enumerate((sides(row).broken, sides(row).obey))
        if forms
    }
    assert [str(row) for row in ROWS if not {(id(row), True), (id(row), False)} <= seen] == []


@pytest.mark.parametrize(("kind", "name"), ELSEWHERE, ids=str)
def test_a_field_that_needs_others_changed_is_refused_too(kind: type[Op], name: str) -> None:
    rows = [row for row in ROWS if row.kind is kind and isinstance(row.limit, OneOf) and row.limit.name == name]
    assert rows
    assert all(is_broken(row, ELSEWHERE[kind, name]) for row in rows)


def test_no_pair_stands_for_a_limit_that_is_gone() -> None:
    met = {id(sides(row)) for row in FORMULAS}
    assert [key for key, found in ALL_SIDES.items() if id(found) not in met] == []
