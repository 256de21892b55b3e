"""The parts of torchvision's detectors by name, with their usual inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from torch2om.detection.parts import box_part, dense_part, keypoint_part, mask_part
from torch2om.ir.op import Shape
from torch2om.loading.vision import repair_torchvision


@dataclass(frozen=True, slots=True)
class NamedPart:
    """A part of a detector that torchvision names: `cut` of `detector`, for inputs x of `shape` by default.

    `eps` is that of the batch norms, where it is not the detector's own: torchvision sets it to 0 in four detectors
    when it loads their weights COCO_V1, whose norms had none (_utils.py, overwrite_eps); a state dict does not say.
    """

    detector: str
    cut: Callable[[nn.Module], nn.Module]
    shape: Shape
    eps: float | None = None

    @property
    def name(self) -> str:
        """The detector's name, and for a further part what it is for: `maskrcnn_resnet50_fpn_mask`."""
        suffix = self.cut.__name__.removesuffix("_part")
        name = self.detector if suffix == "dense" else f"{self.detector}_{suffix}"
        return name if self.eps is None else f"{name}_coco_v1"

    def __call__(self, **options: Any) -> nn.Module:  # Any: what torchvision's function takes
        """Return the part in eval mode, with random weights: nothing is downloaded.

        Options are those of torchvision's function: `num_classes=21`.
        """
        repair_torchvision()
        from torchvision.models import get_model  # noqa: PLC0415 - it imports after the repair, and takes a second

        part = self.cut(get_model(self.detector, **{"weights": None, "weights_backbone": None, **options}))
        for module in part.modules():
            if isinstance(module, nn.BatchNorm2d) and self.eps is not None:
                module.eps = self.eps
        return part.eval()


_IMAGE, _SMALL_IMAGE = (1, 3, 800, 800), (1, 3, 320, 320)
_PROPOSALS, _DETECTIONS = (1000, 256, 7, 7), (100, 256, 14, 14)  # torchvision keeps at most so many after suppression

fasterrcnn_resnet50_fpn = NamedPart("fasterrcnn_resnet50_fpn", dense_part, _IMAGE)
fasterrcnn_resnet50_fpn_coco_v1 = NamedPart("fasterrcnn_resnet50_fpn", dense_part, _IMAGE, eps=0.0)
fasterrcnn_resnet50_fpn_box = NamedPart("fasterrcnn_resnet50_fpn", box_part, _PROPOSALS)
fasterrcnn_resnet50_fpn_v2 = NamedPart("fasterrcnn_resnet50_fpn_v2", dense_part, _IMAGE)
fasterrcnn_resnet50_fpn_v2_box = NamedPart("fasterrcnn_resnet50_fpn_v2", box_part, _PROPOSALS)
fasterrcnn_mobilenet_v3_large_fpn = NamedPart("fasterrcnn_mobilenet_v3_large_fpn", dense_part, _IMAGE)
fasterrcnn_mobilenet_v3_large_fpn_box = NamedPart("fasterrcnn_mobilenet_v3_large_fpn", box_part, _PROPOSALS)
fasterrcnn_mobilenet_v3_large_320_fpn = NamedPart("fasterrcnn_mobilenet_v3_large_320_fpn", dense_part, _SMALL_IMAGE)
fasterrcnn_mobilenet_v3_large_320_fpn_box = NamedPart(
    "fasterrcnn_mobilenet_v3_large_320_fpn", box_part, (150, 256, 7, 7)
)
maskrcnn_resnet50_fpn = NamedPart("maskrcnn_resnet50_fpn", dense_part, _IMAGE)
maskrcnn_resnet50_fpn_coco_v1 = NamedPart("maskrcnn_resnet50_fpn", dense_part, _IMAGE, eps=0.0)
maskrcnn_resnet50_fpn_box = NamedPart("maskrcnn_resnet50_fpn", box_part, _PROPOSALS)
maskrcnn_resnet50_fpn_mask = NamedPart("maskrcnn_resnet50_fpn", mask_part, _DETECTIONS)
maskrcnn_resnet50_fpn_v2 = NamedPart("maskrcnn_resnet50_fpn_v2", dense_part, _IMAGE)
maskrcnn_resnet50_fpn_v2_box = NamedPart("maskrcnn_resnet50_fpn_v2", box_part, _PROPOSALS)
maskrcnn_resnet50_fpn_v2_mask = NamedPart("maskrcnn_resnet50_fpn_v2", mask_part, _DETECTIONS)
keypointrcnn_resnet50_fpn = NamedPart("keypointrcnn_resnet50_fpn", dense_part, _IMAGE)
keypointrcnn_resnet50_fpn_coco_v1 = NamedPart("keypointrcnn_resnet50_fpn", dense_part, _IMAGE, eps=0.0)
keypointrcnn_resnet50_fpn_box = NamedPart("keypointrcnn_resnet50_fpn", box_part, _PROPOSALS)
keypointrcnn_resnet50_fpn_keypoint = NamedPart("keypointrcnn_resnet50_fpn", keypoint_part, _DETECTIONS)
retinanet_resnet50_fpn = NamedPart("retinanet_resnet50_fpn", dense_part, _IMAGE)
retinanet_resnet50_fpn_coco_v1 = NamedPart("retinanet_resnet50_fpn", dense_part, _IMAGE, eps=0.0)
retinanet_resnet50_fpn_v2 = NamedPart("retinanet_resnet50_fpn_v2", dense_part, _IMAGE)
fcos_resnet50_fpn = NamedPart("fcos_resnet50_fpn", dense_part, _IMAGE)
ssd300_vgg16 = NamedPart("ssd300_vgg16", dense_part, (1, 3, 300, 300))
ssdlite320_mobilenet_v3_large = NamedPart("ssdlite320_mobilenet_v3_large", dense_part, _SMALL_IMAGE)

PARTS = {value.name: value for value in list(globals().values()) if isinstance(value, NamedPart)}
