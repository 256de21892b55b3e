"""Rewrites of several moves of elements into one: Permutes with Reshapes between them."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from torch2om.ir.blob import Blob
from torch2om.ir.op import Shape
from torch2om.layers import Permute, Reshape
from torch2om.layers.dims import merge_dims
from torch2om.passes.rules import RewriteBuilder, rewrites


@rewrites(Permute)
def permutes_across_reshape(b: RewriteBuilder, op: Permute, x: Blob) -> Blob | None:
    """permute(reshape(permute(x, p)), q) = reshape(permute(reshape(x), r)), if Reshapes cut dims where p and q do.

    Nothing is moved if r is the order as it is.
    """
    view = b.producer(x)
    if view is None or not isinstance(view.op, Reshape) or not b.read_once(x):
        return None
    (moved,) = b.bottoms(view)
    first = b.producer(moved)
    if first is None or not isinstance(first.op, Permute) or not b.read_once(moved):
        return None
    (source,) = b.bottoms(first)
    order = op.full_order(x.rank)
    runs = _Runs(source.shape)
    if not (runs.permute(source.shape, first.op.full_order(source.rank)) and runs.permute(x.shape, order)):
        return None
    sizes, wanted = merge_dims(runs.sizes, runs.order)
    shape = tuple(x.shape[axis] for axis in order)
    y = b.add(Permute(wanted), b.add(Reshape(sizes), source)) if len(wanted) > 1 else source
    return b.add(Reshape(shape), y)


@dataclass(eq=False)
class _Run:
    """Neighbouring elements that all moves so far keep together."""

    size: int


class _Runs:
    """A blob's elements in runs, and the order that moves have given them."""

    def __init__(self, shape: Shape) -> None:
        self._before = [_Run(size) for size in shape]
        self._now = list(self._before)

    @property
    def sizes(self) -> Shape:
        """The sizes of the runs, as the blob has them."""
        return tuple(run.size for run in self._before)

    @property
    def order(self) -> tuple[int, ...]:
        """Which of them stands where now."""
        return tuple(self._before.index(run) for run in self._now)

    def permute(self, shape: Shape, order: tuple[int, ...]) -> bool:
        """Move the dims of what now has this shape; False if its dims cut the runs at no whole number of elements."""
        dims = [self._take(length) for length in shape]
        if any(dim is None for dim in dims):
            return False
        self._now = [run for axis in order for run in dims[axis] or ()]
        return True

    def _take(self, length: int) -> list[_Run] | None:
        """Take the next runs that make up a dim of this length off the front, cutting the last one if it is longer."""
        taken: list[_Run] = []
        while (have := prod(run.size for run in taken)) < length and self._now:
            run = self._now.pop(0)
            if have * run.size > length:
                outer, rest = divmod(length, have)
                if rest or run.size % outer:
                    return None
                run = self._cut(run, outer)
            taken.append(run)
        return taken

    def _cut(self, run: _Run, outer: int) -> _Run:
        """Cut a run in two, put the inner one back to the front, and return the outer one."""
        first, second = _Run(outer), _Run(run.size // outer)
        place = self._before.index(run)
        self._before[place : place + 1] = [first, second]
        self._now.insert(0, second)
        return first
