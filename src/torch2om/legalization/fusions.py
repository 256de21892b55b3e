"""Keeps layers apart that the target would merge into one which computes something else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from torch2om.ir.builder import Names
from torch2om.ir.net import Layer, Net
from torch2om.layers import Split
from torch2om.targets.limits import Fusion, Site, Target


def keep_apart(net: Net, target: Target) -> Net:
    """y = x between two layers that the target would merge wrongly.

    Exact. Readers merge a layer with its only reader, or with the next one if they could merge that.
    """
    names = Names((*net.shapes, *(layer.name for layer in net.layers)))
    apart: set[str] = set()
    layers: list[Layer] = []
    for layer in net.layers:
        if _merged_wrongly(net, layer, target.fusions, apart):
            apart.add(layer.name)
            split = _split(net, layer.bottoms[0], names)
            layers.append(split)
            layer = replace(layer, bottoms=split.tops)  # noqa: PLW2901 - the layer that takes its place
        layers.append(layer)
    return replace(net, layers=tuple(layers)) if apart else net


def _merged_wrongly(net: Net, layer: Layer, fusions: tuple[Fusion, ...], apart: set[str]) -> bool:
    if len(layer.bottoms) != 1:
        return False
    second = Site.of(layer, net.bottom_shapes(layer))
    return any(
        fusion.wrong(Site.of(first, net.bottom_shapes(first)), second)
        for fusion in fusions
        for first in _before(net, layer, fusion, apart)
    )


def _before(net: Net, layer: Layer, fusion: Fusion, apart: set[str]) -> Iterator[Layer]:
    """Yield the layers that may be merged with this one, the nearest first."""
    while len(layer.bottoms) == 1 and layer.name not in apart:
        (bottom,) = layer.bottoms
        first = net.producers.get(bottom)
        if first is None or len(net.users[bottom]) != 1:
            return
        yield first
        if not isinstance(first.op, fusion.through):
            return
        layer = first


def _split(net: Net, blob: str, names: Names) -> Layer:
    name = names.unique(f"{blob}/split")
    return Layer(name, Split(1), (blob,), (name,), (), net.producers[blob].origin.through("keep_apart"))
