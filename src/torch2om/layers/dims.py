"""Arithmetic on shapes: one dim replaced, dims reduced, shapes broadcast."""

from __future__ import annotations

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
