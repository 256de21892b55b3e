"""Nets that detect objects: what HiLens's table says of their layers, and the priors of SSD as numbers."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from atc_nets import input_layer

from torch2om.acceptance import Acceptance, examine_files
from torch2om.caffe.reader import parse_net
from torch2om.caffe_models import CaffeModel
from torch2om.errors import CaffeFileError
from torch2om.executor import execute
from torch2om.ir.op import BadOp, Op, Shape
from torch2om.layers import DetectionOutput, PriorBox, Proposal, Region, ROIPooling, SSDDetectionOutput
from torch2om.targets import target

HILENS = target("hilens")


def layer(name: str, kind: str, bottoms: str, param: str = "", *, tops: str = "") -> str:
    ends = "".join(f' bottom: "{bottom}"' for bottom in bottoms.split())
    ends += "".join(f' top: "{top}"' for top in (tops or name).split())
    return f'layer {{ name: "{name}" type: "{kind}"{ends} {param} }}\n'


def convolution(name: str, bottom: str, outputs: int) -> str:
    return layer(name, "Convolution", bottom, f"convolution_param {{ num_output: {outputs} kernel_size: 1 }}")


def priors(name: str, bottom: str, sizes: str) -> str:
    return layer(name, "PriorBox", f"{bottom} data", f"prior_box_param {{ {sizes} aspect_ratio: 2 variance: 0.1 }}")


def flat(name: str, bottom: str) -> str:
    permuted = layer(f"{name}_perm", "Permute", bottom, "permute_param { order: 0 order: 2 order: 3 order: 1 }")
    return permuted + layer(name, "Flatten", f"{name}_perm", "flatten_param { axis: 1 }")


# Two maps of 8 x 8 and 4 x 4 places with 4 priors each, 3 classes: 320 priors.
SSD = (
    input_layer("data", (1, 3, 64, 64))
    + layer("a", "Pooling", "data", "pooling_param { kernel_size: 8 stride: 8 }")
    + layer("b", "Pooling", "a", "pooling_param { kernel_size: 2 stride: 2 }")
    + "".join(convolution(f"{name}_loc", name, 16) + flat(f"{name}_loc_flat", f"{name}_loc") for name in "ab")
    + "".join(convolution(f"{name}_conf", name, 12) + flat(f"{name}_conf_flat", f"{name}_conf") for name in "ab")
    + priors("a_prior", "a", "min_size: 10 max_size: 20")
    + priors("b_prior", "b", "min_size: 20 max_size: 40")
    + layer("loc", "Concat", "a_loc_flat b_loc_flat", "concat_param { axis: 1 }")
    + layer("conf", "Concat", "a_conf_flat b_conf_flat", "concat_param { axis: 1 }")
    + layer("prior", "Concat", "a_prior b_prior", "concat_param { axis: 2 }")
)
PICKED = "detection_output_param { num_classes: 3 %s nms_param { nms_threshold: 0.45 top_k: 400 } keep_top_k: 200 }"
PICK = layer("found", "SSDDetectionOutput", "loc conf prior", PICKED % "code_type: CENTER_SIZE", tops="found boxes")

# Anchors of 3 scales and ratios on 38 x 50 places; 21 classes.
RPN = (
    input_layer("data", (1, 8, 38, 50))
    + input_layer("im_info", (1, 3))
    + convolution("rpn_cls_score", "data", 18)
    + layer("shaped", "Reshape", "rpn_cls_score", "reshape_param { shape { dim: 0 dim: 2 dim: -1 dim: 0 } }")
    + layer("prob", "Softmax", "shaped")
    + layer("scores", "Reshape", "prob", "reshape_param { shape { dim: 0 dim: 18 dim: -1 dim: 0 } }")
    + convolution("shifts", "data", 36)
)
ANCHORS = "ratio: 0.5 ratio: 1 ratio: 2 scale: 8 scale: 16 scale: 32"
ROIS = layer("rois", "Proposal", "scores shifts im_info", f"proposal_param {{ {ANCHORS} nms_thresh: 0.7 }}")
PYTHON = layer(
    "rois",
    "Python",
    "scores shifts im_info",
    'python_param { module: "rpn.proposal_layer" layer: "ProposalLayer" param_str: "\'feat_stride\': 16" }',
)
HEAD = (
    layer("pool", "ROIPooling", "data rois", "roi_pooling_param { pooled_w: 7 pooled_h: 7 spatial_scale: 0.0625 }")
    + layer("cls", "InnerProduct", "pool", "inner_product_param { num_output: 21 }")
    + layer("cls_prob", "Softmax", "cls")
    + layer("bbox", "InnerProduct", "pool", "inner_product_param { num_output: 84 }")
)
LIMITS = "detection_output_param { num_classes: 21 nms_threshold: 0.3 confidence_threshold: 0.8 }"
FASTER = RPN + ROIS + HEAD + layer("out", "FSRDetectionOutput", "cls_prob bbox rois", LIMITS, tops="out boxes")

R_FCN = (
    RPN
    + ROIS
    + convolution("maps", "data", 21 * 49)
    + layer(
        "votes", "PSROIPooling", "maps rois", "psroi_pooling_param { spatial_scale: 0.06 output_dim: 21 group_size: 7 }"
    )
)
MASK = (
    RPN
    + ROIS
    + layer("cut", "ROIAlign", "data rois", "roi_align_param { pooled_h: 14 pooled_w: 14 spatial_scale: 0.0625 }")
)
YOLO = (
    input_layer("data", (1, 4, 26, 26))
    + input_layer("size", (1, 4))
    + layer("squares", "Reorg", "data", "reorg_param { stride: 2 }")
    + convolution("conv", "squares", 125)
    + layer("region", "Region", "conv", "region_param { classes: 20 coords: 4 boxes: 5 }", tops="region obj classes")
    + layer(
        "found", "YOLODetectionOutput", "region obj classes size", "detection_output_param { num_classes: 20 boxes: 5 }"
    )
)


def judged(tmp_path: Path, text: str) -> Acceptance:
    path = tmp_path / "net.prototxt"
    path.write_text(text)
    return examine_files(path, None, HILENS)


ACCEPTED: dict[str, tuple[str, dict[str, Shape]]] = {
    "SSD": (SSD + PICK, {"found": (1, 8), "boxes": (1, 256, 8)}),
    "SSD without its last layer": (SSD, {"loc": (1, 1280), "conf": (1, 960), "prior": (1, 2, 1280, 1)}),
    "Faster R-CNN": (FASTER, {"out": (1, 32), "boxes": (1, 32, 304, 16)}),
    "Faster R-CNN with its Python layer": (RPN + PYTHON + HEAD, {"cls_prob": (304, 21), "bbox": (304, 84)}),
    "Faster R-CNN by the table's name": (
        FASTER.replace("FSRDetectionOutput", "DetectionOutput"),
        {"out": (1, 32), "boxes": (1, 32, 304, 16)},
    ),
    "R-FCN": (R_FCN, {"votes": (304, 21, 7, 7)}),
    "Mask R-CNN": (MASK, {"cut": (304, 8, 14, 14)}),
    "YOLOv2": (YOLO, {"found": (1, 6144)}),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_hilens_accepts_a_net_that_detects(name: str, tmp_path: Path) -> None:
    text, outputs = ACCEPTED[name]
    verdict = judged(tmp_path, text)
    assert verdict.findings == ()
    assert verdict.outputs == outputs


# The net, what is written instead of what, the layer that is refused and the row that refuses it.
REFUSED = {
    "SSD by its own Caffe's name": (SSD + PICK, "SSDDetectionOutput", "DetectionOutput", "found", "HiLens #9, #38"),
    "SSD with boxes told by corners": (SSD + PICK, "CENTER_SIZE", "CORNER", "found", "HiLens #38"),
    "SSD that keeps too many": (SSD + PICK, "keep_top_k: 200", "keep_top_k: 1025", "found", "HiLens #38"),
    "SSD without max_size": (SSD, "max_size: 40", "", "b_prior", "HiLens #24"),
    "Faster R-CNN with a threshold of 1": (FASTER, "nms_threshold: 0.3", "nms_threshold: 1", "out", "HiLens #9"),
    "Faster R-CNN with many regions": (FASTER, "nms_thresh: 0.7", "post_nms_topn: 1025", "rois", "HiLens #25"),
    "Faster R-CNN with a threshold of 0": (FASTER, "nms_thresh: 0.7", "nms_thresh: 0", "rois", "HiLens #25"),
    "Faster R-CNN with fine cells": (FASTER, "pooled_w: 7", "pooled_w: 21", "pool", "HiLens #30"),
    "Mask R-CNN with many points": (MASK, "pooled_h: 14", "pooled_h: 14 sampling_ratio: 10", "cut", "HiLens #29"),
    "YOLOv2 with 9 boxes": (YOLO, "num_classes: 20 boxes: 5", "num_classes: 20 boxes: 9", "found", "HiLens #42"),
    "YOLOv2 read in another order": (
        YOLO,
        'bottom: "obj" bottom: "classes"',
        'bottom: "classes" bottom: "obj"',
        "found",
        "HiLens #42",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_hilens_refuses_by_the_row_of_the_layer(name: str, tmp_path: Path) -> None:
    text, old, new, layer, source = REFUSED[name]
    assert old in text
    verdict = judged(tmp_path, text.replace(old, new))
    assert not verdict.accepted
    assert ("T402", layer, source) in {(found.code, found.layer, found.source) for found in verdict.findings}


@pytest.mark.parametrize(
    "said",
    ["", "'feat_stride'", "'feat_stride': [16]", "'feat_stride': -16", "'feat_stride': 1e999", "'scales': [8]", "{{}}"],
)
def test_a_python_layer_whose_words_are_others_is_refused(said: str, tmp_path: Path) -> None:
    verdict = judged(tmp_path, RPN + re.sub(r'param_str: ".*?"', f'param_str: "{said}"', PYTHON) + HEAD)
    assert [(found.code, found.layer) for found in verdict.findings] == [("F507", "rois")]


@pytest.mark.parametrize(
    ("op", "bottoms", "said"),
    [
        (PriorBox(), ((1, 3, 2, 2), (1, 3, 8, 8)), "no min_size"),
        (PriorBox((1.0,)), ((1, 3, 2), (1, 3, 8, 8)), r"needs bottoms \(N, C, H, W\)"),
        (Proposal(), ((1, 2, 4, 4), (1, 4, 4, 4), (1, 3)), "no scale or no ratio"),
        (Proposal(ratio=(1.0,), scale=(8.0,)), ((1, 4, 4, 4), (1, 4, 4, 4), (1, 3)), "1 anchors have 2 scores"),
        (Proposal(ratio=(1.0,), scale=(8.0,)), ((1, 2, 4, 4), (1, 4, 4, 5), (1, 3)), "places"),
        (ROIPooling((7, 7)), ((1, 3, 8, 8), (2, 4)), r"regions are \[n, 5, 1, 1\]"),
        (ROIPooling(), ((1, 3, 8, 8), (2, 5)), "not positive"),
        (Region(20, 4, 5), ((1, 124, 13, 13),), "is 125, x has 124 channels"),
        (SSDDetectionOutput(2), ((1, 8), (1, 4), (1, 8)), "priors are"),
        (SSDDetectionOutput(3), ((1, 8), (1, 4), (1, 2, 8)), "scores of 2 priors are 6"),
        (DetectionOutput(2), ((3, 2), (3, 4), (3, 5)), "shifts of 3 regions"),
        (DetectionOutput(), ((3, 2), (3, 8), (3, 5)), "no num_classes"),
    ],
)
def test_bottoms_that_do_not_belong_together_are_refused(op: Op, bottoms: tuple[Shape, ...], said: str) -> None:
    with pytest.raises(BadOp, match=said):
        op.infer(bottoms, ())


def test_priors_are_those_of_ssd() -> None:
    """The first map of SSD300: 38 x 38 places 8 apart, sizes 30 to 60, ratio 2; worked out by hand for the corner."""
    op = PriorBox((30.0,), (60.0,), (2.0,), variance=(0.1, 0.1, 0.2, 0.2), step=(8.0, 8.0))
    assert op.infer(((2, 512, 38, 38), (2, 3, 300, 300)), ()) == ((1, 2, 38 * 38 * 16),)
    boxes = op.boxes((2, 512, 38, 38), (2, 3, 300, 300))[0]
    root = np.sqrt(2.0)
    sides = [(30, 30), (np.sqrt(1800), np.sqrt(1800)), (30 * root, 30 / root), (30 / root, 30 * root)]
    corner = [[4 - w / 2, 4 - h / 2, 4 + w / 2, 4 + h / 2] for w, h in sides]
    np.testing.assert_allclose(boxes[0, :16], np.ravel(corner) / 300, rtol=1e-12)
    np.testing.assert_allclose(boxes[0, 16:20], [-3 / 300, -11 / 300, 27 / 300, 19 / 300], rtol=1e-12)
    np.testing.assert_allclose(boxes[0, -16:-12], [285 / 300, 285 / 300, 315 / 300, 315 / 300], rtol=1e-12)
    np.testing.assert_array_equal(boxes[1].reshape(-1, 4), [[0.1, 0.1, 0.2, 0.2]] * (38 * 38 * 4))


@pytest.mark.parametrize(
    ("op", "box"),
    [
        (PriorBox((2.9,)), (1, 3, 3, 5)),  # a size is cut to a whole number
        (PriorBox((2.0,), step=(2.0, 6.0)), (2, 0, 4, 2)),
        (PriorBox((2.0,), offset=0.0), (-1, -1, 1, 1)),
        (PriorBox((2.0,), offset=0.0, clip=True), (0, 0, 1, 1)),
        (PriorBox((2.0,), image=(16, 8), offset=0.25), (1, 3, 3, 5)),
    ],
)
def test_a_prior_stands_where_its_parameters_say(op: PriorBox, box: tuple[int, ...]) -> None:
    """The image is 8 high and 4 wide (or 16 and 8), of one place."""
    height, width = op.image if any(op.image) else (8, 4)
    boxes = op.boxes((1, 1, 1, 1), (1, 3, 8, 4))[0]
    np.testing.assert_allclose(boxes[0] * [width, height, width, height], box)
    np.testing.assert_array_equal(boxes[1], 0.1)


def test_a_ratio_counts_once() -> None:
    assert PriorBox((1.0,), aspect_ratio=(1.0, 2.0, 2.0, 0.5)).ratios == (2.0, 0.5)
    assert PriorBox((1.0, 2.0), aspect_ratio=(2.0, 3.0), flip=False).priors == 6


def test_ssd_runs_up_to_its_priors() -> None:
    text = SSD[: SSD.index('layer { name: "a_loc"')] + priors("p", "a", "min_size: 10 max_size: 20")
    found = execute(parse_net(text, None), {"data": np.zeros((1, 3, 64, 64))}, keep=["p"])["p"]
    assert found.shape == (1, 2, 8 * 8 * 4 * 4)


def test_a_layer_that_is_judged_alone_does_not_run() -> None:
    net = parse_net(RPN[: RPN.index('layer { name: "rpn')] + YOLO_HEAD, None)
    with pytest.raises(CaffeFileError, match=r"F510 \[region\]: Region is judged by `check` alone"):
        execute(net, {"data": np.zeros((1, 8, 38, 50)), "im_info": np.zeros((1, 3))})


YOLO_HEAD = layer("region", "Region", "data", "region_param { classes: 3 boxes: 1 }", tops="region obj classes")


def test_a_conversion_names_every_layer_that_is_judged_alone(tmp_path: Path) -> None:
    path = tmp_path / "net.prototxt"
    path.write_text(FASTER)
    with pytest.raises(CaffeFileError) as raised:
        CaffeModel(path).net()
    found = raised.value.diagnostics
    assert [(one.code, one.layer, one.origin.line) for one in found] == [
        ("F510", "rois", 8),
        ("F510", "pool", 9),
        ("F510", "out", 13),
    ]
    assert all("end the net before it" in one.hint for one in found)
