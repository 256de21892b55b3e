"""Convolutions as parts of them: what their padding is called, and those over three dims that are planes."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from torch2om.program.structure import Tree

Tensor = torch.Tensor


def with_named_padding(  # noqa: PLR0913, PLR0917 - the schema's
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sequence[int] = (1,),
    padding: str = "valid",
    dilation: Sequence[int] = (1,),
    groups: int = 1,
) -> Tensor:
    """conv(pad(x)): "same" pads (kernel - 1) * dilation in all, the odd one behind (PyTorch's Conv2d documentation)."""
    kernel = weight.shape[2:]
    convolve = (torch.conv1d, torch.conv2d, torch.conv3d)[len(kernel) - 1]
    steps = _per_axis(dilation, len(kernel))
    total = [(size - 1) * step if padding == "same" else 0 for size, step in zip(kernel, steps, strict=True)]
    if any(amount % 2 for amount in total):
        sides = [side for amount in reversed(total) for side in (amount // 2, amount - amount // 2)]
        x, total = torch.nn.functional.pad(x, sides), [0] * len(total)
    return convolve(x, weight, bias, stride, [amount // 2 for amount in total], dilation, groups)


def along_planes(  # noqa: PLR0913, PLR0917 - the schema's
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sequence[int] = (1,),
    padding: Sequence[int] = (0,),
    dilation: Sequence[int] = (1,),
    groups: int = 1,
) -> Tree:
    """conv3d(x)[..., i] = conv2d(x[..., i]) where the kernel has one element along that axis: all planes in a batch.

    Other convolutions over three dims stay whole (`NotImplemented` says so to PyTorch).
    """
    strides, pads, steps = (_per_axis(given, 3) for given in (stride, padding, dilation))
    axis = next((a for a in range(3) if (weight.shape[2 + a], strides[a], pads[a]) == (1, 1, 0)), None)
    if axis is None or x.dim() != 5:
        return NotImplemented
    planes = x.movedim(2 + axis, 1)
    stride, padding, dilation = ([given[a] for a in range(3) if a != axis] for given in (strides, pads, steps))
    made = torch.conv2d(planes.flatten(0, 1), weight.squeeze(2 + axis), bias, stride, padding, dilation, groups)
    return made.reshape(*planes.shape[:2], *made.shape[1:]).movedim(1, 2 + axis)


def _per_axis(given: Sequence[int] | int, axes: int) -> list[int]:
    numbers = [given] if isinstance(given, int) else list(given)
    return numbers * axes if len(numbers) == 1 else numbers
