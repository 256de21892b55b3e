"""A list of models to convert: what each is, for which targets, within which limits, and where the results go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from torch2om.ir.op import Shape
from torch2om.ir.text import shape_text


@dataclass(frozen=True, slots=True)
class Limits:
    """What the conversion of one model may take, for all its targets together: seconds, and bytes of memory."""

    seconds: float | None = None
    memory: int | None = None


@dataclass(frozen=True, slots=True)
class Input:
    """An input of forward(): its name, empty where inputs are given in order, and its dims."""

    name: str
    shape: Shape

    def __str__(self) -> str:
        return f"{self.name}={shape_text(self.shape)}" if self.name else shape_text(self.shape)


@dataclass(frozen=True, slots=True)
class Job:
    """One model of a list, as its entry says it: the name of its files, MODEL, weights, inputs, targets, samples."""

    name: str
    model: str
    weights: str = ""
    inputs: tuple[Input, ...] = ()
    targets: tuple[str, ...] = ("ascend310",)
    samples: int = 2

    @property
    def fed(self) -> dict[str, Shape] | Sequence[Shape]:
        """The inputs as capture takes them: by name, or in order."""
        if all(each.name for each in self.inputs):
            return {each.name: each.shape for each in self.inputs}
        return tuple(each.shape for each in self.inputs)


@dataclass(frozen=True)
class Listing:
    """A whole list. `folder` is where it stands: paths in it are relative to that, and modules are found from there."""

    folder: Path
    out: Path
    jobs: tuple[Job, ...]
    limits: Limits = field(default_factory=Limits)
    processes: int = 1
    keep_files: bool = True
