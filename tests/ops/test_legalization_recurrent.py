from __future__ import annotations

from itertools import product

import pytest
from legality import ALL, applied, assert_same, kinds, legal, net_of, normal, refusal, without

from torch2om.ir.net import Net
from torch2om.ir.op import Array
from torch2om.layers import LSTM, Cell, InnerProduct, Recurrence, Sigmoid

STEPS, BATCH, FEATURES, HIDDEN = 3, 2, 4, 5


def recurrence(
    op: Recurrence, steps: int = STEPS, read: tuple[int, ...] | None = None
) -> tuple[Net, tuple[Array, ...]]:
    gates = op.cell.gates * op.hidden
    weights = (normal(gates, FEATURES), normal(gates, op.hidden, seed=1), normal(gates, seed=2), normal(gates, seed=3))
    states = ((BATCH, op.hidden),) * (op.cell.states if op.has_state else 0)
    shapes = ((steps, BATCH, FEATURES), *states)
    return net_of(op, shapes, weights, read), tuple(normal(*shape, seed=4) for shape in shapes)


@pytest.mark.parametrize("target", ALL)
@pytest.mark.parametrize("steps", [1, STEPS])
@pytest.mark.parametrize(("reverse", "has_state"), list(product((False, True), repeat=2)))
@pytest.mark.parametrize("cell", Cell)
def test_every_cell_runs_on_every_target(cell: Cell, reverse: bool, has_state: bool, steps: int, target: str) -> None:
    op = Recurrence(cell, HIDDEN, reverse, has_state)
    for read in (None, (0,), (1,), (0, cell.states)):
        net, arrays = recurrence(op, steps, read)
        made = assert_same(net, target, arrays)
        stateless = not has_state and read in {(0,), (1,)}
        one_layer = target in {"caffe", "ascend310"} or (target == "hilens" and stateless)
        assert ("LSTM" in kinds(made)) == (cell is Cell.LSTM and one_layer)


@pytest.mark.parametrize(("reverse", "has_state"), list(product((False, True), repeat=2)))
def test_an_lstm_is_written_out_where_there_is_no_lstm_layer(reverse: bool, has_state: bool) -> None:
    for steps, read in product((1, STEPS), (None, (0,), (2,))):
        net, arrays = recurrence(Recurrence(Cell.LSTM, HIDDEN, reverse, has_state), steps, read)
        made = assert_same(net, without("ascend310", LSTM), arrays)
        assert applied(made) >= {"recurrence_step_by_step"}


def test_an_lstm_whose_states_nobody_reads_is_one_layer_and_its_marks() -> None:
    net, _ = recurrence(Recurrence(Cell.LSTM, HIDDEN), read=(0,))
    assert kinds(legal(net, "caffe")) == ["Parameter", "LSTM"]


def test_the_last_h_of_an_lstm_is_a_slice_of_y_and_the_last_c_an_exposed_state() -> None:
    op = Recurrence(Cell.LSTM, HIDDEN)
    exposed = {}
    for read in (1, 2):
        made = legal(recurrence(op, read=(read,))[0], "caffe")
        (exposed[read],) = [layer.op.expose_hidden for layer in made.layers if isinstance(layer.op, LSTM)]
    assert exposed == {1: False, 2: True}


def test_nothing_is_made_of_a_y_that_nobody_reads() -> None:
    for cell in (Cell.LSTM, Cell.GRU):
        made = legal(recurrence(Recurrence(cell, HIDDEN, reverse=True), read=(1,))[0], "ascend310")
        assert "Concat" not in kinds(made)
        assert kinds(made).count("Reverse") == (cell is Cell.LSTM)


def test_steps_written_out_multiply_all_of_x_at_once_and_no_state_in_the_first_step() -> None:
    net, _ = recurrence(Recurrence(Cell.RNN_TANH, HIDDEN))
    made = legal(net, "caffe")
    products = [made.bottom_shapes(layer) for layer in made.layers if isinstance(layer.op, InnerProduct)]
    assert products == [((STEPS, BATCH, FEATURES),), *[((1, BATCH, HIDDEN),)] * (STEPS - 1)]


def test_all_steps_share_the_same_weights() -> None:
    net, _ = recurrence(Recurrence(Cell.GRU, HIDDEN))
    made = legal(net, "ascend310")
    used = {layer.weights[0] for layer in made.layers if isinstance(layer.op, InnerProduct)}
    assert len(used) == 4


def test_a_long_sequence_is_legalized() -> None:
    net, arrays = recurrence(Recurrence(Cell.GRU, HIDDEN, reverse=True), steps=100, read=(0,))
    assert_same(net, "ascend310", arrays)


def test_a_gru_is_no_lstm_layer_and_is_refused_without_sigmoids() -> None:
    text = refusal(recurrence(Recurrence(Cell.GRU, HIDDEN))[0], without("caffe", Sigmoid))
    assert "lstm_by_lstm_layer: it is no LSTM but GRU" in text
    assert "recurrence_step_by_step: needs Sigmoid()" in text


def test_an_lstm_is_refused_with_what_both_forms_lack() -> None:
    text = refusal(recurrence(Recurrence(Cell.LSTM, HIDDEN))[0], without("caffe", LSTM, Sigmoid))
    assert "lstm_by_lstm_layer: needs LSTM(" in text
    assert "recurrence_step_by_step: needs Sigmoid()" in text
