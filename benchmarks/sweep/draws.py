"""Seeded choices that many operators draw: shapes, windows, dims."""

from __future__ import annotations

from random import Random

import torch
from benchmarks.sweep.operator import Shape

USUAL = (1, 2, 3, 4, 5, 6, 7, 8, 9, 11)
RARE = (12, 13, 16, 17, 24, 33)


def size(random: Random) -> int:
    """Return a dim: small mostly."""
    return random.choice(USUAL) if random.random() < 0.95 else random.choice(RARE)


def shape(random: Random, rank: int) -> Shape:
    """Return dims, the first (a batch, where there is one) 1 in half of all cases, at most 2000 elements or so."""
    dims = [size(random) for _ in range(rank)]
    if rank > 1 and random.random() < 0.7:
        dims[0] = random.choice((1, 1, 1, 2, 3))
    while rank and torch.Size(dims).numel() > 2500:
        dims[dims.index(max(dims))] //= 2
    return tuple(dims)


def dim(random: Random, dims: Shape) -> int:
    """Return one dim of a blob, from the front or from the back."""
    return random.randrange(-len(dims), len(dims))


def some(random: Random, dims: Shape) -> tuple[int, ...]:
    """Return one or more different dims of a blob, in order."""
    count = random.randint(1, len(dims))
    return tuple(sorted(random.sample(range(len(dims)), count)))


def divisor(random: Random, number: int) -> int:
    """Return a divisor of a number."""
    return random.choice([d for d in range(1, number + 1) if number % d == 0])


def pair(random: Random, axes: int, *numbers: int) -> tuple[int, ...]:
    """Return one of the numbers for each axis, the same for all of them in two of three cases."""
    if random.random() < 0.67:
        return (random.choice(numbers),) * axes
    return tuple(random.choice(numbers) for _ in range(axes))


def factor(random: Random) -> float:
    """Return a number that is no whole one, away from 0."""
    return round(random.choice((-1, 1)) * random.uniform(0.2, 2.5), 3)


def broadcastable(random: Random, dims: Shape) -> Shape:
    """Return one or more dims that broadcast with these: ones here and there, fewer in front, at times larger ones."""
    made = [1 if random.random() < 0.4 else dim for dim in dims]
    if random.random() < 0.3:
        made = made[random.randint(0, len(made)) :]
    if random.random() < 0.15 and len(made) < 5:
        made = [random.choice((1, 2)), *([1] * (len(dims) - len(made))), *made]
    return tuple(random.choice((2, 3)) if dim == 1 and random.random() < 0.15 else dim for dim in made or [1])


def normal(dims: Shape) -> torch.Tensor:
    """Return a constant, of the seed that was set."""
    return torch.randn(dims)
