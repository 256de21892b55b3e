"""Views, orders, cuts, joins and indices, on blobs of one to six dims."""

from __future__ import annotations

from random import Random
from typing import Any

import torch
from benchmarks.sweep.draws import dim, divisor, some
from benchmarks.sweep.operator import Call, Family, Shape
from torch import nn

SHAPE = Family("shape")
ANY = (1, 2, 3, 4, 5, 6)
SEVERAL = ANY[1:]
Tensor = torch.Tensor


def _regrouped(random: Random, count: int) -> list[int]:
    """Return dims of this many elements."""
    dims: list[int] = []
    while count > 1 and len(dims) < 5:
        dims.append(divisor(random, count))
        count //= dims[-1]
    return [*dims, count]


@SHAPE("reshape", *ANY)
def reshape(random: Random, shape: Shape) -> nn.Module:
    dims = _regrouped(random, torch.Size(shape).numel())
    if random.random() < 0.5:
        dims[random.randrange(len(dims))] = -1
    return Call(torch.reshape, shape=dims)


@SHAPE("flatten", *ANY)
def flatten(random: Random, shape: Shape) -> nn.Module:
    start = random.randrange(len(shape))
    return nn.Flatten(start, random.randrange(start, len(shape)))


@SHAPE("permute", *SEVERAL)
def permute(random: Random, shape: Shape) -> nn.Module:
    return Call(torch.permute, dims=random.sample(range(len(shape)), len(shape)))


@SHAPE("transpose", *SEVERAL)
def transpose(random: Random, shape: Shape) -> nn.Module:
    return Call(torch.transpose, dim0=dim(random, shape), dim1=dim(random, shape))


@SHAPE("unsqueeze", *ANY[:5])
def unsqueeze(random: Random, shape: Shape) -> nn.Module:
    return Call(torch.unsqueeze, dim=random.randint(-len(shape) - 1, len(shape)))


@SHAPE("squeeze", *ANY)
def squeeze(random: Random, shape: Shape) -> nn.Module:
    return Call(torch.squeeze, dim=some(random, shape))


def _cut(x: Tensor, cuts: tuple[slice, ...]) -> Tensor:
    return x[cuts]


@SHAPE("slices", *ANY)
def slices(random: Random, shape: Shape) -> nn.Module:
    def cut(size: int) -> slice:
        if random.random() < 0.4:
            return slice(None)
        start = random.randrange(size)
        return slice(start, random.randint(start + 1, size), random.choice((1, 1, 2, 3)))

    return Call(_cut, cuts=tuple(cut(size) for size in shape))


@SHAPE("select", *SEVERAL)
def select(random: Random, shape: Shape) -> nn.Module:
    axis = dim(random, shape)
    return Call(torch.select, dim=axis, index=random.randrange(-shape[axis], shape[axis]))


def joined(x: Tensor, *others: Tensor, axis: int) -> Tensor:
    return torch.cat((x, *others), axis)


def joined_twice(x: Tensor, axis: int) -> Tensor:
    return torch.cat((x, x * 2, x), axis)


@SHAPE("cat", *ANY)
def cat(random: Random, shape: Shape) -> nn.Module:
    axis = dim(random, shape)
    if random.random() < 0.2:
        return Call(joined_twice, axis=axis)
    dims = list(shape)
    dims[axis] = random.randint(1, 4)
    if random.random() < 0.2:
        return Call(joined, torch.randn(dims), axis=axis)
    return Call(joined, others=(tuple(dims),) * random.randint(1, 3), axis=axis)


def stacked(x: Tensor, *others: Tensor, axis: int) -> Tensor:
    return torch.stack((x, *others), axis)


@SHAPE("stack", *ANY[:5])
def stack(random: Random, shape: Shape) -> nn.Module:
    return Call(stacked, others=(shape,) * random.randint(1, 2), axis=random.randint(-len(shape) - 1, len(shape)))


@SHAPE("chunk", *ANY)
def chunk(random: Random, shape: Shape) -> nn.Module:
    return Call(torch.chunk, chunks=random.randint(1, 4), dim=dim(random, shape))


@SHAPE("split", *ANY)
def split(random: Random, shape: Shape) -> nn.Module:
    axis = dim(random, shape)
    return Call(torch.split, split_size_or_sections=random.randint(1, shape[axis]), dim=axis)


@SHAPE("unbind", *SEVERAL)
def unbind(random: Random, shape: Shape) -> nn.Module:
    return Call(torch.unbind, dim=dim(random, shape))


@SHAPE("tile", *ANY)
def tile(random: Random, shape: Shape) -> nn.Module:
    times = [random.choice((1, 1, 2, 3)) for _ in shape]
    return Call(torch.tile, dims=([2] if random.random() < 0.2 and len(shape) < 6 else []) + times)


@SHAPE("expand", *ANY)
def expand(random: Random, shape: Shape) -> nn.Module:
    dims = [random.choice((1, 2, 3)) if size == 1 else -1 for size in shape]
    return Call(torch.Tensor.expand, size=([2] if random.random() < 0.3 and len(shape) < 6 else []) + dims)


@SHAPE("repeat_interleave", *ANY)
def repeat_interleave(random: Random, shape: Shape) -> nn.Module:
    return Call(torch.repeat_interleave, repeats=random.choice((2, 3)), dim=dim(random, shape))


@SHAPE("roll", *ANY)
def roll(random: Random, shape: Shape) -> nn.Module:
    dims = some(random, shape)
    return Call(torch.roll, shifts=tuple(random.randint(-4, 5) for _ in dims), dims=dims)


@SHAPE("flip", *ANY)
def flip(random: Random, shape: Shape) -> nn.Module:
    return Call(torch.flip, dims=some(random, shape))


@SHAPE("rot90", *SEVERAL)
def rot90(random: Random, shape: Shape) -> nn.Module:
    return Call(torch.rot90, k=random.randint(-1, 3), dims=random.sample(range(len(shape)), 2))


@SHAPE("index_select", *ANY)
def index_select(random: Random, shape: Shape) -> nn.Module:
    axis = dim(random, shape)
    index = [random.randrange(shape[axis]) for _ in range(random.randint(1, 6))]
    return Call(_picked, torch.tensor(index), axis=axis)


def _picked(x: Tensor, index: Tensor, axis: int) -> Tensor:
    return x.index_select(axis, index)


@SHAPE("index by a matrix", *ANY[:5])
def index_by_matrix(random: Random, shape: Shape) -> nn.Module:
    axis = random.randrange(len(shape))
    index = torch.tensor([[random.randrange(-shape[axis], shape[axis]) for _ in range(2)] for _ in range(3)])
    return Call(_indexed, index, before=axis)


def _indexed(x: Tensor, index: Tensor, before: int) -> Tensor:
    whole: tuple[slice | Tensor, ...] = (slice(None),) * before
    return x[(*whole, index)]


@SHAPE("gather by constant", *ANY[:5])
def gather(random: Random, shape: Shape) -> nn.Module:
    axis = random.randrange(len(shape))
    count = random.randint(1, 4)
    if random.random() < 0.5:
        dims = [1] * len(shape)
        dims[axis] = count
        wide = [count if at == axis else size for at, size in enumerate(shape)]
        index = torch.randint(shape[axis], dims).expand(wide)
    else:
        index = torch.randint(shape[axis], [count if at == axis else size for at, size in enumerate(shape)])
    return Call(_gathered, index.contiguous(), axis=axis)


def _gathered(x: Tensor, index: Tensor, axis: int) -> Tensor:
    return x.gather(axis, index)


@SHAPE("tril", 2, 3, 4)
def tril(random: Random, _: Shape) -> nn.Module:
    return Call(random.choice((torch.tril, torch.triu)), diagonal=random.randint(-2, 2))


@SHAPE("diagonal", *SEVERAL)
def diagonal(random: Random, shape: Shape) -> nn.Module:
    first, second = random.sample(range(len(shape)), 2)
    return Call(torch.diagonal, offset=random.choice((0, 0, 1)), dim1=first, dim2=second)


@SHAPE("Tensor.unfold", *ANY[:5])
def unfold(random: Random, shape: Shape) -> nn.Module:
    axis = dim(random, shape)
    return Call(torch.Tensor.unfold, dimension=axis, size=random.randint(1, shape[axis]), step=random.choice((1, 2)))


def _assigned(x: Tensor, row: int) -> Tensor:
    y = x * 1
    y[:, row] = 3.0
    return y


@SHAPE("assigned", *SEVERAL)
def assigned(random: Random, shape: Shape) -> nn.Module:
    return Call(_assigned, row=random.randrange(shape[1]))


def _as_it_is(x: Tensor) -> Any:  # Any: any nesting of tensors
    return {"first": x, "rest": [x * 2, x.flatten()]}


@SHAPE("several results", *ANY)
def several(_random: Random, _shape: Shape) -> nn.Module:
    return Call(_as_it_is)
