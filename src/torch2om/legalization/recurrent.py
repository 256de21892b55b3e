"""Recurrent layers: Caffe's LSTM layer where the target takes it, else every step written out."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
import numpy.typing as npt

from torch2om.errors import Refuse
from torch2om.ir.blob import Blob
from torch2om.ir.weight import constant
from torch2om.layers import LSTM, Cell, Concat, Constant, Recurrence, Reverse, StridedSlice
from torch2om.legalization.cells import CELLS, lstm_weights, product, steps_of
from torch2om.legalization.rules import RuleBuilder, legalizes


@legalizes(Recurrence)
def lstm_by_lstm_layer(b: RuleBuilder, op: Recurrence, x: Blob, *states: Blob) -> tuple[Blob, ...]:
    """y = LSTM(x, cont) with Caffe's order of gates i, f, o, g and one bias, the sum of PyTorch's two.

    Exact. cont is 0 at the first step, so that no state is carried in; given states, and a last c that somebody reads,
    need `expose_hidden`. A reversed sequence is turned round before and after.
    """
    if op.cell is not Cell.LSTM:
        raise Refuse(f"it is no LSTM but {op.cell}")
    steps, batch, _ = x.shape
    exposed = op.has_state or b.read[2]
    goes_on = np.ones((steps, batch))
    goes_on[0] = exposed
    bottoms = [_turned(b, op, x), _constant(b, goes_on)]
    if exposed:
        bottoms += _first_states(b, op, batch, states)
    y, *last = b.add_all(LSTM(op.hidden, exposed), *bottoms, weights=lstm_weights(b, op.hidden))
    lasts = last if exposed else [_last_step(b, y) if b.read[1] else y] * 2
    return (_turned(b, op, y) if b.read[0] else y, *_as_states(b, op, batch, lasts))


@legalizes(LSTM)
def lstm_of_images(b: RuleBuilder, op: LSTM, x: Blob, *others: Blob) -> tuple[Blob, ...]:
    """LSTM(x) = LSTM(x as [steps, batch, features, 1]).

    Exact.
    """
    image = b.reshape(x, (*x.shape[:2], prod(x.shape[2:]), 1))
    if image is x:
        raise Refuse("x has these dims already")
    return b.add_all(op, image, *others, weights=b.weights)


def _turned(b: RuleBuilder, op: Recurrence, x: Blob) -> Blob:
    return b.add(Reverse((0,)), x) if op.reverse and x.shape[0] > 1 else x


def _constant(b: RuleBuilder, values: npt.NDArray[np.float64]) -> Blob:
    return b.add(Constant(values.shape), weights=(constant(values),))


def _first_states(b: RuleBuilder, op: Recurrence, batch: int, states: Sequence[Blob]) -> list[Blob]:
    """Return h and c of the step before the first, as [1, N, H]."""
    shape = (1, batch, op.hidden)
    if states:
        return [b.reshape(state, shape) for state in states]
    return [_constant(b, np.zeros(shape))] * 2


def _last_step(b: RuleBuilder, y: Blob) -> Blob:
    steps = y.shape[0]
    return b.add(StridedSlice(0, steps - 1, steps), y) if steps > 1 else y


def _as_states(b: RuleBuilder, op: Recurrence, batch: int, lasts: Sequence[Blob]) -> list[Blob]:
    """Return the last states as [N, H]; what stands for one that nobody reads stays as it is."""
    shape = (batch, op.hidden)
    return [b.reshape(last, shape) if read else last for last, read in zip(lasts, b.read[1:], strict=True)]


@legalizes(Recurrence, fallback=True)
def recurrence_step_by_step(b: RuleBuilder, op: Recurrence, x: Blob, *states: Blob) -> tuple[Blob, ...]:
    """h_t = cell(W x_t + b, h_(t-1)) for t = 1, 2, ...: InnerProduct, Sigmoid, TanH and Eltwise, written out.

    Exact. One InnerProduct multiplies all steps of x at once. The first step has no state to multiply if none is given.
    """
    steps, batch, _ = x.shape
    projections, step = CELLS[op.cell](b, op.hidden)
    given = [steps_of(b, product(b, x, *projection)) for projection in projections]
    state = _first_states(b, op, batch, states) if states else []
    made: list[Blob] = []
    for place in reversed(range(steps)) if op.reverse else range(steps):
        state = step([share[place] for share in given], state)
        made.append(state[0])
    in_order = made[::-1] if op.reverse else made
    y = b.add(Concat(0), *in_order) if steps > 1 and b.read[0] else made[0]
    return (y, *_as_states(b, op, batch, state))
