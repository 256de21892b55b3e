"""One rule on one net: what it makes of the last layer, before any limit is asked about."""

from __future__ import annotations

from torch2om.errors import Refuse
from torch2om.ir.assembly import Assembly
from torch2om.ir.net import Layer, Net
from torch2om.legalization.rules import Result, Rule, RuleBuilder
from torch2om.passes import name_layers
from torch2om.passes.rules import Rewrite, RewriteBuilder


def applied(rule: Rule | Rewrite, net: Net) -> Net:
    """Return the net with its last layer replaced by what the rule makes of it.

    Raises `Refuse` (or `BadOp`) with the rule's reason, if it does not apply.
    """
    assembly = Assembly(net)
    *before, last = net.layers
    for layer in before:
        assembly.keep(layer)
    builder = _builder(rule, assembly, net, last)
    result: Result | None = rule.function(builder, last.op, *assembly.bottoms(last))
    if result is None:
        raise Refuse("the layers do not match")
    assembly.put(last, builder.layers, result if isinstance(result, tuple) else (result,))
    return name_layers(assembly.finish())


def _builder(rule: Rule | Rewrite, assembly: Assembly, net: Net, layer: Layer) -> RuleBuilder | RewriteBuilder:
    if isinstance(rule, Rewrite):
        return RewriteBuilder(assembly, layer, rule.name)
    seed = assembly.blob(net.inputs[0].name) if net.inputs else None
    return RuleBuilder(assembly.names, layer, rule.name, seed, (True,) * len(layer.tops))
