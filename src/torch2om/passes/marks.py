"""Values that a blob holds exactly, and whether something behind tells them from their neighbours.

A clamp gives its bounds and a comparison 0 and 1, bit for bit. (m - b) * a of such a mark m may be 0 exactly, where
a * m - a * b, with numbers rounded to float32, is some 1e-8: what compares it, or takes its sign or its root, then
finds something else. So two lines become one only where no mark shows the difference, or nothing behind would.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from torch2om.ir.blob import Blob
from torch2om.ir.net import Layer
from torch2om.ir.op import Array
from torch2om.layers import (
    ArgMax,
    ArgReduce,
    Arithmetic,
    Bias,
    Clip,
    Compare,
    Convolution,
    Eltwise,
    Expand,
    Hardshrink,
    HardSigmoid,
    HardSwish,
    Hardtanh,
    InnerProduct,
    Log,
    Pad,
    Pooling,
    Power,
    PReLU,
    Reciprocal,
    Reduce,
    ReLU,
    ReLU6,
    Rsqrt,
    Scale,
    Sign,
    Softshrink,
    Sqrt,
    StridedSlice,
    Threshold,
    Where,
)
from torch2om.layers.pointwise import EltwiseOperation
from torch2om.layers.selection import selects
from torch2om.layers.unary import Unary
from torch2om.layers.virtual_arithmetic import ArithmeticKind
from torch2om.passes.rules import RewriteBuilder

Marks = npt.NDArray[np.float64]

NONE: Marks = np.empty(0)
MOST = 1024  # marks that are followed; a blob with more is taken to have none
FARTHEST = 64  # layers that are looked back at
STEEPEST = 2.0**24  # the slope that makes 1 of the last digit of a float32 near 1

_JUMPS = (ArgMax, ArgReduce, Compare, Hardshrink, Log, Reciprocal, Rsqrt, Sign, Sqrt, Threshold)
_CARRIERS = (Arithmetic, Bias, Eltwise, Expand, Pad, Pooling, PReLU, Reduce, Scale, StridedSlice, Unary, Where)
_LARGEST = (EltwiseOperation.MAX, ArithmeticKind.MAX, ArithmeticKind.MIN)
_PRODUCTS = (EltwiseOperation.PROD, ArithmeticKind.MUL)


@dataclass(frozen=True)
class _Width:
    """How a reader computes: what its parameters are written in, what it computes in, and what its blobs hold."""

    written: npt.DTypeLike
    computing: npt.DTypeLike
    held: npt.DTypeLike

    def number(self, value: float) -> float:
        """Return a parameter as it is written."""
        return float(np.asarray(value, self.written))

    def result(self, values: npt.ArrayLike) -> Marks:
        """Return what blobs hold of computed values, each once."""
        return np.unique(np.asarray(values, self.held)).astype(np.float64)


# The meaning, the files as the executor runs them, and as a reader that knows only float32 does.
WIDTHS = (
    _Width(np.float64, np.float64, np.float64),
    _Width(np.float32, np.float64, np.float32),
    _Width(np.float32, np.float32, np.float32),
)


def moves_a_mark(b: RewriteBuilder, first: Layer, joined: Layer) -> bool:
    """Whether `joined` makes something else of a mark than `first` and then the rewritten layer do, and it shows.

    It shows in the sign where the line is as steep as a jump, else in any digit that a layer behind tells apart.
    """
    if not _jumps(joined) and not _reaches_a_jump(b, b.layer):
        return False
    (source,) = b.bottoms(first)
    told = np.sign if _is_steep(joined) else np.asarray
    return any(
        not np.array_equal(
            told(_line(joined, mark, width)), told(_line(b.layer, _line(first, mark, width), width)), equal_nan=True
        )
        for width in WIDTHS
        for mark in _marks(b, source, width, {})
    )


def _line(layer: Layer, x: npt.ArrayLike, width: _Width) -> Array:
    """Return what the layer, a Power or a Scale, makes of x: in every channel, if each has its own numbers."""
    values = np.asarray(x, width.computing)
    numbers = [weight.array(width.written).astype(width.computing).reshape(-1) for weight in layer.weights]
    with np.errstate(all="ignore"):
        if isinstance(layer.op, Power):
            values = _written(layer.op, width).value(values)
        for step, number in zip((np.multiply, np.add), numbers, strict=False):
            values = step(values, number)
        return np.asarray(values, width.held)


def _written(op: Any, width: _Width) -> Any:  # Any: the op's own class comes back
    """Return the op with its real parameters as they are written."""
    reals = {field.name: getattr(op, field.name) for field in fields(op)}
    return replace(op, **{name: width.number(value) for name, value in reals.items() if isinstance(value, float)})


def _marks(b: RewriteBuilder, blob: Blob, width: _Width, known: dict[str, Marks]) -> Marks:
    """Return the values that the blob holds exactly, as far as the layers before it say so; `known` are found ones."""
    layer = b.producer(blob)
    if layer is None or len(known) >= FARTHEST:
        return NONE
    if blob.name not in known:
        known[blob.name] = NONE  # counts while its bottoms are looked at
        before = [_marks(b, bottom, width, known) for bottom in b.bottoms(layer)]
        found = np.concatenate([_ends(layer, b.bottoms(layer), width), *_carried(layer, before, width)])
        held = width.result(found[np.isfinite(found)])
        known[blob.name] = held if held.size <= MOST else NONE
    return known[blob.name]


def _ends(layer: Layer, bottoms: Sequence[Blob], width: _Width) -> Marks:
    """Return the values that the layer gives whatever its bottom's are."""
    found: Iterable[float] = ()
    match layer.op:
        case Clip(min=low, max=high) | Hardtanh(min=low, max=high):
            found = (width.number(low), width.number(high))
        case ReLU(negative_slope=0) | Hardshrink() | HardSwish() | Softshrink():
            found = (0.0,)
        case ReLU6():
            found = (0.0, 6.0)
        case Compare() | HardSigmoid() | Threshold():
            found = (0.0, 1.0)
        case Sign():
            found = (-1.0, 0.0, 1.0)
        case Power(scale=0) | Scale() if len(bottoms) == 1 and _is_constant(layer):
            found = _line(layer, 0.0, width).reshape(-1)
        case ArgMax(axis=int(axis)) | ArgReduce(axis=axis):
            found = range(min(bottoms[0].shape[axis], MOST))
    return np.array(tuple(found), np.float64)


def _is_constant(layer: Layer) -> bool:
    """Whether the line has a slope of 0 everywhere."""
    return not layer.weights or (layer.weights[0].size <= MOST and not layer.weights[0].array().any())


def _carried(layer: Layer, before: Sequence[Marks], width: _Width) -> Iterator[Array]:
    """Yield what the layer makes of the marks of its bottoms."""
    op = layer.op
    if selects(op) or isinstance(op, Expand | StridedSlice) or _copies(layer):
        yield from before
    elif isinstance(op, Pad | Reduce | Scale) or _unit_filters(layer) is not None:
        yield from (mark[mark == 0] for mark in before)  # nothing is 0, times anything and added up
    if isinstance(op, Scale) and len(before) == 1:
        yield from (_line(layer, mark, width).reshape(-1) for mark in before[0])
    elif isinstance(op, Unary):
        with np.errstate(all="ignore"):
            made = np.asarray(_written(op, width).value(before[0].astype(width.computing)), width.held)
        yield made
    elif isinstance(op, Eltwise | Arithmetic) and math.prod(mark.size for mark in before) <= MOST:
        yield from _combined(op, before, width)


def _unit_filters(layer: Layer) -> Array | None:
    """Return the filters as rows if a rule made them of 0, 1 and -1: a layer that copies, negates and adds up."""
    op = layer.op
    if not (isinstance(op, Convolution) or (isinstance(op, InnerProduct) and not op.transpose)):
        return None
    if not layer.origin.via or len(layer.weights) != 1 or layer.weights[0].size > MOST**2:
        return None
    filters = layer.weights[0].array()
    return filters.reshape(len(filters), -1) if np.isin(filters, (-1, 0, 1)).all() else None


def _copies(layer: Layer) -> bool:
    """Whether every element of the top is one of the bottom's."""
    filters = _unit_filters(layer)
    return filters is not None and bool((np.count_nonzero(filters, axis=1) == 1).all() and (filters >= 0).all())


def _combined(op: Eltwise | Arithmetic, before: Sequence[Marks], width: _Width) -> Iterator[Array]:
    """Yield what a product, sum or maximum makes of marks alone, and of a mark whatever the others hold."""
    grid = [axis.reshape(-1).astype(width.computing) for axis in np.meshgrid(*before)]
    with np.errstate(all="ignore"):
        made = np.asarray(_written(op, width).run(grid, ())[0], width.held)
    yield made
    kind = op.operation if isinstance(op, Eltwise) else op.kind
    if kind in _LARGEST:
        yield from before
    if kind in _PRODUCTS and any((mark == 0).any() for mark in before):
        yield np.zeros(1)


def _reaches_a_jump(b: RewriteBuilder, layer: Layer) -> bool:
    """Whether a layer behind this one, with such between as carry a mark on, tells values apart by their last bit."""
    waiting, seen = [layer], {layer.name}
    while waiting:
        for reader in (reader for top in waiting.pop().tops for reader in b.readers(top)):
            if _jumps(reader):
                return True
            if reader.name not in seen and (
                isinstance(reader.op, _CARRIERS) or selects(reader.op) or _unit_filters(reader) is not None
            ):
                seen.add(reader.name)
                waiting.append(reader)
    return False


def _jumps(layer: Layer) -> bool:
    """Whether the layer makes values far apart of neighbours: at a threshold, at a pole, or as a steep line."""
    if isinstance(layer.op, Power) and (layer.op.power <= 0 or not float(layer.op.power).is_integer()):
        return True
    return isinstance(layer.op, _JUMPS) or _is_steep(layer)


def _is_steep(layer: Layer) -> bool:
    """Whether the layer is a line so steep that it makes whole numbers of float32's last digit."""
    match layer.op:
        case Power(scale=scale):
            return abs(scale) >= STEEPEST
        case Scale() if layer.weights and layer.weights[0].size <= MOST:
            return bool(np.abs(layer.weights[0].array()).max(initial=0) >= STEEPEST)
    return False
