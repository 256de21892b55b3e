"""PyTorch's poolings where Caffe's means something else: divisors, dilation, partial windows, any output size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from math import prod

import numpy as np
import numpy.typing as npt

from torch2om.errors import Refuse
from torch2om.ir.blob import Blob
from torch2om.ir.op import Shape
from torch2om.ir.weight import constant
from torch2om.layers import (
    AdaptivePooling,
    LinearMap,
    Pad,
    PadMode,
    Pooling,
    PoolMethod,
    Power,
    Rounding,
    Scale,
    StridedSlice,
    WindowPooling,
)
from torch2om.layers.interpolation import adaptive_bounds, area
from torch2om.layers.window import Window
from torch2om.legalization.linear_map import gather
from torch2om.legalization.rules import RuleBuilder, legalizes

Floats = npt.NDArray[np.float64]


def _image(b: RuleBuilder, x: Blob) -> Blob:
    """Return x with rank 4; its last two dims stay."""
    return x if x.rank == 4 else b.reshape(x, (1, prod(x.shape[:-2]), *x.shape[-2:]))


def _restored(b: RuleBuilder, y: Blob, x: Blob) -> Blob:
    """Return the pooled image y with the leading dims of x."""
    return b.reshape(y, (*x.shape[:-2], *y.shape[-2:]))


def _as_pooling(op: WindowPooling, sizes: Shape) -> Pooling:
    """Return Caffe's Pooling with the same windows; refuse if its rounding never gives as many."""
    if op.dilation != (1, 1):
        raise Refuse(f"Pooling has no dilation, here is {list(op.dilation)}")
    for rounding in (Rounding.FLOOR, Rounding.CEIL):
        pooling = Pooling(op.pool, op.kernel, op.stride, op.pad, rounding)
        if pooling.counts(sizes) == op.counts(sizes):
            return pooling
    raise Refuse("Pooling counts other windows")


@legalizes(WindowPooling)
def pool_then_correct(b: RuleBuilder, op: WindowPooling, x: Blob) -> Blob:
    """y = Pooling(x) * (Caffe's divisor / PyTorch's divisor): one number per place, or one for all.

    Exact.
    """
    pooling = _as_pooling(op, x.shape[-2:])
    y = b.add(pooling, _image(b, x))
    if op.pool is PoolMethod.AVE:
        y = _corrected(b, op, y, x.shape[-2:])
    return _restored(b, y, x)


def _corrected(b: RuleBuilder, op: WindowPooling, y: Blob, sizes: Shape) -> Blob:
    """Return the averages y, taken over the windows inside the padded image, with PyTorch's divisors."""
    taken = _areas(op, sizes, padding=True)
    return _times(b, y, taken / _divisors(op, sizes))


def _divisors(op: WindowPooling, sizes: Shape) -> Floats:
    """Return what PyTorch divides each window's sum by."""
    if op.divisor is not None:
        return np.full(op.counts(sizes), float(op.divisor))
    return _areas(op, sizes, padding=op.count_include_pad)


def _areas(op: WindowPooling, sizes: Shape, *, padding: bool) -> Floats:
    """Return how many elements each window has inside the image, or inside the padded image."""
    axes = zip(sizes, op.counts(sizes), op.kernel, op.stride, op.pad, strict=True)
    down, across = (_lengths(*axis, padding=padding) for axis in axes)
    return np.outer(down, across)


def _times(b: RuleBuilder, y: Blob, factors: Floats) -> Blob:
    """Return the image times one number per place, or one number for all."""
    first = float(factors[0, 0])
    if (factors == first).all():
        return y if first == 1 else b.add(Power(scale=first), y)
    return b.add(Scale(2, 2), y, weights=(constant(factors),))


def _lengths(size: int, count: int, kernel: int, stride: int, pad: int, *, padding: bool) -> Floats:
    """Return how long each window along one axis is inside the image, or inside the padded image."""
    starts = np.arange(count) * stride - pad
    ends = np.minimum(starts + kernel, size + pad)
    if not padding:
        starts, ends = np.maximum(starts, 0), np.minimum(ends, size)
    return (ends - starts).astype(np.float64)


@legalizes(WindowPooling)
def pool_enlarged_image(b: RuleBuilder, op: WindowPooling, x: Blob) -> Blob:
    """y = Pooling(pad(x)) without padding or rounding of its own: every window fits into the enlarged image.

    Exact: a maximum is not changed by copies of the border, nor a sum by zeros; the divisors are corrected behind.
    """
    if op.dilation != (1, 1):
        raise Refuse(f"Pooling has no dilation, here is {list(op.dilation)}")
    sizes = x.shape[-2:]
    counts = op.counts(sizes)
    span = op.window.span(counts)
    pads = [(pad, end - pad - size) for pad, end, size in zip(op.pad, span, sizes, strict=True)]
    mode = PadMode.REPLICATE if op.pool is PoolMethod.MAX else PadMode.CONSTANT
    image = b.add(Pad(((0, 0),) * (x.rank - 2) + tuple(pads), mode), x)
    y = b.add(Pooling(op.pool, op.kernel, op.stride, rounding=Rounding.FLOOR), _image(b, image))
    if op.pool is PoolMethod.AVE:
        y = _times(b, y, prod(op.kernel) / _divisors(op, sizes))
    return _restored(b, y, x)


@legalizes(WindowPooling)
def pool_gathered_windows(b: RuleBuilder, op: WindowPooling, x: Blob) -> Blob:
    """max over windows = Pooling of the windows laid side by side; a tap outside repeats a tap of its window inside.

    Exact: a maximum does not count how often an element stands there.
    """
    if op.pool is not PoolMethod.MAX:
        raise Refuse("an average counts repeated elements")
    return gathered_windows(b, x, op.window, op.counts(x.shape[-2:]), op.pad)


def gathered_windows(b: RuleBuilder, x: Blob, window: Window, counts: Shape, pad: tuple[int, int]) -> Blob:
    """Return the maximum over each window, every one of which holds an element of x."""
    indices = [_taps(window, axis, counts[axis], x.shape[axis - 2], pad[axis]) for axis in (0, 1)]
    return _pooled_windows(b, x, indices)


def _taps(window: Window, axis: int, count: int, size: int, pad: int) -> list[list[int]]:
    """Return the elements of each window along one axis, those outside replaced by the first one inside."""
    places = [
        [start * window.stride[axis] - pad + tap * window.dilation[axis] for tap in range(window.kernel[axis])]
        for start in range(count)
    ]
    return [_inside(row, size) for row in places]


def _inside(row: list[int], size: int) -> list[int]:
    first = next(place for place in row if 0 <= place < size)
    return [place if 0 <= place < size else first for place in row]


def _pooled_windows(b: RuleBuilder, x: Blob, indices: Sequence[list[list[int]]]) -> Blob:
    """Return the maximum over each row of `indices` along height and width."""
    kernel = tuple(len(rows[0]) for rows in indices)
    for axis, rows in zip((x.rank - 2, x.rank - 1), indices, strict=True):
        x = gather(b, x, axis, [place for row in rows for place in row])
    pooling = Pooling(PoolMethod.MAX, (kernel[0], kernel[1]), (kernel[0], kernel[1]), rounding=Rounding.FLOOR)
    return _restored(b, b.add(pooling, _image(b, x)), x)


@legalizes(WindowPooling)
def pool_dilated_axis(b: RuleBuilder, op: WindowPooling, x: Blob) -> Blob:
    """max pooling dilated by d = pooling of [.., rows, d, ..] along the rows, then every stride-th result.

    Exact. Along one axis; the length is made a multiple of d with elements that stand in the same windows anyway.
    """
    dilated = [axis for axis in (0, 1) if op.dilation[axis] != 1]
    if len(dilated) != 1 or op.kernel[1 - dilated[0]] != 1 or op.pool is not PoolMethod.MAX:
        raise Refuse("it is not dilated along exactly one axis with a kernel of 1 along the other")
    if op.stride[1 - dilated[0]] != 1 or op.pad[1 - dilated[0]] != 0:
        raise Refuse("it strides or pads along the other axis")
    (which,) = dilated
    axis = x.rank - 2 + which
    step, length = op.dilation[which], x.shape[axis]
    if length < step:
        raise Refuse(f"dilation {step} passes the {length} elements")
    lead, count, stride = -(-op.pad[which] // step), op.counts(x.shape[-2:])[which], op.stride[which]
    first = lead * step - op.pad[which]
    stop = first + (count - 1) * stride + 1
    rows = max(-(-length // step), -(-stop // step) + op.kernel[which] - 1 - 2 * lead)
    whole = gather(b, x, axis, [*range(length), *(length - step + e % step for e in range(rows * step - length))])
    shape = (1, prod(x.shape[:axis]), rows, step * prod(x.shape[axis + 1 :]))
    pooling = Pooling(PoolMethod.MAX, (op.kernel[which], 1), (1, 1), (lead, 0), Rounding.FLOOR)
    y = b.add(pooling, b.reshape(whole, shape))
    y = b.reshape(y, (*x.shape[:axis], y.shape[2] * step, *x.shape[axis + 1 :]))
    return b.add(StridedSlice(axis, first, stop, stride), y)


@legalizes(WindowPooling)
def pool_axes_in_turn(b: RuleBuilder, op: WindowPooling, x: Blob) -> Blob:
    """max over a window = max over its columns of the max down each column.

    Exact.
    """
    if op.pool is not PoolMethod.MAX or 1 in op.kernel or op.dilation == (1, 1):
        raise Refuse("it is no dilated maximum along two axes")
    down = WindowPooling(op.pool, (op.kernel[0], 1), (op.stride[0], 1), (op.pad[0], 0), (op.dilation[0], 1), op.ceil)
    across = WindowPooling(op.pool, (1, op.kernel[1]), (1, op.stride[1]), (0, op.pad[1]), (1, op.dilation[1]), op.ceil)
    return b.add(across, b.add(down, x))


@legalizes(AdaptivePooling)
def pool_to_own_size(b: RuleBuilder, op: AdaptivePooling, x: Blob) -> Blob:  # noqa: ARG001 - makes no layer
    """y = x, where the output's size is the input's.

    Exact.
    """
    if op.size != x.shape[-2:]:
        raise Refuse("the sizes differ")
    return x


@legalizes(AdaptivePooling)
def adapt_by_global_pooling(b: RuleBuilder, op: AdaptivePooling, x: Blob) -> Blob:
    """y = Pooling(x, global) for one window over the whole image.

    Exact.
    """
    if op.size != (1, 1):
        raise Refuse("it has several windows")
    return _restored(b, b.add(Pooling(op.pool, global_pooling=True), _image(b, x)), x)


@legalizes(AdaptivePooling)
def adapt_by_pooling(b: RuleBuilder, op: AdaptivePooling, x: Blob) -> Blob:
    """y = Pooling(x), where all windows have one length and stand at one distance.

    Exact.
    """
    windows = [_regular(adaptive_bounds(*axis)) for axis in zip(x.shape[-2:], op.size, strict=True)]
    (down, rows), (across, columns) = windows
    pooling = Pooling(op.pool, (down, across), (rows, columns), rounding=Rounding.FLOOR)
    return _restored(b, b.add(pooling, _image(b, x)), x)


def _regular(bounds: tuple[tuple[int, int], ...]) -> tuple[int, int]:
    """Return the length of the windows and their distance; refuse if they vary."""
    lengths = {stop - start for start, stop in bounds}
    steps = {after[0] - before[0] for before, after in pairwise(bounds)}
    if len(lengths) > 1 or len(steps) > 1:
        raise Refuse("its windows differ in length or distance")
    return lengths.pop(), steps.pop() if steps else 1


@legalizes(AdaptivePooling)
def adapt_axes_in_turn(b: RuleBuilder, op: AdaptivePooling, x: Blob) -> Blob:
    """y = pool(pool(x, height), width).

    Exact.
    """
    height, width = x.shape[-2:]
    if height == op.size[0] or width == op.size[1]:
        raise Refuse("one axis keeps its size")
    return b.add(AdaptivePooling(op.pool, op.size), b.add(AdaptivePooling(op.pool, (op.size[0], width)), x))


@legalizes(AdaptivePooling)
def adapt_average_by_map(b: RuleBuilder, op: AdaptivePooling, x: Blob) -> Blob:
    """y = A x along one axis, a row of A averaging one window.

    Exact.
    """
    changed = [axis for axis in (0, 1) if op.size[axis] != x.shape[axis - 2]]
    if op.pool is not PoolMethod.AVE or len(changed) != 1:
        raise Refuse("it is no average along one axis")
    axis = x.rank - 2 + changed[0]
    matrix = area(x.shape[axis], op.size[changed[0]]).matrix()
    return b.add(LinearMap(axis), x, weights=(constant(matrix),))


@legalizes(AdaptivePooling)
def adapt_maximum_by_gathering(b: RuleBuilder, op: AdaptivePooling, x: Blob) -> Blob:
    """max over windows = Pooling of the windows laid side by side, shorter ones filled up with their first element.

    Exact: a maximum does not count how often an element stands there.
    """
    if op.pool is not PoolMethod.MAX:
        raise Refuse("an average counts repeated elements")
    indices = []
    for length, size in zip(x.shape[-2:], op.size, strict=True):
        bounds = adaptive_bounds(length, size)
        longest = max(stop - start for start, stop in bounds)
        indices.append([[start] * (longest - (stop - start)) + list(range(start, stop)) for start, stop in bounds])
    return _pooled_windows(b, x, indices)


@legalizes(Pooling)
def pool_with_fitting_kernel(b: RuleBuilder, op: Pooling, x: Blob) -> Blob:
    """a Pooling whose one window is larger than the padded image = the one whose window is the padded image.

    Exact: Caffe's divisor does not count what lies beyond the padding.
    """
    padded = (size + 2 * pad for size, pad in zip(x.shape[2:], op.pad, strict=True))
    high, wide = map(min, op.kernel, padded)
    if op.global_pooling or op.tops > 1 or (high, wide) == op.kernel:
        raise Refuse("its window fits into the image, or it has a second top")
    return b.add(replace(op, kernel=(high, wide)), x)
