"""Recurrent layers and cells."""

from __future__ import annotations

import torch
from torch import nn

from cases.case import Case, layer

S = (3, 2, 4)


class Stated(nn.Module):
    """A recurrent layer with given first states, and all its results."""

    def __init__(self, recurrent: nn.Module, *, learned: bool) -> None:
        super().__init__()
        self.recurrent = recurrent
        self.start = nn.Parameter(torch.randn(2, 2, 5), requires_grad=learned)

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, ...]:
        out, (h, c) = self.recurrent(x, (y, self.start))
        return out, h, c


class Step(nn.Module):
    """Two steps of a cell."""

    def __init__(self, cell: nn.Module) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        state = self.cell(x[0])
        last = self.cell(x[1], state)
        y: torch.Tensor = last[0] if isinstance(last, tuple) else last
        return y


CASES: tuple[Case, ...] = (
    layer("nn.LSTM", lambda: nn.LSTM(4, 5), S),
    layer("nn.LSTM batch first", lambda: nn.LSTM(4, 5, batch_first=True), S),
    layer("nn.LSTM two layers", lambda: nn.LSTM(4, 5, 2), S),
    layer("nn.LSTM both directions", lambda: nn.LSTM(4, 5, bidirectional=True), S),
    layer("nn.LSTM two layers both directions", lambda: nn.LSTM(4, 5, 2, bidirectional=True, batch_first=True), S),
    layer("nn.LSTM without bias", lambda: nn.LSTM(4, 5, bias=False), S),
    layer("nn.LSTM unbatched", lambda: nn.LSTM(4, 5), (3, 4)),
    layer("nn.LSTM projected", lambda: nn.LSTM(4, 5, proj_size=3), S),
    layer("nn.LSTM projected, two layers", lambda: nn.LSTM(4, 5, 2, proj_size=3, bidirectional=True, bias=False), S),
    Case(
        "nn.LSTM projected with states", lambda: Stated(nn.LSTM(4, 5, 2, proj_size=5 - 1), learned=True), (S, (2, 2, 4))
    ),
    Case("nn.LSTM with states", lambda: Stated(nn.LSTM(4, 5, bidirectional=True), learned=True), (S, (2, 2, 5))),
    layer("nn.GRU", lambda: nn.GRU(4, 5), S),
    layer("nn.GRU two layers both directions", lambda: nn.GRU(4, 5, 2, bidirectional=True), S),
    layer("nn.GRU batch first, without bias", lambda: nn.GRU(4, 5, batch_first=True, bias=False), S),
    layer("nn.RNN", lambda: nn.RNN(4, 5), S),
    layer("nn.RNN relu", lambda: nn.RNN(4, 5, nonlinearity="relu", bidirectional=True), S),
    layer("nn.LSTMCell", lambda: Step(nn.LSTMCell(4, 5)), S),
    layer("nn.GRUCell", lambda: Step(nn.GRUCell(4, 5)), S),
    layer("nn.RNNCell", lambda: Step(nn.RNNCell(4, 5)), S),
)
