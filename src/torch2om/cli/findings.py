"""How diagnostics look: to people as a block each, to machines as an object each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from torch2om.errors import Diagnostic, Severity

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.NOTE: "bold cyan"}


def _from_here(file: str) -> str:
    """Return a path below the current folder as the user would write it."""
    here = Path.cwd()
    return str(Path(file).relative_to(here)) if file and Path(file).is_relative_to(here) else file


def findings(diagnostics: Iterable[Diagnostic]) -> list[dict[str, object]]:
    """Return the diagnostics as JSON objects."""
    return [diagnostic.record() for diagnostic in diagnostics]


def blocks(diagnostics: Iterable[Diagnostic]) -> RenderableType:
    """Return the diagnostics for people, a block each, in their order."""
    return Group(*(part for diagnostic in diagnostics for part in _block(diagnostic)))


def _block(diagnostic: Diagnostic) -> Iterator[RenderableType]:
    place = f" [{diagnostic.layer}]" if diagnostic.layer else ""
    head = Text.assemble(
        (f"{diagnostic.severity} {diagnostic.code}", _STYLES[diagnostic.severity]), (place, "bold"), ": "
    )
    yield head + Text(diagnostic.message)
    yield from (Padding(line, (0, 0, 0, 2), expand=False) for line in _lines(diagnostic))


def _lines(diagnostic: Diagnostic) -> Iterator[Text]:
    origin = diagnostic.origin
    if origin.place:
        yield Text(f"at {replace(origin, file=_from_here(origin.file)).place}", "dim")
    if origin.code:
        yield Text.assemble((f"{origin.line or '':>5} │ ", "dim"), origin.code)
    for detail in diagnostic.details:
        yield Text(f"- {detail}")
    if diagnostic.source:
        yield Text(f"source: {diagnostic.source}", "dim")
    if diagnostic.hint:
        yield Text.assemble(("hint: ", "bold green"), diagnostic.hint)
