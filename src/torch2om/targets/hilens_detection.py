"""HiLens's rows on the layers of SSD, Faster R-CNN, R-FCN, Mask R-CNN and YOLOv2."""

from __future__ import annotations

from torch2om.ir.op import elements
from torch2om.layers import (
    CodeType,
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
from torch2om.layers.detection_output import BoxPicking, reads_priors
from torch2om.targets.limits import After, Bottoms, Formula, Limit, OneOf, Range, Site

MOST_PLACES = (64 * 1024 - 8 * 1024) // 32  # of an image over its cells (#26)


def _picking(site: Site) -> BoxPicking:
    """Return the layer as one that picks boxes; one that does not is said to pick like any other."""
    op = site.layer.op
    return op if isinstance(op, BoxPicking) else SSDDetectionOutput(2)


def _classes(site: Site) -> int:
    return _picking(site).num_classes


def _counts(site: Site) -> tuple[int | None, int | None]:
    """Return how many boxes are looked at and how many are kept, where the layer says so."""
    return _picking(site).top_k, _picking(site).keep_top_k


def _thresholds(site: Site) -> tuple[float, ...]:
    """Return the thresholds that the layer has."""
    op = _picking(site)
    return op.nms_threshold, *(() if op.confidence_threshold is None else (op.confidence_threshold,))


def _shown_thresholds(site: Site) -> str:
    op = _picking(site)
    return f"nms_threshold is {op.nms_threshold:g}, confidence_threshold {op.confidence_threshold}"


def _has_sizes(site: Site) -> bool:
    op = site.layer.op
    return not isinstance(op, PriorBox) or len(op.max_size) > 0


def _anchors(site: Site) -> int:
    op = site.layer.op
    return op.anchors if isinstance(op, Proposal) else 0


def _image(site: Site) -> tuple[int, ...]:
    return site.bottoms[0][2:]


def _cells(site: Site) -> tuple[int, int]:
    """Return how many cells high and wide a region is pooled to."""
    op = site.layer.op
    if isinstance(op, PSROIPooling):
        return op.group_size, op.group_size
    return op.pooled if isinstance(op, ROIPooling | ROIAlign) else (1, 1)


def _image_of_cells(site: Site) -> bool:
    """Whether the image is at least as high and wide as the cells, and not too large for them."""
    (height, width), (down, across) = _image(site), _cells(site)
    return height >= down and width >= across and height * width <= MOST_PLACES * down * across


def _row_of_cells(site: Site) -> int:
    return ((site.bottoms[0][1] - 1) // 128 + 1) * _cells(site)[1]


def _aligned_image(site: Site) -> bool:
    batch, channels, height, width = site.bottoms[0]
    return height * width <= 5248 if batch > 1 else width * channels < 40960


def _points(site: Site) -> int:
    op = site.layer.op
    return op.sampling_ratio * max(op.pooled) if isinstance(op, ROIAlign) else 0


def _shown_image(site: Site) -> str:
    return f"x is {'x'.join(map(str, site.bottoms[0]))}, the cells are {'x'.join(map(str, _cells(site)))}"


FASTER_RCNN: tuple[Limit, ...] = (
    Formula("there are 2 classes or more", lambda site: _classes(site) > 1, "HiLens #9", lambda _: "there is 1 class"),
    Formula(
        "nms_threshold and confidence_threshold are above 0 and below 1",
        lambda site: all(0 < threshold < 1 for threshold in _thresholds(site)),
        "HiLens #9",
        _shown_thresholds,
    ),
    Formula(
        "it reads at most 1024 regions",
        lambda site: site.bottoms[2][0] <= 1024,
        "HiLens #9",
        lambda site: f"it reads {site.bottoms[2][0]} regions",
    ),
)

DETECTION: dict[type, tuple[Limit, ...]] = {
    FSRDetectionOutput: FASTER_RCNN,
    DetectionOutput: (
        Formula(
            "it reads regions: SSD's layer, which reads priors, must be of the type SSDDetectionOutput",
            lambda site: not reads_priors(site.bottoms),
            "HiLens #9, #38",
            lambda site: f"its third bottom is {list(site.bottoms[2])}",
        ),
        *FASTER_RCNN,
    ),
    PriorBox: (Formula("min_size and max_size are set", _has_sizes, "HiLens #24", lambda _: "it has no max_size"),),
    Proposal: (
        Range("pre_nms_topn", 1, 6144, "HiLens #25"),
        Range("post_nms_topn", 1, 1024, "HiLens #25"),
        Formula(
            "scales * ratios is at most 64",
            lambda site: _anchors(site) <= 64,
            "HiLens #25",
            lambda site: f"scales * ratios is {_anchors(site)}",
        ),
        Formula(
            "nms_thresh is above 0 and at most 1",
            lambda site: 0 < getattr(site.layer.op, "threshold", 1) <= 1,
            "HiLens #25",
            lambda site: f"nms_thresh is {getattr(site.layer.op, 'threshold', 1):g}",
        ),
        Formula(
            "the image's size is [N, 3], as many as the scores",
            lambda site: site.bottoms[2][:2] == (site.bottoms[0][0], 3) and elements(site.bottoms[2][2:]) == 1,
            "HiLens #25",
            lambda site: f"the third bottom is {list(site.bottoms[2])}",
        ),
    ),
    PSROIPooling: (
        Formula(
            "group_size is at most 128",
            lambda site: max(_cells(site)) <= 128,
            "HiLens #26",
            lambda site: f"group_size is {max(_cells(site))}",
        ),
        Formula(
            "there are 1 to 65535 regions, as many for each image",
            lambda site: 1 <= site.bottoms[1][0] <= 65535 and site.bottoms[1][0] % site.bottoms[0][0] == 0,
            "HiLens #26",
            lambda site: f"there are {site.bottoms[1][0]} regions for {site.bottoms[0][0]} images",
        ),
        Formula(
            f"x is at least group_size high and wide, and has at most {MOST_PLACES} places per cell",
            _image_of_cells,
            "HiLens #26",
            _shown_image,
        ),
    ),
    ROIAlign: (
        Formula(
            "H * W is at most 5248 for several images, W * C below 40960 for one",
            _aligned_image,
            "HiLens #29",
            _shown_image,
        ),
        Formula(
            "x has at most 1280 channels",
            lambda site: site.bottoms[0][1] <= 1280,
            "HiLens #29",
            lambda site: f"x has {site.bottoms[0][1]} channels",
        ),
        Formula(
            "((C - 1) / 128 + 1) * pooled_w is at most 216",
            lambda site: _row_of_cells(site) <= 216,
            "HiLens #29",
            lambda site: f"((C - 1) / 128 + 1) * pooled_w is {_row_of_cells(site)}",
        ),
        Formula(
            "sampling_ratio times pooled_h or pooled_w is at most 128",
            lambda site: _points(site) <= 128,
            "HiLens #29",
            lambda site: f"sampling_ratio times the larger of them is {_points(site)}",
        ),
        Formula(
            "x is at least pooled_h high and pooled_w wide",
            lambda site: all(size >= cells for size, cells in zip(_image(site), _cells(site), strict=True)),
            "HiLens #29",
            _shown_image,
        ),
    ),
    ROIPooling: (
        Formula(
            "x is at most 120 high and wide, and has at most 8160 places",
            lambda site: max(_image(site)) <= 120 and elements(_image(site)) <= 8160,
            "HiLens #30",
            _shown_image,
        ),
        Range("pooled", 1, 20, "HiLens #30"),
    ),
    SSDDetectionOutput: (
        Formula(
            "there are at most 2048 classes",
            lambda site: _classes(site) <= 2048,
            "HiLens #38",
            lambda site: f"there are {_classes(site)} classes",
        ),
        OneOf("share_location", (True,), "HiLens #38"),
        OneOf("eta", (1.0,), "HiLens #38"),
        OneOf("code_type", (CodeType.CENTER_SIZE,), "HiLens #38"),
        Formula(
            "top_k and keep_top_k are 1 to 1024",
            lambda site: all(count is None or 1 <= count <= 1024 for count in _counts(site)),
            "HiLens #38",
            lambda site: "top_k is {}, keep_top_k {}".format(*_counts(site)),
        ),
        Formula(
            "nms_threshold and confidence_threshold are 0 to 1",
            lambda site: all(0 <= threshold <= 1 for threshold in _thresholds(site)),
            "HiLens #38",
            _shown_thresholds,
        ),
    ),
    Region: (
        Formula(
            "x is at most 1536 wide",
            lambda site: _image(site)[1] <= 1536,
            "HiLens #42",
            lambda site: f"x is {_image(site)[1]} wide",
        ),
    ),
    YoloDetectionOutput: (
        Bottoms(4, 4, "HiLens #42"),
        Range("num_classes", 1, 10239, "HiLens #42"),
        Range("boxes", 1, 8, "HiLens #42"),
        After(Region, 3, "HiLens #42"),
    ),
}
