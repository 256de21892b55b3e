"""Normalizations: over the batch, channels, groups, trailing dims, neighbours, or any dim."""

from __future__ import annotations

from random import Random

import torch
from benchmarks.sweep.draws import dim, divisor
from benchmarks.sweep.operator import Call, Family, Shape
from torch import nn
from torch.nn import functional as F  # noqa: N812 - everybody's name for it

NORMALIZATION = Family("normalization")
EPS = (1e-5, 1e-3, 0.1)


def _batch(random: Random, shape: Shape) -> dict[str, object]:
    return {"affine": random.random() < 0.7, "eps": random.choice(EPS), "num_features": shape[1]}


@NORMALIZATION("nn.BatchNorm1d", 2, 3)
def batch_norm_1d(random: Random, shape: Shape) -> nn.Module:
    return nn.BatchNorm1d(**_batch(random, shape))  # type: ignore[arg-type]  # names and values of its own


@NORMALIZATION("nn.BatchNorm2d", 4)
def batch_norm_2d(random: Random, shape: Shape) -> nn.Module:
    tracked = random.random() < 0.85
    return nn.BatchNorm2d(track_running_stats=tracked, **_batch(random, shape))  # type: ignore[arg-type]  # the same


@NORMALIZATION("nn.BatchNorm3d", 5)
def batch_norm_3d(random: Random, shape: Shape) -> nn.Module:
    return nn.BatchNorm3d(**_batch(random, shape))  # type: ignore[arg-type]  # the same


def _instance(random: Random, channels: int) -> dict[str, object]:
    flags = {name: random.random() < 0.5 for name in ("affine", "track_running_stats")}
    return {"num_features": channels, "eps": random.choice(EPS), **flags}


@NORMALIZATION("nn.InstanceNorm1d", 3)
def instance_norm_1d(random: Random, shape: Shape) -> nn.Module:
    return nn.InstanceNorm1d(**_instance(random, shape[1]))  # type: ignore[arg-type]  # the same


@NORMALIZATION("nn.InstanceNorm2d", 4)
def instance_norm_2d(random: Random, shape: Shape) -> nn.Module:
    return nn.InstanceNorm2d(**_instance(random, shape[1]))  # type: ignore[arg-type]  # the same


@NORMALIZATION("nn.GroupNorm", 2, 3, 4, 5)
def group_norm(random: Random, shape: Shape) -> nn.Module:
    groups = divisor(random, shape[1])
    return nn.GroupNorm(groups, shape[1], eps=random.choice(EPS), affine=random.random() < 0.7)


@NORMALIZATION("nn.LayerNorm", 1, 2, 3, 4, 5)
def layer_norm(random: Random, shape: Shape) -> nn.Module:
    trailing = shape[random.randrange(len(shape)) :]
    affine, bias = random.random() < 0.7, random.random() < 0.7
    return nn.LayerNorm(trailing, eps=random.choice(EPS), elementwise_affine=affine, bias=bias)


@NORMALIZATION("nn.RMSNorm", 1, 2, 3, 4, 5)
def rms_norm(random: Random, shape: Shape) -> nn.Module:
    trailing = list(shape[random.randrange(len(shape)) :])
    return nn.RMSNorm(trailing, eps=random.choice((None, 1e-6, 0.01)), elementwise_affine=random.random() < 0.7)


@NORMALIZATION("nn.LocalResponseNorm", 2, 3, 4, 5)
def local_response_norm(random: Random, _: Shape) -> nn.Module:
    alpha, beta = random.choice((1e-4, 0.1, 2.0)), random.choice((0.5, 0.75, 1.3))
    return nn.LocalResponseNorm(random.randint(1, 7), alpha, beta, random.choice((1.0, 2.0, 0.3)))


@NORMALIZATION("F.normalize", 1, 2, 3, 4, 5)
def normalize(random: Random, shape: Shape) -> nn.Module:
    return Call(F.normalize, p=random.choice((2.0, 2.0, 1.0, 3.0)), dim=dim(random, shape), eps=1e-12)


def _standardized(x: torch.Tensor, axis: int) -> torch.Tensor:
    return (x - x.mean(axis, keepdim=True)) / torch.sqrt(x.var(axis, keepdim=True, unbiased=False) + 1e-5)


@NORMALIZATION("standardized by hand", 2, 3, 4)
def standardized(random: Random, shape: Shape) -> nn.Module:
    return Call(_standardized, axis=dim(random, shape))
