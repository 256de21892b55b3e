"""Factors of what linear layers and products make, put into weights or where there is less to multiply."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from torch2om.ir.assembly import Assembly
from torch2om.ir.net import Layer, Net
from torch2om.ir.op import Array, elements
from torch2om.ir.weight import constant
from torch2om.layers import (
    BatchedMatMul,
    Convolution,
    Deconvolution,
    InnerProduct,
    MatMul,
    Permute,
    Power,
    Reshape,
    Slice,
    StridedSlice,
)
from torch2om.passes.folding import Linear, scaled_weights

RULE, SMALLER = "absorb_scales", "scale_smaller_operands"
MOST_TRACED = 2**24  # elements: the channels of a larger blob are not followed
_Move = tuple[Layer, int]
"""A layer that only moves elements, and which of its tops is meant."""


@dataclass(frozen=True)
class _Way:
    """From a linear layer's top to what is scaled: the blobs on it, the last first, and the channels that take it."""

    linear: Layer
    blobs: tuple[str, ...]
    channels: tuple[int, ...]


def absorb_scales(net: Net) -> Net:
    """a * (cut(W x + c) @ y) = cut((a W) x + a c) @ y, a for the channels that are cut out: attention's scale.

    The cut is made of Reshapes, Permutes and Slices; a product need not stand between. Nothing else reads what is
    scaled, so what lay on the way mirrors PyTorch's values no more.
    """
    ways = {layer.name: way for layer in net.layers if (way := _way_of(net, layer)) is not None}
    if not ways:
        return net
    factors = _factors(net, ways)
    changed = {blob for way in ways.values() for blob in way.blobs}
    mirrors = {blob: call for blob, call in net.mirrors.items() if blob not in changed}
    assembly = Assembly(replace(net, mirrors=mirrors))
    for old in net.layers:
        layer = assembly.resolve(old)
        if old.name in ways:
            assembly.put(layer, (), assembly.bottoms(layer))
        elif old.name in factors:
            assembly.keep(_scaled(layer, factors[old.name]))
        else:
            assembly.keep(layer)
    return assembly.finish()


def scale_smaller_operands(net: Net) -> Net:
    """a * (x @ y) = x @ (a * y), where y is the smaller operand and has half of the product's elements at most."""
    assembly = Assembly(net)
    for old in net.layers:
        layer = assembly.resolve(old)
        product = _scaled_product(assembly, layer)
        if product is None:
            assembly.keep(layer)
            continue
        builder = assembly.builder(layer.origin.through(SMALLER))
        operands = list(assembly.bottoms(product))
        place = min((0, 1), key=lambda place: elements(operands[place].shape))
        operands[place] = builder.add(layer.op, operands[place])
        builder.origin = product.origin.through(SMALLER)
        assembly.put(layer, builder.layers, (builder.add(product.op, *operands),))
    return assembly.finish()


def _scaled_product(assembly: Assembly, layer: Layer) -> Layer | None:
    """Return the product of two blobs that the layer alone reads and multiplies, if an operand is much smaller."""
    if not _is_factor(layer):
        return None
    (top,) = assembly.bottoms(layer)
    product = assembly.producer(top)
    if product is None or not isinstance(product.op, MatMul | BatchedMatMul) or not assembly.read_once(top):
        return None
    smaller = min(elements(blob.shape) for blob in assembly.bottoms(product))
    return product if 2 * smaller <= elements(top.shape) else None


def _is_factor(layer: Layer) -> bool:
    return isinstance(layer.op, Power) and (layer.op.power, layer.op.shift) == (1, 0)


def _factors(net: Net, ways: Mapping[str, _Way]) -> Mapping[str, Array]:
    """Return for each linear layer the factor of each of its channels."""
    factors: dict[str, Array] = {}
    for layer in net.layers:
        if layer.name in ways and isinstance(layer.op, Power):
            linear, channels = ways[layer.name].linear, list(ways[layer.name].channels)
            assert isinstance(linear.op, Linear)
            factors.setdefault(linear.name, np.ones(linear.op.num_output))[channels] *= layer.op.scale
    return factors


def _scaled(layer: Layer, factors: Array) -> Layer:
    assert isinstance(layer.op, Linear)
    weights = scaled_weights(layer.op, layer.weights, constant(factors))
    return replace(layer, weights=weights, origin=layer.origin.through(RULE))


def _way_of(net: Net, layer: Layer) -> _Way | None:
    return _way(net, layer.bottoms[0], (), ()) if _is_factor(layer) else None


def _way(net: Net, blob: str, moves: tuple[_Move, ...], blobs: tuple[str, ...]) -> _Way | None:
    """Return the way that leads to `blob`, from where `moves` lead on, the last one first, and `blobs` lie on it."""
    producer = net.producers.get(blob)
    if producer is None or len(net.users[blob]) != 1 or blob in net.output_blobs:
        return None
    blobs = (*blobs, blob)
    match producer.op:
        case Reshape() | Permute() | Slice() | StridedSlice():
            move = (producer, producer.tops.index(blob))
            return _way(net, producer.bottoms[0], (*moves, move), blobs)
        case MatMul() | BatchedMatMul() if len(set(producer.bottoms)) == 2:
            return next(_through_product(net, producer, blobs), None)
        case Convolution() | Deconvolution() | InnerProduct():
            channels = _channels(net, producer, moves)
            return None if channels is None else _Way(producer, blobs, channels)
    return None


def _through_product(net: Net, product: Layer, blobs: tuple[str, ...]) -> Iterator[_Way]:
    """Yield the ways by one operand: a factor of either is a factor of the product, wherever its elements go."""
    ways = (_way(net, operand, (), blobs) for operand in product.bottoms)
    yield from (way for way in ways if way is not None)


def _channels(net: Net, linear: Layer, moves: Sequence[_Move]) -> tuple[int, ...] | None:
    """Return the channels of which the moves take all elements; None if of some they take a part."""
    shape = net.shapes[linear.tops[0]]
    if elements(shape) > MOST_TRACED:
        return None
    axis = len(shape) - 1 if isinstance(linear.op, InnerProduct) else 1
    numbers: Array = np.arange(shape[axis], dtype=np.float64).reshape(-1, *(1,) * (len(shape) - axis - 1))
    places: Array = np.broadcast_to(numbers, shape)
    for layer, top in reversed(moves):
        places = layer.op.run([places], [])[top]
    taken = np.flatnonzero(np.bincount(places.astype(np.intp).ravel()))
    whole = places.size * shape[axis] == taken.size * elements(shape)
    return tuple(map(int, taken)) if whole else None
