"""Boxes: priors, regions, proposals, and the layers that pick the final ones."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from torch2om.caffe.schema import CaffeMessage
from torch2om.frontend.row import Row, ir_inputs
from torch2om.frontend.site import CANN, Site, demand, dim, quotient
from torch2om.ir.op import Shape

_PRIORS = f"{CANN} framework/caffe_plugin/caffe_prior_box_plugin.cc"
_OTHER = f"{CANN} op_proto/nn_other_ops.cc"
_DETECT = f"{CANN} op_proto/nn_detect_ops.cc"
_ROI = f"{CANN} op_proto/roipooling_ops.cc:71"
_PS_ROI = f"{CANN} op_proto/psroipooling_ops.cc"
_INNER, _SHAPE, _VALUE = "E89999", "E70009", "E70007"
_CLOSE = 1e-6


def _prior_box_plugin(layer: CaffeMessage) -> None:
    """Two bottoms, sizes spelled one way, positive min_size, each max_size above its min_size."""
    param = layer.prior_box_param
    demand(len(layer.bottom) == 2, f"it has {len(layer.bottom)} bottoms, not 2", _SHAPE, f"{_PRIORS}:49")
    _one_way(param, "img_h", "img_w", "img_size")
    _one_way(param, "step_h", "step_w", "step")
    least, most = list(param.min_size), list(param.max_size)
    demand(len(least) > 0, "it has no min_size", "E70005", f"{_PRIORS}:159")
    demand(min(least) > 0, f"min_size {least} is not positive", _VALUE, f"{_PRIORS}:152")
    if most:
        demand(len(most) == len(least), f"{len(most)} max_size for {len(least)} min_size", "", f"{_PRIORS}:165")
        larger = all(b > a for a, b in zip(least, most, strict=True))
        demand(larger, f"max_size {most} is not above min_size {least}", _VALUE, f"{_PRIORS}:173")


def _one_way(param: CaffeMessage, first: str, second: str, both: str) -> None:
    """`first` and `second`, or `both`; none of them negative."""
    by_side = param.HasField(first) or param.HasField(second)
    text = f"both {both} and {first} or {second} are given"
    demand(not (by_side and param.HasField(both)), text, _SHAPE, f"{_PRIORS}:69,105")
    lowest = min(getattr(param, name) for name in (first, second, both))
    demand(lowest >= 0, f"{first}, {second} or {both} is negative", _VALUE, f"{_PRIORS}:75-127")


def _prior_box(site: Site) -> tuple[Shape, ...]:
    """`y = [1, 2, H W priors 4, 1]`, priors per place: one per size and per aspect ratio."""
    x, param = site.shape("x"), site.layer.prior_box_param
    demand(len(x) >= 4, f"x has dims {list(x)}, not at least 4 of them", "", f"{_OTHER}:197")
    ratios = _ratios(param)
    sizes, most = len(param.min_size), len(param.max_size)
    priors = sizes + most if not param.aspect_ratio else sizes * (1 + len(ratios)) + most
    return ((1, 2, x[2] * x[3] * priors * 4, 1),)


def _ratios(param: CaffeMessage) -> list[float]:
    """Return the ratios without 1 and without one that is there already, each followed by its inverse with flip."""
    found: list[float] = []
    for ratio in param.aspect_ratio:
        value = float(np.float32(ratio))
        if any(abs(value - known) < _CLOSE for known in (1.0, *found)):
            continue
        found.append(value)
        if param.flip:
            demand(value > 0, f"aspect_ratio {value} is not positive", _VALUE, f"{_OTHER}:244")
            found.append(float(np.float32(1.0 / value)))
    return found


def _roi_pooling_plugin(layer: CaffeMessage) -> None:
    param = layer.roi_pooling_param
    positive = param.pooled_h > 0 and param.pooled_w > 0
    text = f"the pooled size is {param.pooled_h} x {param.pooled_w}"
    demand(positive, text, _SHAPE, f"{CANN} framework/caffe_plugin/roipooling_plugin.cc:50")


def _roi_pooling(site: Site) -> tuple[Shape, ...]:
    """`y = [regions, C, pooled_h, pooled_w]`: rois [n, 5] or [N, 5, n] with n at most 6000 (and a multiple of 16)."""
    x, rois, param = site.shape("x"), site.shape("rois"), site.layer.roi_pooling_param
    demand(len(x) >= 4, f"x has dims {list(x)}, not at least 4 of them", _INNER, _ROI)
    demand(len(rois) in (2, 3), f"rois has dims {list(rois)}, not 2 or 3 of them", _INNER, _ROI)
    count = rois[2] if len(rois) == 3 else rois[0]
    demand(count <= 6000, f"there are {count} regions, more than 6000", _INNER, _ROI)
    sixteens = len(rois) == 2 or count % 16 == 0
    demand(sixteens, f"{count} regions are not a multiple of 16", _INNER, _ROI)
    return ((count * x[0] if len(rois) == 3 else count, x[1], param.pooled_h, param.pooled_w),)


def _ps_roi_pooling(site: Site) -> tuple[Shape, ...]:
    """`y = [regions, output_dim, g, g]` with `C / g^2 = output_dim`."""
    x, rois, param = site.shape("x"), site.shape("rois"), site.layer.psroi_pooling_param
    demand(len(x) == 4, f"x has dims {list(x)}, not 4 of them", _INNER, f"{_PS_ROI}:67")
    demand(len(rois) >= 3, f"rois has dims {list(rois)}, not at least 3 of them", _INNER, f"{_PS_ROI}:67")
    group, outputs = param.group_size, param.output_dim
    demand(0 < group < 128, f"group_size is {group}, not 1 to 127", _INNER, f"{_PS_ROI}:31")
    fits = quotient(x[1], group**2) == outputs
    demand(fits, f"{x[1]} channels over {group} x {group} are not output_dim {outputs}", _INNER, f"{_PS_ROI}:31")
    return ((rois[0] * rois[2], outputs, group, group),)


def _roi_align(site: Site) -> tuple[Shape, ...]:
    """`y = [rois[0], C, pooled_h, pooled_w]`; nothing is verified."""
    param = site.layer.roi_align_param
    return ((dim(site.shape("rois"), 0), dim(site.shape("features"), 1), param.pooled_h, param.pooled_w),)


def _proposal(site: Site) -> tuple[Shape, ...]:
    """`rois = [N, 5, post_nms_topn]`, rounded up to a multiple of 16, and `[N, 8]` counts."""
    probability = site.shape("cls_prob")
    demand(len(probability) > 0, "cls_prob has no dims", "", f"{CANN} op_proto/selection_ops.cc:3245")
    count = quotient(site.layer.proposal_param.post_nms_topn + 15, 16) * 16
    return (probability[0], 5, count), (probability[0], 8)


def _yolo(site: Site) -> tuple[Shape, ...]:
    """Coordinates, object and class probabilities of `boxes (1 + coords + classes)` channels."""
    x, param = site.shape("x"), site.layer.yolo_param
    boxes, coords, classes, source = param.boxes, param.coords, param.classes, f"{_DETECT}:90"
    demand(len(x) >= 2, f"x has dims {list(x)}, not at least 2 of them", _INNER, source)
    demand(boxes >= 1, f"boxes is {boxes}, not at least 1", _INNER, source)
    demand(coords == 4, f"coords is {coords}, not 4", _INNER, source)
    demand(1 <= classes <= 1024, f"classes is {classes}, not 1 to 1024", _INNER, source)
    needed = boxes * (1 + coords + classes)
    demand(needed == x[1], f"x has {x[1]} channels, {needed} are needed", _INNER, source)
    demand(len(x) >= 4, f"x has dims {list(x)}, not at least 4 of them", _INNER, f"{_DETECT}:38")
    area = x[2] * x[3]
    row, rows = _padded(area), _padded(boxes * area)
    return (x[0], boxes * coords, row), (x[0], rows), (x[0], classes, rows)


def _padded(count: int) -> int:
    """Return half of `2 count + 32`, rounded up to a multiple of 32."""
    return quotient(quotient(count * 2 + 63, 32) * 32, 2)


def _most_boxes(param: CaffeMessage) -> int:
    """Return post_nms_topn; where the file does not name it the IR's default counts, not the message's."""
    return int(param.post_nms_topn) if param.HasField("post_nms_topn") else 512


def _yolo_v2(site: Site) -> tuple[Shape, ...]:
    """`[N, 6 post_nms_topn]` boxes and `[N, 8]` counts."""
    coordinates = site.shape("coord_data")
    demand(len(coordinates) > 0, "the coordinates have no dims", _INNER, f"{_DETECT}:144")
    most = _most_boxes(site.layer.yolov2_detection_output_param)
    return (coordinates[0], 6 * most), (coordinates[0], 8)


def _yolo_v3(site: Site) -> tuple[Shape, ...]:
    """`[N, 6 post_nms_topn]` boxes and `[N, 8]` counts (type YoloV3DetectionOutput: out_box_dim 2)."""
    x0 = site.shape_at(0)
    demand(len(x0) > 0, "the first bottom has no dims", _INNER, f"{_DETECT}:298")
    return (x0[0], 6 * _most_boxes(site.layer.yolov3_detection_output_param)), (x0[0], 8)


def _yolo_v3_v2(site: Site) -> tuple[Shape, ...]:
    """`[N, 6, post_nms_topn]` boxes, with out_box_dim 2 `[N, 6 post_nms_topn]`, and `[N, 8]` counts."""
    x0, param = site.shape_at(0), site.layer.yolov3_detection_output_v2_param
    demand(len(x0) > 0, "the first bottom has no dims", _INNER, f"{_DETECT}:348")
    most = _most_boxes(param)
    boxes = {2: (6 * most,), 3: (6, most)}.get(param.out_box_dim, ())
    return (x0[0], *boxes), (x0[0], 8)


def _ssd(site: Site) -> tuple[Shape, ...]:
    """`[N, 8]` counts and `[N, keep_top_k, 8]` boxes, keep_top_k (-1: 1024) rounded up to a multiple of 128."""
    boxes = site.shape("bbox_delta")
    demand(len(boxes) > 0, "the boxes have no dims", _INNER, f"{CANN} op_proto/ssddetectionoutput_ops.cc:34")
    keep = site.layer.ssddetectionoutput_param.keep_top_k
    kept = quotient((1024 if keep == -1 else keep) + 127, 128) * 128
    return (boxes[0], 8), (boxes[0], kept, 8)


def _fsr(site: Site) -> tuple[Shape, ...]:
    """`[N, classes, 8]` counts and `[N, classes, n, 8]` boxes of rois [N, ., n], n at most 1024."""
    rois, classes = site.shape("rois"), site.layer.fsrdetectionoutput_param.num_classes
    source = f"{CANN} op_proto/fsrdetectionoutput_ops.cc:30 (the process ends)"
    demand(len(rois) >= 3, f"rois has dims {list(rois)}, 3 of them are read", "", source)
    return (rois[0], classes, 8), (rois[0], classes, min(rois[2], 1024), 8)


def _values_then_counts(site: Site) -> tuple[str, ...]:
    return site.dtype(site.names[0]), "int32"


def _counts_then_values(site: Site) -> tuple[str, ...]:
    return "int32", site.dtype("bbox_delta")


_ALIGNED = tuple(f"roi_align_param.{name}" for name in ("spatial_scale", "pooled_h", "pooled_w"))

ROWS: Mapping[str, Row] = MappingProxyType(
    {
        "PriorBox": Row("PriorBox", ir_inputs("x img"), 1, _prior_box, _prior_box_plugin),
        "ROIPooling": Row("ROIPooling", ir_inputs("x rois roi_actual_num?"), 1, _roi_pooling, _roi_pooling_plugin),
        "ROIAlign": Row("ROIAlign", ir_inputs("features rois rois_n?"), 1, _roi_align, required=_ALIGNED),
        "PSROIPooling": Row("PSROIPooling", ir_inputs("x rois"), 1, _ps_roi_pooling),
        "Proposal": Row("Proposal", ir_inputs("cls_prob bbox_delta im_info"), 2, _proposal, types=_values_then_counts),
        "Yolo": Row("Yolo", ir_inputs("x"), 3, _yolo),
        "YoloV2DetectionOutput": Row(
            "YoloV2DetectionOutput",
            ir_inputs("coord_data obj_prob classes_prob img_info"),
            2,
            _yolo_v2,
            required=("yolov2_detection_output_param.biases",),
            types=_values_then_counts,
        ),
        "YoloV3DetectionOutput": Row(
            "YoloV3DetectionOutputV2", ir_inputs("x*"), 2, _yolo_v3, types=_values_then_counts
        ),
        "YoloV3DetectionOutputV2": Row(
            "YoloV3DetectionOutputV2D", ir_inputs("x*"), 2, _yolo_v3_v2, types=_values_then_counts
        ),
        "SSDDetectionOutput": Row(
            "SSDDetectionOutput", ir_inputs("bbox_delta score anchors"), 2, _ssd, types=_counts_then_values
        ),
        "FSRDetectionOutput": Row(
            "FSRDetectionOutput",
            ir_inputs("rois bbox_delta score im_info actual_rois_num?"),
            2,
            _fsr,
            types=_counts_then_values,
        ),
    }
)
