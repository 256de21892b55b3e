"""The verbs for Caffe files: check, run, analyze. They need no torch (analyze of a PyTorch model does)."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from torch2om.cli import figures
from torch2om.cli.answer import Answer
from torch2om.cli.findings import blocks, findings
from torch2om.cli.options import AsJson, Caffemodel, Inputs, Prototxt, Weights
from torch2om.cli.preprocessing import AippFile, InputFormat
from torch2om.cli.status import Status
from torch2om.cli.tables import table
from torch2om.errors import Diagnostic, Severity, UsageError

if TYPE_CHECKING:
    import numpy as np

    from torch2om.acceptance import Acceptance
    from torch2om.analysis import Analysis, LayerReport
    from torch2om.cli.arrays import Numbers
    from torch2om.ir.net import Net
    from torch2om.ir.op import Shape


class Width(StrEnum):
    """In which precision a net runs."""

    FLOAT64 = "float64"
    FLOAT32 = "float32"
    FLOAT16 = "float16"


class Format(StrEnum):
    """How an analysis is written."""

    TEXT = "text"
    CSV = "csv"
    JSON = "json"


def check(
    prototxt: Prototxt,
    target: Annotated[str, typer.Option("--target", "-t", help="Who will read the files.", show_default=False)],
    caffemodel: Caffemodel = None,
    as_json: AsJson = False,
) -> Answer:
    """Check Caffe files against every limit of a target.

    For ATC's targets the verdict is its front end's; what its kernels would refuse later is a warning.
    Exit 0 if the target accepts the files, 1 if not.
    """
    from torch2om.acceptance import examine_files
    from torch2om.targets import target as find_target

    found = examine_files(prototxt, caffemodel, find_target(target))
    payload = {
        "target": target,
        "accepted": found.accepted,
        "stage": found.stage,
        "findings": findings(found.findings),
        "outputs": found.outputs,
        "tops": found.tops,
    }
    return Answer(payload, _verdict(target, found), Status.OK if found.accepted else Status.REFUSED)


def _verdict(target: str, found: Acceptance) -> RenderableType:
    errors, warnings = (
        sum(diagnostic.severity is severity for diagnostic in found.findings)
        for severity in (Severity.ERROR, Severity.WARNING)
    )
    if errors:
        return Group(blocks(found.findings), Text(f"{target} refuses: {figures.counted(errors, 'error')}", "bold red"))
    shapes = {found.tops.get(name, name): shape for name, shape in found.outputs.items()}
    but = f", with {figures.counted(warnings, 'warning')}" if warnings else ""
    return Group(blocks(found.findings), Text(f"{target} accepts{but}", "bold green"), _shapes(shapes))


def _shapes(outputs: Mapping[str, Shape]) -> RenderableType:
    shown = table("output", "shape")
    for name, shape in outputs.items():
        shown.add_row(name, _dims(shape))
    return shown


def _dims(shape: Shape) -> str:
    from torch2om.ir.text import shape_text

    return shape_text(shape)


def run(
    prototxt: Prototxt,
    caffemodel: Caffemodel = None,
    given: Annotated[
        list[str], typer.Option("--input", metavar="NAME=FILE", help="One input's array, a .npy.", show_default=False)
    ] = [],  # noqa: B006 - typer copies it
    archive: Annotated[
        Path | None,
        typer.Option("--inputs", metavar="FILE.npz", help="All inputs' arrays, by name.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FILE.npz", help="Where to write them.", show_default=False)
    ] = None,
    aipp: AippFile = None,
    input_format: InputFormat = "",
    every: Annotated[bool, typer.Option("--all", help="Every blob, not only the net's outputs.")] = False,
    width: Annotated[Width, typer.Option("--dtype", help="The precision to compute in.")] = Width.FLOAT32,
    as_json: AsJson = False,
) -> Answer:
    """Run Caffe files; no Caffe is needed."""
    from torch2om.caffe.reader import read_net
    from torch2om.cli.arrays import named_arrays, write_archive
    from torch2om.cli.pictures import through_aipp
    from torch2om.executor import execute

    net = read_net(prototxt, caffemodel)
    fed = named_arrays(given if aipp is None else (), archive)
    fed |= {} if aipp is None else through_aipp(net, aipp, given, input_format)
    blobs = execute(net, fed, width.value, "all" if every else None)
    names = {output.blob: output.name or output.blob for output in net.outputs}
    results = {names.get(blob, blob): values for blob, values in blobs.items()}
    if out is not None:
        write_archive(out, results)
    payload = {"file": None if out is None else str(out), "blobs": {name: _summary(v) for name, v in results.items()}}
    return Answer(payload, _summaries(results))


def _summary(values: Numbers) -> dict[str, object]:
    wide = values.astype("float64")
    return {"shape": values.shape, "min": float(wide.min()), "mean": float(wide.mean()), "max": float(wide.max())}


def _summaries(results: Mapping[str, np.ndarray]) -> RenderableType:
    numbers = ("min", "mean", "max")
    shown = table("blob", "shape", *numbers, numbers=numbers)
    for name, values in results.items():
        summary = _summary(values)
        shown.add_row(name, _dims(values.shape), *(f"{summary[key]:.6g}" for key in numbers))
    return shown


def analyze(
    model: Annotated[str, typer.Argument(metavar="MODEL_OR_PROTOTXT", help="A PyTorch model, or a net's text file.")],
    caffemodel: Caffemodel = None,
    inputs: Inputs = [],  # noqa: B006 - typer copies it
    weights: Weights = None,
    form: Annotated[Format, typer.Option("--format", help="How to write the numbers.")] = Format.TEXT,
) -> Answer:
    """Show what each layer costs: MACs, parameters, bytes of activations.

    MACs are multiply-accumulate operations; activations are the bytes of a layer's outputs in float32.
    """
    from torch2om.analysis import analyze as count
    from torch2om.caffe.reader import read_net
    from torch2om.named_models import is_prototxt

    if is_prototxt(model):
        if inputs or weights:
            raise UsageError(
                Diagnostic("U112", f"{model} is a Caffe file: --input and --weights are for PyTorch models")
            )
        net = read_net(Path(model), caffemodel)
    else:
        net = _net_of_model(model, caffemodel, inputs, weights)
    found = count(net)
    shown = _csv(found) if form is Format.CSV else _costs(found)
    return Answer(_record(found), shown)


def _net_of_model(model: str, caffemodel: Path | None, inputs: list[str], weights: Path | None) -> Net:
    if caffemodel is not None:
        raise UsageError(Diagnostic("U133", f"{caffemodel}: a PyTorch model takes its weights with --weights"))
    from torch2om.cli.models import program_of
    from torch2om.lowering import lower
    from torch2om.passes import name_layers, simplify

    return name_layers(simplify(lower(program_of(model, inputs, weights))))


_HEADS = ("layer", "type", "output", "MACs", "parameters", "activations")


def _record(found: Analysis) -> dict[str, object]:
    totals = {"macs": found.macs, "parameters": found.parameters, "activation_bytes": found.activation_bytes}
    return {"layers": [asdict(line) for line in found.layers], "total": totals}


def _costs(found: Analysis) -> RenderableType:
    shown = table(*_HEADS, numbers=_HEADS[3:])
    for line in found.layers:
        numbers = (figures.count(line.macs), figures.count(line.parameters), figures.size(line.activation_bytes))
        shown.add_row(line.name, line.kind, _outputs(line), *numbers)
    shown.add_section()
    numbers = (figures.count(found.macs), figures.count(found.parameters), figures.size(found.activation_bytes))
    shown.add_row("total", figures.counted(len(found.layers), "layer"), "", *numbers, style="bold")
    return shown


def _csv(found: Analysis) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("layer", "type", "output", "macs", "parameters", "activation_bytes"))
    for line in found.layers:
        writer.writerow((line.name, line.kind, _outputs(line), line.macs, line.parameters, line.activation_bytes))
    writer.writerow(("total", "", "", found.macs, found.parameters, found.activation_bytes))
    return text.getvalue()


def _outputs(line: LayerReport) -> str:
    return " ".join(map(_dims, line.shapes))
