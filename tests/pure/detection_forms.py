"""For each Formula on a detection layer forms at both sides of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from boundaries import ANCHORS, BOXES, DETECTION_BASES, PRIORS, REGIONS, YOLO, Form, form
from formulas import Sides

from torch2om.ir.op import Op
from torch2om.layers import (
    DetectionOutput,
    FSRDetectionOutput,
    PriorBox,
    Proposal,
    PSROIPooling,
    Region,
    ROIAlign,
    ROIPooling,
    SSDDetectionOutput,
    YoloDetectionOutput,
)


def changed(kind: type[Op], **fields: object) -> Form:
    base = DETECTION_BASES[kind]
    return replace(base, op=replace(base.op, **fields))


def priors(**fields: object) -> Form:
    return form(PriorBox((2.0,), **fields), (1, 3, 2, 2), (1, 3, 16, 16))  # type: ignore[arg-type]  # fields by name


def regions(kind: type[DetectionOutput | FSRDetectionOutput], count: int, classes: int = 2) -> Form:
    return form(kind(classes), (count, classes), (count, 4 * classes), (count, 5, 1, 1))


def classes(count: int) -> Form:
    return form(SSDDetectionOutput(count), (1, 8), (1, 2 * count), (1, 2, 8))


def anchors(count: int) -> Form:
    op = Proposal(ratio=(1.0,), scale=(8.0,) * count)
    return form(op, (1, 2 * count, 4, 4), (1, 4 * count, 4, 4), (1, 3))


def votes(height: int, width: int, rois: int = 2, batch: int = 1, cells: int = 2) -> Form:
    return form(PSROIPooling(1.0, 1, cells), (batch, cells**2, height, width), (rois, 5, 1, 1))


def aligned(shape: tuple[int, int, int, int], pooled: tuple[int, int] = (1, 1), points: int = -1) -> Form:
    return form(ROIAlign(pooled, 1.0, points), shape, (2, 5))


def pooled(height: int, width: int) -> Form:
    return form(ROIPooling((2, 2)), (1, 3, height, width), (2, 5))


def thresholds(kind: type[Op]) -> Sides:
    """Both thresholds lie between 0 and 1."""
    return Sides(
        (changed(kind, nms_threshold=0.001), changed(kind, confidence_threshold=0.999)),
        (
            changed(kind, nms_threshold=0.0),
            changed(kind, nms_threshold=1.0),
            changed(kind, confidence_threshold=0.0),
            changed(kind, confidence_threshold=1.0),
        ),
    )


def few_regions(kind: type[DetectionOutput | FSRDetectionOutput]) -> Sides:
    return Sides((regions(kind, 1024),), (regions(kind, 1025),))


BOTH = "nms_threshold and confidence_threshold are"

DETECTION_SIDES: Mapping[tuple[str, str], Sides] = MappingProxyType(
    {
        ("PriorBox", "variance has 1 or 4 values"): Sides(
            (priors(variance=(0.1,)), priors(variance=(0.1, 0.1, 0.2, 0.2))), (priors(),)
        ),
        ("PriorBox", "sizes are whole numbers"): Sides(
            (changed(PriorBox, max_size=(4.0,)),),
            (changed(PriorBox, max_size=(4.5,)), changed(PriorBox, min_size=(1.5,))),
        ),
        ("PriorBox", "min_size and max_size are set"): Sides((priors(max_size=(3.0,)),), (priors(),)),
        ("FSRDetectionOutput", "there are 2 classes or more"): Sides(
            (regions(FSRDetectionOutput, 3),), (regions(FSRDetectionOutput, 3, 1),)
        ),
        ("DetectionOutput", "there are 2 classes or more"): Sides(
            (regions(DetectionOutput, 3),), (regions(DetectionOutput, 3, 1),)
        ),
        ("SSDDetectionOutput", "there are at most 2048 classes"): Sides((classes(1), classes(2048)), (classes(2049),)),
        ("PSROIPooling", "group_size is at most 128"): Sides(
            (votes(128, 128, cells=128),), (votes(129, 129, cells=129),)
        ),
        ("FSRDetectionOutput", BOTH): thresholds(FSRDetectionOutput),
        ("FSRDetectionOutput", "it reads at most 1024 regions"): few_regions(FSRDetectionOutput),
        ("DetectionOutput", BOTH): thresholds(DetectionOutput),
        ("DetectionOutput", "it reads at most 1024 regions"): few_regions(DetectionOutput),
        ("DetectionOutput", "it reads regions"): Sides(
            (form(DetectionOutput(2), *REGIONS),),
            (form(DetectionOutput(2), *PRIORS), form(DetectionOutput(2), *PRIORS[:2], (1, 2, 8, 1))),
        ),
        ("Proposal", "scales * ratios is at most 64"): Sides((anchors(64),), (anchors(65),)),
        ("Proposal", "nms_thresh is above 0 and at most 1"): Sides(
            (changed(Proposal, threshold=0.001), changed(Proposal, threshold=1.0)),
            (changed(Proposal, threshold=0.0), changed(Proposal, threshold=1.001)),
        ),
        ("Proposal", "the image's size is [N, 3]"): Sides(
            (anchors(1), replace(anchors(1), bottoms=(*ANCHORS[:2], (1, 3, 1, 1)))),
            (replace(anchors(1), bottoms=(*ANCHORS[:2], (1, 4))), replace(anchors(1), bottoms=(*ANCHORS[:2], (2, 3)))),
        ),
        ("PSROIPooling", "there are 1 to 65535 regions"): Sides(
            (votes(8, 8, 1), votes(8, 8, 65535), votes(8, 8, 4, 2)), (votes(8, 8, 65536), votes(8, 8, 3, 2))
        ),
        ("PSROIPooling", "x is at least group_size high and wide"): Sides(
            (votes(2, 2), votes(2, 3584)), (votes(1, 2), votes(2, 1), votes(2, 3585))
        ),
        ("ROIAlign", "H * W is at most 5248"): Sides(
            (aligned((2, 1, 64, 82)), aligned((1, 1, 1, 40959))),
            (aligned((2, 1, 1, 5249)), aligned((1, 1, 1, 40960))),
        ),
        ("ROIAlign", "x has at most 1280 channels"): Sides((aligned((1, 1280, 2, 2)),), (aligned((1, 1281, 2, 2)),)),
        ("ROIAlign", "((C - 1) / 128 + 1) * pooled_w"): Sides(
            (aligned((1, 128, 1, 216), (1, 216), 0), aligned((1, 129, 1, 108), (1, 108))),
            (aligned((1, 128, 1, 217), (1, 217)), aligned((1, 129, 1, 109), (1, 109))),
        ),
        ("ROIAlign", "sampling_ratio times pooled_h or pooled_w"): Sides(
            (aligned((1, 1, 64, 64), (2, 64), 2), aligned((1, 1, 64, 64), (64, 2), 2)),
            (aligned((1, 1, 65, 65), (2, 65), 2), aligned((1, 1, 65, 65), (65, 2), 2)),
        ),
        ("ROIAlign", "x is at least pooled_h high and pooled_w wide"): Sides(
            (aligned((1, 1, 2, 3), (2, 3)),), (aligned((1, 1, 2, 3), (3, 3)), aligned((1, 1, 2, 3), (2, 4)))
        ),
        ("ROIPooling", "x is at most 120 high and wide"): Sides(
            (pooled(120, 68), pooled(68, 120)), (pooled(121, 1), pooled(1, 121), pooled(91, 90))
        ),
        ("SSDDetectionOutput", "top_k and keep_top_k are 1 to 1024"): Sides(
            (
                changed(SSDDetectionOutput, top_k=1, keep_top_k=1024),
                changed(SSDDetectionOutput, top_k=1024, keep_top_k=1),
            ),
            (
                changed(SSDDetectionOutput, top_k=0),
                changed(SSDDetectionOutput, top_k=1025),
                changed(SSDDetectionOutput, keep_top_k=0),
                changed(SSDDetectionOutput, keep_top_k=1025),
            ),
        ),
        ("SSDDetectionOutput", BOTH): Sides(
            (
                changed(SSDDetectionOutput, nms_threshold=0.0, confidence_threshold=1.0),
                changed(SSDDetectionOutput, nms_threshold=1.0, confidence_threshold=0.0),
            ),
            (
                changed(SSDDetectionOutput, nms_threshold=1.001),
                changed(SSDDetectionOutput, nms_threshold=-0.001),
                changed(SSDDetectionOutput, confidence_threshold=1.001),
                changed(SSDDetectionOutput, confidence_threshold=-0.001),
            ),
        ),
        ("Region", "x is at most 1536 wide"): Sides((form(YOLO, (1, 7, 1, 1536)),), (form(YOLO, (1, 7, 1, 1537)),)),
        ("YoloDetectionOutput", "its first 3 bottoms are the tops of one Region"): Sides(
            (form(YoloDetectionOutput(2, 1), *BOXES), Form(YoloDetectionOutput(2, 1), BOXES, (YOLO, YOLO, YOLO, None))),
            (
                Form(YoloDetectionOutput(2, 1), BOXES, (None, None, None, None)),
                Form(YoloDetectionOutput(2, 1), BOXES, (YOLO, YOLO, None, None)),
                Form(YoloDetectionOutput(2, 1), BOXES, (Region(3, 4, 1), YOLO, YOLO, None)),
                Form(YoloDetectionOutput(2, 1), BOXES, (*(ROIPooling(),) * 3, None)),
            ),
        ),
    }
)
