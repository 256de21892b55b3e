"""Products of blobs, and attention with every mask."""

from __future__ import annotations

from random import Random
from typing import Any

import torch
from benchmarks.sweep.operator import Call, Family, Shape
from torch import nn
from torch.nn import functional as F  # noqa: N812 - everybody's name for it

ATTENTION = Family("attention")
Tensor = torch.Tensor


@ATTENTION("matmul", 1, 2, 3, 4)
def matmul(random: Random, shape: Shape) -> nn.Module:
    """x @ y, y a blob or a constant, a matrix or a vector, with batch dims that broadcast."""
    batch = tuple(1 if random.random() < 0.2 else size for size in shape[:-2])
    if random.random() < 0.3:
        batch = ()
    other = (*batch, shape[-1], random.randint(1, 5)) if random.random() < 0.85 else (shape[-1],)
    if random.random() < 0.25:
        return Call(torch.matmul, torch.randn(other))
    return Call(torch.matmul, others=(other,))


def product_from_left(x: Tensor, y: Tensor) -> Tensor:
    return y @ x


@ATTENTION("matmul from the left", 2, 3, 4)
def matmul_left(random: Random, shape: Shape) -> nn.Module:
    other = (*shape[:-2], random.randint(1, 5), shape[-2])
    return (
        Call(product_from_left, torch.randn(other[-2:]))
        if random.random() < 0.3
        else Call(product_from_left, others=(other,))
    )


@ATTENTION("einsum", 3)
def einsum(random: Random, shape: Shape) -> nn.Module:
    batch, rows, columns = shape
    equation, other = random.choice(
        (
            ("bij,bjk->bik", (batch, columns, 3)),
            ("bij,bkj->bik", (batch, 2, columns)),
            ("bij,bik->bjk", (batch, rows, 3)),
            ("bij,jk->bik", (columns, 4)),
            ("bij,bij->bi", (batch, rows, columns)),
        )
    )
    return Call(_einsum, others=(other,), equation=equation)


def _einsum(x: Tensor, y: Tensor, equation: str) -> Tensor:
    return torch.einsum(equation, x, y)


@ATTENTION("scaled_dot_product_attention", 3, 4)
def attention(random: Random, shape: Shape) -> nn.Module:
    places = random.randint(1, 6)
    keys = (*shape[:-2], places, shape[-1])
    values = (*shape[:-2], places, random.randint(1, 5))
    mask = random.choice(("none", "causal", "bool", "float", "blob", "self"))
    if mask == "self":
        return Call(_self_attention)
    if mask == "none":
        return Call(F.scaled_dot_product_attention, others=(keys, values), scale=random.choice((None, 0.3)))
    if mask == "causal":
        return Call(F.scaled_dot_product_attention, others=(keys, values), is_causal=True)
    if mask == "blob":
        return Call(F.scaled_dot_product_attention, others=(keys, values, (shape[-2], places)))
    allowed = torch.rand(shape[-2], places) > 0.4
    allowed[:, 0] = True
    constant = allowed if mask == "bool" else torch.randn(shape[-2], places)
    return Call(F.scaled_dot_product_attention, constant, others=(keys, values))


def _self_attention(x: Tensor) -> Tensor:
    return F.scaled_dot_product_attention(x, x, x)


class Attending(nn.Module):
    """nn.MultiheadAttention of a blob with itself."""

    def __init__(self, attention: nn.MultiheadAttention, *, weights: bool) -> None:
        super().__init__()
        self.attention = attention
        self.weights = weights

    def forward(self, x: Tensor) -> Any:  # Any: the weights are None where they are not wanted
        y, weights = self.attention(x, x, x, need_weights=self.weights)
        return (y, weights) if self.weights else y


@ATTENTION("nn.MultiheadAttention", 2, 3)
def multihead(random: Random, shape: Shape) -> nn.Module:
    heads = random.choice([d for d in range(1, shape[-1] + 1) if shape[-1] % d == 0])
    layer = nn.MultiheadAttention(shape[-1], heads, bias=random.random() < 0.7, batch_first=random.random() < 0.5)
    return Attending(layer, weights=random.random() < 0.4)


@ATTENTION("nn.TransformerEncoderLayer", 3)
def encoder(random: Random, shape: Shape) -> nn.Module:
    options = {"batch_first": random.random() < 0.5, "norm_first": random.random() < 0.5}
    activation = random.choice((F.relu, F.gelu))
    return nn.TransformerEncoderLayer(shape[-1], 1, 6, activation=activation, **options)
