"""An LSTM whose hidden state is projected, step by step: no recurrent layer of Caffe has a projection."""

from __future__ import annotations

from dataclasses import dataclass

from torch2om.ir.blob import Blob
from torch2om.ir.weight import Weight, combine
from torch2om.layers import Eltwise, EltwiseOperation, InnerProduct, Sigmoid, Slice, TanH
from torch2om.lowering.scope import Scope
from torch2om.lowering.views import joined, reshaped, sliced

SUM, PRODUCT = Eltwise(EltwiseOperation.SUM), Eltwise(EltwiseOperation.PROD)


@dataclass(frozen=True)
class ProjectedLstm:
    """One layer in one direction: the weights of the input and of the state, their biases, and the projection."""

    input: Weight
    state: Weight
    biases: tuple[Weight, Weight]
    projection: Weight
    reverse: bool

    def run(self, b: Scope, x: Blob, start: tuple[Blob, ...]) -> tuple[Blob, Blob, Blob]:
        """Return h at every step of x [T, N, I], and the last h and c; the first are zeros if `start` is empty."""
        gates, hidden = self.input.shape[0], self.input.shape[0] // 4
        bias = combine((gates,), lambda one, other: one + other, *self.biases)
        given = b.add(InnerProduct(gates, axis=2), x, weights=(self.input, bias))
        states, outputs = start, []
        for step in reversed(range(x.shape[0])) if self.reverse else range(x.shape[0]):
            own = reshaped(b, sliced(b, given, 0, step, step + 1), (x.shape[1], gates))
            states = self._step(b, own, states, hidden)
            outputs.append(reshaped(b, states[0], (1, *states[0].shape)))
        y = joined(b, outputs[::-1] if self.reverse else outputs, 0)
        return y, states[0], states[1]

    def _step(self, b: Scope, given: Blob, states: tuple[Blob, ...], hidden: int) -> tuple[Blob, Blob]:
        """c' = f * c + i * g, h' = W (o * tanh c') with the gates i, f, g, o of what is given and of h."""
        if states:
            own = b.add(InnerProduct(4 * hidden, bias_term=False), states[0], weights=(self.state,))
            given = b.add(SUM, given, own)
        points = (hidden, 2 * hidden, 3 * hidden)
        enter, forget, new, leave = b.add_all(Slice(1, points, 4), given)
        c = b.add(PRODUCT, b.add(Sigmoid(), enter), b.add(TanH(), new))
        if states:
            c = b.add(SUM, c, b.add(PRODUCT, b.add(Sigmoid(), forget), states[1]))
        wide = b.add(PRODUCT, b.add(Sigmoid(), leave), b.add(TanH(), c))
        width = self.projection.shape[0]
        return b.add(InnerProduct(width, bias_term=False), wide, weights=(self.projection,)), c
