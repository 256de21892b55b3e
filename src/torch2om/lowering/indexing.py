"""Slices, selections by constant indices, and orders turned round."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from torch2om.errors import Refuse
from torch2om.ir.blob import Blob
from torch2om.ir.op import Array
from torch2om.ir.weight import Weight, constant
from torch2om.layers import LinearMap, Reverse
from torch2om.lowering.operands import times
from torch2om.lowering.registry import lowers
from torch2om.lowering.scope import Scope
from torch2om.lowering.views import joined, permuted, reshaped, sliced

aten = torch.ops.aten
Indices = npt.NDArray[np.intp]

# Up to this many slices a gather is put together from slices, beyond it is a product with a matrix of 0 and 1.
MOST_SLICES = 16
MOST_ENTRIES = 2**22  # of a matrix that picks elements of a whole blob: 16 MiB in a caffemodel


def gathered(b: Scope, x: Blob, axis: int, indices: Sequence[int]) -> Blob:
    """Return x[indices] along `axis`: one slice per run of evenly spaced indices, or rows of a 0/1 matrix."""
    places = [int(index) % x.shape[axis] for index in indices]
    runs = _runs(places)
    if len(runs) <= MOST_SLICES:
        return joined(b, [sliced(b, x, axis, run.start, run.stop, run.step) for run in runs], axis)
    matrix = np.zeros((len(places), x.shape[axis]), np.float32)
    matrix[np.arange(len(places)), places] = 1
    return b.add(LinearMap(axis), x, weights=(constant(matrix),))


def _runs(places: Sequence[int]) -> list[range]:
    """Return the indices as few ascending ranges: [0, 2, 4, 1] is range(0, 5, 2), range(1, 2)."""
    runs: list[range] = []
    for place in places:
        last = runs[-1] if runs else None
        if last is not None and len(last) == 1 and place > last.start:
            runs[-1] = range(last.start, place + 1, place - last.start)
        elif last is not None and len(last) > 1 and place == last[-1] + last.step:
            runs[-1] = range(last.start, place + 1, last.step)
        else:
            runs.append(range(place, place + 1))
    return runs


@lowers(aten.slice.Tensor)
def slice_(b: Scope, self: Blob, dim: int, start: int | None, end: int | None, step: int) -> Blob:
    """self[start:end:step] along `dim`."""
    axis = dim % self.rank
    length = self.shape[axis]
    return sliced(b, self, axis, start or 0, length if end is None else min(end, length), step)


@lowers(aten.select.int)
def select(b: Scope, self: Blob, dim: int, index: int) -> Blob:
    """self[index] along `dim`, which vanishes."""
    axis = dim % self.rank
    place = index % self.shape[axis]
    return reshaped(b, sliced(b, self, axis, place, place + 1), b.expected[0])


@lowers(aten.index_select.default)
def index_select(b: Scope, self: Blob, dim: int, index: Weight) -> Blob:
    """self[index] along `dim`."""
    return gathered(b, self, dim % self.rank, _integers(index).ravel().tolist())


@lowers(aten.index.Tensor)
def index(b: Scope, self: Blob, indices: Sequence[Weight | None]) -> Blob:
    """self[indices] with constant indices, broadcast together; None takes a dim whole.

    Where the indexed dims are no neighbours, what they give stands in front (torch.Tensor, as numpy's indexing).
    """
    given = {axis: _integers(entry) for axis, entry in enumerate(indices) if entry is not None}
    axes = list(given)
    if axes != list(range(axes[0], axes[-1] + 1)):
        others = [axis for axis in range(self.rank) if axis not in axes]
        self, given = permuted(b, self, (*axes, *others)), dict(enumerate(given.values()))
        axes = list(given)
    lengths = self.shape[axes[0] : axes[-1] + 1]
    wrapped = [entry % length for entry, length in zip(given.values(), lengths, strict=True)]
    flat = np.ravel_multi_index(np.broadcast_arrays(*wrapped), lengths)
    merged = reshaped(b, self, (*self.shape[: axes[0]], math.prod(lengths), *self.shape[axes[-1] + 1 :]))
    return reshaped(b, gathered(b, merged, axes[0], flat.ravel().tolist()), b.expected[0])


@lowers(aten.gather.default)
def gather(b: Scope, self: Blob, dim: int, index: Weight, sparse_grad: bool) -> Blob:  # noqa: ARG001 - of the gradient
    """Self at constant indices along `dim`: of the flattened blob where they differ from row to row."""
    axis = dim % self.rank
    places = np.moveaxis(_integers(index), axis, 0)
    first = places.reshape(len(places), -1)[:, 0]
    same = (places == first.reshape(-1, *(1,) * (places.ndim - 1))).all()
    whole = b.expected[0][:axis] == self.shape[:axis] and b.expected[0][axis + 1 :] == self.shape[axis + 1 :]
    if same and whole:
        return gathered(b, self, axis, first.tolist())
    coordinates = np.indices(b.expected[0])
    coordinates[axis] = _integers(index) % self.shape[axis]
    flat = np.ravel_multi_index(tuple(coordinates), self.shape).ravel().tolist()
    if len(flat) * math.prod(self.shape) > MOST_ENTRIES:
        text = f"the indices differ from row to row: a matrix of {len(flat)} x {math.prod(self.shape)} would pick"
        raise Refuse(f"{text}, more than {MOST_ENTRIES} numbers", hint="index with a tensor of one dim")
    row = reshaped(b, self, (math.prod(self.shape),))
    return reshaped(b, gathered(b, row, 0, flat), b.expected[0])


@lowers(aten.flip.default)
def flip(b: Scope, self: Blob, dims: Sequence[int]) -> Blob:
    """Self with the order along `dims` turned round."""
    axes = tuple(sorted(dim % self.rank for dim in dims if self.shape[dim] > 1))
    return b.add(Reverse(axes), self) if axes else self


@lowers(aten.roll.default)
def roll(b: Scope, self: Blob, shifts: Sequence[int], dims: Sequence[int]) -> Blob:
    """y[(i + shift) % n] = x[i] along each of `dims`; of the flattened blob without dims."""
    x = self if dims else reshaped(b, self, (math.prod(self.shape),))
    for shift, dim in zip(shifts, dims or (0,), strict=True):
        axis = dim % x.rank
        cut = -shift % x.shape[axis]
        if cut:
            x = joined(b, [sliced(b, x, axis, cut, x.shape[axis]), sliced(b, x, axis, 0, cut)], axis)
    return reshaped(b, x, self.shape)


@lowers(aten.unfold.default)
def unfold(b: Scope, self: Blob, dimension: int, size: int, step: int) -> Blob:
    """y[..., i, ..., k] = x[..., i * step + k, ...]: windows along one dim, their elements as a new last dim."""
    axis = dimension % self.rank
    count = b.expected[0][axis]
    if count < size:
        places = [first * step + tap for first in range(count) for tap in range(size)]
        windows = (*self.shape[:axis], count, size, *self.shape[axis + 1 :])
        others = [dim for dim in range(self.rank + 1) if dim != axis + 1]
        return permuted(b, reshaped(b, gathered(b, self, axis, places), windows), (*others, axis + 1))
    reach = (count - 1) * step + 1
    taps = [sliced(b, self, axis, tap, tap + reach, step) for tap in range(size)]
    return joined(b, [reshaped(b, tap, (*tap.shape, 1)) for tap in taps], self.rank)


@lowers(aten.diagonal.default)
def diagonal(b: Scope, self: Blob, offset: int, dim1: int, dim2: int) -> Blob:
    """y[..., i] = x[i, i + offset] of the dims dim1 and dim2."""
    first, second = dim1 % self.rank, dim2 % self.rank
    others = [axis for axis in range(self.rank) if axis not in {first, second}]
    x = permuted(b, self, (*others, first, second))
    rows, columns = x.shape[-2:]
    places = np.diagonal(np.arange(rows * columns).reshape(rows, columns), offset)
    return gathered(b, reshaped(b, x, (*x.shape[:-2], rows * columns)), x.rank - 2, places.tolist())


@lowers(aten.cumsum.default)
def cumsum(b: Scope, self: Blob, dim: int, dtype: torch.dtype | None) -> Blob:  # noqa: ARG001 - all blobs are floats
    """y[i] = x[0] + ... + x[i] along `dim`: a triangular matrix of ones."""
    axis = dim % self.rank
    matrix = np.tri(self.shape[axis], dtype=np.float32)
    return b.add(LinearMap(axis), self, weights=(constant(matrix),))


@lowers(aten.tril.default)
def tril(b: Scope, self: Blob, diagonal: int) -> Blob:
    """Self with zeros above the diagonal of its last two dims."""
    return times(b, self, constant(_at_most(self, diagonal)))


@lowers(aten.triu.default)
def triu(b: Scope, self: Blob, diagonal: int) -> Blob:
    """Self with zeros below the diagonal of its last two dims."""
    return times(b, self, constant(1 - _at_most(self, diagonal - 1)))


def _at_most(x: Blob, diagonal: int) -> npt.NDArray[np.float32]:
    """1 on the diagonal of the last two dims and below, 0 above."""
    rows, columns = x.shape[-2:]
    return np.tri(rows, columns, diagonal, dtype=np.float32)


def _integers(weight: Weight) -> Indices:
    values: Array = weight.array()
    return values.astype(np.intp)
