"""Models and weights as users have them: Python code, exported programs, TorchScript, state dicts."""

from __future__ import annotations

from torch2om.loading.spec import load_model, load_transform
from torch2om.loading.vision import repair_torchvision
from torch2om.loading.weights import WeightsReport, load_weights

__all__ = ["WeightsReport", "load_model", "load_transform", "load_weights", "repair_torchvision"]
