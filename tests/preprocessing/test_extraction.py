"""The normalization with which a net begins is taken out of it, or refused with what stands there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from torch2om.errors import PreprocessingError
from torch2om.executor import execute
from torch2om.ir.blob import Blob
from torch2om.ir.builder import Builder, Names
from torch2om.ir.net import Input, Net, Output
from torch2om.ir.op import Op
from torch2om.ir.weight import Weight, constant
from torch2om.layers import Bias, Eltwise, Power, ReLU, Scale
from torch2om.origin import Origin
from torch2om.preprocessing.extraction import take_out_normalization

SHAPE = (2, 3, 4, 5)
HERE = Origin("div", file="user.py", line=7, code="x / 255")
Step = tuple[Op, tuple[Weight, ...]]
MEAN, FACTOR = constant(np.array([1.0, 2, 3])), constant(np.array([0.5, -4, 2]))


def chain(*steps: Step) -> Net:
    """Return a net of these layers and a ReLU at the end; every blob mirrors a call of its own name."""
    builder = Builder(Names(("x",)), HERE)
    top = Blob("x", SHAPE)
    for op, weights in (*steps, (ReLU(), ())):
        top = builder.add(op, top, weights=weights)
    mirrors = {layer.tops[0]: layer.tops[0] for layer in builder.layers}
    return Net("net", (Input("x", SHAPE),), tuple(builder.layers), (Output(top.name),), mirrors)


POWER: Step = (Power(scale=2, shift=-1), ())
CHANNELS: Step = (Scale(bias_term=True), (FACTOR, MEAN))
ALIGNED: Step = (
    Scale(axis=0, num_axes=4),
    (FACTOR.map((1, 3, 1, 1), lambda values: values.reshape(1, 3, 1, 1)),),
)


@pytest.mark.parametrize(
    ("steps", "left"),
    [
        ((POWER,), 0),
        ((CHANNELS,), 0),
        (((Scale(), (FACTOR,)),), 0),
        (((Bias(), (MEAN,)), POWER), 0),
        ((POWER, CHANNELS, (Bias(num_axes=0), (constant(3.0),))), 0),
        ((POWER, (Power(power=2), ()), POWER), 2),
        ((POWER, (Bias(num_axes=-1), (constant(np.arange(60.0).reshape(3, 4, 5)),))), 1),
    ],
)
def test_the_rest_after_the_normalization_is_the_net(steps: tuple[Step, ...], left: int) -> None:
    net = chain(*steps)
    rest, taken = take_out_normalization(net, "x")
    x = np.random.default_rng(0).standard_normal(SHAPE)
    (whole,), (parted,) = execute(net, {"x": x}).values(), execute(rest, {"x": taken.applied(x)}).values()
    assert np.allclose(parted, whole, rtol=1e-12, atol=1e-12)
    assert len(rest.layers) == left + 1
    assert rest.mirrors["x"] == net.layers[len(steps) - left - 1].tops[0]


def test_the_normalization_has_pytorchs_numbers() -> None:
    _, taken = take_out_normalization(chain((Power(scale=1 / 127.5, shift=-1), ())), "x")
    assert taken.mean == pytest.approx((127.5,))
    assert taken.std == pytest.approx((127.5,))
    assert taken.divisor == 1


def as_output(net: Net) -> Net:
    return replace(net, outputs=(*net.outputs, Output(net.layers[0].tops[0])))


def input_as_output(net: Net) -> Net:
    return replace(net, outputs=(*net.outputs, Output("x")))


def read_twice(net: Net) -> Net:
    last = net.layers[-1]
    return replace(net, layers=(*net.layers[:-1], replace(last, op=Eltwise(), bottoms=(*last.bottoms, "x"))))


@pytest.mark.parametrize(
    ("net", "reason"),
    [
        (chain(), "is a ReLU"),
        (chain((Power(power=2), ())), "other numbers than one per channel"),
        (chain((Bias(axis=3), (constant(np.arange(5.0)),))), "other numbers than one per channel"),
        (as_output(chain(POWER)), "its result is an output"),
        (input_as_output(chain(POWER)), "its result is an output"),
        (read_twice(chain(POWER)), "2 layers read the input x"),
    ],
)
def test_a_net_that_begins_otherwise_is_refused(net: Net, reason: str) -> None:
    with pytest.raises(PreprocessingError, match=reason) as refused:
        take_out_normalization(net, "x")
    assert refused.value.diagnostics[0].code == "P821"


def test_the_refusal_stands_at_the_users_line() -> None:
    with pytest.raises(PreprocessingError) as refused:
        take_out_normalization(chain(), "x")
    assert refused.value.diagnostics[0].origin.place == "user.py:7"


def test_a_channel_that_is_lost_is_refused() -> None:
    with pytest.raises(PreprocessingError, match="multiplies a channel by 0"):
        take_out_normalization(chain((Scale(), (constant(np.array([1.0, 0, 2])),))), "x")
