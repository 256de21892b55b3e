"""The handle that lowerings and rules pass around: a named tensor and its shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch2om.ir.op import Shape

Kind = Literal["float", "int", "bool"]


@dataclass(frozen=True, slots=True)
class Blob:
    """A tensor of the net. `kind` is PyTorch's: Caffe holds all three as floating point."""

    name: str
    shape: Shape
    kind: Kind = "float"

    @property
    def rank(self) -> int:
        """The number of dims."""
        return len(self.shape)
