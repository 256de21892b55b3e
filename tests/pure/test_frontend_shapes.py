"""The dims that ATC infers, and where verifying a layer or inferring them fails."""

from __future__ import annotations

import pytest
from atc_nets import IMAGE, Dims, input_layer, judged, judged_layer, net_of

from torch2om.frontend import Stage

CONV = "convolution_param { num_output: 6 kernel_size: 3 %s }"
POOL = "pooling_param { kernel_size: %s }"
IP = "inner_product_param { num_output: 5 %s }"
RESHAPE = "reshape_param { shape { %s } %s }"
RNN = ((3, 2, 7), (3, 2))

# type, parameters, inputs, blobs, outputs
Case = tuple[str, str, tuple[Dims, ...], tuple[Dims, ...], tuple[Dims, ...]]
KERNEL: tuple[Dims, ...] = ((6, 4, 3, 3),)
I: tuple[Dims, ...] = (IMAGE,)  # noqa: E741 - the image that most layers read
SHAPES: dict[str, Case] = {
    "a convolution's size": ("Convolution", CONV % "pad: 1 stride: 2", I, KERNEL, ((1, 6, 4, 4),)),
    "a side that is not given is no pad": ("Convolution", CONV % "pad_h: 1", I, KERNEL, ((1, 6, 8, 6),)),
    "the blob counts, not num_output": ("Convolution", CONV % "", I, ((7, 4, 5, 3),), ((1, 7, 4, 6),)),
    "groups follow from the blob": ("Convolution", CONV % "", I, ((6, 2, 3, 3),), ((1, 6, 6, 6),)),
    "a kernel larger than the image": ("Convolution", CONV % "", ((1, 4, 1, 8),), KERNEL, ((1, 6, -1, 6),)),
    "a deconvolution's size": (
        "Deconvolution",
        CONV % "stride: 2 pad: 1 group: 2",
        I,
        ((4, 3, 4, 4),),
        ((1, 6, 16, 16),),
    ),
    "a pooling rounds up": ("Pooling", POOL % "3 stride: 2", ((1, 4, 8, 8),), (), ((1, 4, 4, 4),)),
    "a pooling rounds down": ("Pooling", POOL % "3 stride: 2 round_mode: FLOOR", I, (), ((1, 4, 3, 3),)),
    "ceil_mode is not read": ("Pooling", POOL % "3 stride: 2 ceil_mode: false", I, (), ((1, 4, 4, 4),)),
    "the last padded window begins inside": (
        "Pooling",
        POOL % "2 stride: 2 pad: 1",
        ((1, 4, 7, 8),),
        (),
        ((1, 4, 4, 5),),
    ),
    "a global pooling": ("Pooling", "pooling_param { global_pooling: true }", I, (), ((1, 4, 1, 1),)),
    "a pooling without stride": ("Pooling", POOL % "3 stride: 0", I, (), ((1, 4, -(2**63) + 1, -(2**63) + 1),)),
    "a dim of -2 makes the rank unknown": ("Pooling", POOL % "7", ((1, 1, 4, 4),), (), ((-2,),)),
    "pyramid": ("SPP", "spp_param { pyramid_height: 3 }", I, (), ((1, 84, 1, 1),)),
    "upsampling by stride": ("Upsample", "upsample_param { stride: 3 }", I, (), ((1, 4, 24, 24),)),
    "upsampling by two strides": ("Upsample", "upsample_param { stride_h: 3 }", I, (), ((1, 4, 24, 16),)),
    "a matrix at batch 1": ("InnerProduct", IP % "", I, ((5, 256),), ((1, 5, 1, 1),)),
    "a matrix at batch 2": ("InnerProduct", IP % "", ((2, 4),), ((5, 4),), ((2, 5),)),
    "a matrix along time": ("InnerProduct", IP % "axis: 2", ((1, 3, 4),), ((5, 4),), ((1, 3, 5),)),
    "a transposed matrix": ("InnerProduct", IP % "transpose: true", ((2, 4),), ((4, 5),), ((2, 5),)),
    "a product of blobs": ("BatchedMatMul", "", ((2, 1, 3, 4), (5, 4, 6)), (), ((2, 5, 3, 6),)),
    "a product with a vector": ("BatchedMatMul", "", ((3, 4), (4,)), (), ((3, 1),)),
    "a transposed product": ("BatchedMatMul", "batch_matmul_param { adj_x2: true }", ((3, 4), (6, 4)), (), ((3, 6),)),
    "an inverse": ("MatrixInverse", "", ((2, 3, 3),), (), ((2, 3, 3),)),
    "a correlation": ("Correlation", "", ((1, 4, 3, 3), IMAGE), (), ((1, 1, 6, 6),)),
    "a plain reshape": ("Reshape", RESHAPE % ("dim: -1 dim: 8", ""), I, (), ((32, 8),)),
    "a reshape that copies": ("Reshape", RESHAPE % ("dim: 0 dim: -1", ""), I, (), ((1, 256),)),
    "a reshape in the middle": (
        "Reshape",
        RESHAPE % ("dim: 2 dim: -1", "axis: 1 num_axes: 1"),
        I,
        (),
        ((1, 2, 2, 8, 8),),
    ),
    "flattened": ("Flatten", "", I, (), ((1, 256),)),
    "flattened in the middle": ("Flatten", "flatten_param { axis: 1 end_axis: -2 }", I, (), ((1, 32, 8),)),
    "permuted": ("Permute", "permute_param { order: 0 order: 2 }", I, (), ((1, 8, 4, 8),)),
    "joined": ("Concat", "concat_param { axis: -3 }", (IMAGE, (1, 2, 8, 8)), (), ((1, 6, 8, 8),)),
    "joined as the old field says": ("Concat", "concat_param { concat_dim: 0 }", (IMAGE, IMAGE), (), ((2, 4, 8, 8),)),
    "cropped": ("Crop", "", (IMAGE, (1, 9, 3, 5)), (), ((1, 4, 3, 5),)),
    "tiled": ("Tile", "tile_param { axis: -1 tiles: 3 }", I, (), ((1, 4, 8, 24),)),
    "blocks to channels": ("Reorg", "", I, (), ((1, 16, 4, 4),)),
    "channels to blocks": ("Reorg", "reorg_param { reverse: true }", I, (), ((1, 1, 16, 16),)),
    "reduced": ("Reduction", "reduction_param { axis: 2 }", I, (), ((1, 4),)),
    "reduced to nothing": ("Reduction", "", I, (), ((1,),)),
    "the first of unequal sums": ("Eltwise", "", (IMAGE, (2, 3)), (), (IMAGE,)),
    "where the largest are": ("ArgMax", "argmax_param { top_k: 2 }", I, (), ((1, 2),)),
    "the largest along an axis": ("ArgMax", "argmax_param { top_k: 2 axis: -3 }", I, (), ((1, 2, 8, 8),)),
    "an axis outside changes nothing": ("ArgMax", "argmax_param { axis: 7 }", I, (), (IMAGE,)),
    "a softmax along no axis of it": ("Softmax", "softmax_param { axis: 9 }", I, (), (IMAGE,)),
    "a scale by channels": ("Scale", "", I, ((4,),), (IMAGE,)),
    "a scale by all behind": ("Scale", "scale_param { num_axes: -1 }", I, ((4, 8, 8),), (IMAGE,)),
    "a scale by a bottom with ones behind": ("Scale", "scale_param { axis: 0 }", (IMAGE, (1, 4, 1, 1)), (), (IMAGE,)),
    "a bias of other dims": ("Bias", "", I, ((9,),), (IMAGE,)),
    "an LSTM": ("LSTM", "recurrent_param { num_output: 5 }", RNN, ((20, 7), (20,), (20, 5)), ((3, 2, 5),)),
    "an RNN": ("RNN", "recurrent_param { num_output: 5 }", RNN, ((5, 7), (5,), (5, 5), (4, 5), (4,)), ((3, 2, 5),)),
    "a cell has no outputs": ("BasicRNNCell", "", ((2, 7),), ((5, 7), (5,), (4, 5), (4,)), ((2, 0),)),
    "priors": (
        "PriorBox",
        "prior_box_param { min_size: 4 max_size: 9 aspect_ratio: 2 }",
        ((1, 4, 2, 3), IMAGE),
        (),
        ((1, 2, 96, 1),),
    ),
    "regions": ("ROIPooling", "roi_pooling_param { pooled_h: 2 pooled_w: 3 }", (IMAGE, (7, 5)), (), ((7, 4, 2, 3),)),
    "aligned regions": (
        "ROIAlign",
        "roi_align_param { pooled_h: 2 pooled_w: 3 spatial_scale: 1 }",
        (IMAGE, (7, 5)),
        (),
        ((7, 4, 2, 3),),
    ),
    "position-sensitive regions": (
        "PSROIPooling",
        "psroi_pooling_param { spatial_scale: 1 output_dim: 1 group_size: 2 }",
        (IMAGE, (1, 5, 16)),
        (),
        ((16, 1, 2, 2),),
    ),
    "a warped image": (
        "WarpPerspective",
        "warp_perspective_param { out_height: 2 out_width: 3 }",
        (IMAGE, (1, 9)),
        (),
        ((1, 4, 2, 3),),
    ),
    "a transformed image": ("SpatialTransformer", "st_param { output_H: 2 }", I, (), ((1, 4, 2, 8),)),
}


@pytest.mark.parametrize("what", SHAPES)
def test_the_dims_are_atcs(what: str) -> None:
    kind, params, inputs, blobs, outputs = SHAPES[what]
    judgement = judged_layer(kind, params, inputs, blobs)
    assert judgement.accepted, judgement.findings
    assert judgement.outputs == {f"l:{index}": tuple(dims) for index, dims in enumerate(outputs)}


MANY: dict[str, tuple[str, str, tuple[Dims, ...], tuple[Dims, ...]]] = {
    "equal parts": ("Slice", "", I, ((1, 2, 8, 8), (1, 2, 8, 8))),
    "parts between points": ("Slice", "slice_param { slice_point: 1 }", I, ((1, 1, 8, 8), (1, 3, 8, 8))),
    "nothing left for the last": ("Slice", "slice_param { slice_point: 4 }", I, ((1, 4, 8, 8), ())),
    "more points than cuts": (
        "Slice",
        "slice_param { slice_point: 1 slice_point: 3 }",
        I,
        ((1, 1, 8, 8), (1, 2, 8, 8)),
    ),
    "copies": ("Split", "", I, (IMAGE, IMAGE)),
    "indices and values": ("ArgMax", "", I, ((1, 1), (1, 1))),
    "boxes and counts": (
        "Proposal",
        "proposal_param { post_nms_topn: 20 }",
        (IMAGE, IMAGE, (1, 3)),
        ((1, 5, 32), (1, 8)),
    ),
    "counts and boxes": (
        "SSDDetectionOutput",
        "ssddetectionoutput_param { num_classes: 3 keep_top_k: 200 }",
        ((2, 4), (2, 3), (1, 2)),
        ((2, 8), (2, 256, 8)),
    ),
    "faces": (
        "FSRDetectionOutput",
        "fsrdetectionoutput_param { num_classes: 3 score_threshold: 1 iou_threshold: 1 }",
        ((1, 5, 16), (1, 4), (1, 3), (1, 3)),
        ((1, 3, 8), (1, 3, 16, 8)),
    ),
    "one scale of detections": (
        "YoloV2DetectionOutput",
        "yolov2_detection_output_param { biases: 1 }",
        (IMAGE, IMAGE, IMAGE, (1, 4)),
        ((1, 3072), (1, 8)),
    ),
    "three scales of detections": (
        "YoloV3DetectionOutput",
        "yolov3_detection_output_param { post_nms_topn: 10 }",
        (IMAGE, IMAGE),
        ((1, 60), (1, 8)),
    ),
    "three scales, boxes apart": (
        "YoloV3DetectionOutputV2",
        "yolov3_detection_output_v2_param { post_nms_topn: 10 }",
        (IMAGE, IMAGE),
        ((1, 6, 10), (1, 8)),
    ),
}


@pytest.mark.parametrize("what", MANY)
def test_each_top_has_its_dims(what: str) -> None:
    kind, params, inputs, outputs = MANY[what]
    judgement = judged(net_of(kind, params, inputs, tops=("y", "z")))
    assert judgement.accepted, judgement.findings
    assert list(judgement.outputs.values()) == [tuple(dims) for dims in outputs]


def test_yolo_has_three_tops() -> None:
    text = net_of("Yolo", "yolo_param { boxes: 1 classes: 3 }", ((1, 8, 2, 3),), tops=("a", "b", "c"))
    assert list(judged(text).outputs.values()) == [(1, 4, 32), (1, 32), (1, 3, 32)]


def test_what_follows_sees_atcs_dims() -> None:
    text = net_of("InnerProduct", IP % "") + (
        'layer { name: "s" type: "Slice" bottom: "y" top: "a" top: "b" slice_param { axis: -3 slice_point: 2 } }'
    )
    assert judged(text, {"l": ((5, 256),)}).outputs == {"s:0": (1, 2, 1, 1), "s:1": (1, 3, 1, 1)}


def test_a_dim_below_minus_two_is_refused_by_the_next_layer() -> None:
    text = net_of("Convolution", CONV % "", ((1, 4, 8, 8),)) + 'layer { name: "r" type: "ReLU" bottom: "y" top: "z" }'
    assert judged(text, {"l": ((6, 4, 10, 10),)}).accepted
    judgement = judged(text, {"l": ((6, 4, 12, 12),)})
    assert (judgement.stage, judgement.codes) == (Stage.INFERSHAPE, ("E19014",))


Refusal = tuple[str, str, tuple[Dims, ...], tuple[Dims, ...], str]
REFUSED: dict[str, Refusal] = {
    "a convolution of 3 dims": ("Convolution", CONV % "", ((1, 4, 8),), KERNEL, "E50060"),
    "a filter of 3 dims": ("Convolution", CONV % "", I, ((6, 4, 3),), "E50060"),
    "a bias of another size": ("Convolution", CONV % "", I, (*KERNEL, (5,)), "E50060"),
    "a third blob": ("Convolution", CONV % "", I, (*KERNEL, (6,), (6,)), "E50060"),
    "channels that do not fit the filter": ("Convolution", CONV % "", I, ((6, 3, 3, 3),), "E50060"),
    "channels that do not fit the groups": ("Convolution", CONV % "group: 2", I, KERNEL, "E50059"),
    "groups that do not divide the filter": ("Convolution", CONV % "", I, ((5, 2, 3, 3),), "E50060"),
    "a stride of 0": ("Convolution", CONV % "stride_h: 2", I, KERNEL, "E50029"),
    "a dilation of 0": ("Convolution", CONV % "dilation: 0", I, KERNEL, "E50029"),
    "a deconvolution of 3 dims": ("Deconvolution", CONV % "", ((1, 4, 8),), ((4, 6, 3, 3),), "E50029"),
    "a deconvolution's channels": ("Deconvolution", CONV % "", I, ((6, 4, 3, 3),), "E50031"),
    "a deconvolution's stride of 0": ("Deconvolution", CONV % "stride_w: 2", I, ((4, 6, 3, 3),), "E50029"),
    "a pooling of 3 dims": ("Pooling", POOL % "2", ((1, 4, 8),), (), "E89999"),
    "a pyramid of 3 dims": ("SPP", "spp_param { pyramid_height: 1 }", ((1, 4, 8),), (), "E70015"),
    "a pyramid too high": ("SPP", "spp_param { pyramid_height: 5 }", I, (), "E70007"),
    "a pyramid of 7": ("SPP", "spp_param { pyramid_height: 7 }", ((1, 4, 99, 99),), (), "E70007"),
    "a pyramid too wide": ("SPP", "spp_param { pyramid_height: 2 }", ((1, 1, 8, 511),), (), "E70007"),
    "a matrix along axis 3": ("InnerProduct", IP % "axis: 3", I, ((5, 8),), "E89999"),
    "a matrix of 4 dims": ("InnerProduct", IP % "", I, ((5, 256, 1, 1),), "E89999"),
    "a matrix that does not fit": ("InnerProduct", IP % "", I, ((5, 255),), "E89999"),
    "time without features": ("InnerProduct", IP % "axis: 2", ((2, 3),), ((5, 1),), "E69999"),
    "inner dims that differ": ("BatchedMatMul", "", ((3, 4), (5, 6)), (), "E70009"),
    "batches that differ": ("BatchedMatMul", "", ((2, 3, 4), (3, 4, 6)), (), "E69999"),
    "nine dims": ("BatchedMatMul", "", ((1,) * 9, (1, 1)), (), "E69999"),
    "an inverse of no square": ("MatrixInverse", "", ((2, 3),), (), "E19999"),
    "a correlation of other channels": ("Correlation", "", ((1, 3, 3, 3), IMAGE), (), "E19999"),
    "a scale's axis": ("Scale", "scale_param { axis: 4 }", I, ((4,),), "E89999"),
    "a scale's num_axes": ("Scale", "scale_param { num_axes: -2 }", I, ((4,),), "E89999"),
    "a scale of other dims": ("Scale", "", I, ((3,),), "E89999"),
    "a scale past the end": ("Scale", "scale_param { axis: 3 num_axes: 2 }", I, ((8, 1),), "E89999"),
    "a scale that is no scalar": ("Scale", "scale_param { num_axes: 0 }", I, ((1,),), "E89999"),
    "a scale bottom past the end": ("Scale", "", (IMAGE, (4, 8, 8, 1)), (), "E89999"),
    "a scale bottom of other dims": ("Scale", "", (IMAGE, (3,)), (), "E89999"),
    "a bias of 2 dims": ("Bias", "", I, ((4, 1),), "E89999"),
    "a bias bottom past the end": ("Bias", "", (IMAGE, (4, 8, 8, 1)), (), "E89999"),
    "joined along no axis": ("Concat", "concat_param { axis: 4 }", (IMAGE, IMAGE), (), "E89999"),
    "joined with other dims": ("Concat", "", (IMAGE, (1, 4, 8, 7)), (), "E89999"),
    "joined with other ranks": ("Concat", "", (IMAGE, (1, 4)), (), "E89999"),
    "cut along no axis": ("Slice", "slice_param { axis: 4 }", I, (), "E89999"),
    "cropped along no axis": ("Crop", "crop_param { axis: 4 }", (IMAGE, IMAGE), (), "E89999"),
    "tiled along no axis": ("Tile", "tile_param { axis: 4 tiles: 2 }", I, (), "E19999"),
    "tiled not at all": ("Tile", "tile_param { tiles: 0 }", I, (), "E19999"),
    "blocks that do not divide": ("Reorg", "reorg_param { stride: 3 }", I, (), "E89999"),
    "channels that do not divide": ("Reorg", "reorg_param { stride: 3 reverse: true }", I, (), "E89999"),
    "blocks of 0": ("Reorg", "reorg_param { stride: 0 }", I, (), "E89999"),
    "an axis of permute outside": ("Permute", "permute_param { order: 4 }", I, (), "E89999"),
    "reduced along no axis": ("Reduction", "reduction_param { axis: -5 }", I, (), "E89999"),
    "flattened backwards": ("Flatten", "flatten_param { axis: 2 end_axis: 1 }", I, (), "E19999"),
    "no largest": ("ArgMax", "argmax_param { top_k: 0 }", I, (), "E70007"),
    "two unknown dims": ("Reshape", RESHAPE % ("dim: -1 dim: -1", ""), I, (), "E14001"),
    "a dim below -1": ("Reshape", RESHAPE % ("dim: -2 dim: 128", ""), I, (), "E14001"),
    "another number of values": ("Reshape", RESHAPE % ("dim: 5", ""), I, (), "E14001"),
    "values that do not divide": ("Reshape", RESHAPE % ("dim: -1 dim: 5", ""), I, (), "E14001"),
    "no dims": ("Reshape", RESHAPE % ("", ""), I, (), "E14001"),
    "a reshape's axis": ("Reshape", RESHAPE % ("dim: -1", "axis: 5"), I, (), "E14001"),
    "a reshape's num_axes": ("Reshape", RESHAPE % ("dim: -1", "num_axes: -2"), I, (), "E14001"),
    "a reshape past the end": ("Reshape", RESHAPE % ("dim: -1", "axis: 3 num_axes: 2"), I, (), "E14001"),
    "a copy of no dim": ("Reshape", RESHAPE % ("dim: 256 dim: 1 dim: 1 dim: 1 dim: 0", ""), I, (), "E14001"),
    "a rest that does not divide": ("Reshape", RESHAPE % ("dim: 0 dim: -1 dim: 5", ""), I, (), "E14001"),
    "copies of another size": ("Reshape", RESHAPE % ("dim: 0 dim: 5", ""), I, (), "E14001"),
    "a sequence of 2 dims": (
        "RNN",
        "recurrent_param { num_output: 5 }",
        ((3, 2), (3, 2)),
        ((5, 7), (5,), (5, 5), (4, 5), (4,)),
        "E89999",
    ),
    "a cell of 3 dims": ("BasicRNNCell", "", ((2, 7, 1),), ((5, 7), (5,), (4, 5), (4,)), "E89999"),
    "priors of 3 dims": ("PriorBox", "prior_box_param { min_size: 4 }", ((1, 4, 8), IMAGE), (), "E19999"),
    "a ratio below 0": (
        "PriorBox",
        "prior_box_param { min_size: 4 aspect_ratio: -2 }",
        (IMAGE, IMAGE),
        (),
        "E70007",
    ),
    "too many regions": (
        "ROIPooling",
        "roi_pooling_param { pooled_h: 2 pooled_w: 3 }",
        (IMAGE, (6001, 5)),
        (),
        "E89999",
    ),
    "regions not in sixteens": (
        "ROIPooling",
        "roi_pooling_param { pooled_h: 2 pooled_w: 3 }",
        (IMAGE, (1, 5, 17)),
        (),
        "E89999",
    ),
    "groups of regions": (
        "PSROIPooling",
        "psroi_pooling_param { spatial_scale: 1 output_dim: 2 group_size: 2 }",
        (IMAGE, (1, 5, 16)),
        (),
        "E89999",
    ),
    "a region layer's channels": ("Yolo", "yolo_param { boxes: 1 classes: 3 }", I, (), "E89999"),
    "a region layer's coordinates": ("Yolo", "yolo_param { coords: 5 }", I, (), "E89999"),
    "faces of 2 dims": (
        "FSRDetectionOutput",
        "fsrdetectionoutput_param { num_classes: 3 score_threshold: 1 iou_threshold: 1 }",
        ((1, 5), (1, 4), (1, 3), (1, 3)),
        (),
        "E19999",
    ),
    "a warped image of 3 dims": (
        "WarpPerspective",
        "warp_perspective_param { out_height: 2 out_width: 3 }",
        ((1, 4, 8), (1, 9)),
        (),
        "E70015",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_inference_refuses(what: str) -> None:
    kind, params, inputs, blobs, code = REFUSED[what]
    judgement = judged_layer(kind, params, inputs, blobs)
    assert (judgement.stage, judgement.codes) == (Stage.INFERSHAPE, (code,)), judgement.findings
    assert judgement.outputs == {}


def test_parts_that_do_not_divide_are_refused() -> None:
    judgement = judged(net_of("Slice", "", ((1, 5, 8, 8),), tops=("y", "z")))
    assert (judgement.stage, judgement.codes) == (Stage.INFERSHAPE, ("E89999",))


def test_layers_behind_a_refused_one_are_not_judged() -> None:
    text = net_of("Tile", "tile_param { tiles: 0 }") + (
        'layer { name: "r" type: "Reduction" bottom: "y" top: "z" reduction_param { axis: 9 } }'
    )
    assert [finding.layer for finding in judged(text).findings] == ["l"]


def test_a_reshape_of_nothing_reads_half_of_each_dim() -> None:
    text = input_layer("x", (0, 4)) + (
        'layer { name: "l" type: "Reshape" bottom: "x" top: "y" reshape_param { shape { dim: 3 dim: 5 } } }'
    )
    assert judged(text).outputs == {"l:0": (3, 0)}
