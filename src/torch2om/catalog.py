"""What exists: layer types, PyTorch operators and rules, each with its sentence; read by the CLI and by docs/."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass

from torch2om.ir.op import Op
from torch2om.layers import CAFFE_TYPES
from torch2om.legalization import rules
from torch2om.passes.rules import all_rewrites
from torch2om.targets import TARGETS, Target


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
    """A rule: whether it is a rewrite (of any net) or a legalization (when a target refuses), for which layers.

    `bound` is the declared error relative to the blob's scale; 0 is equal in real arithmetic.
    """

    name: str
    kind: str
    layers: tuple[str, ...]
    text: str
    bound: float = 0.0

    @property
    def sentence(self) -> str:
        """The equation."""
        return first_line(self.text)


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
        limits = target.accepts[op]
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
    """Return every rewrite and every legalization, each once, sorted."""
    found: dict[tuple[str, str], RuleEntry] = {}
    for entry in _each_rule():
        before = found.get((entry.kind, entry.name))
        layers = (*before.layers, *entry.layers) if before else entry.layers
        found[entry.kind, entry.name] = RuleEntry(entry.name, entry.kind, layers, entry.text, entry.bound)
    return tuple(found[key] for key in sorted(found))


def _each_rule() -> Iterator[RuleEntry]:
    for op, family in rules().items():
        for rule in family:
            yield RuleEntry(rule.name, "legalization", (type_name(op),), _text(rule.function), rule.bound)
    for op, rewrites in all_rewrites().items():
        for rewrite in rewrites:
            yield RuleEntry(rewrite.name, "rewrite", (type_name(op),), _text(rewrite.function))


def type_name(op: type[Op]) -> str:
    """Return the Caffe type's name; a virtual layer's class name."""
    return op.caffe_type or op.__name__


def first_line(text: str) -> str:
    """Return the first line of a docstring."""
    return text.strip().split("\n", 1)[0]


def _text(function: object) -> str:
    return inspect.getdoc(function) or ""
