"""Resizing by every mode, and elements moved between channels and space."""

from __future__ import annotations

from random import Random
from typing import Any

import torch
from benchmarks.sweep.operator import Call, Family, Shape
from torch import nn
from torch.nn import functional as F  # noqa: N812 - everybody's name for it

RESIZING = Family("resizing")
SCALES = (2.0, 2.0, 3.0, 4.0, 1.5, 1.3, 0.5, 0.7, 2.5)


def _target(random: Random, spatial: Shape) -> dict[str, Any]:  # Any: interpolate's options
    """Return a size, a scale for each axis, or one scale for all."""
    kind = random.random()
    if kind < 0.4:
        return {"size": tuple(random.randint(1, 3 * size + 1) for size in spatial)}
    if kind < 0.7:
        return {"scale_factor": random.choice(SCALES), "recompute_scale_factor": random.choice((None, None, True))}
    return {"scale_factor": tuple(random.choice(SCALES) for _ in spatial)}


def _interpolation(mode: str, *ranks: int, corners: bool = False, antialias: bool = False) -> None:
    """Register F.interpolate of one mode."""

    @RESIZING(f"F.interpolate {mode}{' antialias' if antialias else ''}", *ranks)
    def build(random: Random, shape: Shape) -> nn.Module:
        options = _target(random, shape[2:])
        if corners:
            options["align_corners"] = random.random() < 0.4
        if antialias:
            options["antialias"] = True
        return Call(F.interpolate, mode=mode, **options)


_interpolation("nearest", 3, 4)
_interpolation("nearest-exact", 3, 4)
_interpolation("area", 3, 4)
_interpolation("linear", 3, corners=True)
_interpolation("bilinear", 4, corners=True)
_interpolation("bicubic", 4, corners=True)
_interpolation("bilinear", 4, corners=True, antialias=True)
_interpolation("bicubic", 4, corners=True, antialias=True)


@RESIZING("nn.UpsamplingBilinear2d", 4)
def upsampling_bilinear(random: Random, _: Shape) -> nn.Module:
    return nn.UpsamplingBilinear2d(scale_factor=random.choice((2, 3)))


@RESIZING("nn.PixelShuffle", 3, 4)
def pixel_shuffle(random: Random, shape: Shape) -> nn.Module:
    """A pixel shuffle needs a square of channels: a repetition makes them."""
    factor = random.choice((2, 2, 3))
    channels = random.choice((1, 2, 3)) * factor**2
    axes = [1] * len(shape)
    axes[-3] = -(-channels // shape[-3])
    return nn.Sequential(Call(_repeated, times=tuple(axes), channels=channels), nn.PixelShuffle(factor))


def _repeated(x: torch.Tensor, times: tuple[int, ...], channels: int) -> torch.Tensor:
    return x.repeat(times).narrow(-3, 0, channels)


@RESIZING("nn.PixelUnshuffle", 3, 4)
def pixel_unshuffle(random: Random, shape: Shape) -> nn.Module:
    factor = random.choice((2, 2, 3))
    height, width = (max(1, size // factor) * factor for size in shape[-2:])
    return nn.Sequential(nn.AdaptiveMaxPool2d((height, width)), nn.PixelUnshuffle(factor))


@RESIZING("nn.ChannelShuffle", 4)
def channel_shuffle(random: Random, shape: Shape) -> nn.Module:
    return nn.ChannelShuffle(random.choice([d for d in range(1, shape[1] + 1) if shape[1] % d == 0]))


@RESIZING("F.unfold", 4)
def unfold(random: Random, _: Shape) -> nn.Module:
    options = {"dilation": random.choice((1, 1, 2)), "padding": random.choice((0, 1)), "stride": random.choice((1, 2))}
    return nn.Unfold(random.choice((1, 2, 3)), **options)
