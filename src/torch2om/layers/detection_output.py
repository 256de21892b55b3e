"""The layers that pick the final boxes of SSD and Faster R-CNN: judged where they stand, not computed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from torch2om.ir.op import Shape, Shapes, need
from torch2om.ir.spelling import Spelling, Unwritten, spelled
from torch2om.layers.arity import exactly
from torch2om.layers.detection import Judged, aligned, region_count

_PRIORS_RANK = 3  # [1, 2, 4 * priors], of omg with a dim of 1 behind


class CodeType(StrEnum):
    """How a shift is told from its box: by its corners, by center and size, or by corners in sizes of the box."""

    CORNER = "CORNER"
    CENTER_SIZE = "CENTER_SIZE"
    CORNER_SIZE = "CORNER_SIZE"


@dataclass(frozen=True)
class BoxPicking(Judged):
    """y = the boxes that are sure enough, of each class, without those that overlap a surer one.

    Bottoms: shifts, scores and where they are from. Two tops: how many boxes there are, and the boxes; or the boxes
    alone. A number that is None is not given.
    """

    message = "detection_output_param"

    num_classes: int = 0
    share_location: bool = True
    code_type: CodeType = CodeType.CENTER_SIZE
    nms_threshold: float = spelled(Spelling("nms_param.nms_threshold", aliases=("nms_threshold",)), default=0.3)
    eta: float = spelled("nms_param.eta", default=1.0)
    top_k: int | None = spelled(Spelling("nms_param.top_k", aliases=("top_k",)), default=None)
    keep_top_k: int | None = None
    confidence_threshold: float | None = None
    tops: int = spelled(Unwritten(""), default=1)

    @property
    def kept(self) -> int:
        """How many boxes an image keeps at most; 1024 where no number is given."""
        return 1024 if self.keep_top_k in (None, -1) else int(self.keep_top_k or 0)

    def of_regions(self, bottoms: Shapes) -> tuple[Shape, ...]:
        """Return (1, classes), (1, classes, regions, 16): classes in blocks of 32, regions of 16.

        HiLens #9 says the 16; the rest is how the samples of Atlas 200 DK read what omg's Faster R-CNN gives.
        """
        regions = region_count(bottoms[2])
        for what, shape, width in (("scores", bottoms[0], 1), ("shifts", bottoms[1], 4)):
            wanted = (regions, width * self.num_classes)
            need(shape[:2] == wanted, f"{what} of {regions} regions are {list(wanted)}, not {list(shape)}")
        classes = aligned(self.num_classes, 32)
        return (1, classes), (1, classes, aligned(regions, 16), 16)

    def of_priors(self, bottoms: Shapes) -> tuple[Shape, ...]:
        """Return (N, 8), (N, kept, 8), kept in blocks of 128 (as CANN op_proto/ssddetectionoutput_ops.cc:34)."""
        shifts, scores, priors = bottoms
        count = priors[2] // 4
        located = 4 * count * (1 if self.share_location else self.num_classes)
        for what, shape, width in (("shifts", shifts, located), ("scores", scores, self.num_classes * count)):
            fits = len(shape) >= 2 and shape[1] == width
            need(fits, f"{what} of {count} priors are {width} per image, not {list(shape)}")
        return (shifts[0], 8), (shifts[0], aligned(self.kept, 128), 8)

    def picked(self, bottoms: Shapes, weights: Shapes, *, priors: bool) -> tuple[Shape, ...]:
        """Return the counts and the boxes, or the boxes alone where it has one top."""
        exactly(weights, 0, "weight")
        need(self.num_classes > 0, "it has no num_classes")
        need(self.tops in (1, 2), f"it has {self.tops} tops, 1 or 2 are needed")
        counts, boxes = self.of_priors(bottoms) if priors else self.of_regions(bottoms)
        return (counts, boxes)[-self.tops :]


def reads_priors(bottoms: Shapes) -> bool:
    """Whether the third bottom holds SSD's priors, [1, 2, 4 * priors] with any dims of 1 behind."""
    last = exactly(bottoms, 3)[2]
    return len(last) >= _PRIORS_RANK and last[:2] == (1, 2) and all(dim == 1 for dim in last[3:])


@dataclass(frozen=True)
class SSDDetectionOutput(BoxPicking):
    """y = SSD's final boxes, of shifts (N, 4P), scores (N, classes * P) and the priors (1, 2, 4P)."""

    caffe_type = "SSDDetectionOutput"

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return the counts and the boxes, or the boxes alone."""
        need(reads_priors(bottoms), f"priors are [1, 2, n], not {list(bottoms[2])}")
        return self.picked(bottoms, weights, priors=True)


@dataclass(frozen=True)
class FSRDetectionOutput(BoxPicking):
    """y = Faster R-CNN's final boxes, of scores (n, classes), shifts (n, 4 classes) and the regions (n, 5, 1, 1)."""

    caffe_type = "FSRDetectionOutput"

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return the counts and the boxes, or the boxes alone."""
        return self.picked(exactly(bottoms, 3), weights, priors=False)


@dataclass(frozen=True)
class DetectionOutput(BoxPicking):
    """y = the final boxes: SSD's own name for its layer, and HiLens's for that of Faster R-CNN (#9)."""

    caffe_type = "DetectionOutput"

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return the counts and the boxes, or the boxes alone."""
        return self.picked(bottoms, weights, priors=reads_priors(bottoms))
