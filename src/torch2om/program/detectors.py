"""torchvision's detectors: known by their classes, and refused as they stand.

A whole detector is no net: which boxes pass the score threshold, and which of them survive non-maximum suppression,
depends on the picture. Its parts on both sides of these choices are nets (`torch2om.detection`).
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from operator import attrgetter
from typing import Any

from torch import nn

from torch2om.errors import CaptureError, Diagnostic
from torch2om.origin import Origin
from torch2om.program.lineage import Frame, users_frame

_HOME = "torchvision.models.detection"
# The classes whose forward() decodes boxes, and the method that chooses among them: its module in _HOME, its name.
_CHOICES = {
    "GeneralizedRCNN": ("rpn", "RegionProposalNetwork.filter_proposals"),
    "RetinaNet": ("retinanet", "RetinaNet.postprocess_detections"),
    "FCOS": ("fcos", "FCOS.postprocess_detections"),
    "SSD": ("ssd", "SSD.postprocess_detections"),
}


def detector_class(kind: type) -> type[Any] | None:  # Any: a class of torchvision's, which may not be installed
    """Return the class among torchvision's detectors that a class is or inherits from, or None."""
    known = (base for base in kind.__mro__ if base.__module__.startswith(f"{_HOME}.") and base.__name__ in _CHOICES)
    return next(known, None)


def refuse_detector(model: object, hint: str = "convert torch2om.detection.dense_part(model)") -> None:
    """Raise `CaptureError` (C208) for a whole detector, at the method of it that chooses boxes."""
    if detector_class(type(model)) is not None:
        raise CaptureError(_refusal(type(model), hint))


def refuse_detector_builder(function: object) -> None:
    """Raise `CaptureError` (C208) for a function of torchvision's that makes a detector: it may download weights."""
    if not inspect.isfunction(function) or not function.__module__.startswith(f"{_HOME}."):
        return
    made = inspect.signature(function).return_annotation
    if inspect.isclass(made) and detector_class(made) is not None:
        raise CaptureError(_refusal(made, f"convert torch2om.detection:{function.__name__}"))


@contextmanager
def inner_detectors_refused(model: nn.Module) -> Iterator[None]:
    """Have a detector inside the model raise `CaptureError` (C208) when it is called, at the line that calls it."""

    def refuse(detector: nn.Module, _args: Any) -> None:  # Any: whatever the model passes
        frame = users_frame(Frame(at.filename, at.lineno or 0, at.line or "") for at in traceback.extract_stack())
        hint = "call torch2om.detection.dense_part(detector) on the batch of normalized images here instead"
        found = _refusal(type(detector), hint)
        raise CaptureError(replace(found, origin=Origin(file=frame.file, line=frame.line, code=frame.code)))

    inner = [part for part in model.modules() if detector_class(type(part)) is not None]
    hooks = [part.register_forward_pre_hook(refuse) for part in inner]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _refusal(kind: type, hint: str) -> Diagnostic:
    text = (
        f"{kind.__name__} is a whole detector: it keeps boxes by their scores and by non-maximum suppression, so its "
        "results have no fixed shape"
    )
    return Diagnostic("C208", text, origin=_choice(kind), hint=f"{hint}, and decode on the host: docs/detection.md")


def _choice(kind: type) -> Origin:
    """Return the place of the method that chooses boxes."""
    base = detector_class(kind)
    assert base is not None
    module, name = _CHOICES[base.__name__]
    method = attrgetter(name)(import_module(f"{_HOME}.{module}"))
    lines, first = inspect.getsourcelines(method)
    return Origin(file=inspect.getsourcefile(method) or "", line=first, code=lines[0].strip())
