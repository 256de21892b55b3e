"""The small nets that rules show themselves on: one layer, or a few built by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from torch2om.ir.blob import Blob
from torch2om.ir.builder import Builder, Names
from torch2om.ir.net import Input, Layer, Net, Output
from torch2om.ir.op import Array, Op, Shape
from torch2om.ir.weight import constant
from torch2om.layers import LinearMap
from torch2om.origin import Origin

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """One layer on bottoms of these shapes.

    `weights` are arrays, or the shapes of random ones. The bottoms' numbers are random plus `offset`, and rounded to
    whole ones if `whole`. A layer without bottoms stands in a net with an idle input, if it is not `alone`.
    """

    op: Op
    shapes: tuple[Shape, ...]
    weights: tuple[Shape | Numbers, ...] = field(default=(), hash=False)
    offset: float = 0.0
    whole: bool = False
    alone: bool = False

    def __str__(self) -> str:
        fields = "-".join(str(value) for value in vars(self.op).values())
        return f"{type(self.op).__name__}({fields}){list(map(list, self.shapes))}".replace(" ", "")

    def net(self) -> Net:
        """Return the net of this one layer, from x (x0, x1, ...) to y (y0, y1, ...)."""
        random = np.random.default_rng(7)
        arrays = [w if isinstance(w, np.ndarray) else random.standard_normal(w) for w in self.weights]
        weights = tuple(map(constant, arrays))
        inputs = tuple(map(Input, _numbered("x", len(self.shapes)), self.shapes))
        tops = _numbered("y", len(self.op.infer(self.shapes, [weight.shape for weight in weights])))
        layer = Layer(tops[0], self.op, tuple(source.name for source in inputs), tops, weights, _ORIGIN)
        idle = () if inputs or self.alone else (Input("x", (2, 3, 4, 5)),)
        return Net("net", (*inputs, *idle), (layer,), tuple(Output(top, name=top) for top in tops), {tops[0]: "y"})

    def feed(self) -> Mapping[str, Array]:
        """Return values for the net's inputs."""
        values = {name: array + self.offset for name, array in random_inputs(self.net()).items()}
        return {name: np.rint(x) if self.whole else x for name, x in values.items()}


@dataclass(frozen=True)
class Chain:
    """A few layers that `build` makes of a blob x of this shape; the last one is the rule's."""

    shape: Shape
    build: Callable[[Builder, Blob], Blob]

    def net(self) -> Net:
        """Return the net from x to y."""
        builder = Builder(Names(("x",)), _ORIGIN)
        top = self.build(builder, Blob("x", self.shape)).name
        outputs = (Output(top, name="y"),)
        return Net("net", (Input("x", self.shape),), tuple(builder.layers), outputs, {top: "y"})

    def feed(self) -> Mapping[str, Array]:
        """Return values for the net's input."""
        return random_inputs(self.net())


@dataclass(frozen=True)
class Entry:
    """A rule's page: a net that it applies to, and one that it refuses; or a sentence why there is no such net.

    `others` are nets on which it applies in other ways.
    """

    applies: Case | Chain | str
    refuses: Case | Chain | str
    others: tuple[Case | Chain, ...] = ()


ALWAYS = "its equation holds for every layer of the type"


def random_inputs(net: Net) -> Mapping[str, Array]:
    """Return seeded values for the net's inputs."""
    random = np.random.default_rng(3)
    return {source.name: 1.5 * random.standard_normal(source.shape) for source in net.inputs}


def chain(shape: Shape, *ops: Op) -> Chain:
    """Return ops one after another, each with the weights that it expects, positive random ones."""

    def build(b: Builder, x: Blob) -> Blob:
        random = np.random.default_rng(7)
        for op in ops:
            weights = (constant(random.uniform(0.5, 1.5, expected)) for expected in op.expected_weights([x.shape]))
            x = b.add(op, x, weights=tuple(weights))
        return x

    return Chain(shape, build)


def line(op: LinearMap, length: int, matrix: Numbers) -> Case:
    """Return a map along dim 1 of so many elements."""
    return Case(op, ((2, length, 3),), (matrix,))


def picking(index: list[int], length: int) -> npt.NDArray[Any]:  # Any: numpy's eye has the width of its default
    """Return the matrix that picks these of `length` elements."""
    return np.eye(length)[index]


_ORIGIN = Origin(call="y", module="y", leaf=True)


def _numbered(name: str, count: int) -> tuple[str, ...]:
    return (name,) if count == 1 else tuple(f"{name}{index}" for index in range(count))
