"""Linear maps along one axis: gathers, flips, resizes and averages, in layers that every target has."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod

import numpy as np
import numpy.typing as npt

from torch2om.errors import Refuse
from torch2om.ir.blob import Blob
from torch2om.ir.op import axis_of
from torch2om.ir.weight import Weight, constant
from torch2om.layers import Concat, Convolution, InnerProduct, LinearMap, Slice, StridedSlice
from torch2om.legalization.rules import RuleBuilder, legalizes

MOST_ENTRIES = 2**26  # of a matrix that picks elements: 256 MiB in a caffemodel
MOST_PIECES = 64  # a Concat of more is longer than the matrix product that it saves


def selection(index: Sequence[int] | npt.NDArray[np.intp], length: int) -> Weight:
    """Return the matrix M with (M x)[o] = x[index[o]] for x of `length` elements; refuse one that fills the memory."""
    if len(index) * length > MOST_ENTRIES:
        raise Refuse(f"a matrix of {len(index)} x {length} would pick the elements, more than {MOST_ENTRIES} numbers")
    matrix = np.zeros((len(index), length))
    matrix[np.arange(len(index)), list(index)] = 1
    return constant(matrix)


def gather(b: RuleBuilder, x: Blob, axis: int, index: Sequence[int]) -> Blob:
    """y[o] = x[index[o]] along `axis`, as one LinearMap; x itself if nothing changes."""
    if list(index) == list(range(x.shape[axis])):
        return x
    return b.add(LinearMap(axis), x, weights=(selection(index, x.shape[axis]),))


@legalizes(LinearMap)
def gather_by_slices(b: RuleBuilder, op: LinearMap, x: Blob) -> Blob:
    """y = concat(x[run_0], x[run_1], ...) for a matrix that only selects elements: one run per stretch of neighbours.

    Exact. A single stretch, of any step, is a strided slice.
    """
    axis = axis_of(op.axis, x.rank)
    index = selected(b.weights[0])
    runs = list(_runs(index))
    steps = {int(after - before) for before, after in pairwise(index)}
    if len(steps) <= 1 and min(steps, default=1) >= 1:
        step = min(steps, default=1)
        return b.add(StridedSlice(axis, index[0], index[-1] + 1, step), x)
    cuts = sorted({edge for run in runs for edge in run} - {0, x.shape[axis]})
    edges = (0, *cuts, x.shape[axis])
    pieces = dict(zip(edges, _cut(b, x, axis, tuple(cuts)), strict=False))
    parts = [pieces[edge] for start, stop in runs for edge in edges if start <= edge < stop]
    if len(parts) > MOST_PIECES:
        raise Refuse(f"it picks {len(parts)} pieces, more than {MOST_PIECES}")
    return b.add(Concat(axis), *parts)


def selected(matrix: Weight) -> list[int]:
    """Return which element each row selects; refuse a matrix that does more."""
    values = matrix.array(np.float32)
    index = values.argmax(axis=1)
    rows = np.arange(len(index))
    if np.count_nonzero(values) != len(index) or not (values[rows, index] == 1).all():
        raise Refuse("the matrix does more than select elements")
    return [int(element) for element in index]


def _runs(index: Sequence[int]) -> list[tuple[int, int]]:
    """Return the stretches [start, stop) of neighbours that follow each other in `index`."""
    runs: list[tuple[int, int]] = []
    for element in index:
        if runs and runs[-1][1] == element:
            runs[-1] = (runs[-1][0], element + 1)
        else:
            runs.append((element, element + 1))
    return runs


def _cut(b: RuleBuilder, x: Blob, axis: int, points: tuple[int, ...]) -> tuple[Blob, ...]:
    return b.add_all(Slice(axis, points, len(points) + 1), x) if points else (x,)


@legalizes(LinearMap)
def map_by_inner_product(b: RuleBuilder, op: LinearMap, x: Blob) -> Blob:
    """y[..., o] = sum over k of M[o, k] * x[..., k]: an InnerProduct over the last axis.

    Exact.
    """
    axis = axis_of(op.axis, x.rank)
    if axis != x.rank - 1:
        raise Refuse(f"axis {axis} is not the last")
    (matrix,) = b.weights
    rows = b.reshape(x, (prod(x.shape[:-1]), x.shape[-1]))
    y = b.add(InnerProduct(matrix.shape[0], bias_term=False), rows, weights=(matrix,))
    return b.reshape(y, (*x.shape[:-1], matrix.shape[0]))


@legalizes(LinearMap)
def map_by_convolution(b: RuleBuilder, op: LinearMap, x: Blob) -> Blob:
    """y[p, o, q] = sum over k of M[o, k] * x[p, k, q]: a Convolution 1 x 1 with the axis as channels.

    Exact.
    """
    axis = axis_of(op.axis, x.rank)
    (matrix,) = b.weights
    outputs, length = matrix.shape
    before, after = x.shape[:axis], x.shape[axis + 1 :]
    image = x if x.rank == 4 and axis == 1 else b.reshape(x, (prod(before), length, prod(after), 1))
    filters = matrix.map((outputs, length, 1, 1), lambda m: m.reshape(outputs, length, 1, 1))
    y = b.add(Convolution(outputs, (1, 1), bias_term=False), image, weights=(filters,))
    return b.reshape(y, (*before, outputs, *after))
