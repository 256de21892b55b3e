"""What applied rules declare of each blob: how large an error, and which of them ran only because the user said so."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from torch2om.ir.net import Net
from torch2om.legalization.rules import Rule, rules
from torch2om.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Leeway:
    """The largest declared error bound of the rules applied to a blob or before it, and those the user allowed."""

    bound: float = 0.0
    allowed: tuple[Rule, ...] = ()

    def joined(self, other: Leeway) -> Leeway:
        """Return the leeway of what both apply to."""
        return Leeway(max(self.bound, other.bound), tuple(dict.fromkeys((*self.allowed, *other.allowed))))


EXACT = Leeway()


def leeways(manifest: Manifest, net: Net, exact: Collection[str] = ()) -> Mapping[str, Leeway]:
    """Return blob -> what the rules applied to it, or to anything before it, declare.

    Blobs in `exact` are read as if no rule stood before them.
    """
    named = {rule.name: rule for family in rules().values() for rule in family if rule.bound or rule.opt_in}
    applied = {layer.name: _of([named[rule] for rule in layer.via if rule in named]) for layer in manifest.layers}
    found: dict[str, Leeway] = {}
    for layer in net.layers:
        leeway = applied.get(layer.name, EXACT)
        for bottom in layer.bottoms:
            leeway = leeway if bottom in exact else leeway.joined(found.get(bottom, EXACT))
        found.update(dict.fromkeys(layer.tops, leeway))
    return found


def _of(applied: Collection[Rule]) -> Leeway:
    allowed = tuple(rule for rule in dict.fromkeys(applied) if rule.opt_in)
    return Leeway(max((rule.bound for rule in applied), default=0.0), allowed)
