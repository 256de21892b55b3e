"""torchvision's models with seeded weights, at sizes that keep the tests quick."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from torch2om.loading import repair_torchvision

repair_torchvision()

from torchvision import models  # noqa: E402 - it imports after the repair only

SIZES = {
    "alexnet": 64,
    "vgg11": 32,
    "vgg16_bn": 32,
    "resnet18": 64,
    "resnet50": 64,
    "resnext50_32x4d": 64,
    "wide_resnet50_2": 64,
    "squeezenet1_0": 64,
    "squeezenet1_1": 64,
    "googlenet": 64,
    "inception_v3": 107,
    "densenet121": 64,
    "mobilenet_v2": 64,
    "mobilenet_v3_small": 64,
    "mobilenet_v3_large": 64,
    "mnasnet1_0": 64,
    "shufflenet_v2_x1_0": 64,
    "efficientnet_b0": 64,
    "efficientnet_v2_s": 64,
    "regnet_x_400mf": 64,
    "regnet_y_400mf": 64,
    "fcn_resnet50": 64,
    "deeplabv3_resnet50": 64,
    "deeplabv3_mobilenet_v3_large": 64,
    "lraspp_mobilenet_v3_large": 64,
}

SEGMENTATION = ("fcn_", "deeplabv3_", "lraspp_")
# The two with initializations of their own draw truncated normals for a minute, and the head that inception_v3 has for
# training alone takes no small images.
OPTIONS: Mapping[str, Mapping[str, bool]] = {
    "googlenet": {"init_weights": False},
    "inception_v3": {"init_weights": False, "aux_logits": False},
}


def build(name: str, **options: bool) -> nn.Module:
    """Return the model with freshly drawn weights; options are torchvision's."""
    backbone = {"weights_backbone": None} if name.startswith(SEGMENTATION) else {}
    model: nn.Module = models.get_model(name, weights=None, **backbone, **OPTIONS.get(name, {}), **options)
    return model
