"""The verb precision: what half precision does to a net, and which layers to keep in a higher one."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from torch2om.cli import figures
from torch2om.cli.answer import Answer
from torch2om.cli.options import AsJson, Caffemodel, Sample
from torch2om.cli.status import Status
from torch2om.cli.tables import pairs, table

if TYPE_CHECKING:
    from torch2om.ir.net import Net
    from torch2om.metrics import Verdict
    from torch2om.precision import Advice, Kept, LayerStudy, Option, OutputStudy

NUMBERS = ("error", "own", "largest", "infinite", "to zero", "subnormal")
STYLES = {"pass": "bold green", "warn": "bold yellow", "fail": "bold red"}


def precision(
    net: Annotated[
        Path,
        typer.Argument(
            metavar="DIR_OR_PROTOTXT", help="A conversion's folder, or a net's text file.", show_default=False
        ),
    ],
    caffemodel: Caffemodel = None,
    sample: Sample = [],  # noqa: B006 - typer copies it
    samples: Annotated[int, typer.Option("--samples", metavar="N", min=1, help="How many seeded random inputs.")] = 1,
    write: Annotated[
        Path | None,
        typer.Option("--write", metavar="FILE", help="Write the file for ATC's --keep_dtype.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> Answer:
    """Show what half precision does to each layer, and which layers to keep in a higher one.

    Blobs and weights are rounded to float16 and sums are float32, as on the chip. Exit 1 if an output fails.
    """
    from torch2om.cli.models import samples_of
    from torch2om.metrics import Verdict
    from torch2om.precision import advise, keep_dtype_file
    from torch2om.publication import reported
    from torch2om.verification import random_samples

    read, compiler = _read(net, caffemodel)
    shapes = {source.name: source.shape for source in read.inputs}
    found = advise(read, samples_of(sample, shapes) or list(random_samples(read.inputs, samples)))
    if write is not None and found.keep:
        with reported(write.parent):
            write.write_text(keep_dtype_file([kept.layer for kept in found.keep]), encoding="utf-8")
    shown = Group(
        _headline(read.name or net.name, found.verdict),
        _layers(found),
        _legend(found.study.samples),
        _outputs(found),
        _keep(found),
        _options(found.options(compiler), write),
    )
    return Answer(_record(found, compiler), shown, Status.REFUSED if found.verdict is Verdict.FAIL else Status.OK)


def _read(net: Path, caffemodel: Path | None) -> tuple[Net, str]:
    """Return the net of a conversion's folder and its target's compiler, or the net of Caffe files and no compiler."""
    from torch2om.caffe.reader import read_net
    from torch2om.emission import artifact_in
    from torch2om.targets import target

    if not net.is_dir():
        return read_net(net, caffemodel), ""
    artifact = artifact_in(net)
    found = target(artifact.manifest.target)
    return read_net(artifact.prototxt, artifact.caffemodel, found.dialect), found.compiler


def _headline(name: str, verdict: Verdict) -> Text:
    words = {"pass": "holds", "warn": "changes the outputs", "fail": "BREAKS the outputs"}
    return Text.assemble((name, "bold"), " in half precision: ", (words[verdict], STYLES[verdict]))


def _layers(found: Advice) -> RenderableType:
    shown = table("layer", "type", *NUMBERS, numbers=NUMBERS)
    kept = {kept.layer.name for kept in found.keep}
    for line in found.study.layers:
        shown.add_row(
            line.layer.name, _kind(line), *_numbers(line), style="bold red" if line.layer.name in kept else ""
        )
    return shown


def _kind(line: LayerStudy) -> str:
    return line.layer.op.caffe_type or type(line.layer.op).__name__


def _numbers(line: LayerStudy) -> tuple[str, ...]:
    errors = (figures.error(line.error), figures.error(line.own), f"{line.tops.largest:.3g}")
    beyond = figures.count(line.tops.overflowed) if line.tops.overflowed else ""
    return *errors, beyond, _share(line.tops.vanished_share), _share(line.tops.subnormal_share)


def _share(share: float) -> str:
    """Return `12.3 %`; what would read as nothing but is something is `< 0.1 %`."""
    if not share:
        return ""
    return f"{share:.1%}".replace("%", " %") if share >= 1e-3 else "< 0.1 %"


def _legend(samples: int) -> Text:
    text = (
        f"On {figures.counted(samples, 'sample')}, against float64, relative to the blob's norm; one rounding: 2e-4.\n"
        "error: accumulated up to this layer; own: the layer alone, on exact numbers rounded to half precision."
    )
    return Text(text, "dim")


def _outputs(found: Advice) -> RenderableType:
    heads = ("error", "cosine", "verdict", *(("kept", "cosine kept", "verdict kept") if found.after else ()))
    shown = table("output", "sample", *heads, numbers=("sample", *heads))
    after = {(each.blob, each.sample): each for each in found.after}
    for each in found.study.outputs:
        better = after.get((each.blob, each.sample))
        shown.add_row(each.blob, str(each.sample), *_judged(each), *(() if better is None else _judged(better)))
    return shown


def _judged(output: OutputStudy) -> tuple[str, str, Text]:
    found = output.measures
    return (
        figures.error(found.relative_euclidean),
        figures.cosine(found.cosine),
        Text(output.verdict, STYLES[output.verdict]),
    )


def _keep(found: Advice) -> RenderableType:
    if found.keep:
        head = Text(f"Keep {figures.counted(len(found.keep), 'layer')} in a higher precision:", "bold")
        return Group(head, _reasons(found.keep))
    if found.harmless:
        head = Text("No layer needs a higher precision. Errors that do not reach the outputs:")
        return Group(head, _reasons(found.harmless))
    return Text("No layer stands out: none needs a higher precision of its own.")


def _reasons(layers: tuple[Kept, ...]) -> RenderableType:
    return pairs((kept.layer.name, kept.reason) for kept in layers)


def _options(options: tuple[Option, ...], write: Path | None) -> RenderableType:
    if not options:
        return Text()
    shown = table("compiler", "option", "what it does")
    for option in options:
        text = option.text if write is None else option.text.replace("=FILE", f"={write}", 1)
        shown.add_row(option.compiler, Text(text, "bold"), Text(f"{option.effect}\n({option.source})"))
    return shown


def _record(found: Advice, compiler: str) -> dict[str, object]:
    from torch2om.precision import keep_dtype_file, op_precision_mode_file

    layers = [kept.layer for kept in found.keep]
    return {
        "verdict": found.verdict,
        "samples": found.study.samples,
        "layers": [_layer_record(line) for line in found.study.layers],
        "outputs": [_output_record(each) for each in found.study.outputs],
        "keep": [{"layer": kept.layer.name, "reason": kept.reason} for kept in found.keep],
        "harmless": [{"layer": kept.layer.name, "reason": kept.reason} for kept in found.harmless],
        "outputs_with_layers_kept": [_output_record(each) for each in found.after],
        "options": [asdict(option) for option in found.options(compiler)],
        "keep_dtype": keep_dtype_file(layers),
        "op_precision_mode": op_precision_mode_file(layers),
    }


def _layer_record(line: LayerStudy) -> dict[str, object]:
    return {
        "layer": line.layer.name,
        "type": _kind(line),
        "error": line.error,
        "own": line.own,
        "own_if_kept": line.kept,
        "numbers": asdict(line.tops),
        "weights": asdict(line.weights) if line.stands_out else None,
    }


def _output_record(each: OutputStudy) -> dict[str, object]:
    return {"blob": each.blob, "sample": each.sample, "verdict": each.verdict, **asdict(each.measures)}
