"""The judge of written nets sees what it is there for, on the smallest net that shows it, and lets the rest pass."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from quality import weaknesses

from torch2om.ir.blob import Blob
from torch2om.ir.builder import Builder, Names
from torch2om.ir.net import Input, Net, Output
from torch2om.ir.weight import Weight, constant
from torch2om.layers import (
    BatchedMatMul,
    Bias,
    Concat,
    Convolution,
    Eltwise,
    EltwiseOperation,
    Im2col,
    Parameter,
    Permute,
    Power,
    ReLU,
    Reshape,
    Scale,
    ShuffleChannel,
    Slice,
    Tile,
)
from torch2om.origin import Origin

IMAGE = (1, 4, 6, 6)
BEHIND, BEFORE = (0, 2, 3, 1), (0, 3, 1, 2)
Sketch = Callable[[Builder, Blob], Blob]


def net(build: Sketch) -> Net:
    b = Builder(Names(("x",)), Origin(call="y"))
    top = build(b, Blob("x", IMAGE))
    return Net("net", (Input("x", IMAGE),), tuple(b.layers), (Output(top.name),))


def chain(*ops: Permute | Reshape | Power | ReLU | ShuffleChannel | Im2col) -> Sketch:
    def build(b: Builder, x: Blob) -> Blob:
        for op in ops:
            x = b.add(op, x)
        return x

    return build


def scaled(b: Builder, x: Blob, *sizes: int) -> Blob:
    for size in sizes:
        x = b.add(Scale(4 - size, size), x, weights=(constant(np.ones(IMAGE[4 - size :])),))
    return x


def twice(b: Builder, x: Blob) -> Blob:
    return b.add(Eltwise(), b.add(ReLU(), x), b.add(ReLU(), x))


def rejoined(b: Builder, x: Blob, *order: int) -> Blob:
    pieces = b.add_all(Slice(1, (1,)), x)
    return b.add(Concat(1), *(pieces[place] for place in order))


def summed(b: Builder, x: Blob, inner: Eltwise) -> Blob:
    return b.add(Eltwise(), b.add(inner, x, b.add(ReLU(), x)), x)


def joined(b: Builder, x: Blob, axis: int) -> Blob:
    """Return [x, x] along the axis beside what has its dims."""
    return b.add(Concat(1), b.add(Tile(axis, 2), x), b.add(Concat(axis), x, b.add(ReLU(), x)))


def multiplied(b: Builder, x: Blob, depth: int) -> Blob:
    """Return 2 * (y @ relu(y)^T) of x as a matrix of so many columns."""
    rows = b.add(Reshape((144 // depth, depth)), x)
    return b.add(Power(scale=2.0), b.add(BatchedMatMul(adj_x2=True), rows, b.add(ReLU(), rows)))


def of_a_constant(b: Builder, x: Blob) -> Blob:
    fixed = b.add(Parameter(IMAGE), weights=(constant(np.ones(IMAGE)),))
    return b.add(Eltwise(), x, b.add(ReLU(), fixed))


def moved_as_columns(*back: int) -> Sketch:
    """Channels to the back by an Im2col, as targets without a Permute have it, and on as `back` says."""
    to_back = (Reshape((1, 1, 144, 1)), Im2col((36, 1), (36, 1)))
    return chain(*to_back, Reshape((1, 1, 144, 1)), Im2col(back, back))


WEAK: dict[str, tuple[Sketch, str]] = {
    "two reshapes": (chain(Reshape((4, 36)), Reshape((36, 4))), "could be one Reshape"),
    "two permutes": (chain(Permute(BEHIND), Permute(BEHIND)), "could be one Permute"),
    "two lines": (chain(Power(scale=2.0), Power(power=2.0)), "could be one Power"),
    "two scales": (lambda b, x: scaled(b, x, 2, 2), "could be one Scale"),
    "two rectifiers": (chain(ReLU(), ReLU()), "could be one ReLU"),
    "a way and back": (chain(Permute(BEHIND), ReLU(), Permute(BEFORE)), "moves back"),
    "a way and back under other dims": (chain(Permute(BEHIND), Reshape((1, 36, 4)), Permute((0, 2, 1))), "moves back"),
    "a shuffle and back": (chain(ShuffleChannel(2), ReLU(), ShuffleChannel(2)), "moves back"),
    "columns and back": (moved_as_columns(4, 1), "moves back"),
    "equal layers": (twice, "computes what"),
    "parts put together again": (lambda b, x: rejoined(b, x, 0, 1), "puts together what"),
    "a concat of one": (lambda b, x: b.add(Concat(1), x), "joins one blob"),
    "a sum of a sum": (lambda b, x: summed(b, x, Eltwise()), "could be one Eltwise"),
    "a concat of a concat": (lambda b, x: joined(b, x, 1), "could be one Concat"),
    "a factor of many products": (lambda b, x: multiplied(b, x, 2), "not what it is made of"),
    "a constant that is computed": (of_a_constant, "the same for every input"),
}
SOUND: dict[str, Sketch] = {
    "a line behind a square": chain(Power(power=2.0), Power(scale=2.0)),
    "scales of other dims": lambda b, x: scaled(b, x, 2, 1),
    "a sum of a product": lambda b, x: summed(b, x, Eltwise(EltwiseOperation.PROD)),
    "a concat along another axis": lambda b, x: joined(b, x, 2),
    "a factor of few products": lambda b, x: multiplied(b, x, 72),
    "two permutes that lead on": chain(Permute(BEHIND), ReLU(), Permute(BEHIND)),
    "columns that lead on": moved_as_columns(36, 1),
    "parts in another order": lambda b, x: rejoined(b, x, 1, 0),
    "a bias and a scale": lambda b, x: scaled(b, b.add(Bias(), x, weights=(constant(np.ones(4)),)), 1),
    "a convolution between a way and back": lambda b, x: b.add(
        Permute(BEFORE), b.add(Convolution(6, (1, 1), bias_term=False), b.add(Permute(BEHIND), x), weights=_filters())
    ),
}


def _filters() -> tuple[Weight, ...]:
    return (constant(np.ones((6, 6, 1, 1))),)


@pytest.mark.parametrize("name", WEAK)
def test_what_could_be_struck_out_is_named(name: str) -> None:
    build, text = WEAK[name]
    (found,) = weaknesses(net(build))
    assert text in found


@pytest.mark.parametrize("name", SOUND)
def test_a_net_that_does_nothing_twice_has_no_weakness(name: str) -> None:
    assert list(weaknesses(net(SOUND[name]))) == []


def test_what_other_readers_need_is_no_weakness() -> None:
    b = Builder(Names(("x",)), Origin(call="y", via=("match_ranks",)))
    top = b.add(Reshape((1, 144)), b.add(Reshape((144,)), Blob("x", IMAGE)))
    assert not list(weaknesses(Net("net", (Input("x", IMAGE),), tuple(b.layers), (Output(top.name),))))
