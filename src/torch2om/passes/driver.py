"""The driver of simplification: walks the net until no rewrite matches any more."""

from __future__ import annotations

from torch2om.ir.assembly import Assembly
from torch2om.ir.net import Layer, Net
from torch2om.passes.rules import RewriteBuilder, all_rewrites

MAX_ROUNDS = 10  # each round takes one more step of a chain of rewrites; the longest known chain is 4


def simplify(net: Net) -> Net:
    """Return an equal net with fewer layers: constants folded into weights, no-ops removed, patterns recovered."""
    for _ in range(MAX_ROUNDS):
        net, changed = _round(net)
        if not changed:
            break
    return net


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
            assembly.put(layer, builder.layers, (result,))
            return True
    return False
