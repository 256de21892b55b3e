"""Poolings: windows of every kind, adaptive sizes, norms of windows, and the way back."""

from __future__ import annotations

from random import Random

import torch
from benchmarks.sweep.draws import pair
from benchmarks.sweep.operator import Call, Family, Shape
from torch import nn
from torch.nn import functional as F  # noqa: N812 - everybody's name for it

POOLING = Family("pooling")


def _window(random: Random, spatial: Shape) -> dict[str, object]:
    """Kernel, stride and padding; at times the whole map, or a stride beyond the kernel."""
    axes = len(spatial)
    kernel = pair(random, axes, 1, 2, 2, 3, 3, 4, 5) if random.random() < 0.9 else spatial
    stride = pair(random, axes, 1, 2, 3, 4) if random.random() < 0.8 else kernel
    padding = tuple(random.randint(0, size // 2) if random.random() < 0.4 else 0 for size in kernel)
    given = {"kernel_size": kernel, "stride": stride, "padding": padding, "ceil_mode": random.random() < 0.4}
    return {key: value[0] if isinstance(value, tuple) and axes == 1 else value for key, value in given.items()}


@POOLING("nn.MaxPool1d", 3)
def max_pool_1d(random: Random, shape: Shape) -> nn.Module:
    return nn.MaxPool1d(dilation=random.choice((1, 1, 1, 2, 3)), **_window(random, shape[2:]))  # type: ignore[arg-type]  # names and values of its own


@POOLING("nn.MaxPool2d", 3, 4)
def max_pool_2d(random: Random, shape: Shape) -> nn.Module:
    dilation = pair(random, 2, 1, 1, 1, 1, 2, 3)
    return nn.MaxPool2d(dilation=dilation, **_window(random, shape[-2:]))  # type: ignore[arg-type]  # the same


@POOLING("nn.AvgPool1d", 3)
def avg_pool_1d(random: Random, shape: Shape) -> nn.Module:
    return nn.AvgPool1d(count_include_pad=random.random() < 0.5, **_window(random, shape[2:]))  # type: ignore[arg-type]  # the same


@POOLING("nn.AvgPool2d", 3, 4)
def avg_pool_2d(random: Random, shape: Shape) -> nn.Module:
    divisor = random.choice((None, None, None, 2, 7))
    options = {"count_include_pad": random.random() < 0.5, "divisor_override": divisor}
    return nn.AvgPool2d(**options, **_window(random, shape[-2:]))  # type: ignore[arg-type]  # the same


@POOLING("nn.LPPool1d", 3)
def lp_pool_1d(random: Random, _: Shape) -> nn.Module:
    power, ceil = random.choice((1.0, 2.0, 3.0)), random.random() < 0.4
    return nn.Sequential(nn.Softplus(), nn.LPPool1d(power, random.randint(1, 3), random.randint(1, 3), ceil_mode=ceil))


@POOLING("nn.LPPool2d", 3, 4)
def lp_pool_2d(random: Random, _: Shape) -> nn.Module:
    kernel, stride, ceil = pair(random, 2, 1, 2, 3), pair(random, 2, 1, 2, 3), random.random() < 0.4
    pool = nn.LPPool2d(random.choice((1.0, 2.0, 3.0)), kernel, stride, ceil_mode=ceil)
    return nn.Sequential(nn.Softplus(), pool)


def _bins(random: Random, spatial: Shape) -> tuple[int, ...]:
    return tuple(random.choice((1, 1, 2, 3, size, random.randint(1, 9))) for size in spatial)


@POOLING("nn.AdaptiveAvgPool1d", 3)
def adaptive_avg_1d(random: Random, shape: Shape) -> nn.Module:
    return nn.AdaptiveAvgPool1d(_bins(random, shape[2:])[0])


@POOLING("nn.AdaptiveAvgPool2d", 3, 4)
def adaptive_avg_2d(random: Random, shape: Shape) -> nn.Module:
    return nn.AdaptiveAvgPool2d(_bins(random, shape[-2:]))


@POOLING("nn.AdaptiveMaxPool1d", 3)
def adaptive_max_1d(random: Random, shape: Shape) -> nn.Module:
    return nn.AdaptiveMaxPool1d(_bins(random, shape[2:])[0])


@POOLING("nn.AdaptiveMaxPool2d", 3, 4)
def adaptive_max_2d(random: Random, shape: Shape) -> nn.Module:
    return nn.AdaptiveMaxPool2d(_bins(random, shape[-2:]))


def _pooled_and_back(x: torch.Tensor, size: int, stride: int) -> torch.Tensor:
    values, places = F.max_pool2d(x, size, stride, return_indices=True)
    return F.max_unpool2d(values, places, [size, size], [stride, stride], output_size=x.shape[-2:])


@POOLING("F.max_unpool2d", 4)
def max_unpool_2d(random: Random, _: Shape) -> nn.Module:
    size = random.randint(1, 3)
    return Call(_pooled_and_back, size=size, stride=size)


@POOLING("large window", 4)
def large_window(random: Random, _: Shape) -> nn.Module:
    """A window on a map enlarged by a pad, so large that targets with limits on windows must split it."""
    height, width = random.choice((16, 17, 30, 60, 257)), random.choice((1, 2, 3, 16, 21))
    pool = random.choice((nn.AvgPool2d, nn.MaxPool2d))((height, width), random.choice((1, 2, 64)))
    return nn.Sequential(nn.AdaptiveMaxPool2d(2), nn.ConstantPad2d((0, width, height // 2, height // 2), 0.5), pool)
