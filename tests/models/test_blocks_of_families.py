"""What makes families of CNNs and transformers their own, each with the rules that it takes on a target."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from judging import complaints, settled, subject, written
from torch import nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from torch2om.ir.op import Shape

IMAGE = (1, 8, 16, 16)


class Block(nn.Module):
    """A function of an image's features between two convolutions."""

    def __init__(self, function: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.before, self.function, self.after = nn.Conv2d(8, 8, 3, padding=1), function, nn.LazyConv2d(4, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.after(self.function(self.before(x)))
        return y


class ChannelAttention(nn.Module):
    """ECA: a line of channel means, convolved (ECA-Net, arXiv 1910.03151)."""

    def __init__(self) -> None:
        super().__init__()
        self.line = nn.Conv1d(1, 1, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        means = x.mean((2, 3)).unsqueeze(1)
        return x * torch.sigmoid(self.line(means)).transpose(1, 2).unsqueeze(-1)


class CoordinateAttention(nn.Module):
    """Means along each side, combined by broadcasting (arXiv 2103.02907)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * torch.sigmoid(x.mean(3, keepdim=True) + x.mean(2, keepdim=True))


class RelativePositions(nn.Module):
    """Rows picked by a constant index, as tables of relative positions are."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("index", torch.tensor([3, 0, 0, 5, 2, 7, 1, 1]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, self.get_buffer("index")]


class GatedScale(nn.Module):
    """A scale of each channel in front of a norm and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.rand(8, 1, 1) + 0.5)
        self.norm = nn.BatchNorm2d(8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.norm(torch.relu(x) * self.gamma)
        return y


def same(x: torch.Tensor) -> torch.Tensor:
    return F.max_pool2d(F.pad(x, (0, 1, 0, 1)), 3, 2)


def wider(x: torch.Tensor) -> torch.Tensor:
    return F.pad(x, (0, 0, 0, 0, 0, 4))


def uncounted(x: torch.Tensor) -> torch.Tensor:
    return F.avg_pool2d(x, 3, 2, 1, count_include_pad=False)


def focus(x: torch.Tensor) -> torch.Tensor:
    return torch.cat([x[..., ::2, ::2], x[..., 1::2, ::2], x[..., ::2, 1::2], x[..., 1::2, 1::2]], 1)


def every_other(x: torch.Tensor) -> torch.Tensor:
    return x[:, :, ::2, 1::3]


def pyramid(x: torch.Tensor) -> torch.Tensor:
    pooled = F.adaptive_avg_pool2d(x, 4)
    return x + F.interpolate(pooled, x.shape[2:], mode="bilinear", align_corners=False)


def uneven(x: torch.Tensor) -> torch.Tensor:
    return F.adaptive_avg_pool2d(x, (5, 7))


def cross(x: torch.Tensor) -> torch.Tensor:
    return x.transpose(1, 2).softmax(-1).permute(0, 3, 1, 2)


@dataclass(frozen=True)
class Row:
    """A block, and rules that its net takes for `caffe` or `ascend310`."""

    function: Callable[[torch.Tensor], torch.Tensor]
    rules: frozenset[str]
    shape: Shape = IMAGE


ROWS = {
    "channel attention": Row(ChannelAttention(), frozenset({"convolve_line_as_image"})),
    "coordinate attention": Row(CoordinateAttention(), frozenset({"combine_after_expanding"})),
    "relative positions": Row(RelativePositions(), frozenset({"slice_steps", "slice_neighbours"})),
    "gated scale": Row(GatedScale(), frozenset({"convolution_after_affine"})),
    "same padding": Row(same, frozenset({"pad_image_by_convolution"})),
    "wider shortcut": Row(wider, frozenset({"pad_beside_constants"})),
    "uncounted padding": Row(uncounted, frozenset({"pool_then_correct"})),
    "focus": Row(focus, frozenset({"concat_of_steps_is_permute"})),
    "every other": Row(every_other, frozenset({"slice_steps"})),
    "pyramid": Row(pyramid, frozenset({"resize_axes_by_maps"})),
    "uneven pooling": Row(uneven, frozenset({"adapt_average_by_map"})),
    "cross": Row(cross, frozenset({"permute_by_im2col"})),
    "GELU's tanh form": Row(lambda x: F.gelu(x, approximate="tanh"), frozenset({"gelu_by_sigmoid"})),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_block_takes_its_rules_and_means_the_same(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    row = ROWS[name]
    found = subject(settled(Block(row.function), torch.randn(4, *row.shape[1:])), [row.shape])
    results = [written(found, target, tmp_path) for target in ("caffe", "ascend310")]
    assert [text for result in results for text in complaints(found, result)] == []
    applied = {rule for result in results for layer in result.net.layers for rule in layer.origin.via}
    assert row.rules <= applied, sorted(applied)
