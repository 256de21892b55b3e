"""Preprocessing on the device: AIPP's configuration, what it computes, and how PyTorch's normalization becomes it."""

from __future__ import annotations

from torch2om.preprocessing.config import AippConfig, InputFormat, Mode
from torch2om.preprocessing.geometry import fed_shape
from torch2om.preprocessing.simulation import simulate
from torch2om.preprocessing.text import read_aipp, read_aipp_file, write_aipp

__all__ = [
    "AippConfig",
    "InputFormat",
    "Mode",
    "fed_shape",
    "read_aipp",
    "read_aipp_file",
    "simulate",
    "write_aipp",
]
