"""The driver: each layer that breaks a limit is rewritten by the cheapest exact rule whose result is legal.

Legal layers are never touched. A rule's own layers are legalized in turn, to a bounded depth. The model is MLIR's
dialect conversion: legality drives, there is no ordered list of passes.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from torch2om.analysis import Cost, cost_of
from torch2om.caffe.dialect import lineage
from torch2om.errors import Diagnostic, LegalityError, Problems, Refuse
from torch2om.ir.assembly import Assembly
from torch2om.ir.blob import Blob
from torch2om.ir.net import Layer, Net
from torch2om.ir.op import BadOp, Op, Shape
from torch2om.ir.text import op_text
from torch2om.layers import Reshape
from torch2om.legalization.ranks import match_ranks, with_one_element
from torch2om.legalization.rules import Rule, RuleBuilder, rules
from torch2om.legalization.tidying import join_lines, tidy
from torch2om.targets.limits import Target, Violation, computed_with

MANY_DIMS = "give the net's inputs and outputs as many dims as the target has"
MAX_DEPTH = 8  # the longest chain of rules known is 5; more is a circle


@dataclass(frozen=True)
class Fragment:
    """Legal layers that stand for one layer, the blobs that stand for its tops, and what they cost.

    `fallback` says whether one of the rules that made them is a fallback.
    """

    layers: tuple[Layer, ...]
    results: tuple[Blob, ...]
    cost: Cost
    fallback: bool = False


@dataclass(frozen=True)
class Refusal:
    """Why a layer cannot be made legal: the limits it breaks, what each rule said, and what the user can do instead."""

    layer: Layer
    broken: tuple[Violation, ...]
    reasons: tuple[str, ...]
    hint: str = ""

    def diagnostic(self, target: Target) -> Diagnostic:
        """Return the refusal at the user's line."""
        known = type(self.layer.op) in target.accepts
        return Diagnostic(
            "T402" if known else "T401",
            "; ".join(violation.text for violation in self.broken),
            origin=self.layer.origin,
            layer=self.layer.name,
            source="; ".join(dict.fromkeys(v.source for v in self.broken if v.source)),
            details=self.reasons,
            hint=self.hint,
        )


def legalize(net: Net, target: Target, allow: Collection[str] = ()) -> Net:
    """Return the net with every layer within the target's limits; `allow` names inexact rules that may run.

    Raises `LegalityError` with one diagnostic per layer that no rule makes legal.
    """
    assembly = Assembly(net)
    seed = assembly.blob(net.inputs[0].name) if net.inputs else None
    anywhere = _Search(target, assembly, frozenset(allow), seed)
    between = _Search(target.narrowed, assembly, frozenset(allow), seed) if target.computed else anywhere
    computed = computed_with(net)
    problems = Problems()
    for old in net.layers:
        layer = assembly.resolve(old)
        bottoms = assembly.bottoms(layer)
        shapes = tuple(blob.shape for blob in bottoms)
        search = anywhere if computed.isdisjoint(old.tops) else between
        if search.accepts(layer, shapes):
            assembly.keep(layer)
            continue
        found = search.legal(layer, bottoms)
        if isinstance(found, Refusal):
            problems.add(found.diagnostic(target))
            assembly.keep(layer)
        else:
            assembly.put(layer, found.layers, found.results)
    problems.raise_as(LegalityError)
    made = match_ranks(with_one_element(join_lines(tidy(assembly.finish()), target), target), target)
    _check_folded(made, target)
    return made


def _check_folded(net: Net, target: Target) -> None:
    """Raise `LegalityError` for the Reshapes that are left between blobs of more or fewer dims than the target has."""
    left = target.check(net) if target.most_dims or not target.scalars else []
    Problems([Refusal(layer, broken, (), MANY_DIMS).diagnostic(target) for layer, broken in left]).raise_as(
        LegalityError
    )


def _folds(layer: Layer, bottoms: tuple[Shape, ...], target: Target) -> bool:
    """Whether the layer only leads to or from dims that the target has not: joined with others it goes (`tidy`)."""
    return isinstance(layer.op, Reshape) and any(map(target.lacks, (*bottoms, *layer.op.infer(bottoms, ()))))


_Key = tuple[object, ...]


def _key(layer: Layer, bottoms: tuple[Blob, ...]) -> _Key:
    """Return what the choice of a rule depends on: a virtual layer's rules may look at its weights' numbers."""
    weights = layer.weights if layer.op.caffe_type is None else layer.weight_shapes
    return (layer.op, tuple(blob.shape for blob in bottoms), weights)


class _Search:
    """Finds the cheapest legal fragment for a layer; remembers which rule won, or why none does, for equal layers."""

    def __init__(self, target: Target, assembly: Assembly, allow: frozenset[str], seed: Blob | None) -> None:
        self._target = target
        self._assembly = assembly
        self._allow = allow
        self._seeds = () if seed is None else (seed,)
        self._won: dict[_Key, Rule] = {}
        self._refused: dict[_Key, tuple[int, Refusal]] = {}

    def accepts(self, layer: Layer, bottoms: tuple[Shape, ...]) -> bool:
        """Whether the layer may stay as it is."""
        return _folds(layer, bottoms, self._target) or not self._target.violations(layer, bottoms)

    def legal(self, layer: Layer, bottoms: tuple[Blob, ...], depth: int = 0) -> Fragment | Refusal:
        """Return the layer itself if it is legal, else the cheapest legal fragment, else why there is none."""
        shapes = tuple(blob.shape for blob in bottoms)
        broken = () if _folds(layer, shapes, self._target) else self._target.violations(layer, shapes)
        if not broken:
            tops = layer.op.infer(shapes, layer.weight_shapes)
            blobs = tuple(Blob(top, shape) for top, shape in zip(layer.tops, tops, strict=True))
            return Fragment((layer,), blobs, cost_of(layer, shapes))
        if depth == MAX_DEPTH:
            return Refusal(layer, broken, ("the rules lead in a circle",))
        return self._cheapest(layer, bottoms, broken, depth)

    def _cheapest(
        self, layer: Layer, bottoms: tuple[Blob, ...], broken: tuple[Violation, ...], depth: int
    ) -> Fragment | Refusal:
        key = (*_key(layer, bottoms), *map(self._assembly.is_read, layer.tops))
        if key in self._won:
            again = self._apply(self._won[key], layer, bottoms, depth)
            if isinstance(again, Fragment):
                return again
        if key in self._refused and self._refused[key][0] <= depth:
            return replace(self._refused[key][1], layer=layer)
        best: tuple[Fragment, Rule] | None = None
        reasons, hint = [], ""
        for rule in self._candidates(layer.op):
            if best is not None and rule.fallback and not best[0].fallback:
                break
            found = self._apply(rule, layer, bottoms, depth)
            if isinstance(found, Refuse):
                reasons.append(f"{rule.name}: {found.reason}")
                hint = hint or found.hint
            elif best is None or (found.fallback, found.cost) < (best[0].fallback, best[0].cost):
                best = (found, rule)
        if best is None:
            refusal = Refusal(layer, broken, tuple(reasons), hint)
            self._refused[key] = (depth, refusal)
            return refusal
        self._won[key] = best[1]
        return best[0]

    def _candidates(self, op: Op) -> list[Rule]:
        able = [rule for rule in rules().get(type(op), []) if self._may_run(rule)]
        return sorted(able, key=lambda rule: rule.fallback)

    def _may_run(self, rule: Rule) -> bool:
        allowed = not rule.opt_in or rule.name in self._allow
        return allowed and (not rule.dialects or not set(rule.dialects).isdisjoint(lineage(self._target.dialect)))

    def _apply(self, rule: Rule, layer: Layer, bottoms: tuple[Blob, ...], depth: int) -> Fragment | Refuse:
        """Return the legal fragment that the rule leads to, or why it leads nowhere."""
        read = tuple(map(self._assembly.is_read, layer.tops))
        builder = RuleBuilder(self._assembly.names, layer, rule.name, next(iter(self._seeds), None), read)
        try:
            result = rule.function(builder, layer.op, *bottoms)
        except Refuse as refusal:
            return refusal
        except BadOp as error:
            return Refuse(str(error))
        results = result if isinstance(result, tuple) else (result,)
        made = self._legal_all(builder.layers, results, bottoms, depth + 1)
        return replace(made, fallback=True) if isinstance(made, Fragment) and rule.fallback else made

    def _legal_all(
        self, layers: list[Layer], results: tuple[Blob, ...], bottoms: tuple[Blob, ...], depth: int
    ) -> Fragment | Refuse:
        known = {blob.name: blob for blob in (*bottoms, *self._seeds)}
        placed: list[Layer] = []
        cost, fallback = Cost(), False
        for layer in layers:
            reads = tuple(known[bottom] for bottom in layer.bottoms)
            found = self.legal(replace(layer, bottoms=tuple(blob.name for blob in reads)), reads, depth)
            if isinstance(found, Refusal):
                broken = "; ".join(violation.text for violation in found.broken)
                return Refuse(f"needs {op_text(found.layer.op)}: {broken}", hint=found.hint)
            placed += found.layers
            cost += found.cost
            fallback |= found.fallback
            known.update(zip(layer.tops, found.results, strict=True))
        return Fragment(tuple(placed), tuple(known.get(blob.name, blob) for blob in results), cost, fallback)
