"""The verbs for om files: inspect and diff. They need neither torch nor any vendor software."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from torch2om.cli import figures
from torch2om.cli.answer import Answer
from torch2om.cli.findings import blocks, findings
from torch2om.cli.options import AsJson
from torch2om.cli.status import Status
from torch2om.cli.tables import table
from torch2om.errors import Diagnostic, Severity

if TYPE_CHECKING:
    from torch2om.om.difference import Difference
    from torch2om.om.reader import OmModel
    from torch2om.om.weights import Weight

Om = Annotated[Path, typer.Argument(metavar="FILE.om", help="A compiled model.", show_default=False)]


def inspect(
    file: Om,
    attributes: Annotated[bool, typer.Option("--attributes", help="Every operator's attributes too.")] = False,
    out: Annotated[
        Path | None,
        typer.Option("--weights", metavar="FILE.npz", help="Write the unpacked weights there.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> Answer:
    """Show what an om holds: compiler, chip, inputs and outputs, AIPP, graph, weights, tasks, kernels, memory.

    A file that is no readable om is refused with what it is instead. --json prints everything, attributes included.
    """
    from torch2om.cli.om_summary import summary
    from torch2om.om.description import describe
    from torch2om.om.reader import read_om

    om = read_om(file)
    notes = _unread(om.root) if out is None else _write_weights(out, om.root)
    payload = {
        "file": str(file),
        **describe(om),
        "weights_file": None if out is None else str(out),
        "findings": findings(notes),
    }
    return Answer(payload, Group(summary(file, om, attributes), blocks(notes)))


def _unread(model: OmModel) -> list[Diagnostic]:
    """Return a warning for each weight whose layout or type is not known."""
    unread = (weight for weight in model.weights if not weight.is_read)
    return [_warning(weight, f"{weight.dtype} in {weight.layout} is not unpacked") for weight in unread]


def _write_weights(out: Path, model: OmModel) -> list[Diagnostic]:
    """Write the unpacked weights; return a warning for each that cannot be."""
    from torch2om.cli.arrays import write_archive
    from torch2om.om.layouts import Packed

    found, notes = {}, []
    for weight in model.weights:
        try:
            found[weight.name] = weight.array()
        except Packed as reason:
            notes.append(_warning(weight, str(reason)))
    write_archive(out, found)
    return notes


def _warning(weight: Weight, text: str) -> Diagnostic:
    return Diagnostic("O809", text, layer=weight.name, severity=Severity.WARNING)


def diff(
    left: Annotated[Path, typer.Argument(metavar="A.om", help="A compiled model.", show_default=False)],
    right: Annotated[Path, typer.Argument(metavar="B.om", help="Another one.", show_default=False)],
    as_json: AsJson = False,
) -> Answer:
    """Show in what two om files differ: calling, graph, weights, tasks, kernels, provenance, memory.

    Exit 0 if they are the same, 1 if not.
    """
    from torch2om.om.difference import differences
    from torch2om.om.reader import read_om

    found = differences(read_om(left), read_om(right))
    payload = {
        "left": str(left),
        "right": str(right),
        "same": not found,
        "differences": [
            {"section": each.section, "what": each.what, "left": each.left, "right": each.right} for each in found
        ],
    }
    return Answer(payload, _differences(found), Status.REFUSED if found else Status.OK)


def _differences(found: tuple[Difference, ...]) -> RenderableType:
    if not found:
        return Text("the same", "bold green")
    shown = table("section", "what", "A", "B")
    for each in found:
        shown.add_row(each.section, each.what, each.left, each.right)
    return Group(shown, Text(figures.counted(len(found), "difference"), "bold red"))


def matched(folder: Path, file: Path) -> Answer:
    """Answer whether an om is the compiled form of a conversion's files."""
    from torch2om.cli.om_summary import matching
    from torch2om.emission import artifact_in
    from torch2om.matching import match
    from torch2om.om.reader import read_om

    artifact = artifact_in(folder)
    found = match(artifact, read_om(file))
    payload = {
        "om": str(file),
        "target": artifact.manifest.target,
        "equal": found.equal,
        "ports": [asdict(each) for each in found.ports],
        "weights": [asdict(each) for each in found.weights],
        "unexplained": found.unexplained,
        "findings": findings(found.diagnostics),
    }
    name = artifact.manifest.net
    return Answer(payload, matching(name, file, found), Status.OK if found.equal else Status.REFUSED)
