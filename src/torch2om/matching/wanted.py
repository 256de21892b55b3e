"""The weights that an om should hold: as the files have them, and folded as compilers fold them.

ATC and omg put BatchNorm, Scale and Bias into the filters of the layer before them, where that layer is read by nobody
else; so does `passes.simplify`, whose rules say by which equations. A compiler may also leave a layer as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from torch2om.ir.net import Layer, Net
from torch2om.ir.op import Array, Op, Shape
from torch2om.ir.weight import Weight, combine
from torch2om.layers import BatchNorm
from torch2om.passes import simplify

FOLDED = "folded"


@dataclass(frozen=True, slots=True)
class Variant:
    """One form in which a layer's weights may stand in an om: `title` says which, `op` what layer has them then."""

    title: str
    op: Op
    bottoms: tuple[Shape, ...]
    weights: tuple[Weight, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A layer of the files with weights. `host` is the layer into which a compiler may have put it; empty if none."""

    layer: Layer
    variants: tuple[Variant, ...]
    host: str = ""


def wanted(net: Net) -> tuple[Wanted, ...]:
    """Return every layer that has weights, in the net's order."""
    simplified = simplify(net)
    folded: dict[str, Variant] = {}
    for layer in simplified.layers:
        if layer.weights and layer.origin.via:
            variant = Variant(FOLDED, layer.op, simplified.bottom_shapes(layer), layer.weights)
            folded.setdefault(layer.origin.module, variant)
    kept = {layer.origin.module for layer in simplified.layers}
    return tuple(_wanted(net, folded, kept))


def _wanted(net: Net, folded: Mapping[str, Variant], kept: set[str]) -> Iterator[Wanted]:
    for layer in net.layers:
        if not layer.weights:
            continue
        first = (folded[layer.name],) if layer.name in folded else ()
        host = "" if layer.name in kept else _host(net, layer, kept)
        yield Wanted(layer, (*first, *_as_written(net, layer)), host)


def _as_written(net: Net, layer: Layer) -> Iterator[Variant]:
    bottoms = net.bottom_shapes(layer)
    yield Variant("as written", layer.op, bottoms, layer.weights)
    if isinstance(layer.op, BatchNorm) and len(layer.weights) == 3:
        *statistics, factor = layer.weights
        scaled = tuple(combine(each.shape, _divided, each, factor) for each in statistics)
        yield Variant("mean and variance", layer.op, bottoms, scaled)


def _divided(statistic: Array, factor: Array) -> Array:
    """statistic / factor, and 0 for factor 0 (BVLC batch_norm_layer.cpp)."""
    return np.divide(statistic, factor, out=np.zeros_like(statistic), where=factor != 0)


def _host(net: Net, layer: Layer, kept: set[str]) -> str:
    """Return the nearest layer before this one that is still there after folding."""
    found: Layer | None = layer
    while found is not None and found.name not in kept:
        found = net.producers.get(found.bottoms[0]) if found.bottoms else None
    return "" if found is None else found.name
