"""Recurrent layers: Caffe's LSTM layer where the target takes it, else every step written out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

import numpy as np
import numpy.typing as npt

from torch2om.errors import Refuse
from torch2om.ir.blob import Blob
from torch2om.ir.weight import Weight, combine, constant
from torch2om.layers import (
    LSTM,
    Cell,
    Concat,
    Constant,
    Eltwise,
    EltwiseOperation,
    InnerProduct,
    Recurrence,
    ReLU,
    Reverse,
    Scale,
    Sigmoid,
    Slice,
    StridedSlice,
    TanH,
)
from torch2om.legalization.rules import RuleBuilder, legalizes

SUM, PRODUCT = Eltwise(), Eltwise(EltwiseOperation.PROD)
DIFFERENCE = Eltwise(EltwiseOperation.SUM, (1.0, -1.0))


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
    y, *last = b.add_all(LSTM(op.hidden, exposed), *bottoms, weights=_lstm_weights(b, op.hidden))
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


def _lstm_weights(b: RuleBuilder, hidden: int) -> tuple[Weight, Weight, Weight]:
    """Return W_x, b, W_h with the rows of Caffe's gates i, f, o, g."""
    w_ih, w_hh, b_ih, b_hh = b.weights
    i, f, g, o = np.arange(4 * hidden).reshape(4, hidden)
    order = np.concatenate([i, f, o, g])
    bias = combine(b_ih.shape, lambda x, h: (x + h)[order], b_ih, b_hh)
    return _picked(w_ih, order), bias, _picked(w_hh, order)


def _picked(weight: Weight, rows: npt.NDArray[np.intp]) -> Weight:
    """Return these rows of a weight."""
    return weight.map((len(rows), *weight.shape[1:]), lambda values: values[rows])


Step = Callable[[Sequence[Blob], Sequence[Blob]], list[Blob]]
"""What the input gives to the gates, and the state (empty: zero) -> the next state, h first."""

Projections = list[tuple[Weight, Weight]]
"""Matrix and bias of each share that the input has in the gates."""


@legalizes(Recurrence, fallback=True)
def recurrence_step_by_step(b: RuleBuilder, op: Recurrence, x: Blob, *states: Blob) -> tuple[Blob, ...]:
    """h_t = cell(W x_t + b, h_(t-1)) for t = 1, 2, ...: InnerProduct, Sigmoid, TanH and Eltwise, written out.

    Exact. One InnerProduct multiplies all steps of x at once. The first step has no state to multiply if none is given.
    """
    steps, batch, _ = x.shape
    projections, step = CELLS[op.cell](b, op.hidden)
    given = [_slices(b, _product(b, x, *projection)) for projection in projections]
    state = _first_states(b, op, batch, states) if states else []
    made: list[Blob] = []
    for place in reversed(range(steps)) if op.reverse else range(steps):
        state = step([share[place] for share in given], state)
        made.append(state[0])
    in_order = made[::-1] if op.reverse else made
    y = b.add(Concat(0), *in_order) if steps > 1 and b.read[0] else made[0]
    return (y, *_as_states(b, op, batch, state))


def _slices(b: RuleBuilder, x: Blob) -> Sequence[Blob]:
    """Return x [T, N, G] as T blobs [1, N, G]: of rank 3 throughout, no step needs a Reshape."""
    return b.add_all(Slice(0, (), x.shape[0]), x) if x.shape[0] > 1 else (x,)


def _product(b: RuleBuilder, x: Blob, weight: Weight, bias: Weight | None = None) -> Blob:
    """Return weight x + bias along the last dim of a blob of rank 3."""
    op = InnerProduct(weight.shape[0], bias is not None, axis=2)
    return b.add(op, x, weights=(weight,) if bias is None else (weight, bias))


def _lstm(b: RuleBuilder, hidden: int) -> tuple[Projections, Step]:
    """c' = f * c + i * g, h' = o * tanh(c') with [i, f, o, g] = W x + b + V h; the three sigmoids are one layer."""
    w_x, bias, w_h = _lstm_weights(b, hidden)

    def step(given: Sequence[Blob], state: Sequence[Blob]) -> list[Blob]:
        gates = b.add(SUM, given[0], _product(b, state[0], w_h)) if state else given[0]
        sigmoids, new = b.add_all(Slice(2, (3 * hidden,), 2), gates)
        i, f, o = b.add_all(Slice(2, (), 3), b.add(Sigmoid(), sigmoids))
        c = b.add(PRODUCT, i, b.add(TanH(), new))
        if state:
            c = b.add(SUM, b.add(PRODUCT, f, state[1]), c)
        return [b.add(PRODUCT, o, b.add(TanH(), c)), c]

    return [(w_x, bias)], step


def _gru(b: RuleBuilder, hidden: int) -> tuple[Projections, Step]:
    """h' = n + z * (h - n) with [r, z] = sigmoid(W x + b + V h), n = tanh(W_n x + b_n + r * (V_n h + c_n))."""
    w_ih, w_hh, b_ih, b_hh = b.weights
    both, new = np.split(np.arange(3 * hidden), [2 * hidden])
    v, v_n, c_n = _picked(w_hh, both), _picked(w_hh, new), _picked(b_hh, new)
    bias = combine((len(both),), lambda given, fed_back: (given + fed_back)[both], b_ih, b_hh)

    def step(given: Sequence[Blob], state: Sequence[Blob]) -> list[Blob]:
        gates = b.add(SUM, given[0], _product(b, state[0], v)) if state else given[0]
        r, z = b.add_all(Slice(2, (), 2), b.add(Sigmoid(), gates))
        reset = b.add(PRODUCT, r, _product(b, state[0], v_n, c_n)) if state else b.add(Scale(2), r, weights=(c_n,))
        n = b.add(TanH(), b.add(SUM, given[1], reset))
        if not state:
            return [b.add(DIFFERENCE, n, b.add(PRODUCT, z, n))]
        return [b.add(SUM, n, b.add(PRODUCT, z, b.add(DIFFERENCE, state[0], n)))]

    return [(_picked(w_ih, both), bias), (_picked(w_ih, new), _picked(b_ih, new))], step


def _rnn(b: RuleBuilder, activation: TanH | ReLU) -> tuple[Projections, Step]:
    """h' = activation(W x + b + V h)."""
    w_ih, w_hh, b_ih, b_hh = b.weights

    def step(given: Sequence[Blob], state: Sequence[Blob]) -> list[Blob]:
        total = b.add(SUM, given[0], _product(b, state[0], w_hh)) if state else given[0]
        return [b.add(activation, total)]

    return [(w_ih, combine(b_ih.shape, np.add, b_ih, b_hh))], step


CELLS: dict[Cell, Callable[[RuleBuilder, int], tuple[Projections, Step]]] = {
    Cell.LSTM: _lstm,
    Cell.GRU: _gru,
    Cell.RNN_TANH: lambda b, _: _rnn(b, TanH()),
    Cell.RNN_RELU: lambda b, _: _rnn(b, ReLU()),
}
