"""The layers that propose regions and look into them, and YOLOv2's: judged where they stand, not computed.

Each maker's compute something else under the same name, and omg's are described in words alone. So their tops have dims
here, for a target's table and for what follows, but no numbers. The dims are those of omg and, where its papers
are silent, of ATC, its successor.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch2om.ir.op import Array, Arrays, BadOp, Op, Shape, Shapes, need
from torch2om.ir.spelling import Spatial, Spelling, Unwritten, spelled
from torch2om.layers.arity import exactly

_BLOCK = 16  # regions stand in blocks of as many


class Judged(Op):
    """y = something of these dims: a layer whose numbers are not known."""

    computed = False

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - computes nothing
        """Raise `BadOp`: there are no numbers."""
        raise BadOp(f"what {self.caffe_type} computes is not known here")


def aligned(count: int, block: int) -> int:
    """Return the count rounded up to a multiple of the block."""
    return -(-count // block) * block


def region_count(shape: Shape) -> int:
    """Return how many regions a blob (n, 5, 1, 1), or (n, 5), holds; raise `BadOp` for other dims."""
    fits = len(shape) >= 2 and shape[1] == 5 and all(dim == 1 for dim in shape[2:])
    need(fits, f"regions are [n, 5, 1, 1], not {list(shape)}")
    return shape[0]


def _image(shape: Shape) -> Shape:
    need(len(shape) == 4, f"needs an image (N, C, H, W), not {list(shape)}")
    return shape


@dataclass(frozen=True)
class Proposal(Judged):
    """y = the `post_nms_topn` best regions (image, x1, y1, x2, y2) of Faster R-CNN's anchors, for each image.

    Bottoms: the anchors' scores (N, 2A, H, W), their shifts (N, 4A, H, W), the image's size (N, 3); A = scales *
    ratios. A second top holds how many regions there are.
    """

    caffe_type = "Proposal"
    message = "proposal_param"

    feat_stride: float = 16.0
    base_size: float = 16.0
    min_size: float = 16.0
    ratio: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()
    pre_nms_topn: int = 3000
    post_nms_topn: int = 304
    threshold: float = spelled(Spelling("iou_threshold", aliases=("nms_thresh",)), default=0.7)
    tops: int = spelled(Unwritten(""), default=1)

    @property
    def anchors(self) -> int:
        """How many anchors a place has."""
        return len(self.scale) * len(self.ratio)

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return (regions, 5, 1, 1), and (N, 8) for their number (HiLens #26; CANN op_proto/selection_ops.cc:3245)."""
        exactly(weights, 0, "weight")
        scores, shifts, _ = exactly(bottoms, 3)
        need(self.anchors > 0, "it has no scale or no ratio")
        for what, shape, channels in (("scores", scores, 2 * self.anchors), ("shifts", shifts, 4 * self.anchors)):
            fits = _image(shape)[1] == channels
            need(fits, f"{self.anchors} anchors have {channels} {what} per place, not {shape[1]}")
        need(scores[2:] == shifts[2:], f"scores and shifts are of {list(scores[2:])} and {list(shifts[2:])} places")
        rows = scores[0] * aligned(self.post_nms_topn, _BLOCK)
        return ((rows, 5, 1, 1), (scores[0], 8))[: self.tops]


def _cells_of_regions(bottoms: Shapes, weights: Shapes, pooled: tuple[int, int]) -> Shape:
    """Return (regions, C, pooled_h, pooled_w) of an image and its regions."""
    exactly(weights, 0, "weight")
    need(len(bottoms) >= 2, f"needs 2 bottoms or more, has {len(bottoms)}")
    need(min(pooled) > 0, f"pooled_h and pooled_w are {list(pooled)}, not positive")
    return (region_count(bottoms[1]), _image(bottoms[0])[1], *pooled)


@dataclass(frozen=True)
class ROIPooling(Judged):
    """y = the maxima of each region's pooled_h x pooled_w cells (Fast R-CNN)."""

    caffe_type = "ROIPooling"
    message = "roi_pooling_param"

    pooled: tuple[int, int] = spelled(Spatial("", height="pooled_h", width="pooled_w"), default=(0, 0))
    spatial_scale: float = 1.0

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return (regions, C, pooled_h, pooled_w)."""
        return (_cells_of_regions(bottoms, weights, self.pooled),)


@dataclass(frozen=True)
class ROIAlign(Judged):
    """y = the means of sampling_ratio^2 interpolated points of each region's cells (Mask R-CNN)."""

    caffe_type = "ROIAlign"
    message = "roi_align_param"

    pooled: tuple[int, int] = spelled(Spatial("", height="pooled_h", width="pooled_w"), default=(0, 0))
    spatial_scale: float = 1.0
    sampling_ratio: int = -1

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return (regions, C, pooled_h, pooled_w)."""
        return (_cells_of_regions(bottoms, weights, self.pooled),)


@dataclass(frozen=True)
class PSROIPooling(Judged):
    """y = the mean of each region's cell (i, j) in the channels that stand for (i, j) (R-FCN)."""

    caffe_type = "PSROIPooling"
    message = "psroi_pooling_param"

    spatial_scale: float = 0.0
    output_dim: int = 0
    group_size: int = 0

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return (regions, output_dim, group_size, group_size)."""
        exactly(weights, 0, "weight")
        x, regions = exactly(bottoms, 2)
        positive = min(self.spatial_scale, self.output_dim, self.group_size) > 0
        need(positive, "spatial_scale, output_dim and group_size must be positive")
        channels = self.output_dim * self.group_size**2
        need(_image(x)[1] == channels, f"output_dim * group_size^2 is {channels}, x has {x[1]} channels")
        return ((region_count(regions), self.output_dim, self.group_size, self.group_size),)


@dataclass(frozen=True)
class Region(Judged):
    """y = YOLOv2's boxes, how sure each is, and its classes, of boxes * (coords + 1 + classes) channels."""

    caffe_type = "Region"
    message = "region_param"

    classes: int = 20
    coords: int = 4
    boxes: int = 1

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return (N, boxes * coords, H * W), (N, boxes * H * W), (N, classes, boxes * H * W); places in blocks of 16.

        As ATC's Yolo, its successor (CANN op_proto/nn_detect_ops.cc:38).
        """
        exactly(weights, 0, "weight")
        (x,) = exactly(bottoms, 1)
        channels = self.boxes * (self.coords + 1 + self.classes)
        need(_image(x)[1] == channels, f"boxes * (coords + 1 + classes) is {channels}, x has {x[1]} channels")
        places = x[2] * x[3]
        row, rows = (aligned(2 * count + 32, 32) // 2 for count in (places, self.boxes * places))
        return (x[0], self.boxes * self.coords, row), (x[0], rows), (x[0], self.classes, rows)


@dataclass(frozen=True)
class YoloDetectionOutput(Judged):
    """y = the boxes that are left of YOLOv2's.

    Bottoms: the three tops of a Region, and the image's size. A second top holds how many boxes there are.
    """

    caffe_type = "YoloDetectionOutput"
    message = "detection_output_param"

    num_classes: int = 0
    boxes: int = 1
    keep_top_k: int = 1024
    tops: int = spelled(Unwritten(""), default=1)

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return (N, 6 * keep_top_k), and (N, 8) for their number (as CANN op_proto/nn_detect_ops.cc:144)."""
        exactly(weights, 0, "weight")
        boxes, *_ = exactly(bottoms, 4)
        need(self.num_classes > 0, "it has no num_classes")
        return ((boxes[0], 6 * self.keep_top_k), (boxes[0], 8))[: self.tops]
