"""Would a target accept these Caffe files? By its front end's own rules where we have them, else by its limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from torch2om.caffe import writer
from torch2om.caffe.blobs import StoredBlob
from torch2om.caffe.caffemodel import LARGEST_FILE, StoredLayer, StoredNet, read_caffemodel
from torch2om.caffe.reader import read_net
from torch2om.caffe.tokens import decode_text
from torch2om.errors import CaffeFileError, Diagnostic, LegalityError, Problems, Severity, UsageError
from torch2om.frontend import Unreadable, judge, judge_as_omg
from torch2om.ir.net import Net
from torch2om.ir.op import Shape, elements
from torch2om.origin import NOWHERE, Origin
from torch2om.targets import examine
from torch2om.targets.limits import Target
from torch2om.wire import WireProblem

LATER = "T415"
UNKNOWN = "T401"
_MOST_LAYERS = 3  # that are named of a net that is too large


@dataclass(frozen=True)
class Acceptance:
    """The verdict: what was found, and if the target accepts, the outputs' shapes as it infers them.

    `outputs` has the target's own names: blobs, or ATC's "layer:index", whose blobs `tops` tells. `stage` is where
    ATC's front end stops.
    """

    findings: tuple[Diagnostic, ...]
    outputs: Mapping[str, Shape] = field(default_factory=dict)
    tops: Mapping[str, str] = field(default_factory=dict)
    stage: str | None = None

    @property
    def accepted(self) -> bool:
        """Whether nothing was found that refuses the files; a warning does not."""
        return all(found.severity is not Severity.ERROR for found in self.findings)


def assured(net: Net, target: Target) -> Net:
    """Return the net if the target accepts it: by the limits, and for ATC's targets by its front end's own rules too.

    The front end judges the text that will be written, with weights of the same shapes. A caffemodel larger than any
    reader takes is refused here too, before a weight is computed. Raises `LegalityError`.
    """
    problems = Problems([*examine(net, target), *_too_large(net)])
    problems.raise_as(LegalityError)
    for found in _of_text(net, target):
        problems.add(replace(found, origin=_origin(net, found.layer)))
    problems.raise_as(LegalityError)
    return net


def _too_large(net: Net) -> Iterator[Diagnostic]:
    """Yield the refusal of the net as a whole if its caffemodel would be too large, with its largest layers."""
    size = writer.caffemodel_size(net)
    if size > LARGEST_FILE:
        text = f"the caffemodel would have {size:,} bytes, more than the {LARGEST_FILE:,} that Caffe and ATC read"
        hint = "take a smaller model, or cut it into parts that are converted one by one"
        numbers = {layer.name: sum(map(elements, layer.weight_shapes)) for layer in net.layers}
        largest = sorted(numbers, key=lambda name: numbers[name], reverse=True)[:_MOST_LAYERS]
        yield Diagnostic(
            "E603", text, hint=hint, details=tuple(f"{name} has {numbers[name]:,} weights" for name in largest)
        )


def _of_text(net: Net, target: Target) -> tuple[Diagnostic, ...]:
    """Return what the target's compiler finds in the text that will be written; nothing where the target has none."""
    match target.compiler:
        case "atc":
            return judge(writer.prototxt(net, target.dialect), _as_stored(net)).findings
        case "omg":
            return judge_as_omg(writer.prototxt(net, target.dialect))
        case _:
            return ()


def _as_stored(net: Net) -> StoredNet:
    """Return the caffemodel that would be written, with every number 0: the front end looks at shapes alone."""
    zero = np.float32(0)
    blobs = {
        layer.name: tuple(
            StoredBlob(shape, np.broadcast_to(zero, (elements(shape),)), "data", 0) for shape in layer.weight_shapes
        )
        for layer in net.layers
    }
    layers = (
        StoredLayer(2, layer.name, layer.op.caffe_type or "", layer.bottoms, layer.tops, blobs[layer.name], True, 0)
        for layer in net.layers
    )
    return StoredNet(net.name, tuple(layers))


def _origin(net: Net, name: str) -> Origin:
    return next((layer.origin for layer in net.layers if layer.name == name), NOWHERE)


def examine_files(prototxt: Path, caffemodel: Path | None, target: Target) -> Acceptance:
    """Return the target's verdict on the files; raises `UsageError` (U133) if one cannot be opened."""
    if target.compiler == "atc":
        return _by_front_end(prototxt, caffemodel, target)
    try:
        net = read_net(prototxt, caffemodel, target.dialect)
    except CaffeFileError as error:
        return Acceptance(error.diagnostics)
    spelled = judge_as_omg(_text(prototxt), file=str(prototxt)) if target.compiler == "omg" else ()
    verdict = Acceptance((*examine(net, target), *spelled))
    return replace(verdict, outputs=_outputs(net, target)) if verdict.accepted else verdict


def _outputs(net: Net, target: Target) -> dict[str, Shape]:
    shapes = target.infer_all(net)
    return {output.name or output.blob: shapes[output.blob] for output in net.outputs}


def _by_front_end(prototxt: Path, caffemodel: Path | None, target: Target) -> Acceptance:
    """Return the verdict of ATC's front end; what its kernels would refuse later is a warning."""
    try:
        text = _text(prototxt)
        stored = None if caffemodel is None else _stored(caffemodel)
    except OSError as error:
        raise UsageError(Diagnostic("U133", f"{error.filename}: {error.strerror}")) from error
    verdict = judge(text, stored, file=str(prototxt))
    if verdict.stage is not None:
        return Acceptance(verdict.findings, stage=str(verdict.stage))
    told = {found.layer for found in verdict.findings if found.code == LATER}
    limits = (found for found in _limits(prototxt, caffemodel, target) if found.layer not in told)
    return Acceptance((*verdict.findings, *limits), verdict.outputs, verdict.tops)


def _text(prototxt: Path) -> str:
    return decode_text(prototxt.read_bytes())


def _stored(path: Path) -> StoredNet | Unreadable:
    try:
        return read_caffemodel(path)
    except WireProblem as problem:
        return Unreadable(f"{path}: {problem}")


def _limits(prototxt: Path, caffemodel: Path | None, target: Target) -> Iterator[Diagnostic]:
    """Yield what the target's table refuses, as warnings; a note if our own reader does not take the files.

    The front end took the files: a type that is not in the table is one whose kernel's limits are not known.
    """
    try:
        net = read_net(prototxt, caffemodel, target.dialect)
    except CaffeFileError as error:
        reasons = tuple(f"{found.code} {found.layer}: {found.message}" for found in error.diagnostics)
        text = "the limits of the kernels were not looked at: Caffe itself would not take these files"
        yield Diagnostic(LATER, text, source="torch2om's reader", severity=Severity.NOTE, details=reasons)
        return
    for found in examine(net, target):
        if found.severity is Severity.ERROR and found.code != UNKNOWN:
            yield replace(found, code=LATER, severity=Severity.WARNING)
