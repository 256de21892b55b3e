"""MODEL, --weights, --input and --sample: what they name, as objects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from torch2om.cli.arrays import Numbers, read_archive, read_array
from torch2om.cli.progress import Progress
from torch2om.errors import Diagnostic, UsageError
from torch2om.ir.op import Shape
from torch2om.ir.text import shape_text
from torch2om.manifest import Source
from torch2om.named_models import is_prototxt, load, named_shape

if TYPE_CHECKING:
    from torch2om.program import Program
    from torch2om.verification import Reference


def reference_of(source: Source, shapes: Mapping[str, Shape], progress: Progress) -> Reference:
    """Return what a conversion's files must be equal to, made again from the model or the files it came from."""
    if is_prototxt(source.model):
        from torch2om.caffe_models import CaffeModel, NetReference

        files = CaffeModel(Path(source.model), Path(source.weights) if source.weights else None)
        return NetReference(progress.stage("read", files.net), files.prototxt.name)
    loaded = progress.stage("load", lambda: load(source))
    from torch2om.program import canonicalize, capture
    from torch2om.reference import ProgramReference

    program = progress.stage("capture", lambda: capture(loaded.model, shapes))
    return ProgramReference(progress.stage("canonicalize", lambda: canonicalize(program)))


def known(source: Source, folder: Path) -> Source:
    """Return the source of a conversion's files in `folder`; raises `UsageError` (U101) if it is not known."""
    if not source.model:
        text = f"the files in {folder} were not converted by a command, so their model has no name"
        raise UsageError(Diagnostic("U101", text, hint="name it with --model"))
    return source


def program_of(model: str, given: Sequence[str], weights: Path | None) -> Program:
    """Return a model as the canonical program that lowering takes."""
    shapes = shapes_of(given)
    loaded = load(source_of(model, weights))
    from torch2om.program import canonicalize, capture

    return canonicalize(capture(loaded.model, shapes))


def source_of(model: str, weights: Path | None) -> Source:
    """Return MODEL and --weights as the manifest keeps them."""
    return Source(model, "" if weights is None else str(weights))


def shapes_of(given: Iterable[str]) -> dict[str, Shape]:
    """Return input name -> dims of `NAME=DIMS` options; raises `UsageError` (U113)."""
    shapes: dict[str, Shape] = {}
    for name, shape in map(named_shape, given):
        if name in shapes:
            text = f"--input {name} is given twice, as {shape_text(shapes[name])} and {shape_text(shape)}"
            raise UsageError(Diagnostic("U113", text))
        shapes[name] = shape
    return shapes


def samples_of(files: Iterable[Path], shapes: Mapping[str, Shape]) -> list[dict[str, Numbers]]:
    """Return the samples in the files; without --input the first one's own shapes are the inputs'.

    Raises `UsageError` (U115, U133).
    """
    samples: list[dict[str, Numbers]] = []
    for file in files:
        sample = _sample(file, shapes)
        _fit(file, sample, shapes or {name: array.shape for name, array in (samples or [sample])[0].items()})
        samples.append(sample)
    return samples


def _sample(file: Path, shapes: Mapping[str, Shape]) -> dict[str, Numbers]:
    if file.suffix != ".npy":
        return {name: _real(file, array) for name, array in read_archive(file).items()}
    if len(shapes) != 1:
        text = f"{file} holds one array, and not one input is named"
        raise UsageError(Diagnostic("U115", text, hint="name it with --input NAME=DIMS, or save an .npz by input name"))
    (name,) = shapes
    return {name: _real(file, read_array(file))}


def _real(file: Path, array: Numbers) -> Numbers:
    """Return the numbers in float32, or in float64 if they are that wide; what is not finite or not real is refused."""
    if array.dtype.kind not in "biuf":
        raise UsageError(Diagnostic("U115", f"{file} holds {array.dtype}, not real numbers"))
    if not np.isfinite(array).all():
        raise UsageError(Diagnostic("U115", f"{file} holds NaN or infinity"))
    return array.astype(np.float64 if array.dtype == np.float64 else np.float32)


def _fit(file: Path, sample: Mapping[str, Numbers], shapes: Mapping[str, Shape]) -> None:
    if {name: array.shape for name, array in sample.items()} == dict(shapes):
        return
    has = ", ".join(f"{name}={shape_text(array.shape)}" for name, array in sample.items())
    wants = ", ".join(f"{name}={shape_text(shape)}" for name, shape in shapes.items())
    raise UsageError(Diagnostic("U115", f"{file} holds {has}; the inputs are {wants}"))
