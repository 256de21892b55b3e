"""Transforms as people have them, read for their normalization; torchvision's classes stand here by their names."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch

from torch2om.errors import UsageError
from torch2om.loading import load_transform
from torch2om.preprocessing.normalization import NOTHING, PRESETS, Normalization
from torch2om.preprocessing.transforms import Described, described


@dataclass
class ToTensor:
    pass


@dataclass
class ToDtype:
    scale: bool


@dataclass
class Normalize:
    mean: Any
    std: Any


@dataclass
class Resize:
    size: int


@dataclass
class CenterCrop:
    size: int


@dataclass
class ColorJitter:
    pass


@dataclass
class Compose:
    transforms: list[object]


@dataclass
class ImageClassification:
    mean: list[float] = field(default_factory=lambda: [0.485, 0.456, 0.406])
    std: list[float] = field(default_factory=lambda: [0.229, 0.224, 0.225])
    resize_size: list[int] = field(default_factory=lambda: [256])
    crop_size: list[int] = field(default_factory=lambda: [224])


IMAGENET = Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])


@pytest.mark.parametrize(
    ("transform", "normalization"),
    [
        (IMAGENET, PRESETS["imagenet"]),
        (Normalize(torch.tensor([0.5]), torch.tensor([0.25])), Normalization((0.5,), (0.25,))),
        (Normalize(0.5, 0.25), Normalization((0.5,), (0.25,))),
        (ToTensor(), PRESETS["to-tensor"]),
        (Compose([]), NOTHING),
        (Compose([ToDtype(scale=False)]), NOTHING),
        (Compose([Normalize(104, 1)]), Normalization((104,), divisor=1)),
    ],
)
def test_the_normalization_of_a_transform_is_read(transform: object, normalization: Normalization) -> None:
    assert described(transform) == Described(normalization)


@pytest.mark.parametrize("first", [ToTensor(), ToDtype(scale=True), Compose([ToTensor()])])
def test_steps_are_composed_and_what_moves_pixels_is_left(first: object) -> None:
    found = described(Compose([Resize(256), CenterCrop(224), first, IMAGENET]))
    assert found.normalization == PRESETS["imagenet"]
    assert found.left == ("Resize(size=256)", "CenterCrop(size=224)")


def test_a_preset_of_weights_is_read() -> None:
    found = described(ImageClassification())
    assert found == Described(PRESETS["imagenet"], ("resize_size=[256]", "crop_size=[224]"))


def test_torchvisions_own_transforms_are_read() -> None:
    weights = described(load_transform("torchvision.models:ResNet18_Weights.DEFAULT.transforms"))
    assert weights.normalization == PRESETS["imagenet"]
    v2: Any = importlib.import_module("torchvision.transforms.v2")  # Any: torchvision has no types
    steps = [v2.ToImage(), v2.Resize(256), v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.5] * 3, [0.25] * 3)]
    found = described(v2.Compose(steps))
    assert found.normalization == Normalization((0.5,) * 3, (0.25,) * 3)
    assert len(found.left) == 1


def test_timms_configuration_of_a_model_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    models = ModuleType("timm.models")
    configurations = {"vit": SimpleNamespace(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5), crop_pct=0.9)}
    models.get_pretrained_cfg = configurations.get  # type: ignore[attr-defined]  # a stand-in for timm
    monkeypatch.setitem(sys.modules, "timm", ModuleType("timm"))
    monkeypatch.setitem(sys.modules, "timm.models", models)
    assert described(load_transform("timm:vit")).normalization == Normalization((0.5,) * 3, (0.5,) * 3)
    with pytest.raises(UsageError, match="no configuration of a pretrained model 'vat'"):
        load_transform("timm:vat")


@pytest.mark.parametrize("transform", [ColorJitter(), Compose([ToTensor(), ColorJitter()]), Normalize("a", 1)])
def test_a_step_that_is_no_normalization_is_refused(transform: object) -> None:
    with pytest.raises(UsageError, match="P815"):
        described(transform)
