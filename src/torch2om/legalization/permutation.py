"""Permutations of dims for targets without a Permute layer: Caffe's Im2col moves data and multiplies nothing."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations, combinations_with_replacement, pairwise, permutations
from math import prod

from torch2om.errors import Refuse
from torch2om.ir.blob import Blob
from torch2om.ir.op import Shape
from torch2om.layers import Im2col, Permute
from torch2om.layers.dims import merge_dims
from torch2om.legalization.rules import RuleBuilder, legalizes

Dims = tuple[int, ...]


@legalizes(Permute)
def permute_by_im2col(b: RuleBuilder, op: Permute, x: Blob) -> Blob:
    """y = im2col(reshape(...im2col(reshape(x)))): each Im2col exchanges runs of neighbouring dims.

    Exact, and nothing is multiplied: one Im2col for two runs that change places, two at most up to rank 4.
    """
    order = op.full_order(x.rank)
    shape = tuple(x.shape[dim] for dim in order)
    sizes, wanted = merge_dims(x.shape, order)
    for swap in shortest(wanted):
        x = swap.apply(b, x, sizes)
    return b.reshape(x, shape)


@legalizes(Permute)
def permute_all_dims(b: RuleBuilder, op: Permute, x: Blob) -> Blob:
    """Permute(x) whose order leaves the last dims out = Permute(x) with the whole order.

    Exact.
    """
    order = op.full_order(x.rank)
    if op.order == order:
        raise Refuse("its order names every dim already")
    return b.add(Permute(order), x)


def permute(b: RuleBuilder, x: Blob, order: Dims) -> Blob:
    """Return x with its dims in this order: a Permute, or a Reshape where only dims of length 1 move."""
    _, wanted = merge_dims(x.shape, order)
    if len(wanted) <= 1:
        return b.reshape(x, tuple(x.shape[dim] for dim in order))
    return b.add(Permute(order), x)


@dataclass(frozen=True, slots=True)
class Swap:
    """One Im2col on dims (P, H, W), H and W products of two runs of dims each: one run of each moves to the front.

    Im2col makes [P, kh * kw, rows, columns] of [P, 1, H, W]. A kernel over the inner run of H with as large a stride
    leaves the outer run as rows; a kernel over the outer run, dilated by the inner one, leaves the inner run.
    """

    fixed: Dims
    height: tuple[Dims, Dims]
    width: tuple[Dims, Dims]
    take: tuple[int, int]  # which run of height and of width goes to the front: 0 the outer, 1 the inner

    @property
    def result(self) -> Dims:
        """The dims in their new order."""
        down, across = self.take
        return (
            *self.fixed,
            *self.height[down],
            *self.width[across],
            *self.height[1 - down],
            *self.width[1 - across],
        )

    def apply(self, b: RuleBuilder, x: Blob, sizes: Shape) -> Blob:
        """Return the Im2col's top for dims of these sizes."""

        def size(dims: Dims) -> int:
            return prod(sizes[dim] for dim in dims)

        runs = tuple((size(outer), size(inner)) for outer, inner in (self.height, self.width))
        image = b.reshape(x, (size(self.fixed), 1, *(outer * inner for outer, inner in runs)))
        kernel, stride, dilation = zip(*map(_window, runs, self.take), strict=True)
        return b.add(Im2col(kernel, stride, (0, 0), dilation), image)


def _window(run: tuple[int, int], take: int) -> tuple[int, int, int]:
    """Return kernel, stride and dilation that take the outer (0) or the inner (1) run of one axis."""
    outer, inner = run
    return (inner, inner, 1) if take else (outer, 1, inner)


@cache
def shortest(wanted: Dims) -> tuple[Swap, ...]:
    """Return the fewest swaps that bring ascending dims into the order `wanted`."""
    start = tuple(range(len(wanted)))
    paths: dict[Dims, tuple[Swap, ...]] = {start: ()}
    pending = deque([start])
    while wanted not in paths:
        dims = pending.popleft()
        for swap in _swaps(dims):
            if swap.result not in paths:
                paths[swap.result] = (*paths[dims], swap)
                pending.append(swap.result)
    return paths[wanted]


def _swaps(dims: Dims) -> Iterator[Swap]:
    """Yield every way of cutting the dims into a fixed part and two axes of two runs each, the longest fixed first."""
    for fixed, first, middle, last in sorted(combinations_with_replacement(range(len(dims) + 1), 4), reverse=True):
        height = (dims[fixed:first], dims[first:middle])
        width = (dims[middle:last], dims[last:])
        for take in ((0, 0), (0, 1), (1, 0), (1, 1)):
            yield Swap(dims[:fixed], height, width, take)


Move = tuple[tuple[Dims, ...], Dims]
"""The dims in runs, and the order that a Permute gives to the runs."""


@cache
def block_moves(wanted: Dims, runs: int) -> tuple[Move, ...]:
    """Return the fewest Permutes of at most so many runs that bring ascending dims into the order `wanted`."""
    start = tuple(range(len(wanted)))
    paths: dict[Dims, tuple[Move, ...]] = {start: ()}
    pending = deque([start])
    while wanted not in paths:
        dims = pending.popleft()
        for move in _moves(dims, runs):
            result = tuple(dim for place in move[1] for dim in move[0][place])
            if result not in paths:
                paths[result] = (*paths[dims], move)
                pending.append(result)
    return paths[wanted]


def _moves(dims: Dims, runs: int) -> Iterator[Move]:
    """Yield every way of cutting the dims into at most so many runs, in every order but their own."""
    for count in range(2, min(runs, len(dims)) + 1):
        for cuts in combinations(range(1, len(dims)), count - 1):
            edges = (0, *cuts, len(dims))
            cut = tuple(dims[start:stop] for start, stop in pairwise(edges))
            yield from ((cut, places) for places in permutations(range(count)) if places != tuple(range(count)))
