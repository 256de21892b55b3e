"""The driver of simplification: walks the net until no rewrite matches any more."""

from __future__ import annotations

from dataclasses import replace

from torch2om.ir.assembly import Assembly
from torch2om.ir.net import Layer, Net
from torch2om.passes.rules import RewriteBuilder, all_rewrites
from torch2om.passes.scaling import absorb_scales, scale_smaller_operands
from torch2om.passes.sharing import share_equal
from torch2om.passes.slicing import join_slices

MAX_ROUNDS = 10  # each round takes one more step of a chain of rewrites; the longest known chain is 4


def simplify(net: Net) -> Net:
    """Return an equal net with fewer layers: constants folded into weights, no-ops removed, patterns recovered."""
    net = share_equal(join_slices(_settled(without_dead(net))))
    return _settled(scale_smaller_operands(absorb_scales(net)))


def _settled(net: Net) -> Net:
    """Return the net after as many rounds as change it."""
    for _ in range(MAX_ROUNDS):
        net, changed = _round(net)
        if not changed:
            break
    return net


def without_dead(net: Net) -> Net:
    """Return the net without the layers that lead to no output."""
    needed = set(net.output_blobs)
    alive = []
    for layer in reversed(net.layers):
        if needed.intersection(layer.tops):
            alive.append(layer)
            needed.update(layer.bottoms)
    layers = tuple(reversed(alive))
    blobs = {source.name for source in net.inputs} | {top for layer in layers for top in layer.tops}
    return replace(net, layers=layers, mirrors={blob: call for blob, call in net.mirrors.items() if blob in blobs})


def _round(net: Net) -> tuple[Net, bool]:
    assembly = Assembly(net)
    changed = False
    for old in net.layers:
        layer = assembly.resolve(old)
        if _rewrite(assembly, layer):
            changed = True
        else:
            assembly.keep(layer)
    return assembly.finish(), changed


def _rewrite(assembly: Assembly, layer: Layer) -> bool:
    """Replace the layer by what the first matching rewrite makes of it."""
    bottoms = assembly.bottoms(layer)
    for rule in all_rewrites().get(type(layer.op), ()):
        builder = RewriteBuilder(assembly, layer, rule.name)
        result = rule.function(builder, layer.op, *bottoms)
        if result is not None:
            assembly.put(layer, builder.layers, result if isinstance(result, tuple) else (result,))
            return True
    return False
