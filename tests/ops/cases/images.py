"""Pooling, resizing, padding, and elements moved between channels and space."""

from __future__ import annotations

from functools import partial

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 - everybody's name for it

from cases.case import Case, layer, written

S = (2, 4, 7, 8)
EVEN = (2, 4, 8, 8)

# Kernel, stride, padding: windows that Caffe lays otherwise than PyTorch are among them.
WINDOWS = (
    (2, 2, 0),
    (3, 2, 0),
    (3, 2, 1),
    (3, 1, 1),
    (2, 3, 0),
    (2, 3, 1),
    (1, 2, 0),
    ((3, 2), (2, 1), (1, 0)),
    (5, 3, 2),
)

POOLS: tuple[Case, ...] = tuple(
    layer(f"nn.{name} {kernel} {stride} {pad} {options}", partial(build, kernel, stride, pad, **options), S)
    for kernel, stride, pad in WINDOWS
    for ceil in (False, True)
    for name, build, options in (
        ("MaxPool2d", nn.MaxPool2d, {"ceil_mode": ceil}),
        ("AvgPool2d", nn.AvgPool2d, {"ceil_mode": ceil}),
        ("AvgPool2d", nn.AvgPool2d, {"ceil_mode": ceil, "count_include_pad": False}),
    )
)


def smooth(mode: str, size: tuple[int, int], corners: bool, x: torch.Tensor) -> torch.Tensor:
    return F.interpolate(x, size=size, mode=mode, align_corners=corners, antialias=True)


CASES: tuple[Case, ...] = (
    *POOLS,
    layer("nn.MaxPool2d dilated", lambda: nn.MaxPool2d(2, 1, dilation=2), S),
    layer("nn.MaxPool2d unbatched", lambda: nn.MaxPool2d(2), S[1:]),
    layer("nn.MaxPool2d indices", lambda: nn.MaxPool2d(2, return_indices=True), S, refusal="no counterpart"),
    written("F.max_pool2d", lambda x: F.max_pool2d(x, 2), S),
    written("max_pool2d values of two results", lambda x: F.max_pool2d(x, 2, return_indices=True)[0], S),
    written(
        "max_unpool2d",
        lambda x: F.max_unpool2d(*F.max_pool2d(x, 2, return_indices=True), [2, 2]),
        S,
    ),
    written(
        "max_unpool2d to the image's size, of equals",
        lambda x: F.max_unpool2d(*F.max_pool2d(x.round(), (2, 3), return_indices=True), [2, 3], output_size=[7, 8]),
        S,
    ),
    written(
        "max_unpool2d of other values, unbatched",
        lambda x: F.max_unpool2d(x[:, :3, :4] * 2, F.max_pool2d(x, 2, return_indices=True)[1], [2, 2]),
        S[1:],
    ),
    written(
        "max_unpool2d of windows that overlap",
        lambda x: F.max_unpool2d(*F.max_pool2d(x, 3, 2, return_indices=True), [3, 3], [2, 2]),
        S,
        refusal="write to",
    ),
    layer("nn.AvgPool2d divisor", lambda: nn.AvgPool2d(2, divisor_override=3), S),
    layer("nn.AvgPool2d divisor padded", lambda: nn.AvgPool2d(3, 2, 1, divisor_override=5), S),
    layer("nn.AvgPool2d divisor ceil", lambda: nn.AvgPool2d(3, 2, ceil_mode=True, divisor_override=5), S),
    layer(
        "nn.AvgPool2d divisor not counting",
        lambda: nn.AvgPool2d(3, 2, 1, count_include_pad=False, divisor_override=5),
        S,
    ),
    layer("nn.MaxPool1d", lambda: nn.MaxPool1d(3, 2, 1), (2, 4, 9)),
    layer("nn.MaxPool1d dilated", lambda: nn.MaxPool1d(3, 2, 1, dilation=2), (2, 4, 9)),
    layer("nn.AvgPool1d", lambda: nn.AvgPool1d(3, 2, 1), (2, 4, 9)),
    layer("nn.AvgPool1d without pad", lambda: nn.AvgPool1d(3, 2, 1, count_include_pad=False), (2, 4, 9)),
    layer("nn.MaxPool3d of space", lambda: nn.MaxPool3d((1, 2, 2)), (1, 2, 4, 4, 4)),
    layer("nn.AvgPool3d of depth", lambda: nn.AvgPool3d((2, 1, 1)), (1, 2, 4, 4, 4)),
    layer("nn.MaxPool3d", lambda: nn.MaxPool3d(2), (1, 2, 4, 4, 4), refusal="3-D pooling"),
    layer("nn.LPPool2d", lambda: nn.LPPool2d(2, 2), S),
    layer("nn.AdaptiveAvgPool2d 1", lambda: nn.AdaptiveAvgPool2d(1), S),
    layer("nn.AdaptiveAvgPool2d divides", lambda: nn.AdaptiveAvgPool2d((4, 2)), EVEN),
    layer("nn.AdaptiveAvgPool2d overlaps", lambda: nn.AdaptiveAvgPool2d((3, 5)), S),
    layer("nn.AdaptiveAvgPool2d larger", lambda: nn.AdaptiveAvgPool2d((7, 11)), S),
    layer("nn.AdaptiveAvgPool2d same size", lambda: nn.AdaptiveAvgPool2d((7, 8)), S),
    layer("nn.AdaptiveAvgPool2d None", lambda: nn.AdaptiveAvgPool2d((None, 2)), S),
    layer("nn.AdaptiveAvgPool2d unbatched", lambda: nn.AdaptiveAvgPool2d(1), S[1:]),
    layer("nn.AdaptiveMaxPool2d 1", lambda: nn.AdaptiveMaxPool2d(1), S),
    layer("nn.AdaptiveMaxPool2d overlaps", lambda: nn.AdaptiveMaxPool2d((3, 5)), S),
    layer("nn.AdaptiveAvgPool1d", lambda: nn.AdaptiveAvgPool1d(4), (2, 4, 9)),
    layer("nn.AdaptiveMaxPool1d", lambda: nn.AdaptiveMaxPool1d(3), (2, 4, 9)),
    layer("nn.Upsample nearest 2", lambda: nn.Upsample(scale_factor=2), S),
    layer("nn.Upsample nearest by axis", lambda: nn.Upsample(scale_factor=(2.0, 3.0)), S),
    layer("nn.Upsample nearest 1.5", lambda: nn.Upsample(scale_factor=1.5), S),
    layer("nn.Upsample nearest size", lambda: nn.Upsample(size=(5, 13)), S),
    layer("nn.Upsample nearest half", lambda: nn.Upsample(scale_factor=0.5), S),
    layer("nn.Upsample nearest 1-D", lambda: nn.Upsample(scale_factor=2), (2, 4, 5)),
    layer("nn.Upsample nearest-exact", lambda: nn.Upsample(scale_factor=1.5, mode="nearest-exact"), S),
    layer("nn.Upsample nearest-exact 2", lambda: nn.Upsample(scale_factor=2, mode="nearest-exact"), S),
    layer("nn.Upsample nearest-exact 1-D", lambda: nn.Upsample(size=7, mode="nearest-exact"), (2, 4, 5)),
    layer("nn.Upsample nearest 3-D", lambda: nn.Upsample(scale_factor=2), (1, 2, 3, 3, 3), refusal="three"),
    layer("nn.AdaptiveAvgPool3d", lambda: nn.AdaptiveAvgPool3d(2), (1, 2, 4, 4, 4), refusal="three"),
    layer("nn.UpsamplingNearest2d", lambda: nn.UpsamplingNearest2d(scale_factor=3), S),
    layer("nn.Upsample bilinear", lambda: nn.Upsample(scale_factor=2, mode="bilinear"), S),
    layer("nn.Upsample bilinear corners", lambda: nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True), S),
    layer("nn.UpsamplingBilinear2d", lambda: nn.UpsamplingBilinear2d(scale_factor=2), S),
    layer("nn.Upsample bilinear size", lambda: nn.Upsample(size=(5, 13), mode="bilinear"), S),
    layer("nn.Upsample bilinear 1.3", lambda: nn.Upsample(scale_factor=1.3, mode="bilinear"), S),
    written(
        "bilinear, scale recomputed",
        lambda x: F.interpolate(x, scale_factor=1.3, mode="bilinear", recompute_scale_factor=True),
        S,
    ),
    layer("nn.Upsample linear", lambda: nn.Upsample(scale_factor=2, mode="linear"), (2, 4, 5)),
    layer("nn.Upsample bicubic", lambda: nn.Upsample(scale_factor=2, mode="bicubic"), S),
    layer(
        "nn.Upsample trilinear", lambda: nn.Upsample(scale_factor=2, mode="trilinear"), (1, 2, 3, 3, 3), refusal="three"
    ),
    *(
        written(f"{mode} antialias {size} {corners}", partial(smooth, mode, size, corners), S)
        for mode in ("bilinear", "bicubic")
        for size, corners in (((3, 5), False), ((9, 4), True))
    ),
    written(
        "bilinear antialias by 0.4",
        lambda x: F.interpolate(x, scale_factor=0.4, mode="bilinear", antialias=True),
        S,
    ),
    written(
        "bicubic antialias by 1.1 and 2",
        lambda x: F.interpolate(x, scale_factor=(1.1, 2.0), mode="bicubic", antialias=True),
        S,
    ),
    written(
        "antialias to one column",
        lambda x: F.interpolate(x, size=(3, 1), mode="bilinear", antialias=True),
        S,
        refusal="one element wide",
    ),
    written("interpolate area", lambda x: F.interpolate(x, size=(3, 5), mode="area"), S),
    written("interpolate to the same size", lambda x: F.interpolate(x, size=x.shape[2:], mode="bilinear") + 1, S),
    written("interpolate by 1.1 to the same size", lambda x: F.interpolate(x, scale_factor=1.1, mode="bilinear"), S),
    written("interpolate nearest to the same size", lambda x: F.interpolate(x, size=x.shape[2:]) + 1, S),
    written("interpolate like another", lambda x, y: F.interpolate(x, size=y.shape[2:], mode="bilinear"), S, EVEN),
    layer("nn.ZeroPad2d", lambda: nn.ZeroPad2d((1, 2, 3, 0)), S),
    layer("nn.ConstantPad2d", lambda: nn.ConstantPad2d((1, 2, 0, 3), 2.5), S),
    layer("nn.ConstantPad1d", lambda: nn.ConstantPad1d((1, 2), -1.0), (2, 4, 5)),
    layer("nn.ReflectionPad2d", lambda: nn.ReflectionPad2d((1, 2, 3, 0)), S),
    layer("nn.ReflectionPad1d", lambda: nn.ReflectionPad1d(2), (2, 4, 5)),
    layer("nn.ReplicationPad2d", lambda: nn.ReplicationPad2d((1, 2, 3, 0)), S),
    layer("nn.CircularPad2d", lambda: nn.CircularPad2d((1, 2, 3, 0)), S),
    written("F.pad channels", lambda x: F.pad(x, (0, 0, 0, 0, 1, 2)), S),
    written("F.pad crops", lambda x: F.pad(x, (-1, -2, 0, -1)), S),
    written("F.pad crops and pads", lambda x: F.pad(x, (-1, 2, 3, -1)), S),
    layer("nn.PixelShuffle", lambda: nn.PixelShuffle(2), S),
    layer("nn.PixelShuffle 3", lambda: nn.PixelShuffle(3), (1, 18, 2, 3)),
    layer("nn.PixelUnshuffle", lambda: nn.PixelUnshuffle(2), EVEN),
    layer("nn.PixelShuffle unbatched", lambda: nn.PixelShuffle(2), S[1:]),
    layer("nn.ChannelShuffle", lambda: nn.ChannelShuffle(2), S),
    written("channel shuffle by hand", lambda x: x.view(2, 2, 2, 7, 8).transpose(1, 2).reshape(2, 4, 7, 8), S),
    layer("nn.Unfold", lambda: nn.Unfold((3, 2), dilation=(1, 2), padding=1, stride=2), S),
    layer("nn.Fold", lambda: nn.Fold((5, 6), (2, 3), stride=(1, 2), padding=(0, 1)), (2, 12, 12)),
    written("Tensor.unfold", lambda x: x.unfold(2, 3, 2), S),
    written("Tensor.unfold into few windows", lambda x: x.unfold(2, 4, 2), S),
    written(
        "space to depth by hand",
        lambda x: torch.cat([x[..., ::2, ::2], x[..., 1::2, ::2], x[..., 1::2, 1::2]], 1),
        EVEN,
    ),
    written(
        "grid_sample",
        lambda x: F.grid_sample(x, x[:, :2].permute(0, 2, 3, 1), align_corners=False),
        S,
        refusal="sampling",
    ),
)
