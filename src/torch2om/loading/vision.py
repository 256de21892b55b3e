"""torchvision beside a torch that its compiled operators do not fit."""

from __future__ import annotations

import sys
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path

import torch

_BOXES = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


@cache
def repair_torchvision() -> torch.library.Library | None:
    """Let `import torchvision` succeed where its compiled operators do not load; return what must be kept alive.

    torchvision 0.20 and later register fake kernels for torchvision::nms and torchvision::qnms on import, and the
    import fails if the operators are unknown: so with the PyPI wheel beside a CPU-only torch, whose libraries do not
    fit. Declaring the two schemas is enough for every model that has no box suppression. A torchvision that is
    absent, imported already, or whole is left alone.
    """
    found = None if "torchvision" in sys.modules else PathFinder.find_spec("torchvision")
    if found is None or found.origin is None or _loads(Path(found.origin).parent):
        return None
    library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]  # torch has no types here
    for name in ("nms", "qnms"):
        if not hasattr(torch.ops.torchvision, name):
            library.define(f"{name}{_BOXES}")  # type: ignore[no-untyped-call]  # torch has no types here
    return library


def _loads(package: Path) -> bool:
    """Whether torchvision's operators load, as its own import would load them."""
    for path in package.glob("_C.*"):
        try:
            torch.ops.load_library(str(path))  # type: ignore[no-untyped-call]  # torch has no types here
        except OSError:
            return False
        return True
    return False
