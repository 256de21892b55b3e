"""ATC's rules one by one, where the other files do not have them: a net that obeys and one that breaks each.

Types: GE parser/common/op_map.cc:25 and every REGISTER_CUSTOM_OP of CANN framework/caffe_plugin. Inputs of each op:
CANN op_proto/inc. Required fields: metadef proto/caffe/caffe.proto.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from atc_nets import IMAGE, Dims, caffemodel_for, input_layer, judged, judged_layer, net_of

from torch2om.caffe.caffemodel import StoredNet
from torch2om.frontend import Stage, judge
from torch2om.frontend.table import TABLE

X = input_layer("x", IMAGE)
RELU = 'layer { name: "l" type: "ReLU" bottom: "x" top: "y" }\n'
TYPES = """AbsVal AntiQuant ArgMax BasicRNNCell BatchNorm BatchedMatMul Bias BNLL Case Concat CondTake Convolution
    DepthwiseConvolution Correlation Crop Deconvolution DeQuant DequantS16 Eltwise Elu ELU Exp Flatten
    FSRDetectionOutput If _If StatelessIf InnerProduct Log LRN LSTM MatrixInverse Mish MVN Normalize PartitionedCall
    StatefulPartitionedCall Permute Pooling Power PReLU PriorBox Proposal PSROIPooling Quant Reduction ReLU RReLU
    LeakyReLU ReLU6 Reorg Requant RequantS16 Reverse RNN ROIAlign ROIPooling Scale ShuffleChannel Sigmoid Slice Softmax
    SpatialTransformer Split SPP SSDDetectionOutput TanH Threshold Tile Upsample WarpPerspective While _While
    StatelessWhile Yolo YoloV2DetectionOutput YoloV3DetectionOutput YoloV3DetectionOutputV2 Input DummyData Reshape
    Dropout NetOutput"""
NO_TYPES = """Accuracy Axpy BatchReindex Clip ContrastiveLoss Data ImageData MemoryData HDF5Data WindowData
    DetectionOutput Embed SoftmaxWithLoss EuclideanLoss Filter HDF5Output HardSwish Im2col Interp Parameter Resize
    Silence Swish ConvolutionDepthwise BN CReLU L2Norm Pad ROIPoolingAlign relu RELU convolution"""


@pytest.mark.parametrize("kind", TYPES.split())
def test_a_type_that_is_registered_passes_the_precheck(kind: str) -> None:
    assert "E13010" not in judged(net_of(kind, "")).codes


@pytest.mark.parametrize("kind", NO_TYPES.split())
def test_a_type_that_is_not_registered_stops_there(kind: str) -> None:
    judgement = judged(net_of(kind, ""))
    assert (judgement.stage, judgement.codes) == (Stage.MODEL, ("E13010",))


REGISTERED = (Path(__file__).parents[1] / "data" / "golden" / "atc" / "registered_ops.txt").read_text().split()


@pytest.mark.parametrize("kind", TABLE)
def test_the_op_of_every_type_is_registered(kind: str) -> None:
    """So ATC never prints E10501 about a file: that it does where the package of operators is not installed.

    Data and NetOutput are made without a look into the register (GE caffe_parser.cc, kAddTensorIrSkipNodes).
    """
    assert TABLE[kind].ir in {*REGISTERED, "Data", "NetOutput"}


NO_NODE = 'layer { name: "l" type: "Convolution" bottom: "x" top: "y" convolution_param { kernel_size: 1 } }\n'
AFTER = 'layer { name: "m" type: "ReLU" bottom: "%s" top: "z" }\n'


@pytest.mark.parametrize("text", [X + NO_NODE, X + NO_NODE + AFTER % "y", X + NO_NODE + AFTER % "nothing"])
def test_edges_are_looked_at_only_when_every_layer_is_a_node(text: str) -> None:
    """So E11014 and E11015, an edge from or to a layer that is no node, are never printed (caffe_parser.cc:1571)."""
    judgement = judged(text)
    assert (judgement.stage, judgement.codes) == (Stage.MODEL, judged(X + NO_NODE).codes)
    assert [found.layer for found in judgement.findings] == ["l"]
    assert judged(X + RELU + AFTER % "y").accepted
    assert judged(X + RELU + AFTER % "nothing").codes == ("E11012",)


DUMMY = 'layer { name: "x" type: "DummyData" top: "x" %s }\n'
INPUT = 'layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 } } }\n'
LABEL = X + RELU + 'layer { name: "a" type: "%s" bottom: "y" top: "z" %s }\n'

# what obeys, what breaks, and with which code
FILES = {
    "DummyData has a shape (caffe_data_parser.cc:121)": (
        DUMMY % "dummy_data_param { shape { dim: 3 } }" + RELU,
        DUMMY % "dummy_data_param { }" + RELU,
        "E11027",
    ),
    "DummyData has its message (caffe_data_parser.cc:148)": (
        DUMMY % "dummy_data_param { shape { dim: 3 } }" + RELU,
        DUMMY % "" + RELU,
        "E11005",
    ),
    "DummyData has one top (caffe_parser.cc:1421)": (
        DUMMY % "dummy_data_param { shape { dim: 3 } }" + RELU,
        DUMMY % 'top: "z" dummy_data_param { shape { dim: 3 } }' + RELU,
        "E11035",
    ),
    "a layer of type Data is none that ATC has (pre_checker.cc)": (
        INPUT + RELU,
        INPUT + RELU + 'layer { name: "d" type: "Data" top: "d" }',
        "E13010",
    ),
    "a layer for testing alone is not dropped (caffe_parser.cc:1170)": (
        LABEL % ("Accuracy", "include { phase: TRAIN }"),
        LABEL % ("Accuracy", "include { phase: TEST }"),
        "E13010",
    ),
    "the layer's own phase does not drop it (caffe_parser.cc:1170)": (
        LABEL % ("ReLU", "phase: TRAIN"),
        LABEL % ("Accuracy", "phase: TRAIN"),
        "E13010",
    ),
}


@pytest.mark.parametrize("rule", FILES)
def test_a_file_that_obeys_is_taken_and_one_that_breaks_is_not(rule: str) -> None:
    obeys, breaks, code = FILES[rule]
    taken = judged(obeys)
    assert taken.accepted, taken.findings
    refused = judged(breaks)
    assert (refused.stage, refused.codes) == (Stage.MODEL, (code,))


def test_the_name_of_an_input_field_may_have_any_letters() -> None:
    text = 'input: "a b" input_shape { dim: 2 } ' + RELU.replace('"x"', '"a b"')
    assert judged(text).accepted
    assert judged(text.replace('name: "l"', 'name: "l l"')).codes == ("E11018",)


REQUIRED = {
    "CondTake": ('condtake_param { mode: "a" val: 1 }', 'condtake_param { mode: "a" }'),
    "FSRDetectionOutput": (
        "fsrdetectionoutput_param { num_classes: 3 score_threshold: 1 iou_threshold: 1 }",
        "fsrdetectionoutput_param { num_classes: 3 score_threshold: 1 }",
    ),
    "PSROIPooling": (
        "psroi_pooling_param { spatial_scale: 1 output_dim: 1 group_size: 2 }",
        "psroi_pooling_param { spatial_scale: 1 output_dim: 1 }",
    ),
    "ROIPooling": ("roi_pooling_param { pooled_h: 2 pooled_w: 2 }", "roi_pooling_param { pooled_h: 2 }"),
    "SSDDetectionOutput": ("ssddetectionoutput_param { num_classes: 2 }", "ssddetectionoutput_param { top_k: 2 }"),
    "WarpPerspective": (
        "warp_perspective_param { out_height: 2 out_width: 3 }",
        "warp_perspective_param { out_height: 2 }",
    ),
}


@pytest.mark.parametrize("kind", REQUIRED)
def test_a_required_field_that_is_missing_spoils_the_whole_file(kind: str) -> None:
    whole, short = REQUIRED[kind]
    assert "E13005" not in judged(net_of(kind, whole)).codes
    judgement = judged(net_of(kind, short))
    assert (judgement.stage, judgement.codes) == (Stage.MODEL, ("E13005",))


SKIPPED = ("Split", "SoftmaxWithLoss", "Accuracy", "Data", "Dropout", "MultiLabelLMDB", "Python", "AnnotatedData")


@pytest.mark.parametrize("kind", SKIPPED)
def test_layers_of_these_types_are_passed_over_in_a_caffemodel(kind: str) -> None:
    text = net_of("Scale", "")
    stored = caffemodel_for(text, {"l": ((4,),)})
    assert isinstance(stored, StoredNet)
    assert judge(text, stored).accepted
    *others, layer = stored.layers
    assert judge(text, StoredNet("", (*others, replace(layer, type=kind)))).codes == ("E11029",)


@dataclass(frozen=True)
class Op:
    """A layer type with bottoms and blobs that ATC takes; how many of each its op has at least and at most."""

    params: str
    bottoms: tuple[Dims, ...]
    blobs: tuple[Dims, ...] = ()
    most: int = 0  # inputs in all, bottoms and blobs; 0: as many as are given

    @property
    def inputs(self) -> int:
        return self.most or len(self.bottoms) + len(self.blobs)


STEPS: tuple[Dims, ...] = ((3, 2, 7), (3, 2))
LSTM_BLOBS: tuple[Dims, ...] = ((20, 7), (20,), (20, 5))
ROIS: tuple[Dims, ...] = (IMAGE, (16, 5))
OPS = {
    "Scale": Op("", (IMAGE,), ((4,),), 3),
    "Bias": Op("", (IMAGE,), ((4,),)),
    "PReLU": Op("", (IMAGE,), ((4,),)),
    "Normalize": Op("", (IMAGE,), ((1,),)),
    "InnerProduct": Op("inner_product_param { num_output: 5 }", (IMAGE,), ((5, 256),), 4),
    "LSTM": Op("recurrent_param { num_output: 5 }", STEPS, LSTM_BLOBS, 9),
    "Crop": Op("", (IMAGE, (1, 4, 5, 5))),
    "PriorBox": Op("prior_box_param { min_size: 4 }", (IMAGE, IMAGE)),
    "ROIPooling": Op("roi_pooling_param { pooled_h: 2 pooled_w: 2 }", ROIS, most=3),
    "ROIAlign": Op("roi_align_param { pooled_h: 2 pooled_w: 2 spatial_scale: 1 }", ROIS, most=3),
    "PSROIPooling": Op("psroi_pooling_param { spatial_scale: 1 output_dim: 1 group_size: 2 }", (IMAGE, (1, 5, 16))),
    "BatchedMatMul": Op("", ((3, 4), (4, 6))),
    "Correlation": Op("", ((1, 4, 3, 3), IMAGE)),
    "Proposal": Op("", (IMAGE, IMAGE, (1, 3)), most=4),
    "SSDDetectionOutput": Op("ssddetectionoutput_param { num_classes: 2 }", ((2, 4), (2, 3), (1, 2))),
    "SpatialTransformer": Op("st_param { output_H: 2 }", (IMAGE,), most=2),
    **{
        kind: Op(params, (IMAGE,))
        for kind, params in {
            "AbsVal": "",
            "BNLL": "",
            "ELU": "",
            "Exp": "",
            "Flatten": "",
            "Log": "",
            "LRN": "",
            "Mish": "",
            "MVN": "",
            "Permute": "",
            "Power": "",
            "ReLU": "",
            "ReLU6": "",
            "Reduction": "",
            "Reorg": "",
            "Reverse": "",
            "ShuffleChannel": "",
            "Sigmoid": "",
            "Softmax": "",
            "SPP": "spp_param { pyramid_height: 1 }",
            "TanH": "",
            "Threshold": "",
            "Tile": "tile_param { tiles: 1 }",
            "Upsample": "",
        }.items()
    },
}


@pytest.mark.parametrize("kind", OPS)
def test_a_layer_has_no_more_bottoms_than_its_op_has_inputs(kind: str) -> None:
    op = OPS[kind]
    taken = judged_layer(kind, op.params, op.bottoms, op.blobs)
    assert taken.accepted, taken.findings
    many = (*op.bottoms, *(IMAGE,) * (op.inputs - len(op.bottoms) + 1))
    refused = judged_layer(kind, op.params, many, op.blobs)
    assert (refused.stage, len(refused.codes)) == (Stage.MODEL, 1)


@pytest.mark.parametrize("kind", [kind for kind, op in OPS.items() if not op.blobs])
def test_a_layer_has_all_the_bottoms_that_its_op_requires(kind: str) -> None:
    op = OPS[kind]
    refused = judged_layer(kind, op.params, op.bottoms[:-1], ())
    assert refused.stage in {Stage.MODEL, Stage.WEIGHTS}
    assert len(refused.codes) == 1


@pytest.mark.parametrize("kind", [kind for kind, op in OPS.items() if op.blobs])
def test_a_layer_has_all_the_blobs_that_its_op_requires(kind: str) -> None:
    op = OPS[kind]
    refused = judged_layer(kind, op.params, op.bottoms, op.blobs[:-1])
    assert (refused.stage, refused.codes) == (Stage.WEIGHTS, ("E19999",))


CONV = "convolution_param { %s }"
KERNEL: tuple[Dims, ...] = ((6, 4, 3, 3),)
IP = "inner_product_param { num_output: 5 %s }"
YOLO = "yolo_param { boxes: %d classes: %d }"
PSROI = "psroi_pooling_param { spatial_scale: 1 output_dim: %d group_size: %d }"
ROI = "roi_pooling_param { pooled_h: 2 pooled_w: 2 }"

# type, what obeys: (parameters, inputs, blobs), what breaks, the stage and the code
Given = tuple[str, tuple[Dims, ...], tuple[Dims, ...]]
I: tuple[Dims, ...] = (IMAGE,)  # noqa: E741 - the image that most layers read
LAYERS: dict[str, tuple[str, Given, Given, Stage, str]] = {
    "num_output is at least 1 (caffe_conv2d_plugin.cc)": (
        "Convolution",
        (CONV % "num_output: 6 kernel_size: 3", I, KERNEL),
        (CONV % "num_output: 0 kernel_size: 3", I, KERNEL),
        Stage.MODEL,
        "E50029",
    ),
    "a kernel is at least 1 (caffe_conv2d_plugin.cc)": (
        "Convolution",
        (CONV % "num_output: 6 kernel_size: 1", I, ((6, 4, 1, 1),)),
        (CONV % "num_output: 6 kernel_size: 0", I, KERNEL),
        Stage.MODEL,
        "E50029",
    ),
    "a pad has both sides (pooling_plugin.cc)": (
        "Pooling",
        ("pooling_param { kernel_size: 3 pad_h: 1 pad_w: 1 }", I, ()),
        ("pooling_param { kernel_size: 3 pad_h: 1 }", I, ()),
        Stage.MODEL,
        "E70009",
    ),
    "a matrix works along axis 1 or 2, from the end too (matrix_calculation_ops.cc:134)": (
        "InnerProduct",
        (IP % "axis: -3", I, ((5, 256),)),
        (IP % "axis: 0", I, ((5, 256),)),
        Stage.INFERSHAPE,
        "E89999",
    ),
    "a transposed matrix fits (matrix_calculation_ops.cc:134)": (
        "InnerProduct",
        (IP % "transpose: true", I, ((256, 5),)),
        (IP % "transpose: true", I, ((5, 256),)),
        Stage.INFERSHAPE,
        "E89999",
    ),
    "a scale's axis from the end (nn_norm_ops.cc:664)": (
        "Scale",
        ("scale_param { axis: -4 }", I, ((1,),)),
        ("scale_param { axis: -5 }", I, ((1,),)),
        Stage.INFERSHAPE,
        "E89999",
    ),
    "a bias's axis from the end (elewise_calculation_ops.cc:3364)": (
        "Bias",
        ("bias_param { axis: -4 }", I, ((1,),)),
        ("bias_param { axis: -5 }", I, ((1,),)),
        Stage.INFERSHAPE,
        "E89999",
    ),
    "joined along an axis from the end (split_combination_ops.cc:632)": (
        "Concat",
        ("concat_param { axis: -4 }", (IMAGE, IMAGE), ()),
        ("concat_param { axis: -5 }", (IMAGE, IMAGE), ()),
        Stage.INFERSHAPE,
        "E89999",
    ),
    "cropped along an axis from the end (selection_ops.cc:3453)": (
        "Crop",
        ("crop_param { axis: -4 }", (IMAGE, IMAGE), ()),
        ("crop_param { axis: -5 }", (IMAGE, IMAGE), ()),
        Stage.INFERSHAPE,
        "E89999",
    ),
    "tiled along an axis from the end (TileWithAxis)": (
        "Tile",
        ("tile_param { axis: -4 tiles: 2 }", I, ()),
        ("tile_param { axis: -5 tiles: 2 }", I, ()),
        Stage.INFERSHAPE,
        "E19999",
    ),
    "flattened up to the last axis (transformation_ops.cc:2760)": (
        "Flatten",
        ("flatten_param { axis: 3 end_axis: 3 }", I, ()),
        ("flatten_param { axis: 3 end_axis: 4 }", I, ()),
        Stage.INFERSHAPE,
        "E19999",
    ),
    "regions of an image (ROIPooling)": (
        "ROIPooling",
        (ROI, (IMAGE, (6000, 5)), ()),
        (ROI, ((4, 8, 8), (6000, 5)), ()),
        Stage.INFERSHAPE,
        "E89999",
    ),
    "regions of an image of 4 dims (PSROIPooling)": (
        "PSROIPooling",
        (PSROI % (1, 2), (IMAGE, (1, 5, 16)), ()),
        (PSROI % (1, 2), ((4, 8, 8), (1, 5, 16)), ()),
        Stage.INFERSHAPE,
        "E89999",
    ),
    "fewer than 128 groups (PSROIPooling)": (
        "PSROIPooling",
        (PSROI % (1, 127), ((1, 16129, 1, 1), (1, 5, 16)), ()),
        (PSROI % (1, 128), ((1, 16384, 1, 1), (1, 5, 16)), ()),
        Stage.INFERSHAPE,
        "E89999",
    ),
    "a region layer's boxes (Yolo)": (
        "Yolo",
        (YOLO % (1, 3), ((1, 8, 2, 3),), ()),
        (YOLO % (0, 3), ((1, 8, 2, 3),), ()),
        Stage.INFERSHAPE,
        "E89999",
    ),
    "a region layer's classes (Yolo)": (
        "Yolo",
        (YOLO % (1, 1024), ((1, 1029, 2, 3),), ()),
        (YOLO % (1, 1025), ((1, 1030, 2, 3),), ()),
        Stage.INFERSHAPE,
        "E89999",
    ),
    "a correlation of two images (Correlation)": (
        "Correlation",
        ("", ((1, 4, 3, 3), IMAGE), ()),
        ("", ((1, 4, 3), IMAGE), ()),
        Stage.INFERSHAPE,
        "E19999",
    ),
}


@pytest.mark.parametrize("rule", LAYERS)
def test_a_layer_that_obeys_is_taken_and_one_that_breaks_is_not(rule: str) -> None:
    kind, obeys, breaks, stage, code = LAYERS[rule]
    taken = judged_layer(kind, *obeys)
    assert taken.accepted, taken.findings
    refused = judged_layer(kind, *breaks)
    assert (refused.stage, refused.codes) == (stage, (code,)), refused.findings
