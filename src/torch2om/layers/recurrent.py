"""Caffe's recurrent layers: x is T x N x ..., `cont` T x N is 0 where a sequence begins and 1 where it goes on."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from torch2om.ir.op import Array, Arrays, Op, Shape, Shapes, elements, need
from torch2om.layers.arity import check_weights
from torch2om.layers.precision import rounded, widened


@dataclass(frozen=True)
class CaffeRecurrent(Op):
    """The shape rule that LSTM and RNN share.

    Bottoms: x, cont, optionally a static input [N, ...] added at every step, and with `expose_hidden` the first
    states [1, N, H]. Tops: y [T, N, H], and with `expose_hidden` the last states [1, N, H] (Caffe's recurrent_layer).
    """

    message = "recurrent_param"
    states: ClassVar[int]

    num_output: int = 0
    expose_hidden: bool = False

    def __post_init__(self) -> None:
        need(self.num_output >= 1, f"num_output must be at least 1, is {self.num_output}")

    @abstractmethod
    def weight_shapes(self, features: int, static: int | None) -> tuple[Shape, ...]:
        """Return the shapes that the weights must have; `static` is the width of the static input, None without."""

    @abstractmethod
    def unroll(self, inputs: Array, cont: Array, states: Sequence[Array], weights: Arrays) -> tuple[Array, ...]:
        """Return y and the last states; `inputs` are the transformed bottoms of every step."""

    def has_static(self, bottoms: int) -> bool:
        """Whether that many bottoms include a static input."""
        return bottoms == 3 + (self.states if self.expose_hidden else 0)

    def expected_weights(self, bottoms: Shapes) -> tuple[Shape, ...]:
        """Return the shapes of the weights, in Caffe's order; raise `BadOp` for bottoms that do not fit."""
        hidden = self.states if self.expose_hidden else 0
        counts = {2 + hidden, 3 + hidden}
        need(len(bottoms) in counts, f"needs {2 + hidden} or {3 + hidden} bottoms, has {len(bottoms)}")
        x, cont, *rest = bottoms
        need(len(x) >= 3, f"needs x as T x N x ..., has {list(x)}")
        need(cont == x[:2], f"cont must be {list(x[:2])}, is {list(cont)}")
        static = rest.pop(0) if self.has_static(len(bottoms)) else None
        need(static is None or static[:1] == x[1:2], f"the static input must have {x[1]} rows, is {static}")
        state = (1, x[1], self.num_output)
        need(all(shape == state for shape in rest), f"first states must be {list(state)}, are {list(map(list, rest))}")
        return self.weight_shapes(elements(x[2:]), None if static is None else elements(static[1:]))

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return the shapes of y and of the exposed states."""
        check_weights(weights, self.expected_weights(bottoms))
        steps, batch, *_ = bottoms[0]
        hidden = self.states if self.expose_hidden else 0
        return ((steps, batch, self.num_output), *((1, batch, self.num_output),) * hidden)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:
        """Return y and the exposed states."""
        x, cont, *rest = map(widened, bottoms)
        kernel, bias, *others = map(widened, weights)
        inputs = x.reshape(*x.shape[:2], -1) @ kernel.T + bias
        if self.has_static(len(bottoms)):
            static, *rest = rest
            inputs = inputs + static.reshape(static.shape[0], -1) @ others.pop(0).T
        zero = np.zeros((x.shape[1], self.num_output), x.dtype)
        states = [state[0] for state in rest] or [zero] * self.states
        y, *last = self.unroll(inputs, cont[:, :, np.newaxis], states, others)
        exposed = [state[np.newaxis] for state in last] if self.expose_hidden else []
        return tuple(rounded(top, bottoms[0]) for top in (y, *exposed))

    def macs(self, bottoms: Shapes, weights: Shapes) -> int:
        """Return every weight matrix's size, times the steps (once for the static input's), times the batch."""
        steps, batch = bottoms[0][:2]
        matrices = [elements(weight) for weight in weights if len(weight) == 2]
        once = matrices.pop(1) if self.has_static(len(bottoms)) else 0
        return batch * (steps * sum(matrices) + once)


@dataclass(frozen=True)
class LSTM(CaffeRecurrent):
    """c = f * c' + i * g, h = o * tanh(c) with [i, f, o, g] = W_x x + b + W_h h'; sigmoids but for g's tanh.

    h' and c' are the previous states times `cont`. Weights: W_x [4H, I], b [4H], (static [4H, S],) W_h [4H, H].
    """

    caffe_type = "LSTM"
    states = 2

    def weight_shapes(self, features: int, static: int | None) -> tuple[Shape, ...]:
        """Return the shapes of W_x, b, (static,) W_h."""
        gates = 4 * self.num_output
        extra = () if static is None else ((gates, static),)
        return ((gates, features), (gates,), *extra, (gates, self.num_output))

    def unroll(self, inputs: Array, cont: Array, states: Sequence[Array], weights: Arrays) -> tuple[Array, ...]:
        """Return y, the last h and the last c."""
        h, c = states
        y = []
        for gates, goes_on in zip(inputs, cont, strict=True):
            i, f, o, g = np.split(gates + (goes_on * h) @ weights[0].T, 4, axis=1)
            c = goes_on * sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            y.append(h)
        return (np.stack(y), h, c)


@dataclass(frozen=True)
class RNN(CaffeRecurrent):
    """h = tanh(W_x x + b + W_h h'), y = tanh(W_o h + b_o) with h' the previous state times `cont`.

    Weights: W_x [H, I], b [H], (static [H, S],) W_h [H, H], W_o [H, H], b_o [H].
    """

    caffe_type = "RNN"
    states = 1

    def weight_shapes(self, features: int, static: int | None) -> tuple[Shape, ...]:
        """Return the shapes of W_x, b, (static,) W_h, W_o, b_o."""
        size = self.num_output
        extra = () if static is None else ((size, static),)
        return ((size, features), (size,), *extra, (size, size), (size, size), (size,))

    def unroll(self, inputs: Array, cont: Array, states: Sequence[Array], weights: Arrays) -> tuple[Array, ...]:
        """Return y and the last h."""
        (h,) = states
        recurrent, kernel, bias = weights
        y = []
        for one, goes_on in zip(inputs, cont, strict=True):
            h = np.tanh(one + (goes_on * h) @ recurrent.T)
            y.append(np.tanh(h @ kernel.T + bias))
        return (np.stack(y), h)


def sigmoid(x: Array) -> Array:
    """Return 1 / (1 + exp(-x)) as (1 + tanh(x / 2)) / 2, which cannot overflow."""
    half = x.dtype.type(0.5)
    return half * np.tanh(half * x) + half
