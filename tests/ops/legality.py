"""One layer made legal for a target, and compared with what the layer itself computes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from torch2om.errors import LegalityError
from torch2om.executor import execute
from torch2om.ir.net import Input, Layer, Net, Output
from torch2om.ir.op import Array, Op, Shape
from torch2om.ir.validator import validate
from torch2om.ir.weight import constant
from torch2om.legalization import legalize
from torch2om.targets import TARGETS, check
from torch2om.targets.limits import Limit, Target

ALL = ("caffe", "ascend310", "hilens", "opencv")  # ascend310p and ascend310b have the rows of ascend310
MEANING, FILES = 1e-9, 1e-5


def net_of(op: Op, shapes: Sequence[Shape], weights: Sequence[Array] = (), read: Sequence[int] | None = None) -> Net:
    """Return the net of one layer, its bottoms x0, x1, ...; outputs are its tops, or those named in `read`."""
    bottoms = tuple(f"x{index}" for index in range(len(shapes)))
    count = len(op.infer(shapes, [weight.shape for weight in weights]))
    tops = tuple(f"y{index}" for index in range(count))
    layer = Layer("layer", op, bottoms, tops, tuple(map(constant, weights)))
    inputs = tuple(Input(name, tuple(shape)) for name, shape in zip(bottoms, shapes, strict=True))
    wanted = tops if read is None else tuple(tops[index] for index in read)
    return validate(Net("net", inputs, (layer,), tuple(map(Output, wanted))))


def legal(net: Net, target: str | Target) -> Net:
    """Return the net legal for the target, as the target's own check sees it."""
    known = TARGETS[target] if isinstance(target, str) else target
    return check(validate(legalize(net, known)), known)


def assert_same(net: Net, target: str | Target, arrays: Sequence[Array], bound: float = MEANING) -> Net:
    """Assert that the legal net computes the layer: within `bound` in float64, within 1e-5 in float32."""
    made = legal(net, target)
    feeds = {source.name: array for source, array in zip(net.inputs, arrays, strict=True)}
    expected = execute(net, feeds)
    narrow = {name: array.astype(np.float32) for name, array in feeds.items()}
    reference = execute(net, {name: array.astype(np.float64) for name, array in narrow.items()})
    for before, after in zip(net.outputs, made.outputs, strict=True):
        wide, short = execute(made, feeds)[after.blob], execute(made, narrow, np.float32)[after.blob]
        assert error(wide, expected[before.blob]) <= bound
        assert error(short, reference[before.blob]) <= max(FILES, bound)
    return made


def error(value: Array, expected: Array) -> float:
    """Return max|value - expected| / max|expected|; elements that are equal, infinities too, do not differ."""
    assert value.size == expected.size
    found, wanted = value.astype(np.float64).ravel(), expected.astype(np.float64).ravel()
    differ = ~((found == wanted) | (np.isnan(found) & np.isnan(wanted)))
    if not differ.any():
        return 0.0
    scale = np.abs(wanted[np.isfinite(wanted)]).max(initial=0.0) or 1.0
    return float(np.abs(found - wanted)[differ].max() / scale)


def applied(net: Net) -> set[str]:
    """Return the names of the rules that made the net's layers."""
    return {rule for layer in net.layers for rule in layer.origin.via}


def kinds(net: Net) -> list[str]:
    """Return the types of the net's layers, in order."""
    return [type(layer.op).__name__ for layer in net.layers]


def without(target: str, *ops: type[Op], limited: Mapping[type[Op], tuple[Limit, ...]] | None = None) -> Target:
    """Return the target without these layer types, and with other limits for some."""
    known = TARGETS[target]
    accepts = {op: limits for op, limits in known.accepts.items() if op not in ops} | dict(limited or {})
    return Target(known.name, known.title, known.dialect, accepts, known.source, known.general, known.shapes)


def refusal(net: Net, target: str | Target) -> str:
    """Return the text with which the target refuses the net."""
    with pytest.raises(LegalityError) as raised:
        legal(net, target)
    return str(raised.value)


def normal(*shape: int, seed: int = 0) -> Array:
    """Return float64 values drawn from the standard normal distribution."""
    return np.random.default_rng(seed).standard_normal(shape)
