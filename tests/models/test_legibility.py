"""Blocks that people use, as an expert would write them by hand: every layer that Ascend 310 gets, in order."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from judging import subject
from torch import nn
from torch.nn import functional as F  # noqa: N812 - everybody's name for it

from torch2om.pipeline import prepared
from torch2om.targets import target

CHANNELS, HEADS = 8, 2
IMAGE = (1, CHANNELS, 8, 8)
NORM = ["Reshape", "MVN", "Reshape", "Reduction", "Power", "Scale"]  # the affine part is in the layer behind
NORM_OF_CHANNELS = ["Convolution", "Reshape", "Bias", "Power", "Convolution", "Power", "Reshape", "Scale"]
ATTENTION = ["BatchedMatMul", "Softmax", "BatchedMatMul", "Permute", "Reshape", "InnerProduct"]  # queries come scaled


class Attention(nn.Module):
    """A norm and self-attention with one product for queries, keys and values."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(CHANNELS)
        self.qkv = nn.Linear(CHANNELS, 3 * CHANNELS)
        self.proj = nn.Linear(CHANNELS, CHANNELS)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, tokens, channels = x.shape
        qkv = self.qkv(self.norm(x)).reshape(batch, tokens, 3, HEADS, channels // HEADS).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(*qkv.unbind(0)).transpose(1, 2).reshape(batch, tokens, channels)
        found: torch.Tensor = self.proj(y)
        return found


class ConvNeXtBlock(nn.Module):
    """A depthwise convolution and a perceptron over channels behind the image, as ConvNeXt writes it."""

    def __init__(self) -> None:
        super().__init__()
        self.spatial = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1, groups=CHANNELS)
        self.norm = nn.LayerNorm(CHANNELS)
        self.grow, self.shrink = nn.Linear(CHANNELS, 16), nn.Linear(16, CHANNELS)
        self.scale = nn.Parameter(torch.rand(CHANNELS))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.norm(self.spatial(x).permute(0, 2, 3, 1))
        y = self.shrink(F.relu(self.grow(y))) * self.scale
        return x + y.permute(0, 3, 1, 2)


class SqueezeExcite(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.squeeze, self.excite = nn.Conv2d(CHANNELS, 2, 1), nn.Conv2d(2, CHANNELS, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        gate = self.excite(F.relu(self.squeeze(x.mean((2, 3), keepdim=True))))
        return x * F.hardsigmoid(gate)


class PatchMerging(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x[:, :, i::2, j::2] for j in range(2) for i in range(2)], 1)


class Windows(nn.Module):
    """An image in windows of 4 x 4, each with its pixels as rows."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.view(1, CHANNELS, 2, 4, 2, 4).permute(0, 2, 4, 3, 5, 1).reshape(4, 16, CHANNELS)


class HardSwishBetween(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(CHANNELS, 4, 1), nn.Conv2d(4, CHANNELS, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.second(F.hardswish(self.first(x)))
        return found


BLOCKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...], list[str]]] = {
    "attention": (
        Attention,
        (1, 16, CHANNELS),
        [*NORM, "Reshape", "InnerProduct", "Reshape", "Permute", "Slice", *["Reshape"] * 3, *ATTENTION],
    ),
    "ConvNeXt": (
        ConvNeXtBlock,
        IMAGE,
        ["Convolution", *NORM_OF_CHANNELS, "Convolution", "ReLU", "Convolution", "Eltwise"],
    ),
    "squeeze-excite": (
        SqueezeExcite,
        IMAGE,
        ["Pooling", "Convolution", "ReLU", "Convolution", "ReLU6", "Power", "Reshape", "Scale"],
    ),
    "patch merging": (PatchMerging, IMAGE, ["Reshape", "Permute", "Reshape"]),
    "window partition": (Windows, IMAGE, ["Reshape", "Permute", "Reshape"]),
    "hard-swish": (HardSwishBetween, IMAGE, ["Convolution", "Power", "ReLU6", "Eltwise", "Convolution"]),
    "channel shuffle": (lambda: nn.ChannelShuffle(2), IMAGE, ["ShuffleChannel"]),
    "patch embedding": (
        lambda: nn.Sequential(nn.Conv2d(CHANNELS, 6, 4, 4), nn.Flatten(2)),
        IMAGE,
        ["Convolution", "Reshape"],
    ),
}


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_is_written_as_by_hand(name: str) -> None:
    build, shape, layers = BLOCKS[name]
    torch.manual_seed(0)
    net = prepared(subject(build().eval(), [shape]).net, target("ascend310"))
    assert [layer.op.caffe_type for layer in net.layers] == layers
