"""Small detectors of torchvision's classes, as a user makes them: own backbones, own numbers of classes."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import nn

from torch2om.loading import repair_torchvision

repair_torchvision()

from torchvision.models import detection  # noqa: E402 - it imports after the repair only
from torchvision.models.detection.anchor_utils import AnchorGenerator, DefaultBoxGenerator  # noqa: E402
from torchvision.models.detection.ssd import SSD  # noqa: E402
from torchvision.ops import FrozenBatchNorm2d, MultiScaleRoIAlign  # noqa: E402


class Pyramid(nn.Module):
    """Two levels, of strides 4 and 8, with frozen batch norms of their own statistics."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.out_channels: int | list[int] = width
        self.stem = nn.Sequential(nn.Conv2d(3, width, 3, 4, 1), frozen(width), nn.ReLU())
        self.down = nn.Sequential(nn.Conv2d(width, width, 3, 2, 1), frozen(width), nn.ReLU())

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        fine = self.stem(x)
        return OrderedDict([("0", fine), ("1", self.down(fine))])


def frozen(channels: int) -> FrozenBatchNorm2d:
    norm = FrozenBatchNorm2d(channels)
    norm.weight.uniform_(0.5, 1.0)
    norm.bias.uniform_(0.5, 1.5)
    norm.running_mean.normal_(0, 0.2)
    norm.running_var.uniform_(0.2, 0.6)
    return norm


def anchors() -> AnchorGenerator:
    return AnchorGenerator(((16, 24), (32, 48)), ((0.5, 1.0, 2.0),) * 2)


def retinanet() -> nn.Module:
    made: nn.Module = detection.RetinaNet(Pyramid(), 4, min_size=64, max_size=64, anchor_generator=anchors())
    return made


def fcos() -> nn.Module:
    """Return one with as many channels as the group norms of its head have groups."""
    single = AnchorGenerator(((4,), (8,)), ((1.0,),) * 2)
    made: nn.Module = detection.FCOS(Pyramid(32), 3, min_size=64, max_size=64, anchor_generator=single)
    return made


def ssd() -> nn.Module:
    pyramid = Pyramid()
    pyramid.out_channels = [8, 8]  # one number for each level
    made: nn.Module = SSD(pyramid, DefaultBoxGenerator([[2], [2, 3]]), (64, 64), 5)
    return made


def keypoint_rcnn() -> nn.Module:
    def pool(size: int) -> MultiScaleRoIAlign:
        return MultiScaleRoIAlign(["0", "1"], size, 2)

    made: nn.Module = detection.KeypointRCNN(
        Pyramid(),
        2,
        num_keypoints=3,
        min_size=64,
        max_size=64,
        rpn_anchor_generator=anchors(),
        box_roi_pool=pool(7),
        keypoint_roi_pool=pool(14),
    )
    return made


def faster_rcnn() -> nn.Module:
    """Return a two-stage detector with a backbone of one level, which returns a tensor."""
    backbone = nn.Sequential(nn.Conv2d(3, 8, 3, 4, 1), frozen(8), nn.ReLU())
    backbone.out_channels = 8  # type: ignore[assignment]  # torchvision's own way of saying it
    single = AnchorGenerator(((16, 32),), ((0.5, 1.0, 2.0),))
    pool = MultiScaleRoIAlign(["0"], 7, 2)
    made: nn.Module = detection.FasterRCNN(
        backbone, 6, min_size=64, max_size=64, rpn_anchor_generator=single, box_roi_pool=pool
    )
    return made
