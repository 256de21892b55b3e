"""Joins what rules leave behind: Reshapes in a row, and layers that compute the same of the same blobs."""

from __future__ import annotations

from dataclasses import replace

from torch2om.ir.assembly import Assembly
from torch2om.ir.blob import Blob
from torch2om.ir.net import Layer, Net
from torch2om.ir.op import Op
from torch2om.layers import Reshape

_Made = dict[tuple[Op, tuple[Blob, ...]], tuple[Blob, ...]]


def tidy(net: Net) -> Net:
    """reshape(reshape(x, s), t) = reshape(x, t), and what is computed twice of the same blobs is computed once.

    Of layers that rules made; others stay as they are, but for a Reshape of what a rule reshaped.
    """
    assembly = Assembly(net)
    made: _Made = {}
    for old in net.layers:
        layer = assembly.resolve(old)
        made_by_rule = bool(layer.origin.via) or _reshapes_again(assembly, layer)
        if made_by_rule and not layer.weights and layer.tops:
            _place(assembly, layer, made)
        else:
            assembly.keep(layer)
    return _with_mirrors(net, assembly.finish())


def _with_mirrors(before: Net, net: Net) -> Net:
    """Let what a Reshape that went mirrored be mirrored by the blob that it reshaped: its elements are the same."""
    mirrors: dict[str, str] = {}
    for layer in before.layers:
        (blob,) = layer.tops if isinstance(layer.op, Reshape) else ("",)
        if blob not in before.mirrors or blob in net.shapes:
            continue
        source = blob
        while source in before.producers and isinstance(before.producers[source].op, Reshape):
            (source,) = before.producers[source].bottoms
        if source in net.shapes:
            mirrors.setdefault(source, before.mirrors[blob])
    return replace(net, mirrors={**mirrors, **net.mirrors})


def _reshapes_again(assembly: Assembly, layer: Layer) -> bool:
    """Whether the layer is a Reshape of what a rule reshaped."""
    if not isinstance(layer.op, Reshape):
        return False
    (bottom,) = assembly.bottoms(layer)
    producer = assembly.producer(bottom)
    return producer is not None and isinstance(producer.op, Reshape) and bool(producer.origin.via)


def _place(assembly: Assembly, layer: Layer, made: _Made) -> None:
    op, bottoms = layer.op, assembly.bottoms(layer)
    if isinstance(op, Reshape):
        (shape,) = op.infer([bottoms[0].shape], [])
        op, bottoms = Reshape(shape), (_source(assembly, bottoms[0]),)
        if bottoms[0].shape == shape or not assembly.is_read(layer.tops[0]):
            assembly.put(layer, (), bottoms)
            return
    known = made.get((op, bottoms), ())
    if known and all(map(assembly.producer, known)):
        assembly.put(layer, (), known)
    elif bottoms == assembly.bottoms(layer):
        assembly.keep(layer)
        made[op, bottoms] = tuple(map(assembly.blob, layer.tops))
    else:
        builder = assembly.builder(layer.origin)
        made[op, bottoms] = builder.add_all(op, *bottoms)
        assembly.put(layer, builder.layers, made[op, bottoms])


def _source(assembly: Assembly, blob: Blob) -> Blob:
    """Return the blob from which Reshapes alone lead to this one."""
    producer = assembly.producer(blob)
    while producer is not None and isinstance(producer.op, Reshape):
        (blob,) = assembly.bottoms(producer)
        producer = assembly.producer(blob)
    return blob
