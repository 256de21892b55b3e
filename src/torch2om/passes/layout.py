"""Rewrites that spare a net the way into another order of dims and back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from torch2om.ir.blob import Blob
from torch2om.ir.net import Layer
from torch2om.ir.op import Op
from torch2om.ir.weight import Weight
from torch2om.layers import (
    Arithmetic,
    Bias,
    Convolution,
    Eltwise,
    InnerProduct,
    Permute,
    Reduce,
    Scale,
    Softmax,
    Standardize,
)
from torch2om.layers.dims import axes_of
from torch2om.layers.unary import Unary
from torch2om.passes.rules import RewriteBuilder, rewrites

Order = tuple[int, ...]
Straight = tuple[Op, tuple[Weight, ...]]
MOST_LAYERS = 64  # between a Permute and its inverse: a look back of more would cost more than it finds


@rewrites(Permute)
def layers_between_inverse_permutes(b: RewriteBuilder, op: Permute, x: Blob) -> Blob | None:
    """permute(f(permute(x, p)), p^-1) = f'(x): f' does along the dims of x what f does along the permuted ones.

    f may be several layers with several such x, if all of them can do so and nothing else reads what lies between.
    """
    back = op.full_order(x.rank)
    region = _Region(b, tuple(back.index(axis) for axis in range(x.rank)))
    if not region.reaches(x) or not region.layers or not region.is_closed(x):
        return None
    return region.straight(x)


@dataclass
class _Region:
    """The layers between Permutes to `order` and a Permute back."""

    b: RewriteBuilder
    order: Order
    sources: dict[str, Blob] = field(default_factory=dict)
    layers: dict[str, tuple[Layer, Straight]] = field(default_factory=dict)

    def reaches(self, x: Blob) -> bool:
        """Whether all ways from x back end at Permutes to the order; gathers the layers on them, first ones first."""
        if x.name in self.sources or x.name in self.layers:
            return True
        producer = self.b.producer(x)
        if producer is None or len(self.layers) > MOST_LAYERS:
            return False
        bottoms = self.b.bottoms(producer)
        if isinstance(producer.op, Permute) and producer.op.full_order(x.rank) == self.order:
            (self.sources[x.name],) = bottoms
            return True
        straight = _straight(producer, bottoms, self.order)
        if straight is None or not all(map(self.reaches, bottoms)):
            return False
        self.layers[x.name] = (producer, straight)
        return True

    def is_closed(self, x: Blob) -> bool:
        """Whether nobody but these layers, and the Permute back of x, reads what they make."""
        reads = Counter(bottom for layer, _ in self.layers.values() for bottom in set(layer.bottoms))
        reads[x.name] += 1
        return all(self.b.reads(top) == reads[top] for top in self.layers)

    def straight(self, x: Blob) -> Blob:
        """Return what x is in the order before the Permutes."""
        made = dict(self.sources)
        for top, (layer, (op, weights)) in self.layers.items():
            self.b.come_from(layer)
            made[top] = self.b.add(op, *(made[bottom] for bottom in layer.bottoms), weights=weights)
        return made[x.name]


def _straight(layer: Layer, bottoms: Sequence[Blob], order: Order) -> Straight | None:
    """Return what does along the dims before a Permute to `order` what the layer does behind it."""
    rank = len(order)
    if any(bottom.rank != rank for bottom in bottoms):
        return None
    if isinstance(layer.op, InnerProduct):
        return _as_convolution(layer.op, layer.weights) if layer.op.axis % rank == 3 and order[3] == 1 else None
    straight = _turned(layer.op, layer.weights, order)
    return None if straight is None else (straight, layer.weights)


def _turned(op: Op, weights: tuple[Weight, ...], order: Order) -> Op | None:
    match op:
        case Unary() | Eltwise() | Arithmetic():
            return op
        case Standardize() | Reduce(keepdim=True):
            return replace(op, axes=tuple(sorted(order[axis] for axis in axes_of(op.axes, len(order)))))
        case Softmax():
            return replace(op, axis=order[op.axis % len(order)])
        case Scale() | Bias() if weights and all(len(weight.shape) == 1 for weight in weights):
            return replace(op, axis=order[op.axis % len(order)], num_axes=1)
    return None


def _as_convolution(op: InnerProduct, weights: tuple[Weight, ...]) -> Straight:
    """Return what maps the channels of an image as the op maps a last dim."""
    filters, *rest = (weights[0].map(weights[0].shape[::-1], np.transpose), *weights[1:]) if op.transpose else weights
    shape = (*filters.shape, 1, 1)
    kernel = filters.map(shape, lambda w: w.reshape(shape))
    return Convolution(op.num_output, (1, 1), bias_term=op.bias_term), (kernel, *rest)
