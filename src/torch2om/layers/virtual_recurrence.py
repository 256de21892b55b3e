"""PyTorch's recurrent layers, one layer and one direction at a time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from torch2om.ir.op import Array, Arrays, Op, Shape, Shapes, elements, need
from torch2om.layers.arity import check_weights, exactly
from torch2om.layers.precision import rounded, widened
from torch2om.layers.recurrent import sigmoid


class Cell(StrEnum):
    """The cells of torch.nn.LSTM, GRU and RNN (with either nonlinearity)."""

    LSTM = "LSTM"
    GRU = "GRU"
    RNN_TANH = "RNN_TANH"
    RNN_RELU = "RNN_RELU"

    @property
    def gates(self) -> int:
        """How many gates W_ih, W_hh and the biases hold, one below the other."""
        return {Cell.LSTM: 4, Cell.GRU: 3, Cell.RNN_TANH: 1, Cell.RNN_RELU: 1}[self]

    @property
    def states(self) -> int:
        """How many states a step hands to the next: h, and the LSTM's c."""
        return 2 if self is Cell.LSTM else 1


@dataclass(frozen=True)
class Recurrence(Op):
    """h_t = cell(x_t, h_(t-1)) along the first dim, from the end with `reverse`; y_t = h_t.

    Bottoms: x [T, N, I], and with `has_state` h0 [N, H] and the LSTM's c0 [N, H]; otherwise they are 0. Weights as
    torch.nn has them: w_ih [G, I], w_hh [G, H], b_ih [G], b_hh [G], with the gates i, f, g, o of an LSTM or r, z, n
    of a GRU one below the other. Tops: y [T, N, H] in the order of x, the last h [N, H], and the LSTM's last c.
    """

    cell: Cell
    hidden: int
    reverse: bool = False
    has_state: bool = False

    def __post_init__(self) -> None:
        need(self.hidden >= 1, f"hidden must be at least 1, is {self.hidden}")

    def expected_weights(self, bottoms: Shapes) -> tuple[Shape, ...]:
        """Return the shapes of w_ih, w_hh, b_ih, b_hh; raise `BadOp` for bottoms that do not fit."""
        x, *states = exactly(bottoms, 1 + (self.cell.states if self.has_state else 0))
        need(len(x) == 3, f"needs x as [T, N, I], has {list(x)}")
        state, gates = (x[1], self.hidden), self.cell.gates * self.hidden
        fits = all(shape == state for shape in states)
        need(fits, f"first states must be {list(state)}, are {list(map(list, states))}")
        return ((gates, x[2]), (gates, self.hidden), (gates,), (gates,))

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return the shapes of y and of the last states."""
        check_weights(weights, self.expected_weights(bottoms))
        steps, batch, _ = bottoms[0]
        return ((steps, batch, self.hidden), *((batch, self.hidden),) * self.cell.states)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:
        """Return y and the last states."""
        x, *first = map(widened, bottoms)
        w_ih, w_hh, b_ih, b_hh = map(widened, weights)
        inputs = x @ w_ih.T + b_ih
        states = first or [np.zeros((x.shape[1], self.hidden), x.dtype)] * self.cell.states
        y = np.empty((*x.shape[:2], self.hidden), x.dtype)
        for step in reversed(range(len(x))) if self.reverse else range(len(x)):
            states = self._step(inputs[step], states[0] @ w_hh.T + b_hh, states)
            y[step] = states[0]
        return tuple(rounded(top, bottoms[0]) for top in (y, *states))

    def _step(self, given: Array, fed_back: Array, states: list[Array]) -> list[Array]:
        """Return the next states from the input's and the state's contribution to the gates."""
        match self.cell:
            case Cell.LSTM:
                i, f, g, o = np.split(given + fed_back, 4, axis=1)
                c = sigmoid(f) * states[1] + sigmoid(i) * np.tanh(g)
                return [sigmoid(o) * np.tanh(c), c]
            case Cell.GRU:
                (r, z, n), (back_r, back_z, back_n) = np.split(given, 3, axis=1), np.split(fed_back, 3, axis=1)
                update = sigmoid(z + back_z)
                new = np.tanh(n + sigmoid(r + back_r) * back_n)
                return [(1 - update) * new + update * states[0]]
            case Cell.RNN_TANH:
                return [np.tanh(given + fed_back)]
            case Cell.RNN_RELU:
                return [np.maximum(given + fed_back, 0)]

    def macs(self, bottoms: Shapes, weights: Shapes) -> int:
        """Return both matrices' sizes, times the steps and the batch."""
        steps, batch = bottoms[0][:2]
        return steps * batch * (elements(weights[0]) + elements(weights[1]))
