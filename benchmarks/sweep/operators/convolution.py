"""Convolutions, their transposes, and linear layers, weights that standardize themselves among them."""

from __future__ import annotations

from random import Random

import torch
from benchmarks.sweep.draws import divisor, pair
from benchmarks.sweep.operator import Call, Family, Shape
from torch import nn
from torch.nn import functional as F  # noqa: N812 - everybody's name for it
from torch.nn.utils import parametrizations

CONVOLUTION = Family("convolution")


def _options(random: Random, channels: int, axes: int) -> dict[str, object]:
    """Return the arguments that a convolution and its transpose share."""
    groups = random.choice((1, 1, channels, divisor(random, channels)))
    kernel = pair(random, axes, 1, 2, 3, 3, 4, 5)
    return {
        "in_channels": channels,
        "out_channels": groups * random.randint(1, 3),
        "kernel_size": kernel,
        "stride": pair(random, axes, 1, 1, 2, 3),
        "padding": pair(random, axes, 0, 1, 1, 2),
        "dilation": pair(random, axes, 1, 1, 1, 2, 3),
        "groups": groups,
        "bias": random.random() < 0.7,
    }


def _convolution(random: Random, channels: int, axes: int) -> nn.Module:
    options = _options(random, channels, axes)
    options["padding_mode"] = random.choice(("zeros",) * 5 + ("reflect", "replicate", "circular"))
    if random.random() < 0.25:
        options |= {"padding": random.choice(("same", "same", "valid")), "stride": 1}
    return (nn.Conv1d, nn.Conv2d)[axes - 1](**options)  # type: ignore[arg-type]  # names and values of its own


@CONVOLUTION("nn.Conv1d", 2, 3)
def conv_1d(random: Random, shape: Shape) -> nn.Module:
    return _convolution(random, shape[-2], 1)


@CONVOLUTION("nn.Conv2d", 3, 4)
def conv_2d(random: Random, shape: Shape) -> nn.Module:
    return _convolution(random, shape[-3], 2)


@CONVOLUTION("nn.Conv2d beyond limits", 4)
def conv_2d_large(random: Random, shape: Shape) -> nn.Module:
    """A kernel, a stride or a dilation that Ascend's kernels do not take, on a map that is padded to hold it."""
    kernel, stride, dilation = random.choice((((257, 2), 1, 1), ((2, 3), 64, 1), ((2, 2), (1, 70), 1), (2, 1, 256)))
    extent = [(size - 1) * dilation + 1 for size in (kernel if isinstance(kernel, tuple) else (kernel,) * 2)]
    groups = random.choice((1, shape[1]))
    conv = nn.Conv2d(shape[1], groups * 2, kernel, stride, dilation=dilation, groups=groups)
    return nn.Sequential(nn.AdaptiveMaxPool2d(2), nn.ReplicationPad2d((0, extent[1], extent[0], 0)), conv)


def _transpose(random: Random, channels: int, axes: int) -> nn.Module:
    options = _options(random, channels, axes)
    strides, dilations = options["stride"], options["dilation"]
    assert isinstance(strides, tuple)
    assert isinstance(dilations, tuple)
    most = [max(stride, dilation) for stride, dilation in zip(strides, dilations, strict=True)]
    options["output_padding"] = tuple(random.randrange(size) if random.random() < 0.5 else 0 for size in most)
    return (nn.ConvTranspose1d, nn.ConvTranspose2d)[axes - 1](**options)  # type: ignore[arg-type]  # the same


@CONVOLUTION("nn.ConvTranspose1d", 2, 3)
def transpose_1d(random: Random, shape: Shape) -> nn.Module:
    return _transpose(random, shape[-2], 1)


@CONVOLUTION("nn.ConvTranspose2d", 3, 4)
def transpose_2d(random: Random, shape: Shape) -> nn.Module:
    return _transpose(random, shape[-3], 2)


def _plain(random: Random, channels: int) -> nn.Conv2d:
    return nn.Conv2d(channels, random.randint(2, 5), random.choice((1, 3)), padding=1)


@CONVOLUTION("weight_norm", 4)
def weight_norm(random: Random, shape: Shape) -> nn.Module:
    normed: nn.Module = parametrizations.weight_norm(_plain(random, shape[1]), dim=random.choice((0, 1)))
    return normed


@CONVOLUTION("spectral_norm", 4)
def spectral_norm(random: Random, shape: Shape) -> nn.Module:
    return parametrizations.spectral_norm(_plain(random, shape[1]))


def _standardized(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    variance, mean = torch.var_mean(weight, (1, 2, 3), keepdim=True)
    return F.conv2d(x, (weight - mean) / torch.sqrt(variance + 1e-5), padding=1)


@CONVOLUTION("weight standardization", 4)
def weight_standardization(random: Random, shape: Shape) -> nn.Module:
    return Call(_standardized, _plain(random, max(2, shape[1])).weight.detach()[:, : shape[1]].contiguous())


@CONVOLUTION("nn.Linear", 1, 2, 3, 4, 5)
def linear(random: Random, shape: Shape) -> nn.Module:
    return nn.Linear(shape[-1], random.randint(1, 6), bias=random.random() < 0.7)


@CONVOLUTION("nn.Bilinear", 2, 3)
def bilinear(random: Random, shape: Shape) -> nn.Module:
    count = random.randint(1, 3)
    return Call(F.bilinear, torch.randn(count, shape[-1], 2), torch.randn(count), others=((*shape[:-1], 2),))
