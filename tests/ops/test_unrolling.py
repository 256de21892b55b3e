"""Caffe's own recurrent layers on every target: with marks that begin sequences anywhere, a static input, and states."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from legality import ALL, applied, assert_same, kinds, legal, net_of, normal, refusal, without

from torch2om.ir.net import Net
from torch2om.ir.op import Array, Shape
from torch2om.layers import LSTM, RNN, InnerProduct, TanH

STEPS, BATCH, HIDDEN = 3, 2, 5


def layer(op: LSTM | RNN, features: Shape = (4,), *, static: bool = False) -> tuple[Net, tuple[Array, ...]]:
    states = ((1, BATCH, HIDDEN),) * (op.states if op.expose_hidden else 0)
    shapes = ((STEPS, BATCH, *features), (STEPS, BATCH), *(((BATCH, 2, 3),) if static else ()), *states)
    weights = [normal(*shape, seed=index) for index, shape in enumerate(op.expected_weights(shapes))]
    arrays = [normal(*shape, seed=9) for shape in shapes]
    arrays[1] = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    return net_of(op, shapes, weights), tuple(arrays)


@pytest.mark.parametrize("target", ALL)
@pytest.mark.parametrize("features", [(4,), (2, 3)], ids=["vectors", "images"])
@pytest.mark.parametrize(("exposed", "static"), list(product((False, True), repeat=2)))
@pytest.mark.parametrize("kind", [LSTM, RNN])
def test_a_recurrent_layer_of_caffe_runs_on_every_target(
    kind: type[LSTM | RNN], exposed: bool, static: bool, features: Shape, target: str
) -> None:
    net, arrays = layer(kind(HIDDEN, exposed), features, static=static)
    made = assert_same(net, target, arrays)
    takes_it = {"caffe", "ascend310", *(() if exposed else ("hilens",))} if kind is LSTM else {"caffe"}
    assert (kind.__name__ in kinds(made)) == (target in takes_it)


def test_a_static_input_goes_into_the_one_layer_where_the_target_has_it() -> None:
    net, _ = layer(LSTM(HIDDEN), static=True)
    made = legal(net, "ascend310")
    assert kinds(made).count("LSTM") == 1
    assert applied(made) >= {"static_input_beside_each_step"}


def test_a_readout_multiplies_all_steps_at_once() -> None:
    made = legal(layer(RNN(HIDDEN))[0], "opencv")
    products = [made.bottom_shapes(layer) for layer in made.layers if isinstance(layer.op, InnerProduct)]
    assert products == [((STEPS, BATCH, 4),), *[((1, BATCH, HIDDEN),)] * (STEPS - 1), ((STEPS, BATCH, HIDDEN),)]


def test_a_layer_is_refused_with_what_its_steps_lack() -> None:
    text = refusal(layer(RNN(HIDDEN))[0], without("ascend310", TanH))
    assert "static_input_beside_each_step: it has no static input" in text
    assert "recurrent_layer_step_by_step: needs TanH()" in text
