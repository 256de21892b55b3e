"""Recurrent layers: one Recurrence per layer and direction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from torch2om.ir.blob import Blob
from torch2om.ir.weight import Weight, constant
from torch2om.layers import Cell, Recurrence
from torch2om.lowering.operands import as_blob
from torch2om.lowering.projection import ProjectedLstm
from torch2om.lowering.registry import Function, lowers
from torch2om.lowering.scope import Scope
from torch2om.lowering.views import joined, permuted, reshaped, sliced

aten = torch.ops.aten
State = Blob | Weight


@dataclass(frozen=True)
class Stack:
    """torch.nn.LSTM, GRU or RNN: its cell, its weights per layer and direction, and its first states [L * D, N, H].

    `projections` holds what makes h of an LSTM with proj_size, per layer and direction; it is empty without.
    """

    cell: Cell
    weights: tuple[tuple[Weight, ...], ...]
    states: tuple[State, ...]
    directions: int
    projections: tuple[Weight, ...] = ()

    def hidden(self) -> int:
        """Return the number of hidden elements."""
        return self.weights[0][1].shape[1]

    def zero(self) -> bool:
        """Whether all first states are constant zeros."""
        return all(isinstance(state, Weight) and not state.array().any() for state in self.states)


def _stack(
    cell: Cell,
    states: Sequence[State],
    params: Sequence[Weight],
    *,
    has_biases: bool,
    num_layers: int,
    bidirectional: bool,
) -> Stack:
    """Return the call's layers; weights without biases get zeros."""
    directions = 2 if bidirectional else 1
    each, plain = len(params) // (num_layers * directions), 4 if has_biases else 2
    groups = [tuple(params[start : start + plain]) for start in range(0, len(params), each)]
    projections = tuple(params[start + plain] for start in range(0, len(params), each)) if each > plain else ()
    zeros = [(constant(np.zeros(group[0].shape[:1], np.float32)),) * 2 for group in groups]
    whole = tuple(group if has_biases else (*group, *none) for group, none in zip(groups, zeros, strict=True))
    return Stack(cell, whole, tuple(states), directions, projections)


def _run(b: Scope, x: Blob, stack: Stack, *, batch_first: bool) -> tuple[Blob, ...]:
    """Return y and the last states of all layers, each layer reading the one below it."""
    batched = x.rank == 3
    y = x if batched else reshaped(b, x, (x.shape[0], 1, x.shape[1]))
    y = permuted(b, y, (1, 0, 2)) if batched and batch_first else y
    lasts: list[tuple[Blob, ...]] = []
    for first in range(0, len(stack.weights), stack.directions):
        outputs = []
        for place in range(first, first + stack.directions):
            top, *last = _direction(b, y, stack, place)
            outputs.append(top)
            lasts.append(tuple(last))
        y = joined(b, outputs, 2)
    y = permuted(b, y, (1, 0, 2)) if batched and batch_first else y
    return (
        reshaped(b, y, b.expected[0]),
        *(_stacked(b, states, shape) for states, shape in zip(zip(*lasts, strict=True), b.expected[1:], strict=True)),
    )


def _direction(b: Scope, x: Blob, stack: Stack, place: int) -> tuple[Blob, ...]:
    """Return y and the last states of one layer in one direction."""
    reverse = stack.directions == 2 and place % 2 == 1
    states = () if stack.zero() else tuple(_state(b, state, place, x.shape[1]) for state in stack.states)
    if stack.projections:
        of_input, of_state, *biases = stack.weights[place]
        cell = ProjectedLstm(of_input, of_state, (biases[0], biases[1]), stack.projections[place], reverse)
        return cell.run(b, x, states)
    op = Recurrence(stack.cell, stack.hidden(), reverse, has_state=not stack.zero())
    return b.add_all(op, x, *states, weights=stack.weights[place])


def _state(b: Scope, state: State, place: int, batch: int) -> Blob:
    """Return the first state [N, H] of one layer and direction."""
    whole = as_blob(b, state)
    return reshaped(b, sliced(b, whole, 0, place, place + 1), (batch, whole.shape[-1]))


def _stacked(b: Scope, states: Sequence[Blob], shape: tuple[int, ...]) -> Blob:
    """Return the last states one below the other."""
    return reshaped(b, joined(b, [reshaped(b, state, (1, *state.shape)) for state in states], 0), shape)


@lowers(aten.lstm.input)
def lstm(
    b: Scope,
    input: Blob,
    hx: Sequence[Blob | Weight],
    params: Sequence[Weight],
    has_biases: bool,
    num_layers: int,
    dropout: float,  # noqa: ARG001 - of training
    train: bool,  # noqa: ARG001 - the same
    bidirectional: bool,
    batch_first: bool,
) -> tuple[Blob, ...]:
    """Y, last h, last c of a stack of LSTM layers."""
    stack = _stack(Cell.LSTM, hx, params, has_biases=has_biases, num_layers=num_layers, bidirectional=bidirectional)
    return _run(b, input, stack, batch_first=batch_first)


def _with_one_state(cell: Cell) -> Function:
    def lowering(
        b: Scope,
        input: Blob,
        hx: Blob | Weight,
        params: Sequence[Weight],
        has_biases: bool,
        num_layers: int,
        dropout: float,  # noqa: ARG001 - of training
        train: bool,  # noqa: ARG001 - the same
        bidirectional: bool,
        batch_first: bool,
    ) -> tuple[Blob, ...]:
        stack = _stack(cell, (hx,), params, has_biases=has_biases, num_layers=num_layers, bidirectional=bidirectional)
        return _run(b, input, stack, batch_first=batch_first)

    lowering.__doc__ = f"Y, last h of a stack of {cell} layers."
    return lowering


lowers(aten.gru.input)(_with_one_state(Cell.GRU))
lowers(aten.rnn_tanh.input)(_with_one_state(Cell.RNN_TANH))
lowers(aten.rnn_relu.input)(_with_one_state(Cell.RNN_RELU))
