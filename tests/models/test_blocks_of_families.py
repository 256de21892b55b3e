"""What makes families of CNNs and transformers their own, each with the rules that it takes on a target."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from judging import faults, settled, subject
from torch import nn
from torch.nn import functional as F  # noqa: N812 - its usual name

from torch2om.ir.op import Shape

IMAGE = (1, 8, 16, 16)
TARGETS = ("caffe", "ascend310", "opencv", "hilens")


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


def framed(x: torch.Tensor) -> torch.Tensor:
    return F.pad(x, (1, 1, 1, 1))


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


class LayerScale(nn.Module):
    """A shift of each channel behind a linear layer (CaiT)."""

    def __init__(self) -> None:
        super().__init__()
        self.beta = nn.Parameter(torch.rand(8, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.beta


class ZigZag(nn.Module):
    """Elements in another order, most of which still follow each other (CSATv2's frequencies)."""

    order: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("order", torch.arange(256).reshape(32, 8).flip(0).flatten())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = x.flatten(2)[:, :, self.order]
        return y.reshape(x.shape)


class Parallel(nn.Module):
    """Convolutions of the same images beside each other, and the images themselves (RepVGG in training)."""

    def __init__(self) -> None:
        super().__init__()
        self.wide, self.narrow = nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 8, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.wide(x) + self.narrow(x) + x
        return y


class ScaledTwice(nn.Module):
    """The weights of a norm and of a layer scale, one behind the other."""

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.gamma = (nn.Parameter(torch.rand(8, 1, 1) + 0.5) for _ in range(2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(torch.sigmoid(x) * self.weight * self.gamma)


def summed(x: torch.Tensor) -> torch.Tensor:
    return x + torch.relu(x) + torch.sigmoid(x)


def turned_queries(x: torch.Tensor) -> torch.Tensor:
    """Return attention's weights of queries and keys that no linear layer makes: positions turned them."""
    queries, keys = torch.relu(x).flatten(2).transpose(1, 2), torch.sigmoid(x).flatten(2)
    return (0.3 * (queries @ keys)).softmax(-1).reshape(x.shape[0], -1, *x.shape[2:])


def with_ones(x: torch.Tensor) -> torch.Tensor:
    return F.pad(F.avg_pool2d(x, 8), (0, 1), value=1.0)


def by_one_number(x: torch.Tensor) -> torch.Tensor:
    return (x.mean((1, 2, 3)).reshape(-1, 1, 1) @ x.flatten(1).unsqueeze(1)).reshape(x.shape)


def normalized_groups(x: torch.Tensor) -> torch.Tensor:
    return F.group_norm(x, 2)


def selected_kernels(x: torch.Tensor) -> torch.Tensor:
    """Return branches weighed by a softmax over them (SKNet)."""
    branches = x.reshape(-1, 2, 4, *x.shape[2:])
    return (branches * branches.mean((3, 4), keepdim=True).softmax(1)).sum(1)


def enlarged(x: torch.Tensor) -> torch.Tensor:
    return F.interpolate(x, size=(24, 24), mode="bilinear", align_corners=True)


def gelu_of_tokens(x: torch.Tensor) -> torch.Tensor:
    return F.gelu(x.flatten(2).transpose(1, 2)).transpose(1, 2).reshape(x.shape)


def softmax_of_windows(x: torch.Tensor) -> torch.Tensor:
    return x.reshape(-1, 2, 4, 4, 4, 16).softmax(-1).reshape(x.shape)


def clamped(x: torch.Tensor) -> torch.Tensor:
    return F.hardsigmoid(x) * F.hardtanh(x, -0.5, 0.7)


def weighted(x: torch.Tensor) -> torch.Tensor:
    return 0.4 * x + 0.1


def modulated(x: torch.Tensor) -> torch.Tensor:
    return x.mean((2, 3), keepdim=True) * x[:, :1]


def unfolded(x: torch.Tensor) -> torch.Tensor:
    return F.unfold(x, 4, stride=4).reshape(x.shape[0], -1, 4, 4)


def turned_twice(x: torch.Tensor) -> torch.Tensor:
    return x.transpose(1, 2).transpose(2, 3)


def linear_attention(x: torch.Tensor) -> torch.Tensor:
    y = torch.relu(x)
    return y / (y.sum(1, keepdim=True) + 1e-5)


def normalized_channels(x: torch.Tensor) -> torch.Tensor:
    return F.layer_norm(x.flatten(2).transpose(1, 2), (x.shape[1],)).transpose(1, 2).reshape(x.shape)


def normalized_heads(x: torch.Tensor) -> torch.Tensor:
    heads = F.avg_pool2d(x.reshape(-1, 4, *x.shape[2:]), 2).reshape(-1, 2, 4, 64).transpose(2, 3)
    return F.layer_norm(heads, (4,)).transpose(2, 3).reshape(-1, 8, 8, 8)


@dataclass(frozen=True)
class Row:
    """A block, and rules that its net takes for a target."""

    function: Callable[[torch.Tensor], torch.Tensor]
    rules: frozenset[str]
    shape: Shape = IMAGE


ROWS = {
    "channel attention": Row(ChannelAttention(), frozenset({"convolve_line_as_image"})),
    "coordinate attention": Row(CoordinateAttention(), frozenset({"combine_after_expanding", "combine_equal_shapes"})),
    "relative positions": Row(RelativePositions(), frozenset({"slice_steps", "slice_neighbours"})),
    "gated scale": Row(GatedScale(), frozenset({"convolution_after_affine"})),
    "same padding": Row(same, frozenset({"pad_image_by_convolution"})),
    "wider shortcut": Row(
        wider, frozenset({"pad_beside_constants", "constant_by_power", "constant_by_tiling", "expand_by_tiles"})
    ),
    "framed": Row(framed, frozenset({"pad_into_convolution"})),
    "uncounted padding": Row(uncounted, frozenset({"pool_then_correct"})),
    "focus": Row(focus, frozenset({"concat_of_steps_is_permute"})),
    "every other": Row(every_other, frozenset({"slice_steps"})),
    "pyramid": Row(pyramid, frozenset({"resize_axes_by_maps"})),
    "uneven pooling": Row(uneven, frozenset({"adapt_average_by_map", "adapt_axes_in_turn", "adapt_by_pooling"})),
    "cross": Row(cross, frozenset({"permute_by_im2col"})),
    "parallel convolutions": Row(Parallel(), frozenset({"sum_of_convolutions_is_one"})),
    "scaled twice": Row(ScaledTwice(), frozenset({"scale_of_scale"})),
    "sum of three": Row(summed, frozenset({"sum_of_sums"})),
    "turned queries": Row(turned_queries, frozenset({"scale_smaller_operands"})),
    "values with ones": Row(with_ones, frozenset({"pad_by_concat"}), (1, 8, 64, 64)),
    "product with one number": Row(by_one_number, frozenset({"batched_matmul_by_sums", "pool_in_two"})),
    "normalized groups": Row(
        normalized_groups, frozenset({"standardize_rows", "reduction_as_reduce", "map_as_matrix"})
    ),
    "selected kernels": Row(selected_kernels, frozenset({"softmax_of_channels"})),
    "enlarged": Row(enlarged, frozenset({"resize_by_interp"})),
    "GELU of tokens": Row(gelu_of_tokens, frozenset({"combine_flat", "combine_in_groups"})),
    "softmax of windows": Row(softmax_of_windows, frozenset({"softmax_of_rows"})),
    "clamped": Row(clamped, frozenset({"affine_by_scale", "clamp_at_zero", "clamp_ends_in_turn"})),
    "shifted": Row(nn.Sequential(nn.ReLU(), LayerScale(), nn.ReLU()), frozenset({"bias_by_scale"})),
    "layer scale": Row(LayerScale(), frozenset({"bias_into_linear"})),
    "zigzag": Row(ZigZag(), frozenset({"gather_by_slices"})),
    "weighted heads": Row(weighted, frozenset({"affine_into_linear"})),
    "focal modulation": Row(modulated, frozenset({"combine_after_expanding_one"})),
    "pixels of patches": Row(unfolded, frozenset({"im2col_by_convolution"})),
    "turned twice": Row(turned_twice, frozenset({"permute_of_permute"})),
    "linear attention": Row(
        linear_attention, frozenset({"quotient_of_line_is_product", "reduce_by_convolution", "power_after_line"})
    ),
    "normalized channels": Row(normalized_channels, frozenset({"standardize_by_means", "tile_by_convolution"})),
    "normalized heads": Row(normalized_heads, frozenset({"standardize_after_permuting"})),
    "GELU's tanh form": Row(lambda x: F.gelu(x, approximate="tanh"), frozenset({"gelu_by_sigmoid", "keep_apart"})),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_block_takes_its_rules_and_means_the_same(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    row = ROWS[name]
    found = subject(settled(Block(row.function), torch.randn(4, *row.shape[1:])), [row.shape])
    assert faults(found, tmp_path, targets=TARGETS, rules=row.rules) == []
