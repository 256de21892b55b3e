"""PyTorch models as what is converted: convert(), and the stages that make a net of one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from torch2om.lowering import lower
from torch2om.lowering.registry import Function, Overload
from torch2om.pipeline import Conversion, Entry, Request, Timer, run
from torch2om.preprocessing.plan import Preprocessing
from torch2om.program import Inputs, Model, canonicalize, capture
from torch2om.reference import ProgramReference
from torch2om.verification import Sample


@dataclass(frozen=True)
class PyTorchModel:
    """A model and the shapes or tensors of its inputs; `lowerings` add to the built-in table."""

    model: Model
    inputs: Inputs
    lowerings: Mapping[Overload, Function] = field(default_factory=dict)

    def enter(self, stage: Timer) -> Entry:
        """Return the model as a net; raises `CaptureError` and `LoweringError`."""
        captured = stage("capture", lambda: capture(self.model, self.inputs))
        program = stage("canonicalize", lambda: canonicalize(captured))
        net = stage("lower", lambda: lower(program, self.lowerings))
        return Entry(net, ProgramReference(program), tuple(program.notes))


def convert(  # noqa: PLR0913 - the user's one call: every option by its name
    model: Model,
    inputs: Inputs,
    target: str = "ascend310",
    out: str | Path = "out",
    *,
    name: str = "model",
    samples: int | Iterable[Sample] = 2,
    lowerings: Mapping[Overload, Function] | None = None,
    allow: Collection[str] = (),
    preprocessing: Preprocessing | None = None,
) -> Conversion:
    """Convert a PyTorch model to Caffe files for a target, and prove that they compute the same.

    `inputs` maps forward's argument names to shapes or tensors. Writes `out/NAME.prototxt`, `out/NAME.caffemodel` and
    `out/manifest.json`, with `preprocessing` also `out/NAME.aipp.cfg`. Raises `Torch2omError`: what cannot be captured,
    lowered or made legal, and a result that differs from PyTorch, each at the user's line.
    """
    request = Request(target, Path(out), name, samples, allow, preprocessing=preprocessing)
    conversion = run(PyTorchModel(model, inputs, lowerings or {}), request)
    if conversion.verification is not None:
        conversion.verification.raise_if_different()
    return conversion
