"""Convolutions, their transposes, linear layers and products of matrices."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 - everybody's name for it

from cases.case import Case, holding, layer, written

S = (2, 4, 7, 8)


class Twice(nn.Module):
    """A layer of two inputs, fed with one blob."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.layer(x, x)
        return y


class Attention(nn.Module):
    """A module that attends to itself, as torch.nn.MultiheadAttention is called."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        y, weights = self.attention(x, x, x)
        return y, weights


class ConditionalConvolution(nn.Module):
    """CondConv (Yang et al. 2019): each image has filters and a bias of its own, a mixture of three constant ones."""

    def __init__(self, channels: int, outputs: int, groups: int) -> None:
        super().__init__()
        self.groups = groups
        self.route = nn.Linear(channels, 3)
        self.filters = nn.Parameter(torch.randn(3, outputs * channels // groups * 9))
        self.bias = nn.Parameter(torch.randn(3, outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, channels, height, width = x.shape
        shares = self.route(x.mean((2, 3))).sigmoid()
        filters = (shares @ self.filters).reshape(-1, channels // self.groups, 3, 3)
        bias = (shares @ self.bias).reshape(-1)
        images = x.reshape(1, batch * channels, height, width)
        y = F.conv2d(images, filters, bias, padding=1, groups=batch * self.groups)
        return y.permute(1, 0, 2, 3).reshape(batch, -1, height, width)


def _with_mean_as_bias(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    return F.conv2d(x, w, x.mean((0, 2, 3)))


CASES: tuple[Case, ...] = (
    layer("nn.Conv2d", lambda: nn.Conv2d(4, 6, 3), S),
    layer("nn.Conv2d padded and strided", lambda: nn.Conv2d(4, 6, 3, stride=2, padding=1), S),
    layer("nn.Conv2d rectangular", lambda: nn.Conv2d(4, 6, (3, 2), stride=(1, 2), padding=(2, 1), dilation=(2, 1)), S),
    layer("nn.Conv2d without bias", lambda: nn.Conv2d(4, 6, 1, bias=False), S),
    layer("nn.Conv2d grouped", lambda: nn.Conv2d(4, 8, 3, groups=2), S),
    layer("nn.Conv2d depthwise", lambda: nn.Conv2d(4, 8, 3, groups=4, padding=1), S),
    layer("nn.Conv2d dilated", lambda: nn.Conv2d(4, 6, 3, dilation=2, padding=2), S),
    layer("nn.Conv2d same", lambda: nn.Conv2d(4, 6, 3, padding="same"), S),
    layer("nn.Conv2d same, even kernel", lambda: nn.Conv2d(4, 6, (4, 3), padding="same"), S),
    layer("nn.Conv2d valid", lambda: nn.Conv2d(4, 6, 3, padding="valid"), S),
    layer("nn.Conv2d reflect", lambda: nn.Conv2d(4, 6, 3, padding=1, padding_mode="reflect"), S),
    layer("nn.Conv2d replicate", lambda: nn.Conv2d(4, 6, 3, padding=1, padding_mode="replicate"), S),
    layer("nn.Conv2d circular", lambda: nn.Conv2d(4, 6, 3, padding=1, padding_mode="circular"), S),
    layer("nn.Conv2d unbatched", lambda: nn.Conv2d(4, 6, 3), S[1:]),
    layer("nn.Conv1d", lambda: nn.Conv1d(4, 6, 3, stride=2, padding=1), (2, 4, 9)),
    layer("nn.Conv1d same, even kernel", lambda: nn.Conv1d(4, 6, 4, padding="same"), (2, 4, 9)),
    layer("nn.Conv1d unbatched", lambda: nn.Conv1d(4, 6, 3), (4, 9)),
    layer("nn.Conv3d", lambda: nn.Conv3d(2, 3, 3), (1, 2, 5, 5, 5), refusal="three spatial dims"),
    holding("F.conv2d", lambda x, w: F.conv2d(x, w, padding=1), lambda: (torch.randn(5, 4, 3, 3),), S),
    written("conv by a computed filter", F.conv2d, S, (5, 4, 3, 3)),
    written(
        "conv by computed filters in groups",
        lambda x, w: F.conv2d(x, w, stride=(2, 1), padding=(1, 0), dilation=(1, 2), groups=2),
        S,
        (6, 2, 3, 2),
    ),
    written("conv1d by a computed filter", lambda x, w: F.conv1d(x, w, stride=2, padding=1), (2, 4, 9), (6, 4, 3)),
    written("conv with a computed bias", F.conv2d, S, (5, 4, 3, 3), (5,)),
    holding("conv by a constant with a computed bias", _with_mean_as_bias, lambda: (torch.randn(4, 4, 3, 3),), S),
    layer("conditional convolution", lambda: ConditionalConvolution(4, 6, groups=2), S),
    written(
        "transposed conv by a computed filter", F.conv_transpose2d, S, (4, 5, 3, 3), refusal="computed from the input"
    ),
    written("torch.cdist", torch.cdist, (2, 5, 3), (2, 4, 3)),
    written("torch.cdist of many", torch.cdist, (1, 30, 3), (1, 28, 3)),
    written("torch.cdist p=1", lambda x, y: torch.cdist(x, y, p=1.0), (5, 3), (4, 3)),
    layer("nn.ConvTranspose2d", lambda: nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1), S),
    layer("nn.ConvTranspose2d kernel 2", lambda: nn.ConvTranspose2d(4, 6, 2, stride=2), S),
    layer("output_padding 1", lambda: nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1), S),
    layer("output_padding of one dim", lambda: nn.ConvTranspose2d(4, 6, 3, 2, (1, 0), output_padding=(1, 0)), S),
    layer("output_padding beyond padding", lambda: nn.ConvTranspose2d(4, 6, 3, 3, (0, 1), output_padding=(1, 2)), S),
    layer("output_padding without bias", lambda: nn.ConvTranspose2d(4, 6, 3, 2, 0, output_padding=1, bias=False), S),
    layer("nn.ConvTranspose2d grouped and dilated", lambda: nn.ConvTranspose2d(4, 6, 3, 2, 1, groups=2, dilation=2), S),
    layer("nn.ConvTranspose2d unbatched", lambda: nn.ConvTranspose2d(4, 6, 3, 2, 1, output_padding=1), S[1:]),
    layer("nn.ConvTranspose1d", lambda: nn.ConvTranspose1d(4, 6, 3, 2, 1, output_padding=1), (2, 4, 5)),
    layer("nn.ConvTranspose3d", lambda: nn.ConvTranspose3d(2, 3, 3), (1, 2, 3, 3, 3), refusal="three spatial dims"),
    layer("nn.Linear", lambda: nn.Linear(8, 5), (3, 8)),
    layer("nn.Linear without bias", lambda: nn.Linear(8, 5, bias=False), (3, 8)),
    layer("nn.Linear on 1-D", lambda: nn.Linear(8, 5), (8,)),
    layer("nn.Linear on 3-D", lambda: nn.Linear(8, 5), (2, 3, 8)),
    layer("nn.Linear on 4-D", lambda: nn.Linear(8, 5), S),
    written("F.linear by a blob", F.linear, (3, 8), (5, 8)),
    written("F.linear by blobs with bias", F.linear, (3, 8), (5, 8), (5,)),
    written("matmul of blobs", torch.matmul, (2, 3, 4), (2, 4, 5)),
    written("@ of 2-D blobs", lambda x, y: x @ y, (3, 4), (4, 5)),
    written("@ broadcast", lambda x, y: x @ y, (2, 3, 4, 5), (5, 6)),
    written("@ of a vector", lambda x, y: x @ y, (2, 3, 4), (4,)),
    written("vector @", lambda x, y: x @ y, (3,), (3, 4)),
    written("bmm", torch.bmm, (2, 3, 4), (2, 4, 5)),
    written("mm", torch.mm, (3, 4), (4, 5)),
    written("mv", torch.mv, (3, 4), (4,)),
    written("dot", torch.dot, (5,), (5,)),
    written("outer", torch.outer, (3,), (4,)),
    written("addmm", lambda x, y, z: torch.addmm(x, y, z, beta=0.5, alpha=2), (5,), (3, 4), (4, 5)),
    written("baddbmm", torch.baddbmm, (2, 3, 5), (2, 3, 4), (2, 4, 5)),
    holding("@ constant", lambda x, w: x @ w, lambda: (torch.randn(8, 5),), (2, 3, 8)),
    holding("@ constant vector", lambda x, w: x @ w, lambda: (torch.randn(8),), (2, 3, 8)),
    holding("constant @", lambda x, w: w @ x, lambda: (torch.randn(5, 3),), (2, 3, 8)),
    holding("constant @ vector", lambda x, w: w @ x, lambda: (torch.randn(5, 3),), (3,)),
    holding("bmm constant", torch.bmm, lambda: (torch.randn(2, 4, 5),), (2, 3, 4)),
    written("einsum batch product", lambda x, y: torch.einsum("bij,bjk->bik", x, y), (2, 3, 4), (2, 4, 5)),
    written("einsum of channels", lambda x, y: torch.einsum("nchw,nc->nhw", x, y), S, (2, 4)),
    holding(
        "einsum by constant", lambda x, w: torch.einsum("bij,kj->bik", x, w), lambda: (torch.randn(5, 4),), (2, 3, 4)
    ),
    layer("nn.Bilinear", lambda: Twice(nn.Bilinear(3, 3, 2)), (2, 3)),
    written("scaled_dot_product_attention", F.scaled_dot_product_attention, (2, 2, 5, 4), (2, 2, 6, 4), (2, 2, 6, 4)),
    written("causal attention", lambda x: F.scaled_dot_product_attention(x, x, x, is_causal=True), (2, 2, 5, 4)),
    holding(
        "attention with a bool mask",
        lambda x, m: F.scaled_dot_product_attention(x, x, x, attn_mask=m),
        lambda: (torch.eye(5).bool() | (torch.rand(5, 5) > 0.5),),
        (2, 2, 5, 4),
    ),
    holding(
        "attention with a float mask",
        lambda x, m: F.scaled_dot_product_attention(x, x, x, attn_mask=m),
        lambda: (torch.randn(5, 5),),
        (2, 2, 5, 4),
    ),
    written(
        "attention by hand",
        lambda x, y: ((x @ y.transpose(-2, -1)) / math.sqrt(4)).softmax(-1) @ y,
        (2, 2, 5, 4),
        (2, 2, 6, 4),
    ),
    Case("nn.MultiheadAttention", Attention, ((2, 5, 8),)),
    layer("nn.TransformerEncoderLayer", lambda: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), (2, 5, 8)),
    written("cosine_similarity", F.cosine_similarity, (2, 4, 5), (2, 4, 5)),
    written("pairwise_distance", F.pairwise_distance, (3, 4), (3, 4)),
)
