"""Arithmetic on shapes: one dim replaced, dims reduced, shapes broadcast."""

from __future__ import annotations

from math import prod

import numpy as np

from torch2om.ir.op import BadOp, Shape, Shapes, axis_of, need


def with_dim(shape: Shape, axis: int, length: int) -> Shape:
    """Return `shape` with `length` at `axis` (counted from the front)."""
    return (*shape[:axis], length, *shape[axis + 1 :])


def axes_of(axes: tuple[int, ...], rank: int) -> tuple[int, ...]:
    """Return the axes counted from the front; raise `BadOp` outside the rank or if one is named twice."""
    found = tuple(axis_of(axis, rank) for axis in axes)
    need(len(set(found)) == len(found), f"axes {list(axes)} name a dim twice")
    return found


def reduced(shape: Shape, axes: tuple[int, ...], *, keepdim: bool) -> Shape:
    """Return `shape` with the dims at `axes` (counted from the front) set to 1, or removed."""
    if keepdim:
        return tuple(1 if axis in axes else dim for axis, dim in enumerate(shape))
    return tuple(dim for axis, dim in enumerate(shape) if axis not in axes)


def broadcast(shapes: Shapes) -> Shape:
    """Return the shape that all `shapes` broadcast to by PyTorch's rule; raise `BadOp` if there is none."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError as error:
        raise BadOp(f"shapes {', '.join(str(list(shape)) for shape in shapes)} do not broadcast") from error


def merge_dims(shape: Shape, order: tuple[int, ...]) -> tuple[Shape, tuple[int, ...]]:
    """Return the same permutation of fewer dims: those of length 1 left out, those that stay neighbours made one."""
    kept = [dim for dim in order if shape[dim] != 1]
    groups: list[list[int]] = []
    present = [dim for dim in range(len(shape)) if shape[dim] != 1]
    for dim in kept:
        if groups and present.index(dim) == present.index(groups[-1][-1]) + 1:
            groups[-1].append(dim)
        else:
            groups.append([dim])
    ascending = sorted(groups)
    sizes = tuple(prod(shape[dim] for dim in group) for group in ascending)
    return sizes, tuple(ascending.index(group) for group in groups)
