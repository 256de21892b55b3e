"""The verbs convert and verify: of PyTorch models, and of other people's Caffe files."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from torch2om.cli import summary
from torch2om.cli.answer import Answer
from torch2om.cli.compilation import Attempt, Options, Soc, attempt, check_order
from torch2om.cli.findings import blocks, findings
from torch2om.cli.options import Allow, AsJson, Inputs, Model, Sample, Samples, Weights
from torch2om.cli.preprocessing import (
    Channels,
    Crop,
    Frame,
    InputFormat,
    Normalize,
    Pad,
    PictureFile,
    PictureInput,
    PictureOptions,
    Resize,
    Told,
    Yuv,
    told,
)
from torch2om.cli.progress import Progress
from torch2om.cli.status import Status
from torch2om.errors import Diagnostic, UsageError

if TYPE_CHECKING:
    from torch2om.manifest import Manifest
    from torch2om.pipeline import Conversion
    from torch2om.verification import Comparison, Run, Verification


def convert(
    model: Model,
    inputs: Inputs = [],  # noqa: B006 - typer copies it
    weights: Weights = None,
    target: Annotated[str, typer.Option("--target", "-t", metavar="T", help="Who will read the files.")] = "ascend310",
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Where to write the files.")] = Path("out"),
    name: Annotated[str, typer.Option("--name", metavar="STEM", help="The files' name.")] = "model",
    sample: Sample = [],  # noqa: B006 - typer copies it
    samples: Samples = 2,
    compare: Annotated[
        bool, typer.Option("--verify/--no-verify", help="Compare the written files with the model.")
    ] = True,
    allow: Allow = [],  # noqa: B006 - typer copies it
    normalize: Normalize = "",
    input_format: InputFormat = "",
    channels: Channels = "",
    yuv: Yuv = "",
    frame: Frame = "",
    crop: Crop = "",
    pad: Pad = "",
    resize: Resize = "",
    picture_input: PictureInput = "",
    picture: PictureFile = None,
    with_compiler: Annotated[
        bool, typer.Option("--compile", help="Make the om too, with atc or omg; see `torch2om compile --help`.")
    ] = False,
    soc: Soc = "",
    option: Options = [],  # noqa: B006 - typer copies it
    as_json: AsJson = False,
) -> Answer:
    """Convert a PyTorch model, or other Caffe files, to Caffe files for a target, and prove that they are equal.

    Of Caffe files, MODEL is the .prototxt and --weights the .caffemodel; they need no torch. With --compile the exit
    code is 0 where no compiler is found (compile.sh is then ready to run elsewhere), and 1 where it fails.
    """
    from torch2om.cli.models import samples_of, shapes_of, source_of
    from torch2om.named_models import chosen, is_prototxt
    from torch2om.pipeline import Request, run
    from torch2om.targets import target as find_target

    find_target(target)
    check_order(soc, option, target)
    sizes = (frame, crop, pad, resize)
    wish, notes = PictureOptions(normalize, input_format, channels, yuv, *sizes, picture_input, picture).wish()
    given = shapes_of(inputs)
    if given and is_prototxt(model):
        raise UsageError(Diagnostic("U112", f"{model} is a Caffe file: it says its inputs' dims itself"))
    own = samples_of(sample, given)
    shapes = given or {name: array.shape for each in own[:1] for name, array in each.items()}
    with Progress() as progress:
        choice = chosen(source_of(model, weights), shapes, progress.stage)
        request = Request(target, out, name, (own or samples) if compare else 0, allow, choice.source, wish)
        conversion = run(choice.model, request, progress.start, progress.end)
        om = attempt(conversion.artifact, soc, option, progress) if with_compiler else Attempt()
    remarks = (*notes, *choice.notes, *conversion.notes)
    return _converted(conversion, model, remarks, progress, told(conversion, picture), om)


def _converted(
    conversion: Conversion, model: str, notes: tuple[Diagnostic, ...], progress: Progress, aipp: Told, om: Attempt
) -> Answer:
    from torch2om.analysis import analyze
    from torch2om.manifest import input_records, output_records

    assert conversion.net is not None
    net, found, artifact = conversion.net, conversion.verification, conversion.artifact
    cost, wrong = analyze(net), () if found is None else found.diagnostics
    remarks = (*notes, *(() if found is None else found.notes), *wrong)
    shown: list[RenderableType] = [
        summary.verdict(model, conversion.target.name, found),
        Text(),
        summary.stages_and_costs(progress.times, cost),
        Text() if found is None else summary.comparison(found),
        Text(),
        summary.applied_rules(conversion),
        blocks(remarks),
        Text(),
        aipp.shown,
        Text("nothing was written", "bold red") if artifact is None else summary.files(artifact),
        *([om.shown] if om.shown else []),
    ]
    payload = {
        "target": conversion.target.name,
        "files": [] if artifact is None else list(map(str, artifact.files)),
        "stages": dict(progress.times),
        "layers": len(cost.layers),
        "macs": cost.macs,
        "parameters": cost.parameters,
        "activation_bytes": cost.activation_bytes,
        "rules": dict(conversion.rules),
        "inputs": list(map(asdict, input_records(net))),
        "outputs": list(map(asdict, output_records(net))),
        "aipp": aipp.payload,
        "compilation": om.payload,
        "verification": None if found is None else _verification(found),
        "findings": findings(remarks),
    }
    return Answer(payload, Group(*shown), Status.REFUSED if wrong else om.status)


def _verification(found: Verification) -> dict[str, object]:
    return {"equal": found.equal, "runs": [_run(run) for run in found.runs]}


def _run(run: Run) -> dict[str, object]:
    return {
        "what": run.title,
        "dtype": run.dtype,
        "sample": run.sample,
        "compared": len(run.comparisons),
        "outputs": [_compared(found) for found in run.outputs],
        "worst": [_compared(found) for found in run.worst()],
    }


def _compared(found: Comparison) -> dict[str, object]:
    return {
        "blob": found.blob,
        "call": found.call,
        "layer": found.layer,
        "error": found.error,
        "allowed": found.tolerance,
        "cosine": found.cosine,
    }


def verify(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a conversion.", show_default=False)],
    model: Annotated[
        str, typer.Option("--model", metavar="MODEL", help="The model, if not the one named at conversion.")
    ] = "",
    weights: Weights = None,
    sample: Sample = [],  # noqa: B006 - typer copies it
    samples: Samples = 2,
    om: Annotated[
        Path | None,
        typer.Option(
            "--om", metavar="FILE.om", help="Compare the files with what was compiled from them.", show_default=False
        ),
    ] = None,
    outputs: Annotated[
        Path | None,
        typer.Option("--outputs", metavar="FOLDER", help="What ais_bench or msame left.", show_default=False),
    ] = None,
    golden: Annotated[
        Path | None,
        typer.Option("--golden", metavar="FOLDER", help="What inputs wrote; DIR/device_in.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> Answer:
    """Compare a conversion's files with the model that they came from again.

    With --om: is that om their compiled form? Inputs, outputs and weights are compared; that needs neither torch nor
    the model. Exit 0 if everything is equal, 1 if something differs or was not identified.
    With --outputs: did the board compute from the files of `torch2om inputs` what is expected of it?
    """
    _check_alone(om, outputs, golden, others=bool(model or weights or sample))
    if outputs is not None:
        from torch2om.cli.device import device_run

        return device_run(folder, outputs, golden)
    if om is not None:
        from torch2om.cli.om_files import matched

        return matched(folder, om)
    from torch2om.cli.models import known, reference_of, samples_of, source_of
    from torch2om.emission import artifact_in
    from torch2om.verification import random_samples
    from torch2om.verification import verify as compare

    artifact = artifact_in(folder)
    inputs = artifact.manifest.inputs
    source = known(source_of(model, weights) if model or weights else artifact.manifest.source, folder)
    shapes = {record.argument: record.shape for record in inputs}
    own = samples_of(sample, shapes)
    with Progress() as progress:
        reference = reference_of(source, shapes, progress)
        drawn = own or random_samples(inputs, samples, taken_out=artifact.manifest.taken_out)
        found = progress.stage("verify", lambda: compare(reference, artifact, drawn))
    return _verified(artifact.manifest, found)


def _check_alone(om: Path | None, outputs: Path | None, golden: Path | None, *, others: bool) -> None:
    """Refuse --om and --outputs together, and options of the comparison with the model beside one of them."""
    if om is not None and outputs is not None:
        raise UsageError(Diagnostic("U143", "--om and --outputs are two comparisons: give one of them"))
    if golden is not None and outputs is None:
        raise UsageError(Diagnostic("U143", "--golden says what --outputs are compared with: give both"))
    if others and (om or outputs):
        name = "--outputs" if om is None else "--om"
        text = f"{name} compares with the files: --model, --weights and --sample do not apply"
        raise UsageError(Diagnostic("U143", text))


def _verified(manifest: Manifest, found: Verification) -> Answer:
    headline = summary.verdict(manifest.net, manifest.target, found)
    remarks = (*found.notes, *found.diagnostics)
    shown = Group(headline, summary.comparison(found), blocks(remarks))
    payload = {"target": manifest.target, "findings": findings(remarks), **_verification(found)}
    return Answer(payload, shown, Status.OK if found.equal else Status.REFUSED)
