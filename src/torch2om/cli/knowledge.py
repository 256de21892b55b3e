"""The verbs that tell what torch2om knows: ops, limits, explain, doctor. They need neither a model nor a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from difflib import get_close_matches
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from torch2om.cli.answer import Answer
from torch2om.cli.options import AsJson
from torch2om.cli.status import Status
from torch2om.cli.tables import pairs, table
from torch2om.codes import CODES
from torch2om.errors import Diagnostic, UsageError

if TYPE_CHECKING:
    from torch2om.catalog import CallEntry, LayerEntry, LimitEntry, RuleEntry
    from torch2om.doctor import Finding
    from torch2om.targets.limits import Target
    from torch2om.toolchain.failures import Failure


def ops(as_json: AsJson = False) -> Answer:
    """List what is supported: PyTorch operators, Caffe layers per target.

    The PyTorch operators are listed where torch is installed.
    """
    from torch2om.catalog import call_entries, layer_entries
    from torch2om.doctor import has_torch

    calls = call_entries() if has_torch() else ()
    layers = layer_entries()
    payload = {"calls": [asdict(entry) for entry in calls], "layers": [asdict(entry) for entry in layers]}
    return Answer(payload, Group(_calls(calls), _layers(layers)))


def _calls(calls: tuple[CallEntry, ...]) -> RenderableType:
    if not calls:
        return Text("The PyTorch operators are listed where torch is installed: pip install 'torch2om[torch]'\n")
    taken = [entry for entry in calls if not entry.refused]
    refused = [entry for entry in calls if entry.refused]
    return Group(
        _operators(f"{len(taken)} PyTorch operators", "in layers", taken),
        _operators(f"{len(refused)} that no target can express", "because", refused),
    )


def _operators(title: str, head: str, entries: Iterable[CallEntry]) -> RenderableType:
    shown = table("operator", head, title=title)
    for entry in entries:
        shown.add_row(entry.name.removeprefix("aten."), Text(entry.sentence))
    return shown


def _layers(layers: tuple[LayerEntry, ...]) -> RenderableType:
    shown = table("Caffe layer", "computes", "targets", title=f"{len(layers)} Caffe layers")
    for entry in layers:
        shown.add_row(entry.name, Text(entry.sentence), " ".join(entry.targets))
    return shown


def limits(
    target: Annotated[str | None, typer.Argument(metavar="[TARGET]", help="The target.", show_default=False)] = None,
    as_json: AsJson = False,
) -> Answer:
    """Show what a target accepts, with sources; alone, list the targets."""
    from torch2om.catalog import limit_entries
    from torch2om.targets import TARGETS
    from torch2om.targets import target as find_target

    if target is None:
        return Answer({"targets": [_target_record(each) for each in TARGETS.values()]}, _targets(TARGETS.values()))
    found = find_target(target)
    rows = limit_entries(found)
    payload = {**_target_record(found), "limits": [asdict(entry) for entry in rows]}
    return Answer(payload, _limits(found, rows))


def _target_record(target: Target) -> dict[str, object]:
    from torch2om.catalog import type_name

    layers = sorted(map(type_name, target.accepts))
    return {
        "target": target.name,
        "title": target.title,
        "socs": list(target.socs),
        "compiler": target.compiler,
        "source": target.source,
        "layers": layers,
    }


def _targets(targets: Iterable[Target]) -> RenderableType:
    shown = table("target", "for", "layers", numbers=("layers",))
    for target in targets:
        shown.add_row(target.name, target.title, str(len(target.accepts)))
    return shown


def _limits(target: Target, entries: tuple[LimitEntry, ...]) -> RenderableType:
    shown = table("layer", "limits, and who says so", title=f"{target.name}: {target.title}")
    for layer, of_layer in groupby((entry for entry in entries if entry.limit), key=attrgetter("layer")):
        shown.add_row(layer, Text("\n").join(_by_source(of_layer)))
    free = ", ".join(entry.layer for entry in entries if not entry.limit)
    return Group(shown, pairs((("in any form", free), ("refused", f"every other type ({target.source})"))))


def _by_source(entries: Iterable[LimitEntry]) -> Iterator[Text]:
    """Yield limits line by line, the source after the last limit that it stands for."""
    for source, of_source in groupby(entries, key=attrgetter("source")):
        yield from (Text(entry.limit) for entry in of_source)
        yield Text(f"  {source}", "dim")


def explain(
    name: Annotated[
        str | None, typer.Argument(metavar="[CODE]", help="A code, or the name of a rule.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> Answer:
    """Explain a diagnostic code, a rule, or a code of atc or of the board; alone, list ours."""
    from torch2om.catalog import rule_entries
    from torch2om.toolchain.failures import FAILURES

    known = {entry.name: entry for entry in rule_entries()}
    if name is None:
        return _index(tuple(known.values()))
    if name.upper() in CODES:
        return _code(name.upper())
    if name in known:
        return _rule(known[name])
    if name.upper() in FAILURES:
        return _failure(FAILURES[name.upper()])
    close = get_close_matches(name, [*CODES, *known], n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(close)}?" if close else CODES["U132"].remedy
    raise UsageError(Diagnostic("U132", f"there is no code or rule {name!r}", hint=hint))


def _failure(known: Failure) -> Answer:
    head = Text.assemble((known.code, "bold"), f": {known.cause}")
    return Answer(asdict(known), Group(head, Text(f"What to do: {known.remedy}"), Text(known.source, "dim")))


def _index(known: tuple[RuleEntry, ...]) -> Answer:
    codes = {code: info.title for code, info in CODES.items()}
    names = {entry.name: entry.sentence for entry in known}
    shown = Group(Text("Codes", "bold"), pairs(codes.items()), Text("\nRules", "bold"), pairs(names.items()))
    return Answer({"codes": codes, "rules": names}, shown)


def _code(code: str) -> Answer:
    info = CODES[code]
    shown = Group(Text(f"{code}: {info.title}", "bold"), Text(info.meaning), Text(f"What to do: {info.remedy}"))
    return Answer({"code": code, **asdict(info)}, shown)


def _rule(entry: RuleEntry) -> Answer:
    from torch2om.catalog import demonstration

    shown = demonstration(entry.name)
    readers = f" for {', '.join(entry.dialects)}" if entry.dialects else ""
    head = Text.assemble(
        (entry.name, "bold"), f": {entry.kind} of {', '.join(entry.layers)}{readers}; {entry.exactness}"
    )
    net = [Text("before", "bold"), Text(shown.before), Text("after", "bold"), Text(shown.after)]
    body = [Text(f"No example: {shown.why_not}")] if shown.why_not else net
    return Answer({**asdict(entry), **asdict(shown)}, Group(head, Text(entry.text), Text(), *body))


def doctor(as_json: AsJson = False) -> Answer:
    """Show what is installed, what is missing, and what to do."""
    from torch2om.doctor import examine

    found = examine()
    status = Status.OK if all(finding.healthy or not finding.needed for finding in found) else Status.REFUSED
    return Answer({"findings": [asdict(finding) for finding in found]}, _examination(found), status)


def _examination(found: tuple[Finding, ...]) -> RenderableType:
    return Group(*(line for finding in found for line in _finding(finding)))


def _finding(finding: Finding) -> Iterator[Text]:
    """Yield `ok       numpy 2.4.6`, and below it what to do."""
    word, style = ("ok", "green") if finding.healthy else ("missing", "bold red" if finding.needed else "bold yellow")
    yield Text.assemble((f"{word:<9}", style), (finding.what, "bold"), f" {finding.found}")
    if finding.remedy:
        yield Text(f"{'':<9}{finding.remedy}")
