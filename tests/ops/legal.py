"""One-layer nets and what rules make of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from torch2om.executor import execute
from torch2om.ir.blob import Blob
from torch2om.ir.builder import Names
from torch2om.ir.net import Input, Layer, Net, Output
from torch2om.ir.op import Array, Op, Shape
from torch2om.ir.weight import constant
from torch2om.legalization.rules import Rule, RuleBuilder, rules

Numbers = npt.NDArray[np.float64]
SEED = Input("seed", (2, 3, 4, 5))


@dataclass(frozen=True)
class Row:
    """An op on bottoms of these shapes: random numbers plus `offset`, rounded to whole ones if `whole`."""

    op: Op
    shapes: tuple[Shape, ...]
    weights: tuple[Shape | Numbers, ...] = field(default=(), hash=False)
    offset: float = 0.0
    whole: bool = False

    def __str__(self) -> str:
        fields = "-".join(str(value) for value in vars(self.op).values())
        return f"{type(self.op).__name__}({fields}){list(map(list, self.shapes))}".replace(" ", "")

    def net(self) -> Net:
        """Return the net of this one layer."""
        random = np.random.default_rng(7)
        arrays = [w if isinstance(w, np.ndarray) else random.standard_normal(w) for w in self.weights]
        weights = tuple(map(constant, arrays))
        inputs = tuple(Input(f"x{index}", shape) for index, shape in enumerate(self.shapes))
        tops = self.op.infer(self.shapes, [weight.shape for weight in weights])
        names = tuple(f"y{index}" for index in range(len(tops)))
        layer = Layer("layer", self.op, tuple(source.name for source in inputs), names, weights)
        return Net("net", inputs or (SEED,), (layer,), tuple(map(Output, names)))

    def feed(self) -> Mapping[str, Array]:
        """Return values for the net's inputs."""
        random = np.random.default_rng(3)
        values = {s.name: 1.5 * random.standard_normal(s.shape) + self.offset for s in self.net().inputs}
        return {name: np.rint(x) if self.whole else x for name, x in values.items()}


def rule_named(name: str, op: type[Op]) -> Rule:
    return next(rule for rule in rules()[op] if rule.name == name)


def applied(rule: Rule, row: Row) -> Net:
    """Return the net that the rule makes of the row's layer, whatever layers it is of."""
    net = row.net()
    (layer,) = net.layers
    names = Names((*net.shapes, layer.name))
    seed = Blob(net.inputs[0].name, net.inputs[0].shape)
    builder = RuleBuilder(names, layer, rule.name, seed, (True,) * len(layer.tops))
    result = rule.function(builder, layer.op, *(Blob(name, net.shapes[name]) for name in layer.bottoms))
    results = result if isinstance(result, tuple) else (result,)
    return Net("net", net.inputs, tuple(builder.layers), tuple(Output(blob.name) for blob in results))


def assert_computes_the_same(found: Net, row: Row, bound: float = 0.0) -> None:
    """Assert that the outputs equal the row's, within 1e-9 (or the bound) of the largest value."""
    feed, net = row.feed(), row.net()
    wanted, got = execute(net, feed), execute(found, feed)
    for output, place in zip(net.outputs, found.outputs, strict=True):
        expected, value = wanted[output.blob], got[place.blob]
        assert value.shape == expected.shape
        scale = np.abs(expected[np.isfinite(expected)]).max(initial=0.0)
        np.testing.assert_allclose(value, expected, rtol=0, atol=max(1e-9, bound) * scale)


def backwards(length: int) -> Numbers:
    return np.eye(length)[::-1].copy()


def picking(index: list[int], length: int) -> Numbers:
    return np.eye(length)[index]
