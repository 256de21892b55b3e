"""Reductions over any dims, places of extremes, softmax and its kin, running sums."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import torch
from benchmarks.sweep.draws import dim, some
from benchmarks.sweep.operator import Call, Family, Shape
from torch import nn
from torch.nn import functional as F  # noqa: N812 - everybody's name for it

REDUCTION = Family("reduction")
RANKS = (1, 2, 3, 4, 5)
Tensor = torch.Tensor


def over_dims(function: Callable[..., Any], *, whole: bool = True) -> None:
    """Register a reduction over several dims, or (where it has that form) over all of them."""

    @REDUCTION(f"torch.{function.__name__}", *RANKS)
    def build(random: Random, shape: Shape) -> nn.Module:
        if whole and random.random() < 0.15:
            return Call(function)
        return Call(function, dim=some(random, shape), keepdim=random.random() < 0.5)


_EVERY: tuple[Callable[..., Any], ...] = (torch.sum, torch.mean, torch.var, torch.std)
_NAMED: tuple[Callable[..., Any], ...] = (torch.amax, torch.amin, torch.logsumexp)
for _function in _EVERY:
    over_dims(_function)
for _function in _NAMED:
    over_dims(_function, whole=False)


def over_one_dim(function: Callable[..., Any]) -> None:
    """Register a reduction over one dim, or over all."""

    @REDUCTION(f"torch.{function.__name__}", *RANKS)
    def build(random: Random, shape: Shape) -> nn.Module:
        if random.random() < 0.15:
            return Call(function)
        return Call(function, dim=dim(random, shape), keepdim=random.random() < 0.5)


_SINGLE: tuple[Callable[..., Any], ...] = (torch.prod, torch.max, torch.min, torch.argmax, torch.argmin)
for _function in _SINGLE:
    over_one_dim(_function)


@REDUCTION("torch.linalg.vector_norm", *RANKS)
def norm(random: Random, shape: Shape) -> nn.Module:
    order = random.choice((2, 2, 1, 3, float("inf"), float("-inf"), 0))
    return Call(torch.linalg.vector_norm, ord=order, dim=some(random, shape), keepdim=random.random() < 0.5)


@REDUCTION("softmax", *RANKS)
def softmax(random: Random, shape: Shape) -> nn.Module:
    return random.choice((nn.Softmax, nn.Softmin))(dim(random, shape))


@REDUCTION("log_softmax", *RANKS)
def log_softmax(random: Random, shape: Shape) -> nn.Module:
    return nn.LogSoftmax(dim(random, shape))


@REDUCTION("torch.cumsum", *RANKS)
def cumsum(random: Random, shape: Shape) -> nn.Module:
    return Call(torch.cumsum, dim=dim(random, shape))


@REDUCTION("torch.cumprod", *RANKS)
def cumprod(random: Random, shape: Shape) -> nn.Module:
    return Call(torch.cumprod, dim=dim(random, shape))


@REDUCTION("torch.topk", *RANKS)
def topk(random: Random, shape: Shape) -> nn.Module:
    axis = dim(random, shape)
    count = 1 if random.random() < 0.4 else random.randint(1, shape[axis])
    return Call(ordered_of_distinct, torch.rand(shape), k=count, axis=axis, largest=random.random() < 0.7)


def ordered_of_distinct(x: Tensor, noise: Tensor, k: int, axis: int, *, largest: bool) -> Any:  # Any: two tensors
    """topk where no two elements are equal: of equals PyTorch leaves open which it names."""
    return torch.topk(x + noise, k, axis, largest)


def largest_values(x: Tensor, k: int, axis: int) -> Tensor:
    return x.topk(k, axis)[0]


@REDUCTION("values of topk", *RANKS)
def topk_values(random: Random, shape: Shape) -> nn.Module:
    axis = dim(random, shape)
    return Call(largest_values, k=random.randint(1, shape[axis]), axis=axis)


def sorted_values(x: Tensor, axis: int) -> Tensor:
    return x.sort(axis)[0]


@REDUCTION("values of sort", *RANKS)
def sort(random: Random, shape: Shape) -> nn.Module:
    return Call(sorted_values, axis=dim(random, shape))


def any_above(x: Tensor, axis: int) -> Tensor:
    return (x > 1).any(axis)


def all_above(x: Tensor, axis: int) -> Tensor:
    return (x > -1).all(axis)


def count_above(x: Tensor, axis: int) -> Tensor:
    return (x > 0).sum(axis)


@REDUCTION("of conditions", *RANKS)
def conditions(random: Random, shape: Shape) -> nn.Module:
    return Call(random.choice((any_above, all_above, count_above)), axis=dim(random, shape))


@REDUCTION("F.cosine_similarity", *RANKS[1:])
def cosine(random: Random, shape: Shape) -> nn.Module:
    return Call(F.cosine_similarity, others=(shape,), dim=dim(random, shape))
