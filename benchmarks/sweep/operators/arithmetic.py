"""Arithmetic of blobs, constants and numbers in every broadcasting pattern; comparisons and choices."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import torch
from benchmarks.sweep.draws import broadcastable, factor, normal
from benchmarks.sweep.operator import Call, Family, Shape
from torch import nn

ARITHMETIC = Family("arithmetic")
RANKS = (0, 1, 2, 3, 4, 5)
Tensor = torch.Tensor
Binary = Callable[..., Tensor]


def add(x: Tensor, y: Tensor) -> Tensor:
    return x + y


def subtract(x: Tensor, y: Tensor) -> Tensor:
    return x - y


def multiply(x: Tensor, y: Tensor) -> Tensor:
    return x * y


def divide(x: Tensor, y: Tensor) -> Tensor:
    return x / (y.abs() + 0.5)


def power(x: Tensor, y: Tensor) -> Tensor:
    return (x.abs() + 0.5) ** y


def maximum(x: Tensor, y: Tensor) -> Tensor:
    return torch.maximum(x, y)


def minimum(x: Tensor, y: Tensor) -> Tensor:
    return torch.minimum(x, y)


def scaled_sum(x: Tensor, y: Tensor) -> Tensor:
    return torch.add(x, y, alpha=-0.7)


def less(x: Tensor, y: Tensor) -> Tensor:
    return (x < y) * x


def at_least(x: Tensor, y: Tensor) -> Tensor:
    return (x >= y).to(x.dtype)


def equal(x: Tensor, y: Tensor) -> Tensor:
    return (x.relu() == y.relu()).to(x.dtype)


def differ(x: Tensor, y: Tensor) -> Tensor:
    return x.relu() != y.relu()


def where(x: Tensor, y: Tensor) -> Tensor:
    return torch.where(x > y, x, y * 0.5)


def clamped(x: Tensor, y: Tensor) -> Tensor:
    return torch.clamp(x, y - 0.5, y + 0.5)


def both(x: Tensor, y: Tensor) -> Tensor:
    return ((x > 0) & (y > 0.1)).to(x.dtype)


def either(x: Tensor, y: Tensor) -> Tensor:
    return ((x > 0) | ~(y > 0.1)).to(x.dtype)


def whole_quotient(x: Tensor, y: Tensor) -> Tensor:
    return torch.div(x, y.abs() + 0.5, rounding_mode="floor")


def remainder(x: Tensor, y: Tensor) -> Tensor:
    return torch.remainder(x, y.abs() + 0.5)


BINARY: tuple[Binary, ...] = (
    add,
    subtract,
    multiply,
    divide,
    power,
    maximum,
    minimum,
    scaled_sum,
    less,
    at_least,
    equal,
    differ,
    where,
    clamped,
    both,
    either,
    whole_quotient,
    remainder,
)


def swapped(x: Tensor, y: Tensor, of: Binary) -> Tensor:
    return of(y, x)


def _binary(function: Binary) -> None:
    """Register a function of x and a blob, a constant or a number, on either side."""

    @ARITHMETIC(function.__name__, *RANKS)
    def build(random: Random, shape: Shape) -> nn.Module:
        other = shape if shape and random.random() < 0.3 else broadcastable(random, shape)
        constants, blobs = random.choice(
            (((), (other,)), ((normal(other),), ()), ((torch.tensor(factor(random)),), ()))
        )
        if random.random() < 0.35:
            return Call(swapped, *constants, others=blobs, of=function)
        return Call(function, *constants, others=blobs)


for _function in BINARY:
    _binary(_function)


def number_added(x: Tensor, number: float) -> Tensor:
    return number + x


def number_minus(x: Tensor, number: float) -> Tensor:
    return number - x


def times_number(x: Tensor, number: float) -> Tensor:
    return x * number


def number_divided(x: Tensor, number: float) -> Tensor:
    return number / (x.abs() + 0.5)


def to_the_power(x: Tensor, number: float) -> Tensor:
    return (x.abs() + 0.5) ** number


def whole_power(x: Tensor, number: float) -> Tensor:
    return x ** int(abs(number) * 2)


def number_to_the_power(x: Tensor, number: float) -> Tensor:
    return abs(number) ** x


def clamp(x: Tensor, number: float) -> Tensor:
    return x.clamp(-abs(number), number * number)


def clamp_below(x: Tensor, number: float) -> Tensor:
    return x.clamp(max=number)


def greater(x: Tensor, number: float) -> Tensor:
    return x > number


def filled(x: Tensor, number: float) -> Tensor:
    return x.masked_fill(x > number, 0.5)


def where_number(x: Tensor, number: float) -> Tensor:
    return torch.where(x > 0, number, x)


WITH_NUMBER: tuple[Callable[..., Tensor], ...] = (
    number_added,
    number_minus,
    times_number,
    number_divided,
    to_the_power,
    whole_power,
    number_to_the_power,
    clamp,
    clamp_below,
    greater,
    filled,
    where_number,
)


def _with_number(function: Callable[..., Tensor]) -> None:
    @ARITHMETIC(function.__name__, *RANKS)
    def build(random: Random, _: Shape) -> nn.Module:
        return Call(function, number=factor(random))


for _function in WITH_NUMBER:
    _with_number(_function)


def mixed(x: Tensor, *others: Tensor) -> Tensor:
    for other in others:
        x = x + other
    return x


def greatest(x: Tensor, *others: Tensor) -> Tensor:
    for other in others:
        x = torch.maximum(x, other)
    return x


def product(x: Tensor, *others: Tensor) -> Tensor:
    for other in others:
        x = x * other
    return x


@ARITHMETIC("many blobs", *RANKS[1:])
def many(random: Random, shape: Shape) -> nn.Module:
    return Call(random.choice((mixed, greatest, product)), others=(shape,) * random.choice((2, 3, 4, 6)))


@ARITHMETIC("torch.addcmul", *RANKS[1:])
def addcmul(random: Random, shape: Shape) -> nn.Module:
    others = broadcastable(random, shape), broadcastable(random, shape)
    return Call(torch.addcmul, others=others, value=factor(random))


@ARITHMETIC("where constant mask", *RANKS[1:])
def where_mask(random: Random, shape: Shape) -> nn.Module:
    mask = torch.rand(broadcastable(random, shape)) > 0.5
    return Call(_chosen, mask, normal(broadcastable(random, shape)))


def _chosen(x: Tensor, mask: Tensor, other: Tensor) -> Tensor:
    return torch.where(mask, x, other)
