"""torchvision's detectors, cut where their shapes are fixed: each part of each detector by name, and for any detector.

`torch2om.detection:ssd300_vgg16` is the dense part of torchvision's ssd300_vgg16: backbone and heads, from a batch of
normalized images to raw outputs. Two-stage detectors go on after RoI pooling: `..._box`, `..._mask`, `..._keypoint`.
`dense_part(model)` and its like cut a detector that stands in Python. docs/detection.md says what each part computes,
and what the host does between and after them.
"""

from __future__ import annotations

from torch2om.detection.catalog import (
    PARTS,
    fasterrcnn_mobilenet_v3_large_320_fpn,
    fasterrcnn_mobilenet_v3_large_320_fpn_box,
    fasterrcnn_mobilenet_v3_large_fpn,
    fasterrcnn_mobilenet_v3_large_fpn_box,
    fasterrcnn_resnet50_fpn,
    fasterrcnn_resnet50_fpn_box,
    fasterrcnn_resnet50_fpn_coco_v1,
    fasterrcnn_resnet50_fpn_v2,
    fasterrcnn_resnet50_fpn_v2_box,
    fcos_resnet50_fpn,
    keypointrcnn_resnet50_fpn,
    keypointrcnn_resnet50_fpn_box,
    keypointrcnn_resnet50_fpn_coco_v1,
    keypointrcnn_resnet50_fpn_keypoint,
    maskrcnn_resnet50_fpn,
    maskrcnn_resnet50_fpn_box,
    maskrcnn_resnet50_fpn_coco_v1,
    maskrcnn_resnet50_fpn_mask,
    maskrcnn_resnet50_fpn_v2,
    maskrcnn_resnet50_fpn_v2_box,
    maskrcnn_resnet50_fpn_v2_mask,
    retinanet_resnet50_fpn,
    retinanet_resnet50_fpn_coco_v1,
    retinanet_resnet50_fpn_v2,
    ssd300_vgg16,
    ssdlite320_mobilenet_v3_large,
)
from torch2om.detection.parts import box_part, dense_part, keypoint_part, mask_part

__all__ = [
    "PARTS",
    "box_part",
    "dense_part",
    "fasterrcnn_mobilenet_v3_large_320_fpn",
    "fasterrcnn_mobilenet_v3_large_320_fpn_box",
    "fasterrcnn_mobilenet_v3_large_fpn",
    "fasterrcnn_mobilenet_v3_large_fpn_box",
    "fasterrcnn_resnet50_fpn",
    "fasterrcnn_resnet50_fpn_box",
    "fasterrcnn_resnet50_fpn_coco_v1",
    "fasterrcnn_resnet50_fpn_v2",
    "fasterrcnn_resnet50_fpn_v2_box",
    "fcos_resnet50_fpn",
    "keypoint_part",
    "keypointrcnn_resnet50_fpn",
    "keypointrcnn_resnet50_fpn_box",
    "keypointrcnn_resnet50_fpn_coco_v1",
    "keypointrcnn_resnet50_fpn_keypoint",
    "mask_part",
    "maskrcnn_resnet50_fpn",
    "maskrcnn_resnet50_fpn_box",
    "maskrcnn_resnet50_fpn_coco_v1",
    "maskrcnn_resnet50_fpn_mask",
    "maskrcnn_resnet50_fpn_v2",
    "maskrcnn_resnet50_fpn_v2_box",
    "maskrcnn_resnet50_fpn_v2_mask",
    "retinanet_resnet50_fpn",
    "retinanet_resnet50_fpn_coco_v1",
    "retinanet_resnet50_fpn_v2",
    "ssd300_vgg16",
    "ssdlite320_mobilenet_v3_large",
]
