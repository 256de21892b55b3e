"""timm's models by name: `benchmarks.zoo.timm_models:resnet18` is a MODEL of `torch2om convert`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from benchmarks.zoo.settling import settled
from torch import nn

from torch2om.loading import repair_torchvision

repair_torchvision()

import timm  # noqa: E402 - it imports torchvision, after the repair only


def __getattr__(name: str) -> Callable[[], nn.Module]:
    if not timm.is_model(name):
        raise AttributeError(f"timm has no model {name!r}")
    return partial(build, name)


def build(name: str) -> nn.Module:
    """Return the model with seeded weights that hide nothing."""
    return settled(timm.create_model(name, pretrained=False), size_of(name))


def size_of(name: str) -> tuple[int, ...]:
    """Return the default input of a model, without the batch."""
    config = timm.get_pretrained_cfg(name)
    assert config is not None
    size: tuple[int, ...] = config.input_size
    return size


def families() -> dict[str, list[str]]:
    """Return family (a module of timm) -> the names of its models."""
    return {family: timm.list_models(module=family) for family in timm.list_modules()}


def parameters_of(names: list[str]) -> dict[str, int]:
    """Return name -> number of parameters of models that are built without numbers."""
    counts = {}
    for name in names:
        with torch.device("meta"):
            model = timm.create_model(name, pretrained=False)
        counts[name] = sum(each.numel() for each in model.parameters())
    return counts
