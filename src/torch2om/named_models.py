"""What a MODEL names, with its weights and inputs as they are written: something to convert, and where it came from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from torch2om.doctor import has_torch
from torch2om.errors import Diagnostic, UsageError
from torch2om.ir.op import Shape
from torch2om.manifest import Source

if TYPE_CHECKING:
    from torch2om.pipeline import Convertible
    from torch2om.program import Model

EXAMPLE = "write for example x=1x3x224x224"
PROTOTXT_SUFFIXES = (".prototxt", ".pbtxt", ".txt")

T = TypeVar("T")


class RunStage(Protocol):
    """Runs a named stage and returns what it returns."""

    def __call__(self, name: str, stage: Callable[[], T], /) -> T:
        """Run it."""


@dataclass(frozen=True)
class Loaded:
    """A model with its weights, where they came from, and what was remarked on the way."""

    model: Model
    source: Source
    notes: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True)
class Choice:
    """What is to be converted, where it came from, and what was remarked on the way."""

    model: Convertible
    source: Source
    notes: tuple[Diagnostic, ...] = ()


def is_prototxt(model: str) -> bool:
    """Whether MODEL names a Caffe file: by its suffix."""
    return Path(model).suffix in PROTOTXT_SUFFIXES


def load(source: Source) -> Loaded:
    """Return the model that `source` names, with its weights.

    Raises `UsageError`: U141 without torch, and whatever is wrong with the model (U10x) or the weights (U12x).
    """
    if not has_torch():
        raise UsageError(Diagnostic("U141", "PyTorch cannot be imported", hint="pip install 'torch2om[torch]'"))
    from torch2om.loading import load_model, load_weights  # noqa: PLC0415 - only PyTorch models need torch

    model = load_model(source.model, source.seed)
    notes = load_weights(model, source.weights).notes() if source.weights else ()
    return Loaded(model, source, notes)


def chosen(source: Source, shapes: Mapping[str, Shape] | Sequence[Shape], stage: RunStage) -> Choice:
    """Return what MODEL and its weights name: a PyTorch model, fed these shapes, or Caffe files."""
    if is_prototxt(source.model):
        from torch2om.caffe_models import CaffeModel  # noqa: PLC0415 - a PyTorch model does without

        files = CaffeModel(Path(source.model), Path(source.weights) if source.weights else None)
        return Choice(files, files.source)
    loaded = stage("load", lambda: load(source))
    from torch2om.pytorch_models import PyTorchModel  # noqa: PLC0415 - only PyTorch models need torch

    return Choice(PyTorchModel(loaded.model, shapes), loaded.source, loaded.notes)


def named_shape(text: str) -> tuple[str, Shape]:
    """Return name and dims of `NAME=DIMS`; raises `UsageError` (U113)."""
    name, sign, dims = text.partition("=")
    parts = dims.split("x")
    if not (name and sign and all(part.isascii() and part.isdigit() and int(part) > 0 for part in parts)):
        raise UsageError(Diagnostic("U113", f"input {text} is not NAME=DIMS", hint=EXAMPLE))
    return name, tuple(map(int, parts))
