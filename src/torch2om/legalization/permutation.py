"""Permutations of dims for targets without a Permute layer: Caffe's Im2col moves data and multiplies nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain, combinations, combinations_with_replacement, permutations
from math import prod

from torch2om.errors import Refuse
from torch2om.ir.blob import Blob
from torch2om.ir.op import Shape
from torch2om.layers import Im2col, Permute
from torch2om.layers.dims import merge_dims
from torch2om.legalization.reordering import Cut, Dims, fewest
from torch2om.legalization.rules import RuleBuilder, legalizes

TAKES = ((0, 0), (0, 1), (1, 0), (1, 1))  # of the runs of height and width: which go to the front


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


@dataclass(frozen=True, slots=True)
class _Swaps:
    """Every way of cutting dims into a fixed part and two axes of two runs each, the longest fixed part first."""

    joins: int = 4

    def cuts(self, items: int) -> Iterator[Cut]:
        """Yield the cuts, each with the order that its Swap leads to."""
        for edges in sorted(combinations_with_replacement(range(items + 1), 4), reverse=True):
            for down, across in TAKES:
                yield Cut(edges, (0, 1 + down, 3 + across, 2 - down, 4 - across))


@cache
def shortest(wanted: Dims) -> tuple[Swap, ...]:
    """Return the fewest swaps that bring ascending dims into the order `wanted`."""
    return tuple(_swap(cut, runs) for cut, runs in fewest(wanted, _Swaps()))


def _swap(cut: Cut, runs: tuple[Dims, ...]) -> Swap:
    fixed, outer, inner, left, right = map(_merged, cut.parts(runs))
    return Swap(fixed, (outer, inner), (left, right), (cut.order[1] - 1, cut.order[2] - 3))


def _merged(runs: tuple[Dims, ...]) -> Dims:
    return tuple(chain.from_iterable(runs))


Move = tuple[tuple[Dims, ...], Dims]
"""The dims in runs, and the order that a Permute gives to the runs."""


@dataclass(frozen=True, slots=True)
class _Blocks:
    """Every way of cutting dims into at most so many runs, in every order but their own."""

    most: int

    @property
    def joins(self) -> int:
        """How many runs may come to follow those that they shall."""
        return self.most - 1

    def cuts(self, items: int) -> Iterator[Cut]:
        """Yield the cuts, the fewest runs first."""
        for runs in range(2, min(self.most, items) + 1):
            for edges in combinations(range(1, items), runs - 1):
                yield from (Cut(edges, order) for order in permutations(range(runs)))


@cache
def block_moves(wanted: Dims, runs: int) -> tuple[Move, ...]:
    """Return the fewest Permutes of at most so many runs that bring ascending dims into the order `wanted`."""
    return tuple((tuple(map(_merged, cut.parts(dims))), cut.order) for cut, dims in fewest(wanted, _Blocks(runs)))
