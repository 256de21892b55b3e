"""Joins what rules leave behind: Reshapes and lines in a row, and layers that compute the same of the same blobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from torch2om.ir.assembly import Assembly
from torch2om.ir.blob import Blob
from torch2om.ir.net import Layer, Net
from torch2om.ir.op import Op, Shape
from torch2om.ir.weight import Weight
from torch2om.layers import Power, Reduction, Reshape, Scale
from torch2om.passes.folding import affine_of_affine, scale_of_scale
from torch2om.passes.rules import RewriteBuilder, RewriteFunction
from torch2om.targets.limits import Target

_LINES: Mapping[type[Op], RewriteFunction] = MappingProxyType({Power: affine_of_affine, Scale: scale_of_scale})
_Made = dict[tuple[Op, tuple[Blob, ...], tuple[Weight, ...]], tuple[Blob, ...]]


def tidy(net: Net) -> Net:
    """reshape(reshape(x, s), t) = reshape(x, t), and what is computed twice of the same blobs is computed once.

    Of layers that rules made, constants of the same numbers among them; others stay as they are, but for a Reshape of
    what a rule reshaped.
    """
    assembly = Assembly(net)
    made: _Made = {}
    for old in net.layers:
        layer = assembly.resolve(old)
        made_by_rule = bool(layer.origin.via) or _reshapes_again(assembly, layer)
        if made_by_rule and layer.tops and not (layer.weights and layer.bottoms):
            _place(assembly, layer, made)
        else:
            assembly.keep(layer)
    return _with_mirrors(net, assembly.finish())


def _with_mirrors(before: Net, net: Net) -> Net:
    """Let what a Reshape that went mirrored be mirrored by the blob that it reshaped: its elements are the same."""
    mirrors: dict[str, str] = {}
    for blob, call in before.mirrors.items():
        source, producer = blob, None if blob in net.shapes else before.producers.get(blob)
        while producer is not None and renames(producer.op, before.bottom_shapes(producer)):
            (source,) = producer.bottoms
            producer = before.producers.get(source)
        if source in net.shapes:
            mirrors.setdefault(source, call)
    return replace(net, mirrors={**mirrors, **net.mirrors})


def join_lines(net: Net, target: Target) -> Net:
    """a2 * (a1 * x + t1) + t2 = a * x + t: a Scale or Power that a rule left behind another, if the target takes it."""
    assembly = Assembly(net)
    for old in net.layers:
        layer = assembly.resolve(old)
        if not (layer.origin.via and _joins(assembly, layer, target)):
            assembly.keep(layer)
    return assembly.finish()


def _joins(assembly: Assembly, layer: Layer, target: Target) -> bool:
    """Put one layer in the place of this one and the one before it, if both are lines and the one is legal."""
    rewrite = _LINES.get(type(layer.op))
    if rewrite is None:
        return False
    builder = RewriteBuilder(assembly, layer, rewrite.__name__)
    y = rewrite(builder, layer.op, *assembly.bottoms(layer))
    if not isinstance(y, Blob):
        return False
    if any(
        target.violations(made, tuple(assembly.blob(name).shape for name in made.bottoms)) for made in builder.layers
    ):
        return False
    assembly.put(layer, builder.layers, (y,))
    return True


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
    known = made.get((op, bottoms, layer.weights), ())
    if known and all(map(assembly.producer, known)):
        assembly.put(layer, (), known)
    elif bottoms == assembly.bottoms(layer):
        assembly.keep(layer)
        made[op, bottoms, layer.weights] = tuple(map(assembly.blob, layer.tops))
    else:
        builder = assembly.builder(layer.origin)
        made[op, bottoms, ()] = builder.add_all(op, *bottoms)
        assembly.put(layer, builder.layers, made[op, bottoms, ()])


def _source(assembly: Assembly, blob: Blob) -> Blob:
    """Return the blob from which this one differs in its dims alone."""
    producer = assembly.producer(blob)
    while producer is not None and renames(producer.op, [bottom.shape for bottom in assembly.bottoms(producer)]):
        (blob,) = assembly.bottoms(producer)
        producer = assembly.producer(blob)
    return blob


def renames(op: Op, bottoms: Sequence[Shape]) -> bool:
    """Whether the layer only gives its elements other dims: a Reshape, or a sum of one element to no dims."""
    return isinstance(op, Reshape) or (op == Reduction() and list(bottoms) == [(1,)])
