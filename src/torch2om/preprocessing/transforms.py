"""The normalization in somebody's transform: torchvision's, a preset of its weights, or timm's configuration.

Transforms are known by the names of their classes and by what they hold, so that neither package is needed here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from torch2om.errors import Diagnostic, UsageError
from torch2om.preprocessing.normalization import NOTHING, PRESETS, Normalization

Transform = Any  # an object of a package that need not be installed

_LEFT_TO_THE_CALLER = ("Resize", "CenterCrop", "Pad", "ResizeKeepRatio", "CenterCropOrPad")
_AS_THEY_ARE = ("ToImage", "PILToTensor", "MaybePILToTensor", "ToPILImage", "Identity")
_BY_255 = ("ToTensor", "MaybeToTensor", "ConvertImageDtype")


@dataclass(frozen=True, slots=True)
class Described:
    """What a transform does to pixel values, and which of its steps are left to whoever feeds the device."""

    normalization: Normalization
    left: tuple[str, ...] = ()


def described(transform: Transform) -> Described:
    """Return what a transform does; a Normalize alone is taken to follow a ToTensor, as torchvision means it.

    Raises `UsageError` (P815) at a step that is none of a normalization.
    """
    if hasattr(transform, "mean") and hasattr(transform, "std"):
        return Described(Normalization(_numbers(transform.mean), _numbers(transform.std)), _cropping(transform))
    steps = list(_steps(transform))
    normalization = NOTHING
    for step in steps:
        normalization = normalization.then(_normalization(step))
    return Described(normalization, tuple(str(step) for step in steps if _name(step) in _LEFT_TO_THE_CALLER))


def _steps(transform: Transform) -> Iterator[Transform]:
    inner = getattr(transform, "transforms", None)
    if isinstance(inner, Iterable):
        for step in inner:
            yield from _steps(step)
    else:
        yield transform


def _normalization(step: Transform) -> Normalization:
    """Return what one step does to the values."""
    name = _name(step)
    if name in _BY_255 or (name == "ToDtype" and getattr(step, "scale", False)):
        return PRESETS["to-tensor"]
    if name == "Normalize":
        return Normalization(_numbers(step.mean), _numbers(step.std), divisor=1.0)
    if name in (*_LEFT_TO_THE_CALLER, *_AS_THEY_ARE, "ToDtype"):
        return NOTHING
    text = f"{step} is no step that torch2om knows: resizing, cropping, ToTensor, ToDtype or Normalize"
    raise UsageError(Diagnostic("P815", text, hint="give the numbers themselves: mean=...,std=..."))


def _cropping(transform: Transform) -> tuple[str, ...]:
    """Return the resizing and cropping of a preset (torchvision.transforms._presets)."""
    sizes = ((name, getattr(transform, name, None)) for name in ("resize_size", "crop_size"))
    return tuple(f"{name}={size}" for name, size in sizes if size is not None)


def _name(step: Transform) -> str:
    return type(step).__name__


def _numbers(values: Transform) -> tuple[float, ...]:
    """Return the numbers of a list, a tensor, or one number."""
    try:
        return tuple(float(value) for value in (values if isinstance(values, Iterable) else (values,)))
    except (TypeError, ValueError) as error:
        raise UsageError(Diagnostic("P815", f"{values!r} are no numbers, one per channel")) from error
