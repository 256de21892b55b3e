"""Recurrent cells: where each rule applies, and where it says why not."""

from __future__ import annotations

from torch2om.layers import LSTM, Cell, Recurrence
from torch2om.rulebook.case import ALWAYS, Case, Entry

X = ((2, 1, 3),)  # steps, batch, features


def _cell(kind: Cell, hidden: int = 2) -> Case:
    gates = kind.gates * hidden
    return Case(Recurrence(kind, hidden), X, ((gates, 3), (gates, hidden), (gates,), (gates,)))


ENTRIES: dict[str, Entry] = {
    "lstm_by_lstm_layer": Entry(_cell(Cell.LSTM), _cell(Cell.GRU)),
    "lstm_of_images": Entry(
        Case(LSTM(2), (*X, (2, 1)), ((8, 3), (8,), (8, 2))),
        Case(LSTM(2), ((2, 1, 3, 1), (2, 1)), ((8, 3), (8,), (8, 2))),
    ),
    "recurrence_step_by_step": Entry(_cell(Cell.RNN_TANH), ALWAYS),
}
