"""Which constants of a net are told because half precision cannot hold them."""

from __future__ import annotations

import numpy as np
import pytest

from torch2om.errors import Diagnostic
from torch2om.ir.net import Input, Layer, Net, Output
from torch2om.ir.op import Op
from torch2om.ir.weight import constant
from torch2om.layers import Clip, Eltwise, EltwiseOperation, Power, Scale
from torch2om.layers.precision import LARGEST_SINGLE
from torch2om.precision.constants import Magnitudes, beyond_half


def net_of(op: Op, *numbers: float, bottoms: int = 1) -> Net:
    weights = (constant(np.array(numbers, np.float32)),) if numbers else ()
    names = tuple(f"x{index}" for index in range(bottoms))
    inputs = tuple(Input(name, (2, 3)) for name in names)
    return Net("net", inputs, (Layer("layer", op, names, ("y",), weights),), (Output("y"),))


def told(net: Net) -> tuple[Diagnostic, ...]:
    magnitudes = Magnitudes()
    for layer in net.layers:
        for weight in layer.weights:
            magnitudes.note(layer.name, weight.array(np.float32))
    return beyond_half(net, magnitudes)


@pytest.mark.parametrize(
    "net",
    [
        net_of(Power(shift=-1e9)),
        net_of(Eltwise(EltwiseOperation.SUM, (1.0, 7e4)), bottoms=2),
        net_of(Scale(1), 1.0, -7e4, 2.0),
        net_of(Scale(1), -LARGEST_SINGLE, 7e4, 2.0),
    ],
)
def test_a_constant_beyond_half_precision_is_told(net: Net) -> None:
    (note,) = told(net)
    assert (note.code, note.layer) == ("T417", "layer")


@pytest.mark.parametrize(
    "net",
    [net_of(Power(shift=-65504.0)), net_of(Scale(1), 1.0, -LARGEST_SINGLE, 2.0), net_of(Clip(0.0, LARGEST_SINGLE))],
)
def test_what_half_precision_holds_and_what_stands_for_infinity_is_not(net: Net) -> None:
    assert told(net) == ()


def test_of_many_layers_the_first_are_named_and_the_others_counted() -> None:
    chain = [Layer(f"l{n}", Power(scale=1e5), (f"l{n - 1}" if n else "x",), (f"l{n}",)) for n in range(8)]
    (note,) = told(Net("net", (Input("x", (2, 3)),), tuple(chain), (Output("l7"),)))
    assert note.message.startswith("8 layers hold constants beyond 65504")
    assert note.details[0] == "l0 (Power): 1e+05"
    assert note.details[5:] == ("and 3 more",)
