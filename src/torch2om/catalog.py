"""What exists: layer types, PyTorch operators and rules, each with its sentence; read by the CLI and by docs/."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import TypeVar

from torch2om.ir.op import Op
from torch2om.ir.text import to_text
from torch2om.layers import CAFFE_TYPES
from torch2om.legalization import expose_outputs, keep_apart, rules
from torch2om.legalization.ranks import match_ranks, with_one_element
from torch2om.legalization.rules import Rule
from torch2om.passes import name_layers
from torch2om.passes.rules import Rewrite, all_rewrites
from torch2om.rulebook import RULEBOOK, applied
from torch2om.targets import TARGETS, Target

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class LayerEntry:
    """A Caffe layer type, what it computes, and the targets that have it."""

    name: str
    sentence: str
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CallEntry:
    """A PyTorch operator that is known: what its lowering says it means, or why every call is refused."""

    name: str
    sentence: str
    refused: bool = False


@dataclass(frozen=True, slots=True)
class RuleEntry:
    """A rule: a rewrite (of any net), a legalization (when a target refuses) or a repair (of a legal net), and of what.

    `bound` is the declared error relative to the blob's scale; 0 is equal in real arithmetic. `dialects` are the
    readers for which it holds (empty: all); `opt_in` says that it runs only when it is allowed by name.
    """

    name: str
    kind: str
    layers: tuple[str, ...]
    text: str
    bound: float = 0.0
    dialects: tuple[str, ...] = ()
    opt_in: bool = False

    @property
    def sentence(self) -> str:
        """The equation."""
        return first_line(self.text)

    @property
    def exactness(self) -> str:
        """How exact it is, in words."""
        exact = f"error up to {self.bound:g}" if self.bound else "exact"
        return f"{exact}; only if allowed" if self.opt_in else exact


@dataclass(frozen=True, slots=True)
class Demonstration:
    """A small net and what a rule makes of it, as text; or why there is none."""

    before: str = ""
    after: str = ""
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class LimitEntry:
    """A limit of a target: of which layer type, in words, and who says so; both empty for a type in any form."""

    layer: str
    limit: str
    source: str


def limit_entries(target: Target) -> tuple[LimitEntry, ...]:
    """Return the target's limits, those of every layer first, then by layer type; a type without limits has one too."""
    found = [LimitEntry("every layer", limit.sentence, limit.source) for limit in target.general]
    for op in sorted(target.accepts, key=type_name):
        limits = target.narrowed.accepts[op]
        found += [LimitEntry(type_name(op), limit.sentence, limit.source) for limit in limits]
        found += [] if limits else [LimitEntry(type_name(op), "", target.source)]
    return tuple(found)


def layer_entries() -> tuple[LayerEntry, ...]:
    """Return every Caffe layer type, sorted."""
    return tuple(
        LayerEntry(
            name, first_line(inspect.getdoc(op) or ""), tuple(t.name for t in TARGETS.values() if op in t.accepts)
        )
        for name, op in sorted(CAFFE_TYPES.items())
    )


def call_entries() -> tuple[CallEntry, ...]:
    """Return every PyTorch operator that is known, sorted: the supported ones, then the refused. Needs torch."""
    from torch2om.lowering.registry import registered  # noqa: PLC0415 - the rest of the catalog needs no torch

    found = []
    for call, lowering in registered().items():
        sentence = lowering.refusal or first_line(inspect.getdoc(lowering.function) or "")
        found.append(CallEntry(str(call), sentence, bool(lowering.refusal)))
    return tuple(sorted(found, key=lambda entry: (entry.refused, entry.name)))


def rule_entries() -> tuple[RuleEntry, ...]:
    """Return every rewrite, legalization and repair, each once, sorted."""
    found: dict[tuple[str, str], RuleEntry] = {}
    for entry in _each_rule():
        before = found.get((entry.kind, entry.name))
        layers = (*before.layers, *entry.layers) if before else entry.layers
        found[entry.kind, entry.name] = replace(entry, layers=layers)
    return tuple(found[key] for key in sorted(found))


def _each_rule() -> Iterator[RuleEntry]:
    for op, rule in _registered(rules()):
        text, places = _text(rule.function), (type_name(op),)
        yield RuleEntry(rule.name, "legalization", places, text, rule.bound, rule.dialects, rule.opt_in)
    for op, rewrite in _registered(all_rewrites()):
        yield RuleEntry(rewrite.name, "rewrite", (type_name(op),), _text(rewrite.function))
    for repair in (expose_outputs, keep_apart, match_ranks, with_one_element):
        yield RuleEntry(repair.__name__, "repair", ("any layer",), _text(repair))


def _registered(families: Mapping[type[Op], list[R]]) -> Iterator[tuple[type[Op], R]]:
    return ((op, rule) for op, family in families.items() for rule in family)


def demonstration(name: str) -> Demonstration:
    """Return what the rule of this name does to the net on its page of the rulebook."""
    if name not in RULEBOOK:
        return Demonstration(why_not="what it does depends on the target")
    shown = RULEBOOK[name].applies
    if isinstance(shown, str):
        return Demonstration(why_not=f"it never applies: {shown}")
    net = shown.net()
    op = type(net.layers[-1].op)
    family: Iterator[Rule | Rewrite] = chain(rules().get(op, ()), all_rewrites().get(op, ()))
    made = applied(next(rule for rule in family if rule.name == name), net)
    return Demonstration(*(to_text(replace(name_layers(each), name="")).rstrip() for each in (net, made)))


def type_name(op: type[Op]) -> str:
    """Return the Caffe type's name; a virtual layer's class name."""
    return op.caffe_type or op.__name__


def first_line(text: str) -> str:
    """Return the first line of a docstring."""
    return text.strip().split("\n", 1)[0]


def _text(function: object) -> str:
    return inspect.getdoc(function) or ""
