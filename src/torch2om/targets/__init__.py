"""The readers of Caffe files: what each accepts, as data with sources, and the check of a net against it."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from types import MappingProxyType

from torch2om.errors import Diagnostic, LegalityError, Problems, Severity, UsageError
from torch2om.ir.net import Layer, Net
from torch2om.ir.op import Shape
from torch2om.targets.ascend import ASCEND310, ASCEND310B, ASCEND310P
from torch2om.targets.caffe import CAFFE
from torch2om.targets.chips import dropped_caffe, has_no_table, target_of
from torch2om.targets.hilens import HILENS
from torch2om.targets.limits import Limit, Target, Violation
from torch2om.targets.opencv import OPENCV
from torch2om.targets.ranks import reads_alike

TARGETS: Mapping[str, Target] = MappingProxyType(
    {target.name: target for target in (CAFFE, ASCEND310, ASCEND310P, ASCEND310B, HILENS, OPENCV)}
)


def target(name: str) -> Target:
    """Return the target of that name; raise `UsageError` U131 for an unknown one, T404 for a chip without Caffe.

    The name of a chip or a board is no target's name: the error says which target is meant.
    """
    found = TARGETS.get(name)
    if found is not None:
        return found
    if dropped_caffe(name):
        text = f"the compiler for {name} takes no Caffe files any more"
        raise UsageError(Diagnostic("T404", text, hint="use the chip's ONNX route, or one of: " + ", ".join(TARGETS)))
    raise UsageError(Diagnostic("U131", f"there is no target {name!r}", hint=_meant(name)))


def _meant(name: str) -> str:
    """Return which target was meant: the chip's or board's own, one of nearly that name, or the list of all."""
    known = target_of(name)
    if known is not None:
        return f"did you mean {known} ({TARGETS[known].title})?"
    if has_no_table(name):
        return f"its compiler takes Caffe files, but its limits are not known here; targets are {', '.join(TARGETS)}"
    close = get_close_matches(name.lower(), TARGETS, n=2, cutoff=0.5)
    return f"did you mean {' or '.join(close)}?" if close else f"targets are {', '.join(TARGETS)}"


def check(net: Net, target: Target) -> Net:
    """Return the net if the target accepts it; raise `LegalityError` with every limit that a layer breaks."""
    problems = Problems(list(examine(net, target)))
    problems.raise_as(LegalityError)
    return net


def examine(net: Net, target: Target) -> tuple[Diagnostic, ...]:
    """Return what the target would refuse, layer by layer, and what it would silently compute otherwise."""
    found: list[Diagnostic] = []
    for layer, bottoms, broken in target.walk(net):
        found += [_refused(layer, violation, target) for violation in broken]
        if not broken and not reads_alike(layer, net.bottom_shapes(layer), bottoms):
            found.append(_misread(layer, net.bottom_shapes(layer), bottoms, target))
    return tuple(found)


def _refused(layer: Layer, violation: Violation, target: Target) -> Diagnostic:
    code = "T402" if type(layer.op) in target.accepts else "T401"
    return Diagnostic(code, violation.text, origin=layer.origin, layer=layer.name, source=violation.source)


def _misread(layer: Layer, ours: tuple[Shape, ...], theirs: tuple[Shape, ...], target: Target) -> Diagnostic:
    text = f"{target.name} gives its bottoms the dims {list(map(list, theirs))}, Caffe {list(map(list, ours))}"
    hint = "put a Reshape to Caffe's dims before it"
    return Diagnostic(
        "T403",
        text,
        origin=layer.origin,
        layer=layer.name,
        hint=hint,
        source=target.source,
        severity=Severity.WARNING,
    )


__all__ = ["TARGETS", "Limit", "Target", "Violation", "check", "examine", "target"]
