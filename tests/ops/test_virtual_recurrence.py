from __future__ import annotations

import pytest
import torch
from agreement import assert_agrees, normal
from torch import nn

from torch2om.ir.op import BadOp
from torch2om.layers import Cell, Recurrence

STEPS, BATCH, FEATURES, HIDDEN = 5, 3, 4, 6


def module(cell: Cell) -> nn.LSTM | nn.GRU | nn.RNN:
    torch.manual_seed(0)
    match cell:
        case Cell.LSTM:
            return nn.LSTM(FEATURES, HIDDEN, bidirectional=True).double()
        case Cell.GRU:
            return nn.GRU(FEATURES, HIDDEN, bidirectional=True).double()
        case Cell.RNN_TANH:
            return nn.RNN(FEATURES, HIDDEN, bidirectional=True).double()
        case Cell.RNN_RELU:
            return nn.RNN(FEATURES, HIDDEN, nonlinearity="relu", bidirectional=True).double()


@pytest.mark.parametrize("has_state", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("cell", Cell)
def test_each_cell_runs_in_each_direction_with_and_without_first_states(
    cell: Cell, reverse: bool, has_state: bool
) -> None:
    layer = module(cell)
    x = normal(STEPS, BATCH, FEATURES)
    states = [normal(2, BATCH, HIDDEN, seed=seed + 1) for seed in range(cell.states)]
    first = (tuple(states) if cell is Cell.LSTM else states[0]) if has_state else None
    with torch.no_grad():
        y, last = layer(x, first)
    ends = list(last) if cell is Cell.LSTM else [last]
    way = int(reverse)
    suffix = "_reverse" if reverse else ""
    names = (f"weight_ih_l0{suffix}", f"weight_hh_l0{suffix}", f"bias_ih_l0{suffix}", f"bias_hh_l0{suffix}")
    weights = [layer.get_parameter(name).detach() for name in names]
    assert_agrees(
        Recurrence(cell, HIDDEN, reverse, has_state),
        [x, *(state[way] for state in states if has_state)],
        [y[:, :, way * HIDDEN : (way + 1) * HIDDEN], *(end[way] for end in ends)],
        weights,
    )


def test_its_products_are_counted_for_every_step_and_sequence() -> None:
    op = Recurrence(Cell.GRU, HIDDEN)
    bottoms = [(STEPS, BATCH, FEATURES)]
    assert op.macs(bottoms, op.expected_weights(bottoms)) == STEPS * BATCH * 3 * HIDDEN * (FEATURES + HIDDEN)


def test_bottoms_and_weights_that_do_not_fit_are_refused() -> None:
    op = Recurrence(Cell.LSTM, HIDDEN, has_state=True)
    bottoms = [(STEPS, BATCH, FEATURES), (BATCH, HIDDEN), (BATCH, HIDDEN)]
    weights = op.expected_weights(bottoms)
    with pytest.raises(BadOp, match="exactly 3 bottoms"):
        op.infer(bottoms[:1], weights)
    with pytest.raises(BadOp, match=r"first states must be \[3, 6\]"):
        op.infer([bottoms[0], (BATCH, HIDDEN), (1, BATCH, HIDDEN)], weights)
    with pytest.raises(BadOp, match=r"needs x as \[T, N, I\]"):
        op.infer([(STEPS, FEATURES), *bottoms[1:]], weights)
    with pytest.raises(BadOp, match="weight 1 has shape"):
        op.infer(bottoms, [weights[0], weights[0], *weights[2:]])
    with pytest.raises(BadOp, match="hidden must be at least 1"):
        Recurrence(Cell.GRU, 0)
