"""One step of each recurrent cell, in layers of rank 3 throughout: [1, N, ...]."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from torch2om.ir.blob import Blob
from torch2om.ir.weight import Weight, combine
from torch2om.layers import Cell, Eltwise, EltwiseOperation, InnerProduct, ReLU, Scale, Sigmoid, Slice, TanH
from torch2om.legalization.rules import RuleBuilder

SUM, PRODUCT = Eltwise(), Eltwise(EltwiseOperation.PROD)
DIFFERENCE = Eltwise(EltwiseOperation.SUM, (1.0, -1.0))

Step = Callable[[Sequence[Blob], Sequence[Blob]], list[Blob]]
"""What the input gives to the gates, and the state (empty: zero) -> the next state, h first."""

Projections = list[tuple[Weight, Weight]]
"""Matrix and bias of each share that the input has in the gates."""


def lstm_weights(b: RuleBuilder, hidden: int) -> tuple[Weight, Weight, Weight]:
    """Return W_x, b, W_h with the rows of Caffe's gates i, f, o, g."""
    w_ih, w_hh, b_ih, b_hh = b.weights
    i, f, g, o = np.arange(4 * hidden).reshape(4, hidden)
    order = np.concatenate([i, f, o, g])
    bias = combine(b_ih.shape, lambda x, h: (x + h)[order], b_ih, b_hh)
    return _picked(w_ih, order), bias, _picked(w_hh, order)


def _picked(weight: Weight, rows: npt.NDArray[np.intp]) -> Weight:
    """Return these rows of a weight."""
    return weight.map((len(rows), *weight.shape[1:]), lambda values: values[rows])


def steps_of(b: RuleBuilder, x: Blob) -> Sequence[Blob]:
    """Return x [T, N, G] as T blobs [1, N, G]: of rank 3 throughout, no step needs a Reshape."""
    return b.add_all(Slice(0, (), x.shape[0]), x) if x.shape[0] > 1 else (x,)


def product(b: RuleBuilder, x: Blob, weight: Weight, bias: Weight | None = None) -> Blob:
    """Return weight x + bias along the last dim of a blob of rank 3."""
    op = InnerProduct(weight.shape[0], bias is not None, axis=2)
    return b.add(op, x, weights=(weight,) if bias is None else (weight, bias))


def _lstm(b: RuleBuilder, hidden: int) -> tuple[Projections, Step]:
    """The cell of `lstm_step` with PyTorch's weights."""
    w_x, bias, w_h = lstm_weights(b, hidden)
    return [(w_x, bias)], lstm_step(b, hidden, w_h)


def lstm_step(b: RuleBuilder, hidden: int, w_h: Weight) -> Step:
    """c' = f * c + i * g, h' = o * tanh(c') with [i, f, o, g] = W x + b + V h; the three sigmoids are one layer."""

    def step(given: Sequence[Blob], state: Sequence[Blob]) -> list[Blob]:
        gates = b.add(SUM, given[0], product(b, state[0], w_h)) if state else given[0]
        sigmoids, new = b.add_all(Slice(2, (3 * hidden,), 2), gates)
        i, f, o = b.add_all(Slice(2, (), 3), b.add(Sigmoid(), sigmoids))
        c = b.add(PRODUCT, i, b.add(TanH(), new))
        if state:
            c = b.add(SUM, b.add(PRODUCT, f, state[1]), c)
        return [b.add(PRODUCT, o, b.add(TanH(), c)), c]

    return step


def _gru(b: RuleBuilder, hidden: int) -> tuple[Projections, Step]:
    """h' = n + z * (h - n) with [r, z] = sigmoid(W x + b + V h), n = tanh(W_n x + b_n + r * (V_n h + c_n))."""
    w_ih, w_hh, b_ih, b_hh = b.weights
    both, new = np.split(np.arange(3 * hidden), [2 * hidden])
    v, v_n, c_n = _picked(w_hh, both), _picked(w_hh, new), _picked(b_hh, new)
    bias = combine((len(both),), lambda given, fed_back: (given + fed_back)[both], b_ih, b_hh)

    def step(given: Sequence[Blob], state: Sequence[Blob]) -> list[Blob]:
        gates = b.add(SUM, given[0], product(b, state[0], v)) if state else given[0]
        r, z = b.add_all(Slice(2, (), 2), b.add(Sigmoid(), gates))
        reset = b.add(PRODUCT, r, product(b, state[0], v_n, c_n)) if state else b.add(Scale(2), r, weights=(c_n,))
        n = b.add(TanH(), b.add(SUM, given[1], reset))
        if not state:
            return [b.add(DIFFERENCE, n, b.add(PRODUCT, z, n))]
        return [b.add(SUM, n, b.add(PRODUCT, z, b.add(DIFFERENCE, state[0], n)))]

    return [(_picked(w_ih, both), bias), (_picked(w_ih, new), _picked(b_ih, new))], step


def _rnn(b: RuleBuilder, activation: TanH | ReLU) -> tuple[Projections, Step]:
    """The cell of `rnn_step` with PyTorch's weights."""
    w_ih, w_hh, b_ih, b_hh = b.weights
    return [(w_ih, combine(b_ih.shape, np.add, b_ih, b_hh))], rnn_step(b, activation, w_hh)


def rnn_step(b: RuleBuilder, activation: TanH | ReLU, w_h: Weight) -> Step:
    """h' = activation(W x + b + V h)."""

    def step(given: Sequence[Blob], state: Sequence[Blob]) -> list[Blob]:
        total = b.add(SUM, given[0], product(b, state[0], w_h)) if state else given[0]
        return [b.add(activation, total)]

    return step


CELLS: dict[Cell, Callable[[RuleBuilder, int], tuple[Projections, Step]]] = {
    Cell.LSTM: _lstm,
    Cell.GRU: _gru,
    Cell.RNN_TANH: lambda b, _: _rnn(b, TanH()),
    Cell.RNN_RELU: lambda b, _: _rnn(b, ReLU()),
}
