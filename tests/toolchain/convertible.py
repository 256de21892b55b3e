"""The conversions that these tests compile: a small net of convolutions, which takes any batch and any image size."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from torch2om.emission import Artifact, Emission, emit
from torch2om.ir.net import Input, Layer, Net, Output
from torch2om.ir.weight import constant
from torch2om.layers import Convolution, InnerProduct, ReLU, Slice
from torch2om.origin import Origin
from torch2om.targets import target

ORIGIN = Origin("conv2d", "aten.conv2d.default", "stem.conv", file="/models/net.py", line=12, code="x = self.conv(x)")


def images() -> Net:
    """x -> stem/conv -> relu (an output) -> two halves (the second first)."""
    filters = constant(np.ones((4, 3, 1, 1), np.float32))
    layers = (
        Layer("stem/conv", Convolution(4, (1, 1), bias_term=False), ("x",), ("stem/conv",), (filters,), ORIGIN),
        Layer("relu", ReLU(), ("stem/conv",), ("relu",)),
        Layer("cut", Slice(slice_point=(2,)), ("relu",), ("cut", "cut.1")),
    )
    return Net("net", (Input("x", (1, 3, 8, 8)),), layers, (Output("cut.1", "[0]"), Output("cut", "[1]")))


def vectors() -> Net:
    """a, b -> fully connected: inputs that are no images."""
    weight = constant(np.ones((2, 3), np.float32))
    layers = tuple(
        Layer(f"fc_{name}", InnerProduct(2, bias_term=False), (name,), (f"fc_{name}",), (weight,)) for name in "ab"
    )
    inputs = (Input("a", (2, 3)), Input("b", (2, 3)))
    return Net("two", inputs, layers, (Output("fc_a", "[0]"), Output("fc_b", "[1]")))


def conversion(folder: Path, name: str = "model", to: str = "ascend310", net: Net | None = None) -> Artifact:
    """Return the written files of a net."""
    return emit(net or images(), target(to), Emission(folder, name))
