"""What a reader of a written net would strike out: layers that undo, repeat or only rename what another one did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod

import numpy as np

from torch2om.ir.net import Layer, Net
from torch2om.ir.op import Array
from torch2om.layers import (
    BatchedMatMul,
    Bias,
    Concat,
    Eltwise,
    EltwiseOperation,
    Im2col,
    Parameter,
    Permute,
    Power,
    PReLU,
    ReLU,
    Reshape,
    Scale,
    ShuffleChannel,
    Slice,
)
from torch2om.layers.unary import Unary
from torch2om.legalization.rules import rules

WANTED = {"expose_outputs", "match_ranks"}  # what a reader needs, whatever the net computes
LEGALIZATIONS = {rule.name for family in rules().values() for rule in family}
MOVES = (Permute, ShuffleChannel, Im2col)
LARGEST_TRACED = 2**22  # elements: a move of more is followed no further


def weaknesses(net: Net) -> Iterator[str]:
    """Yield a sentence for every layer that a net of the same meaning does not need."""
    own = {layer.name: layer for layer in net.layers if not WANTED.intersection(layer.origin.via)}
    constant = _constants(net)
    seen: dict[object, str] = {}
    for layer in own.values():
        before = net.producers.get(layer.bottoms[0]) if layer.bottoms else None
        if before is not None and before.name in own and _could_be_one(net, before, layer):
            yield f"{before.name!r} and {layer.name!r} could be one {layer.op.caffe_type}"
        yield from _nested(net, layer, own)
        yield from _late_factor(net, layer)
        if isinstance(layer.op, Concat) and len(layer.bottoms) == 1:
            yield f"{layer.name!r} joins one blob"
        if before is not None and _is_put_together_again(net, before, layer):
            yield f"{layer.name!r} puts together what {before.name!r} cut"
        if layer.name in constant and not any(via.startswith("constant_by") for via in layer.origin.via):
            yield f"{layer.name!r} computes the same for every input"
        key = (layer.op, layer.bottoms, tuple(map(id, layer.weights)))
        if layer.bottoms and layer.tops and key in seen:
            yield f"{layer.name!r} computes what {seen[key]!r} does"
        seen.setdefault(key, layer.name)
        if isinstance(layer.op, MOVES):
            yield from _undone(net, layer)


def _could_be_one(net: Net, first: Layer, second: Layer) -> bool:
    """Whether one layer of the type does what the two do, the first one for the second alone."""
    alone = len(net.users[second.bottoms[0]]) == 1 and second.bottoms[0] not in net.output_blobs
    if type(first.op) is not type(second.op) or len(second.bottoms) != 1 != len(first.bottoms) or not alone:
        return False
    match first.op, second.op:
        case (Reshape(), _) | (Permute(), _):
            return True
        case Power(power=1), Power():
            return True
        case (Scale(), Scale()) | (Bias(), Bias()):
            return len(first.bottoms) == 1 and first.weight_shapes == second.weight_shapes
        case ReLU(negative_slope=0), ReLU(negative_slope=0):
            return True
    return False


def _nested(net: Net, layer: Layer, own: Mapping[str, Layer]) -> Iterator[str]:
    """Yield for a sum or a Concat each bottom that is one too, of the model's own, and that nobody else reads."""
    for bottom in layer.bottoms:
        inner = net.producers.get(bottom)
        if inner is None or inner.name not in own or len(net.users[bottom]) != 1 or bottom in net.output_blobs:
            continue
        if not LEGALIZATIONS.intersection(inner.origin.via) and _joins_alike(inner, layer, len(net.shapes[bottom])):
            yield f"{inner.name!r} and {layer.name!r} could be one {layer.op.caffe_type}"


def _joins_alike(inner: Layer, layer: Layer, rank: int) -> bool:
    match inner.op, layer.op:
        case Eltwise(operation=EltwiseOperation.SUM), Eltwise(operation=EltwiseOperation.SUM):
            return True
        case Concat(axis=first), Concat(axis=second):
            return first % rank == second % rank
    return False


def _late_factor(net: Net, layer: Layer) -> Iterator[str]:
    """Yield a factor of a product of two blobs whose smaller one has half of its elements at most."""
    product = net.producers.get(layer.bottoms[0]) if layer.bottoms else None
    is_factor = isinstance(layer.op, Power) and (layer.op.power, layer.op.shift) == (1, 0)
    if not is_factor or product is None or not isinstance(product.op, BatchedMatMul):
        return
    smaller = min(prod(shape) for shape in net.bottom_shapes(product))
    if len(net.users[product.tops[0]]) == 1 and 2 * smaller <= prod(net.shapes[product.tops[0]]):
        yield f"{layer.name!r} multiplies all that {product.name!r} makes, not what it is made of"


def _is_put_together_again(net: Net, cut: Layer, layer: Layer) -> bool:
    if not isinstance(layer.op, Concat) or not isinstance(cut.op, Slice) or cut.tops != layer.bottoms:
        return False
    rank = len(net.shapes[layer.bottoms[0]])
    return cut.op.axis % rank == layer.op.axis % rank


def _constants(net: Net) -> set[str]:
    """Return the layers whose result no input changes."""
    blobs: set[str] = set()
    found = set()
    for layer in net.layers:
        fixed = isinstance(layer.op, Parameter) or (isinstance(layer.op, Power) and layer.op.scale == 0)
        if fixed or (layer.bottoms and blobs.issuperset(layer.bottoms)):
            blobs.update(layer.tops)
            if not fixed:
                found.add(layer.name)
    return found


def _undone(net: Net, first: Layer) -> Iterator[str]:
    """Yield the layer after which the elements lie again as they did before `first`, all between touching each alone."""
    shape = net.shapes[first.bottoms[0]]
    if prod(shape) > LARGEST_TRACED or prod(net.shapes[first.tops[0]]) != prod(shape):
        return
    places: Array = np.arange(prod(shape), dtype=np.float64).reshape(shape)
    layer: Layer | None = first
    while layer is not None:
        (moved,) = layer.op.run([places], []) if isinstance(layer.op, (*MOVES, Reshape)) else (places,)
        if moved.size != places.size:
            return
        places = moved
        if layer is not first and isinstance(layer.op, MOVES) and _in_order(places):
            yield f"{layer.name!r} moves back what {first.name!r} moved"
            return
        layer = _follower(net, layer)


def _in_order(places: Array) -> bool:
    return bool((np.diff(places.ravel()) == 1).all())


def _follower(net: Net, layer: Layer) -> Layer | None:
    """Return the one layer that reads the top, if it moves elements or touches each alone."""
    (top,) = layer.tops
    users = net.users[top]
    if len(users) != 1 or top in net.output_blobs or len(users[0].bottoms) != 1 or len(users[0].tops) != 1:
        return None
    return users[0] if isinstance(users[0].op, (*MOVES, Reshape, Unary, Scale, Bias, PReLU)) else None
