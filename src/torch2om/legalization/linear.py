"""Convolutions and inner products in the dims and types that a target takes."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import partial
from math import prod

import numpy as np

from torch2om.errors import Refuse
from torch2om.ir.blob import Blob
from torch2om.ir.op import Array, Shape, axis_of
from torch2om.ir.weight import Weight
from torch2om.layers import Concat, Convolution, Deconvolution, DepthwiseConvolution, Im2col, InnerProduct
from torch2om.layers.window import last_axes
from torch2om.legalization.rules import RuleBuilder, legalizes


@legalizes(InnerProduct)
def multiply_rows(b: RuleBuilder, op: InnerProduct, x: Blob) -> Blob:
    """W x[..., k] = reshape(W (x as a matrix)).

    Exact.
    """
    axis = axis_of(op.axis, x.rank)
    rows = b.reshape(x, (prod(x.shape[:axis]), prod(x.shape[axis:])))
    if rows is x and op.axis == 1:
        raise Refuse("x is a matrix already")
    y = b.add(replace(op, axis=1), rows, weights=b.weights)
    return b.reshape(y, (*x.shape[:axis], op.num_output))


@legalizes(InnerProduct)
def multiply_by_transposed(b: RuleBuilder, op: InnerProduct, x: Blob) -> Blob:
    """W^T x for a W stored as (K, num_output) = W' x with W' = W^T stored.

    Exact.
    """
    if not op.transpose:
        raise Refuse("its weight is stored as (num_output, K) already")
    matrix, *bias = b.weights
    turned = matrix.map(matrix.shape[::-1], lambda w: w.T)
    return b.add(replace(op, transpose=False), x, weights=(turned, *bias))


@legalizes(InnerProduct)
def multiply_in_halves(b: RuleBuilder, op: InnerProduct, x: Blob) -> Blob:
    """W x = concat(W_1 x, W_2 x), each with half of the outputs.

    Exact.
    """
    half = op.num_output // 2
    if op.transpose or not half:
        raise Refuse("its weight is stored as (K, num_output), or it has one output")
    parts = [
        b.add(
            replace(op, num_output=stop - start),
            x,
            weights=tuple(w.map((stop - start, *w.shape[1:]), partial(_rows, start, stop)) for w in b.weights),
        )
        for start, stop in ((0, half), (half, op.num_output))
    ]
    return b.add(Concat(axis_of(op.axis, x.rank)), *parts)


def _rows(start: int, stop: int, values: Array) -> Array:
    return values[start:stop]


@legalizes(Deconvolution)
def fill_dilated_filters(b: RuleBuilder, op: Deconvolution, x: Blob) -> Blob:
    """a Deconvolution dilated by d = one without dilation whose filters have d - 1 zeros between their taps.

    Exact.
    """
    if set(op.dilation) == {1}:
        raise Refuse("it is not dilated")
    filters, *bias = b.weights
    extent, dilation = op.window.extent, op.dilation
    shape = (*filters.shape[:2], *extent)
    filled = filters.map(shape, lambda w: _spaced(w, shape, dilation))
    return b.add(replace(op, kernel=extent, dilation=(1,) * len(extent)), x, weights=(filled, *bias))


def _spaced(filters: Array, shape: Shape, dilation: tuple[int, ...]) -> Array:
    """Return the filters with zeros between their taps."""
    filled = np.zeros(shape, filters.dtype)
    filled[last_axes(slice(None, None, step) for step in dilation)] = filters
    return filled


@legalizes(Convolution, DepthwiseConvolution, Deconvolution)
def convolve_line_as_image(b: RuleBuilder, op: Convolution | Deconvolution, x: Blob) -> Blob:
    """a Convolution of [N, C, L] = the Convolution of [N, C, 1, L] with kernels of height 1.

    Exact.
    """
    if len(op.kernel) != 1:
        raise Refuse(f"it has {len(op.kernel)} spatial axes")
    image = replace(op, kernel=(1, *op.kernel), stride=(1, *op.stride), pad=(0, *op.pad), dilation=(1, *op.dilation))
    filters, *bias = b.weights
    outputs, inputs, taps = filters.shape
    lifted = filters.map((outputs, inputs, 1, taps), lambda w: w.reshape(outputs, inputs, 1, taps))
    y = b.add(image, b.reshape(x, (*x.shape[:2], 1, x.shape[2])), weights=(lifted, *bias))
    return b.reshape(y, (*y.shape[:2], y.shape[3]))


@legalizes(Convolution)
def widen_filters_by_zeros(b: RuleBuilder, op: Convolution, x: Blob) -> Blob:
    """a Convolution = the one whose filters have a column of zeros more on each side, and the padding for it.

    Exact for finite x.
    """
    if op.group == 1 or set(op.kernel) != {3}:
        raise Refuse("it has no filters of 3 taps for groups of channels")
    filters, *bias = b.weights
    wide = replace(op, kernel=(*op.kernel[:-1], 5), pad=(*op.pad[:-1], op.pad[-1] + op.dilation[-1]))
    sides = ((0, 0),) * (len(filters.shape) - 1) + ((1, 1),)
    framed = filters.map((*filters.shape[:-1], 5), lambda w: np.pad(w, sides))
    return b.add(wide, x, weights=(framed, *bias))


@legalizes(Im2col)
def im2col_by_convolution(b: RuleBuilder, op: Im2col, x: Blob) -> Blob:
    """Im2col(x) = a Convolution of every channel with one filter for each tap, which holds a single 1.

    Exact.
    """
    channels, taps = x.shape[1], prod(op.kernel)
    convolution = Convolution(
        channels * taps, op.kernel, op.stride, op.pad, op.dilation, group=channels, bias_term=False
    )
    # Made when written: large windows, as where this rule loses to a cheaper one, have gigabytes of them.
    shape = (channels * taps, 1, *op.kernel)
    filters = Weight(shape, lambda dtype: np.tile(np.eye(taps, dtype=dtype), (channels, 1)).reshape(shape))
    return b.add(convolution, x, weights=(filters,))


@legalizes(DepthwiseConvolution)
def depthwise_as_convolution(b: RuleBuilder, op: DepthwiseConvolution, x: Blob) -> Blob:
    """DepthwiseConvolution(x) = Convolution(x) with the same parameters.

    Exact.
    """
    return b.add(Convolution(**{field.name: getattr(op, field.name) for field in fields(op)}), x, weights=b.weights)
