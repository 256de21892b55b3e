"""Recurrent cells: where each rule applies, and where it says why not."""

from __future__ import annotations

from torch2om.layers import LSTM, RNN, Cell, Recurrence
from torch2om.rulebook.case import ALWAYS, Case, Entry

X = ((2, 1, 3),)  # steps, batch, features


def _cell(kind: Cell, hidden: int = 2) -> Case:
    gates = kind.gates * hidden
    return Case(Recurrence(kind, hidden), X, ((gates, 3), (gates, hidden), (gates,), (gates,)))


CONT, STATIC, STATE = (2, 1), (1, 4), (1, 1, 2)
PLAIN_LSTM = Case(LSTM(2), (*X, CONT), ((8, 3), (8,), (8, 2)), whole=True)
STATIC_LSTM = Case(LSTM(2, True), (*X, CONT, STATIC, STATE, STATE), ((8, 3), (8,), (8, 4), (8, 2)), whole=True)
STATIC_RNN = Case(RNN(2, True), (*X, CONT, STATIC, STATE), ((2, 3), (2,), (2, 4), (2, 2), (2, 2), (2,)), whole=True)


ENTRIES: dict[str, Entry] = {
    "lstm_by_lstm_layer": Entry(_cell(Cell.LSTM), _cell(Cell.GRU)),
    "lstm_of_images": Entry(
        Case(LSTM(2), (*X, (2, 1)), ((8, 3), (8,), (8, 2))),
        Case(LSTM(2), ((2, 1, 3, 1), (2, 1)), ((8, 3), (8,), (8, 2))),
    ),
    "recurrent_layer_step_by_step": Entry(PLAIN_LSTM, ALWAYS, (STATIC_LSTM, STATIC_RNN)),
    "static_input_beside_each_step": Entry(STATIC_LSTM, PLAIN_LSTM, (STATIC_RNN,)),
    "recurrence_step_by_step": Entry(_cell(Cell.RNN_TANH), ALWAYS),
}
