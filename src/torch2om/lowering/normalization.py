"""Normalization: with stored statistics a Scale, with the input's own a standardization and a Scale."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch

from torch2om.ir.blob import Blob
from torch2om.ir.weight import Weight, combine, constant
from torch2om.layers import Bias, Scale, Standardize
from torch2om.lowering.registry import lowers
from torch2om.lowering.scope import Scope
from torch2om.lowering.views import reshaped

aten = torch.ops.aten


@lowers(aten.batch_norm.default)
def batch_norm(
    b: Scope,
    input: Blob,
    weight: Weight | None,
    bias: Weight | None,
    running_mean: Weight | None,
    running_var: Weight | None,
    training: bool,
    momentum: float,  # noqa: ARG001 - of training
    eps: float,
    cudnn_enabled: bool,  # noqa: ARG001 - of the device
) -> Blob:
    """(x - mean) / sqrt(var + eps) * weight + bias per channel: stored statistics, or the batch's if training."""
    if training or running_mean is None or running_var is None:
        axes = tuple(axis for axis in range(input.rank) if axis != 1)
        return scaled(b, b.add(Standardize(axes, eps), input), 1, weight, bias)
    return _with_statistics(b, input, running_mean, running_var, weight, bias, eps)


@lowers(aten.instance_norm.default)
def instance_norm(
    b: Scope,
    input: Blob,
    weight: Weight | None,
    bias: Weight | None,
    running_mean: Weight | None,
    running_var: Weight | None,
    use_input_stats: bool,
    momentum: float,  # noqa: ARG001 - of training
    eps: float,
    cudnn_enabled: bool,  # noqa: ARG001 - of the device
) -> Blob:
    """(x - mean) / sqrt(var + eps) * weight + bias per image and channel."""
    if not use_input_stats and running_mean is not None and running_var is not None:
        return _with_statistics(b, input, running_mean, running_var, weight, bias, eps)
    y = b.add(Standardize(tuple(range(2, input.rank)), eps), input)
    return scaled(b, y, 1, weight, bias)


@lowers(aten.group_norm.default)
def group_norm(
    b: Scope,
    input: Blob,
    num_groups: int,
    weight: Weight | None,
    bias: Weight | None,
    eps: float,
    cudnn_enabled: bool,  # noqa: ARG001 - of the device
) -> Blob:
    """(x - mean) / sqrt(var + eps) per image and group of channels, then * weight + bias per channel."""
    groups = reshaped(b, input, (input.shape[0], num_groups, math.prod(input.shape[1:]) // num_groups))
    y = reshaped(b, b.add(Standardize((2,), eps), groups), input.shape)
    return scaled(b, y, 1, weight, bias)


@lowers(aten.layer_norm.default)
def layer_norm(
    b: Scope,
    input: Blob,
    normalized_shape: Sequence[int],
    weight: Weight | None,
    bias: Weight | None,
    eps: float,
    cudnn_enable: bool,  # noqa: ARG001 - of the device
) -> Blob:
    """(x - mean) / sqrt(var + eps) over the last dims, then * weight + bias per element of them."""
    axes = tuple(range(input.rank - len(normalized_shape), input.rank))
    return scaled(b, b.add(Standardize(axes, eps), input), axes[0], weight, bias)


@lowers(aten.rms_norm.default)
def rms_norm(b: Scope, input: Blob, normalized_shape: Sequence[int], weight: Weight | None, eps: float) -> Blob:
    """y = x / sqrt(mean x^2 + eps) over the last dims, then * weight."""
    axes = tuple(range(input.rank - len(normalized_shape), input.rank))
    return scaled(b, b.add(Standardize(axes, eps, center=False), input), axes[0], weight, None)


def scaled(b: Scope, x: Blob, axis: int, weight: Weight | None, bias: Weight | None) -> Blob:
    """y = x * weight + bias over the dims from `axis` on."""
    if weight is not None:
        op = Scale(axis, len(weight.shape), bias_term=bias is not None)
        return b.add(op, x, weights=(weight,) if bias is None else (weight, bias))
    return x if bias is None else b.add(Bias(axis, len(bias.shape)), x, weights=(bias,))


def _with_statistics(
    b: Scope, x: Blob, mean: Weight, variance: Weight, weight: Weight | None, bias: Weight | None, eps: float
) -> Blob:
    """gamma * x + beta with gamma = weight / sqrt(var + eps) and beta = bias - mean * gamma."""
    one, zero = constant(np.ones(mean.shape)), constant(np.zeros(mean.shape))
    gamma = combine(mean.shape, lambda w, v: w / np.sqrt(v + eps), weight or one, variance)
    beta = combine(mean.shape, lambda c, m, g: c - m * g, bias or zero, mean, gamma)
    return scaled(b, x, 1, gamma, beta)
