"""Rewrites of images cut into squares, whose elements become channels."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain, permutations, product
from math import prod

from torch2om.ir.blob import Blob
from torch2om.layers import Concat, Permute, Reshape, StridedSlice
from torch2om.passes.rules import RewriteBuilder, rewrites

MOST_AXES = 3

_Starts = Mapping[int, tuple[int, int]]
"""Axis -> the first element that is taken along it, and the step to the next."""


@rewrites(Concat)
def concat_of_steps_is_permute(b: RewriteBuilder, op: Concat, *blobs: Blob) -> Blob | None:
    """concat of x[i::s, j::s] for all i, j < s = reshape(permute(reshape(x, squares as dims))).

    So a Focus and a patch merging are three layers. The places in a square go before the channels, as the bottoms are.
    """
    source, first = _taken(b, blobs[0])
    found = [_taken(b, blob) for blob in blobs]
    steps = {axis: step for axis, (_, step) in first.items()}
    target = op.axis % source.rank
    if not 1 <= len(steps) <= MOST_AXES or target in steps or prod(steps.values()) != len(blobs):
        return None
    if any(x != source or {axis: step for axis, (_, step) in starts.items()} != steps for x, starts in found):
        return None
    places = [{axis: start for axis, (start, _) in starts.items()} for _, starts in found]
    order = next((axes for axes in permutations(steps) if _counts(places, steps, axes)), None)
    if order is None or any(source.shape[axis] % step for axis, step in steps.items()):
        return None
    return _squares_as_channels(b, source, steps, order, target)


def _taken(b: RewriteBuilder, x: Blob) -> tuple[Blob, _Starts]:
    """Return the blob of which x is one element of every so many along some axes, and where they start."""
    starts: dict[int, tuple[int, int]] = {}
    while (producer := b.producer(x)) is not None and isinstance(producer.op, StridedSlice):
        (bottom,) = b.bottoms(producer)
        axis = producer.op.axis % x.rank
        taken = producer.op.bounds(bottom.shape[axis])
        whole = range(taken.start, bottom.shape[axis], producer.op.step)
        if producer.op.step == 1 or taken != whole or taken.start >= producer.op.step or axis in starts:
            break
        starts[axis] = (taken.start, producer.op.step)
        x = bottom
    return x, starts


def _counts(places: list[dict[int, int]], steps: Mapping[int, int], axes: tuple[int, ...]) -> bool:
    """Whether the places go through all starts, the last of the axes fastest."""
    wanted = product(*(range(steps[axis]) for axis in axes))
    return [tuple(place[axis] for axis in axes) for place in places] == list(wanted)


def _squares_as_channels(
    b: RewriteBuilder, x: Blob, steps: Mapping[int, int], order: tuple[int, ...], target: int
) -> Blob:
    """Return x with the places in its squares before the dim `target`, those of the last axis in `order` innermost."""
    cut = [(length // steps[axis], steps[axis]) if axis in steps else (length,) for axis, length in enumerate(x.shape)]
    start = [sum(map(len, cut[:axis])) for axis in range(x.rank)]
    moved = [*(start[axis] + 1 for axis in order), start[target]]
    dims = list(chain.from_iterable(moved if axis == target else [start[axis]] for axis in range(x.rank)))
    parts = b.add(Permute(tuple(dims)), b.add(Reshape(tuple(chain.from_iterable(cut))), x))
    shape = [length // steps.get(axis, 1) for axis, length in enumerate(x.shape)]
    shape[target] *= prod(steps.values())
    return b.add(Reshape(tuple(shape)), parts)
