"""Caffe's own recurrent layers on targets without them, or without their static input: `cont` is a blob of marks."""

from __future__ import annotations

from math import prod

import numpy as np

from torch2om.errors import Refuse
from torch2om.ir.blob import Blob
from torch2om.ir.weight import Weight, combine
from torch2om.layers import LSTM, RNN, Arithmetic, ArithmeticKind, Concat, Expand, TanH
from torch2om.legalization.cells import Step, lstm_step, product, rnn_step, steps_of
from torch2om.legalization.rules import RuleBuilder, legalizes

ADD, MUL = Arithmetic(ArithmeticKind.ADD), Arithmetic(ArithmeticKind.MUL)


@legalizes(LSTM, RNN)
def static_input_beside_each_step(
    b: RuleBuilder, op: LSTM | RNN, x: Blob, cont: Blob, *others: Blob
) -> tuple[Blob, ...]:
    """W_x x_t + W_s s = [W_x W_s] [x_t; s]: the static input stands beside x at every step.

    Exact.
    """
    if not op.has_static(2 + len(others)):
        raise Refuse("it has no static input")
    static, *states = others
    of_x, bias, of_static, *rest = b.weights
    steps, batch, width = *x.shape[:2], prod(static.shape[1:])
    repeated = b.add(Expand((steps, batch, width)), b.reshape(static, (1, batch, width)))
    both = b.add(Concat(2), b.reshape(x, (steps, batch, prod(x.shape[2:]))), repeated)
    kernel = combine((of_x.shape[0], both.shape[2]), lambda *parts: np.concatenate(parts, axis=1), of_x, of_static)
    return b.add_all(op, both, cont, *states, weights=(kernel, bias, *rest))


@legalizes(LSTM, RNN, fallback=True)
def recurrent_layer_step_by_step(
    b: RuleBuilder, op: LSTM | RNN, x: Blob, cont: Blob, *others: Blob
) -> tuple[Blob, ...]:
    """h_t = cell(W x_t + b, cont_t * h_(t-1)) for t = 1, 2, ..., written out; a static input stands in W x.

    Exact. One InnerProduct multiplies all steps of x at once. Without first states, the first step has none; an LSTM's
    c is carried as its h is.
    """
    given, weights = _given(b, op, x, others)
    states = list(others[1:] if op.has_static(2 + len(others)) else others)
    step, *readout = _cell(b, op, weights)
    made: list[Blob] = []
    marks = steps_of(b, b.reshape(cont, (*cont.shape, 1)))
    for share, goes_on in zip(steps_of(b, given), marks, strict=True):
        states = step([share], [b.add(MUL, state, goes_on) for state in states])
        made.append(states[0])
    y = b.add(Concat(0), *made) if len(made) > 1 else made[0]
    if readout:
        y = b.add(TanH(), product(b, y, *readout))
    return (y, *states) if op.expose_hidden else (y,)


def _given(b: RuleBuilder, op: LSTM | RNN, x: Blob, others: tuple[Blob, ...]) -> tuple[Blob, tuple[Weight, ...]]:
    """Return what the inputs give to the gates of every step, [T, N, G], and the weights that are left."""
    kernel, bias, *rest = b.weights
    given = product(b, b.reshape(x, (*x.shape[:2], prod(x.shape[2:]))), kernel, bias)
    if op.has_static(2 + len(others)):
        static = b.reshape(others[0], (1, x.shape[1], prod(others[0].shape[1:])))
        given = b.add(ADD, given, product(b, static, rest.pop(0)))
    return given, tuple(rest)


def _cell(b: RuleBuilder, op: LSTM | RNN, weights: tuple[Weight, ...]) -> tuple[Step, *tuple[Weight, ...]]:
    """Return a step of the layer, and an RNN's W_o and b_o."""
    of_state, *readout = weights
    if isinstance(op, LSTM):
        return (lstm_step(b, op.num_output, of_state),)
    return (rnn_step(b, TanH(), of_state), *readout)
