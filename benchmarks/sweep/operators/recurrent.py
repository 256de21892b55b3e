"""Recurrent layers in all their forms, and their cells."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import torch
from benchmarks.sweep.operator import Family, Shape
from torch import nn

RECURRENT = Family("recurrent")


class Stated(nn.Module):
    """A recurrent layer with learned first states, or without."""

    def __init__(self, recurrent: nn.RNNBase, batch: int | None) -> None:
        super().__init__()
        self.recurrent = recurrent
        directions = recurrent.num_layers * (2 if recurrent.bidirectional else 1)
        middle = () if batch is None else (batch,)
        hidden = recurrent.proj_size or recurrent.hidden_size
        self.h = nn.Parameter(torch.randn(directions, *middle, hidden))
        self.c = nn.Parameter(torch.randn(directions, *middle, recurrent.hidden_size))

    def forward(self, x: torch.Tensor) -> Any:  # Any: outputs and states
        state = (self.h, self.c) if isinstance(self.recurrent, nn.LSTM) else self.h
        return self.recurrent(x, state)


class Outputs(nn.Module):
    """The outputs of a recurrent layer without its states."""

    def __init__(self, recurrent: nn.Module) -> None:
        super().__init__()
        self.recurrent = recurrent

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.recurrent(x)[0]
        return y


def _recurrent(kind: type[nn.RNNBase], random: Random, shape: Shape) -> nn.Module:
    batch_first = random.random() < 0.5
    options: dict[str, Any] = {
        "num_layers": random.choice((1, 1, 2)),
        "bias": random.random() < 0.8,
        "batch_first": batch_first,
        "bidirectional": random.random() < 0.35,
    }
    if kind is nn.RNN:
        options["nonlinearity"] = random.choice(("tanh", "relu"))
    hidden = random.randint(2, 5)
    if kind is nn.LSTM and random.random() < 0.15:
        options["proj_size"] = random.randint(1, hidden - 1)
    make: Callable[..., nn.RNNBase] = kind  # RNNBase itself takes a mode first
    layer = make(shape[-1], hidden, **options)
    batch = None if len(shape) == 2 else shape[0 if batch_first else 1]
    drawn = random.random()
    return Stated(layer, batch) if drawn < 0.3 else Outputs(layer) if drawn < 0.6 else layer


@RECURRENT("nn.LSTM", 2, 3)
def lstm(random: Random, shape: Shape) -> nn.Module:
    return _recurrent(nn.LSTM, random, shape)


@RECURRENT("nn.GRU", 2, 3)
def gru(random: Random, shape: Shape) -> nn.Module:
    return _recurrent(nn.GRU, random, shape)


@RECURRENT("nn.RNN", 2, 3)
def rnn(random: Random, shape: Shape) -> nn.Module:
    return _recurrent(nn.RNN, random, shape)


@RECURRENT("cells", 2)
def cell(random: Random, shape: Shape) -> nn.Module:
    kind = random.choice((nn.LSTMCell, nn.GRUCell, nn.RNNCell))
    return kind(shape[-1], random.randint(2, 5), bias=random.random() < 0.8)
