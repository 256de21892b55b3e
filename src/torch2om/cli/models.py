"""MODEL, --weights, --input and --sample: what they name, as objects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from torch2om.cli.arrays import Numbers, read_archive, read_array
from torch2om.cli.options import is_prototxt
from torch2om.cli.progress import Progress
from torch2om.doctor import has_torch
from torch2om.errors import Diagnostic, UsageError
from torch2om.ir.op import Shape
from torch2om.ir.text import shape_text
from torch2om.manifest import Source

if TYPE_CHECKING:
    from torch2om.pipeline import Convertible
    from torch2om.program import Model, Program
    from torch2om.verification import Reference

EXAMPLE = "write for example x=1x3x224x224"


@dataclass(frozen=True)
class Loaded:
    """A model with its weights, where they came from, and what was remarked on the way."""

    model: Model
    source: Source
    notes: tuple[Diagnostic, ...] = ()


def load(source: Source) -> Loaded:
    """Return the model that `source` names, with its weights.

    Raises `UsageError`: U141 without torch, and whatever is wrong with the model (U10x) or the weights (U12x).
    """
    if not has_torch():
        raise UsageError(Diagnostic("U141", "PyTorch cannot be imported", hint="pip install 'torch2om[torch]'"))
    from torch2om.loading import load_model, load_weights

    model = load_model(source.model, source.seed)
    notes = load_weights(model, source.weights).notes() if source.weights else ()
    return Loaded(model, source, notes)


@dataclass(frozen=True)
class Choice:
    """What is to be converted, where it came from, and what was remarked on the way."""

    model: Convertible
    source: Source
    notes: tuple[Diagnostic, ...] = ()


def chosen(model: str, weights: Path | None, shapes: Mapping[str, Shape], progress: Progress) -> Choice:
    """Return what MODEL and --weights name: a PyTorch model or Caffe files."""
    if is_prototxt(model):
        from torch2om.caffe_models import CaffeModel

        files = CaffeModel(Path(model), weights)
        return Choice(files, files.source)
    loaded = progress.stage("load", lambda: load(source_of(model, weights)))
    from torch2om.pytorch_models import PyTorchModel

    return Choice(PyTorchModel(loaded.model, shapes), loaded.source, loaded.notes)


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
    for name, shape in map(_shape, given):
        if name in shapes:
            text = f"--input {name} is given twice, as {shape_text(shapes[name])} and {shape_text(shape)}"
            raise UsageError(Diagnostic("U113", text))
        shapes[name] = shape
    return shapes


def _shape(text: str) -> tuple[str, Shape]:
    name, sign, dims = text.partition("=")
    parts = dims.split("x")
    if not (name and sign and all(part.isascii() and part.isdigit() and int(part) > 0 for part in parts)):
        raise UsageError(Diagnostic("U113", f"--input {text} is not NAME=DIMS", hint=EXAMPLE))
    return name, tuple(map(int, parts))


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
