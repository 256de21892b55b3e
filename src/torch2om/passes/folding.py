"""Rewrites that put affine maps into the weights of the layer before them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from torch2om.ir.blob import Blob
from torch2om.ir.net import Layer
from torch2om.ir.op import Array, Shape, elements
from torch2om.ir.weight import Weight, combine, constant, scaled
from torch2om.layers import (
    BatchNorm,
    Bias,
    Convolution,
    Deconvolution,
    InnerProduct,
    Power,
    Reshape,
    Scale,
)
from torch2om.passes.marks import moves_a_mark
from torch2om.passes.rules import RewriteBuilder, rewrites

Linear = Convolution | Deconvolution | InnerProduct


@rewrites(BatchNorm)
def batch_norm_is_scale(b: RewriteBuilder, op: BatchNorm, x: Blob) -> Blob | None:
    """(x - mean/f) / sqrt(var/f + eps) = x * s - mean/f * s, s = 1 / sqrt(var/f + eps); f = 0 stands for 1/f = 0."""
    if not op.use_global_stats or len(b.weights) != 3:
        return None
    mean, var, factor = b.weights
    scale = combine(mean.shape, lambda v, f: 1 / np.sqrt(v * _inverse(f) + v.dtype.type(op.eps)), var, factor)
    shift = combine(mean.shape, lambda m, f, s: -m * _inverse(f) * s, mean, factor, scale)
    return b.add(Scale(axis=1, num_axes=1, bias_term=True), x, weights=(scale, shift))


def _inverse(factor: Array) -> Array:
    """1/f, and 0 for f = 0 (BVLC batch_norm_layer.cpp)."""
    return np.divide(1.0, factor, out=np.zeros_like(factor), where=factor != 0)


@rewrites(Scale)
def scale_into_linear(b: RewriteBuilder, op: Scale, x: Blob, *factor: Blob) -> Blob | None:
    """s * (W x + c) + t = (s W) x + (s c + t), for one number per output channel; a Reshape may stand between.

    One that keeps an InnerProduct's channels as the last dim.
    """
    start = _before_view(b, x)
    producer = b.producer(start)
    if factor or producer is None or not _per_channel(op, b.weights, producer, x) or not b.read_once(start):
        return None
    shift = b.weights[1] if op.bias_term else None
    return _viewed(b, _absorb(b, producer, b.weights[0], shift), x)


@rewrites(Bias)
def bias_into_linear(b: RewriteBuilder, op: Bias, x: Blob, *term: Blob) -> Blob | None:
    """(W x + c) + t = W x + (c + t), for one number per output channel."""
    start = _before_view(b, x)
    producer = b.producer(start)
    if term or producer is None or not _per_channel(op, b.weights, producer, x) or not b.read_once(start):
        return None
    return _viewed(b, _absorb(b, producer, None, b.weights[0]), x)


@rewrites(Power)
def affine_into_linear(b: RewriteBuilder, op: Power, x: Blob) -> Blob | None:
    """a * (W x + c) + t = (a W) x + (a c + t), for two numbers."""
    producer = b.producer(x)
    if op.power != 1 or producer is None or not isinstance(producer.op, Linear) or not b.read_once(x):
        return None
    channels = (producer.op.num_output,)
    scale = None if op.scale == 1 else constant(np.full(channels, op.scale))
    shift = None if op.shift == 0 else constant(np.full(channels, op.shift))
    return _absorb(b, producer, scale, shift)


@rewrites(Scale)
def scale_of_scale(b: RewriteBuilder, op: Scale, x: Blob, *factor: Blob) -> Blob | None:
    """s2 * (s1 * x + t1) + t2 = (s2 s1) x + (s2 t1 + t2), over the same axes; not where a mark would move (`marks`)."""
    producer = b.producer(x)
    if factor or producer is None or not isinstance(producer.op, Scale) or not b.read_once(x):
        return None
    first = producer.op
    if (first.axis, first.num_axes) != (op.axis, op.num_axes) or len(producer.bottoms) != 1:
        return None
    scale = combine(b.weights[0].shape, np.multiply, b.weights[0], producer.weights[0])
    shift = _shifted(producer.weights[1:], b.weights[0], b.weights[1] if op.bias_term else None)
    (source,) = b.bottoms(producer)
    weights = (scale,) if shift is None else (scale, shift.map(scale.shape, lambda w: w.reshape(scale.shape)))
    merged = replace(b.layer, op=replace(op, bias_term=shift is not None), weights=weights)
    if moves_a_mark(b, producer, merged):
        return None
    b.come_from(producer)
    return b.add(merged.op, source, weights=weights)


@rewrites(Power)
def affine_of_affine(b: RewriteBuilder, op: Power, x: Blob) -> Blob | None:
    """(t2 + a2 * (t1 + a1 * x)) ^ p = (t2 + a2 t1 + a2 a1 x) ^ p; not where a mark would move (`marks`)."""
    producer = b.producer(x)
    if producer is None or not isinstance(producer.op, Power) or producer.op.power != 1 or not b.read_once(x):
        return None
    first = producer.op
    (source,) = b.bottoms(producer)
    merged = replace(op, scale=op.scale * first.scale, shift=op.shift + op.scale * first.shift)
    return None if moves_a_mark(b, producer, replace(b.layer, op=merged)) else b.add(merged, source)


@rewrites(Bias)
def bias_of_bias(b: RewriteBuilder, op: Bias, x: Blob, *term: Blob) -> Blob | None:
    """(x + s) + t = x + (s + t), a Reshape between them or none; not where s + t had more numbers than either."""
    between = b.producer(x)
    reshaped = between is not None and isinstance(between.op, Reshape) and b.read_once(x)
    start = b.bottoms(between)[0] if between is not None and reshaped else x
    producer = b.producer(start)
    if term or producer is None or not isinstance(producer.op, Bias) or not b.read_once(start):
        return None
    if len(producer.bottoms) != 1:
        return None
    (source,) = b.bottoms(producer)
    if not reshaped and (producer.op, producer.weight_shapes) == (op, b.layer.weight_shapes):
        return b.add(op, source, weights=(combine(b.weights[0].shape, np.add, producer.weights[0], b.weights[0]),))
    rows = _row(start.shape, producer.op, producer.weights[0]), _row(x.shape, op, b.weights[0])
    length = max(row.size for row in rows)
    axis = next((axis for axis in range(start.rank) if elements(start.shape[axis:]) == length), None)
    if axis is None or length > max(producer.weights[0].size, b.weights[0].size):
        return None
    shape = start.shape[axis:]
    both = combine(shape, lambda s, t: _sum_of_repeated(s, t).reshape(shape), *rows)
    y = b.add(Bias(axis, len(shape)), source, weights=(both,))
    return b.add(Reshape(x.shape), y) if reshaped else y


def _row(shape: Shape, op: Bias, numbers: Weight) -> Weight:
    """Return what is added to the elements of a blob in their order, up to where it begins again."""
    run = shape[op.axis % len(shape) :]
    dims = (*numbers.shape, *(1,) * (len(run) - len(numbers.shape)))
    return numbers.map((elements(run),), lambda values: np.broadcast_to(values.reshape(dims), run).ravel())


def _sum_of_repeated(first: Array, second: Array) -> Array:
    """Return the sum of two rows, the shorter one as often as it fits: both divide the elements of one blob."""
    short, long = sorted((first, second), key=len)
    return long.reshape(-1, len(short)) + short


def _per_channel(op: Scale | Bias, weights: tuple[Weight, ...], producer: Layer, x: Blob) -> bool:
    """Whether the layer multiplies or shifts each output channel of a linear producer by one constant."""
    if not weights or not isinstance(producer.op, Linear) or (type(op) is Scale and len(weights) != 1 + op.bias_term):
        return False
    channel = x.rank - 1 if isinstance(producer.op, InnerProduct) else 1
    return op.axis % x.rank == channel and elements(weights[0].shape) == x.shape[channel]


def _before_view(b: RewriteBuilder, x: Blob) -> Blob:
    """Return the InnerProduct's top of which x is a view with the same last dim, else x itself."""
    view = b.producer(x)
    if view is None or not isinstance(view.op, Reshape) or not b.read_once(x):
        return x
    (source,) = b.bottoms(view)
    producer = b.producer(source)
    keeps_last = x.rank > 0 < source.rank and source.shape[-1] == x.shape[-1]
    return source if producer is not None and isinstance(producer.op, InnerProduct) and keeps_last else x


def _viewed(b: RewriteBuilder, y: Blob, x: Blob) -> Blob:
    return y if y.shape == x.shape else b.add(Reshape(x.shape), y)


def _absorb(b: RewriteBuilder, producer: Layer, scale: Weight | None, shift: Weight | None) -> Blob:
    """Return the producer with its weights scaled and shifted per output channel."""
    op = producer.op
    assert isinstance(op, Linear)
    filters, *rest = producer.weights
    bias = _shifted(tuple(rest), scale, shift)
    if scale is not None:
        filters = scaled(filters, _flat(scale), _beside(op, filters.shape))
    b.come_from(producer)
    weights = (filters,) if bias is None else (filters, bias)
    return b.add(replace(op, bias_term=bias is not None), *b.bottoms(producer), weights=weights)


def scaled_weights(op: Linear, weights: tuple[Weight, ...], scale: Weight) -> tuple[Weight, ...]:
    """Return the weights of the layer whose output channels are multiplied by these numbers."""
    filters, *rest = weights
    bias = (combine(term.shape, lambda c, s: c * s.reshape(c.shape), term, scale) for term in rest)
    return (scaled(filters, scale, _beside(op, filters.shape)), *bias)


def _flat(weight: Weight) -> Weight:
    return weight.map((weight.size,), np.ravel)


def _shifted(bias: tuple[Weight, ...], scale: Weight | None, shift: Weight | None) -> Weight | None:
    """scale * bias + shift, where each may be missing."""
    terms = [_flat(term) for term in bias]
    if terms and scale is not None:
        terms = [combine(terms[0].shape, np.multiply, terms[0], _flat(scale))]
    if shift is not None:
        terms.append(_flat(shift))
    return combine(terms[0].shape, np.add, *terms) if len(terms) == 2 else next(iter(terms), None)


def _beside(op: Linear, filters: Shape) -> Callable[[Array], Array]:
    """Return the function that lays a number per output channel beside the filters."""
    ones = (1,) * (len(filters) - 2)
    match op:
        case InnerProduct(transpose=True):
            return lambda scale: scale.reshape(1, -1)
        case Deconvolution(group=group):
            return lambda scale: _beside_inputs(scale.reshape(group, -1), filters).reshape(*filters[:2], *ones)
    return lambda scale: scale.reshape(-1, 1, *ones)


def _beside_inputs(scale: Array, filters: Shape) -> Array:
    """A deconvolution's filters are (in, out / group, kernel...): the inputs of group g make its outputs."""
    return np.repeat(scale, filters[0] // len(scale), axis=0)
