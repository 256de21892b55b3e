"""Preprocessing on the device: AIPP's configuration, what it computes, and how PyTorch's normalization becomes it."""

from __future__ import annotations

from torch2om.preprocessing.colours import Order, PixelFormat, Standard
from torch2om.preprocessing.config import AippConfig, InputFormat, Mode
from torch2om.preprocessing.geometry import fed_shape
from torch2om.preprocessing.normalization import NOTHING, PRESETS, Normalization
from torch2om.preprocessing.plan import Margins, Plan, Preprocessing, planned
from torch2om.preprocessing.simulation import simulate
from torch2om.preprocessing.text import read_aipp, read_aipp_file, write_aipp
from torch2om.preprocessing.transforms import described

__all__ = [
    "NOTHING",
    "PRESETS",
    "AippConfig",
    "InputFormat",
    "Margins",
    "Mode",
    "Normalization",
    "Order",
    "PixelFormat",
    "Plan",
    "Preprocessing",
    "Standard",
    "described",
    "fed_shape",
    "planned",
    "read_aipp",
    "read_aipp_file",
    "simulate",
    "write_aipp",
]
