"""A model of the zoo by its names."""

from __future__ import annotations

from dataclasses import dataclass

TIMM, TORCHVISION = "timm", "torchvision"


@dataclass(frozen=True)
class Entry:
    """A model of the zoo: the library, timm's family or torchvision's kind, and its name there."""

    library: str
    family: str
    name: str

    @property
    def title(self) -> str:
        """Its name in the zoo: both libraries have a resnet18."""
        return f"{self.library}.{self.name}"
