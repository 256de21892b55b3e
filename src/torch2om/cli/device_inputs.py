"""The verb inputs: what a run on the board takes, and what is expected of it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from torch2om.cli import figures
from torch2om.cli.answer import Answer
from torch2om.cli.device import FOLDER
from torch2om.cli.findings import blocks, findings
from torch2om.cli.options import AsJson, Sample
from torch2om.cli.progress import Progress
from torch2om.cli.tables import table
from torch2om.errors import Diagnostic, Severity, Torch2omError, UsageError

if TYPE_CHECKING:
    from torch2om.device import DeviceRecord, Golden, Picture
    from torch2om.device.pictures import Fed
    from torch2om.emission import Artifact

RESULTS = Path("device_out")  # where the printed command lines put what the board computes


def inputs(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a conversion.", show_default=False)],
    sample: Sample = [],  # noqa: B006 - typer copies it
    samples: Annotated[int, typer.Option("--samples", metavar="N", min=1, help="How many seeded random inputs.")] = 2,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FOLDER", help=f"Where to write; DIR/{FOLDER}.", show_default=False),
    ] = None,
    aipp: Annotated[
        bool | None,
        typer.Option("--aipp/--no-aipp", help="Feed pictures as bytes; so if DIR has AIPP's file.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> Answer:
    """Write inputs for a run on the board, and the outputs that are expected of it.

    The command lines of ais_bench and msame are printed; then: torch2om verify DIR --outputs device_out.
    """
    from torch2om.cli.models import samples_of
    from torch2om.device import ais_bench, as_fed, drawn, fed_shapes, msame, write_inputs
    from torch2om.emission import artifact_in

    artifact = artifact_in(folder)
    pictures = _pictures(artifact, aipp)
    own = samples_of(sample, fed_shapes(artifact, pictures))
    fed = [as_fed(each, pictures) for each in own] or list(drawn(artifact, pictures, samples))
    place = out or folder / FOLDER
    golden, notes = _golden(artifact, pictures, fed)
    record = write_inputs(artifact.manifest, fed, golden, place)
    om = artifact.prototxt.with_suffix(".om").name
    commands = {"ais_bench": ais_bench(record, place, om, RESULTS), "msame": msame(record, place, om, RESULTS)}
    payload = {"folder": str(place), **asdict(record), "commands": commands, "findings": findings(notes)}
    return Answer(payload, _written(folder, place, record, commands, notes))


def _pictures(artifact: Artifact, aipp: bool | None) -> tuple[Picture, ...]:
    """Return the inputs that are fed as bytes; raises `UsageError` (U143) if --aipp is asked for and there is none."""
    from torch2om.device import pictures_of

    found = () if aipp is False else pictures_of(artifact)
    if aipp and not found:
        text = f"--aipp: the conversion in {artifact.folder} has no AIPP"
        raise UsageError(Diagnostic("U143", text, hint="torch2om convert --normalize makes one"))
    return found


def _golden(
    artifact: Artifact, pictures: Sequence[Picture], fed: Sequence[Fed]
) -> tuple[list[Golden], list[Diagnostic]]:
    """Return the outputs of the files, of simulated half precision, and of the model if it can be run; else a note."""
    from torch2om.caffe.reader import read_net
    from torch2om.cli.models import known, reference_of
    from torch2om.device import behind_aipp, for_the_model, golden_of_files, golden_of_half, golden_of_reference
    from torch2om.targets import target

    manifest = artifact.manifest
    net = read_net(artifact.prototxt, artifact.caffemodel, target(manifest.target).dialect)
    shapes = {record.argument: record.shape for record in manifest.inputs}
    blobs = [behind_aipp(sample, pictures) for sample in fed]
    with Progress() as progress:
        golden = progress.stage("files", lambda: [golden_of_files(net, blobs), golden_of_half(net, blobs)])
        try:
            reference = reference_of(known(manifest.source, artifact.folder), shapes, progress)
        except Torch2omError as error:
            why = tuple(found.message for found in error.diagnostics)
            text = "golden outputs are those of the Caffe files alone"
            return golden, [Diagnostic("D858", text, severity=Severity.NOTE, details=why)]
        own = [for_the_model(sample, pictures, manifest) for sample in fed]
        found = progress.stage("model", lambda: golden_of_reference(reference, manifest, own))
    return [found, *golden], []


def _written(
    folder: Path, place: Path, record: DeviceRecord, commands: Mapping[str, str], notes: Iterable[Diagnostic]
) -> RenderableType:
    from torch2om.ir.text import shape_text

    shown = table("input", "name", "dtype", "shape", "bytes", numbers=("input", "bytes"))
    for port in record.inputs:
        shown.add_row(str(port.index), port.name, port.dtype, shape_text(port.shape), str(port.bytes))
    by = ", ".join(each.title for each in record.expectations)
    check = shlex.join(["torch2om", "verify", str(folder), "--outputs", str(RESULTS)])
    golden = [] if place == folder / FOLDER else ["--golden", shlex.quote(str(place))]
    return Group(
        Text.assemble((str(place), "bold"), f": {figures.counted(len(record.samples), 'sample')}"),
        shown,
        Text(f"expected outputs by: {by}"),
        blocks(notes),
        Text("\nOn the board, one of the first two; then the last where this folder is:", "bold"),
        *map(_lines, (*commands.values(), " ".join([check, *golden]))),
    )


def _lines(command: str) -> Text:
    """Return a command line broken before its options, so that a narrow screen does not cut it."""
    return Text(command.replace(" --", " \\\n  --"), overflow="fold")
