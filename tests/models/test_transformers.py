"""The families of transformers in torchvision, narrow and shallow, through all stages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pytest
import torch
from judging import faults, settled, subject
from sample import TAKES
from torch import nn

from torch2om.loading import repair_torchvision

repair_torchvision()

from torchvision.models import convnext, maxvit, swin_transformer, vision_transformer  # noqa: E402 - after the repair

SIZE = 64
SWIN = partial(
    swin_transformer.SwinTransformer, [4, 4], 16, [2, 2], [2, 4], [4, 4], num_classes=10, stochastic_depth_prob=0.0
)


def vit() -> nn.Module:
    model: nn.Module = vision_transformer.VisionTransformer(SIZE, 16, 2, 2, 32, 64, num_classes=10)
    return model


def swin_v2() -> nn.Module:
    kinds = swin_transformer.SwinTransformerBlockV2, swin_transformer.PatchMergingV2
    model: nn.Module = SWIN(block=kinds[0], downsample_layer=kinds[1])
    return model


def max_vit() -> nn.Module:
    model: nn.Module = maxvit.MaxVit((SIZE, SIZE), 16, 2, [16, 32], [1, 1], 8, 0.0, num_classes=10)
    return model


def conv_next() -> nn.Module:
    settings = [convnext.CNBlockConfig(16, 32, 1), convnext.CNBlockConfig(32, None, 1)]
    model: nn.Module = convnext.ConvNeXt(settings, num_classes=10)
    return model


MODELS: Mapping[str, Callable[[], nn.Module]] = {
    "vit": vit,
    "swin": SWIN,
    "swin_v2": swin_v2,
    "maxvit": max_vit,
    "convnext": conv_next,
}


@pytest.mark.parametrize("name", MODELS)
def test_a_family_of_transformers_means_the_same_on_every_target(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = MODELS[name]()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.empty_like(parameter).uniform_(-0.1, 0.1))  # heads of 0, layer scales of 1e-6
    found = subject(settled(model, torch.randn(4, 3, SIZE, SIZE)), [(1, 3, SIZE, SIZE)])
    assert faults(found, tmp_path, 1.05 * found.macs, ["caffe", "ascend310"], TAKES.get(name, ())) == []
    assert faults(found, tmp_path, targets=["opencv"]) == []
