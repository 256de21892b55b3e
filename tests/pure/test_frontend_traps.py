"""What ATC takes and then computes otherwise, or stops at later: accepted, with a warning that says so."""

from __future__ import annotations

from dataclasses import replace

import pytest
from atc_nets import IMAGE, Dims, caffemodel_for, input_layer, judged, judged_layer, net_of

from torch2om.caffe.caffemodel import StoredNet
from torch2om.errors import Severity
from torch2om.frontend import Judgement, judge

CONV = "convolution_param { num_output: 6 kernel_size: 3 %s }"
POOL = "pooling_param { kernel_size: 2 %s }"
KERNEL: tuple[Dims, ...] = ((6, 4, 3, 3), (6,))
IP = "inner_product_param { num_output: 5 %s }"
STATS: tuple[Dims, ...] = ((4,), (4,), (1,))
I: tuple[Dims, ...] = (IMAGE,)  # noqa: E741 - the image that most layers read

# type, parameters without and with the trap, inputs, blobs without and with it, code
Case = tuple[str, str, str, tuple[Dims, ...], tuple[Dims, ...], tuple[Dims, ...], str]
TRAPS: dict[str, Case] = {
    "ceil_mode is not read": ("Pooling", POOL % "round_mode: FLOOR", POOL % "ceil_mode: false", I, (), (), "T403"),
    "stochastic pooling has no kernel": ("Pooling", POOL % "pool: AVE", POOL % "pool: STOCHASTIC", I, (), (), "T415"),
    "the pad is smaller than the kernel": ("Pooling", POOL % "pad: 1", POOL % "pad: 2", I, (), (), "T415"),
    "num_output is not read": (
        "Convolution",
        CONV % "",
        "convolution_param { num_output: 7 kernel_size: 3 }",
        I,
        KERNEL,
        KERNEL,
        "T403",
    ),
    "the kernel's size is not read": (
        "Convolution",
        CONV % "",
        "convolution_param { num_output: 6 kernel_size: 5 }",
        I,
        KERNEL,
        KERNEL,
        "T403",
    ),
    "groups come from the blob": ("Convolution", CONV % "", CONV % "", I, KERNEL, ((6, 2, 3, 3), (6,)), "T403"),
    "no dim is 0 or less": (
        "Convolution",
        CONV % "",
        "convolution_param { num_output: 6 kernel_size: 9 }",
        I,
        KERNEL,
        ((6, 4, 9, 9), (6,)),
        "T415",
    ),
    "bias_term: false with a bias": (
        "Convolution",
        CONV % "bias_term: true",
        CONV % "bias_term: false",
        I,
        KERNEL,
        KERNEL,
        "T403",
    ),
    "bias_term: true without a bias": ("InnerProduct", IP % "", IP % "", I, ((5, 256), (5,)), ((5, 256),), "T403"),
    "a matrix's num_output is not read": (
        "InnerProduct",
        IP % "",
        "inner_product_param { num_output: 6 }",
        I,
        ((5, 256), (5,)),
        ((5, 256), (5,)),
        "T403",
    ),
    "a scale's bias_term is not read": (
        "Scale",
        "scale_param { bias_term: true }",
        "scale_param { bias_term: false }",
        I,
        ((4,), (4,)),
        ((4,), (4,)),
        "T403",
    ),
    "a blob too many": ("Bias", "", "", I, ((4,),), ((4,), (4,)), "T403"),
    "batch statistics": (
        "BatchNorm",
        "batch_norm_param { use_global_stats: true }",
        "batch_norm_param { use_global_stats: false }",
        I,
        STATS,
        STATS,
        "T415",
    ),
    "four blobs of statistics": ("BatchNorm", "", "", I, STATS, (*STATS, (4,)), "T415"),
    "channel_shared is not read": (
        "PReLU",
        "prelu_param { channel_shared: false }",
        "prelu_param { channel_shared: true }",
        I,
        ((4,),),
        ((4,),),
        "T403",
    ),
    "a coefficient for each bottom": (
        "Eltwise",
        "eltwise_param { coeff: 1 coeff: 1 }",
        "eltwise_param { coeff: 1 }",
        (IMAGE, IMAGE),
        (),
        (),
        "T415",
    ),
    "pairs of indices and values": (
        "ArgMax",
        "argmax_param { axis: 1 out_max_val: true }",
        "argmax_param { out_max_val: true }",
        I,
        (),
        (),
        "T403",
    ),
    "an offset that leaves the image": (
        "Crop",
        "crop_param { offset: 3 }",
        "crop_param { offset: 6 }",
        (IMAGE, (1, 4, 5, 5)),
        (),
        (),
        "T415",
    ),
    "an offset for each axis": (
        "Crop",
        "crop_param { offset: 1 offset: 2 }",
        "crop_param { offset: 1 offset: 2 offset: 3 }",
        (IMAGE, (1, 4, 5, 5)),
        (),
        (),
        "T415",
    ),
    "ReLU6 has no slope": ("ReLU6", "relu_param { }", "relu_param { negative_slope: 0.1 }", I, (), (), "T403"),
    "an unknown end of regions": (
        "ROIAlign",
        "roi_align_param { pooled_h: 2 pooled_w: 2 spatial_scale: 1 roi_end_mode: 1 }",
        "roi_align_param { pooled_h: 2 pooled_w: 2 spatial_scale: 1 roi_end_mode: 3 }",
        (IMAGE, (16, 5)),
        (),
        (),
        "T403",
    ),
    "variances": (
        "PriorBox",
        "prior_box_param { min_size: 4 variance: 1 }",
        "prior_box_param { min_size: 4 variance: 1 variance: 2 }",
        (IMAGE, IMAGE),
        (),
        (),
        "T415",
    ),
    "an unknown field": ("ReLU", "relu_param { }", "relu_param { slope: 1 }", I, (), (), "F509"),
    "an unknown message": ("BatchedMatMul", "", "batched_matmul_param { }", ((2, 2), (2, 2)), (), (), "F509"),
    "an include without phase": ("ReLU", "include { phase: TEST }", "exclude { phase: TEST }", I, (), (), "T403"),
}


def warnings(judgement: Judgement) -> list[str]:
    assert judgement.accepted, judgement.findings
    assert all(finding.source for finding in judgement.findings)
    return [finding.code for finding in judgement.findings if finding.severity is Severity.WARNING]


@pytest.mark.parametrize("what", TRAPS)
def test_a_trap_is_told_where_it_is_and_only_there(what: str) -> None:
    kind, plain, trapped, inputs, blobs, trapped_blobs, code = TRAPS[what]
    assert warnings(judged_layer(kind, plain, inputs, blobs)) == []
    assert warnings(judged_layer(kind, trapped, inputs, trapped_blobs)) == [code]


def test_unequal_bottoms_of_eltwise_are_told() -> None:
    assert warnings(judged_layer("Eltwise", "", (IMAGE, (1, 4, 8, 7)))) == ["T415"]


def test_a_reference_of_other_dims_is_told() -> None:
    assert warnings(judged_layer("Crop", "", (IMAGE, (1, 3, 5, 5)))) == ["T415"]


def test_three_dims_of_a_reorg_are_told() -> None:
    assert warnings(judged_layer("Reorg", "reorg_param { stride: 1 }", ((1, 4, 8),))) == ["T403"]


SLICED = {
    "slice_param { slice_point: 1 }": [],
    "slice_param { slice_point: 1 slice_point: 2 }": ["T403"],
    "slice_param { slice_point: 4 }": ["T403"],
}


@pytest.mark.parametrize("params", SLICED)
def test_points_that_do_not_fit_the_tops_are_told(params: str) -> None:
    assert warnings(judged(net_of("Slice", params, tops=("y", "z")))) == SLICED[params]


def test_sizes_read_past_the_points_are_not_known() -> None:
    judgement = judged(net_of("Slice", "slice_param { slice_point: 1 }", tops=("a", "b", "c")))
    assert "T403" in warnings(judgement)
    assert judgement.outputs["l:2"] == (1, -1, 8, 8)


def test_weights_under_a_misspelt_type_are_told_before_anything_else_goes_wrong_with_them() -> None:
    text = net_of("InnerProduct", IP % "")
    stored = caffemodel_for(text, {"l": ((5, 256), (5,))})
    assert isinstance(stored, StoredNet)
    wrong = replace(stored, layers=tuple(replace(layer, type="InnerProdukt") for layer in stored.layers))
    found = judge(text, wrong).findings
    assert any("'InnerProdukt'" in each.message and each.layer == "l" for each in found)


FOLLOWERS = {
    'type: "Softmax" softmax_param { axis: 1 }': False,
    'type: "Softmax" softmax_param { axis: -1 }': True,
    'type: "Permute" permute_param { order: 1 }': True,
    'type: "Flatten"': False,
}


@pytest.mark.parametrize("follower", FOLLOWERS)
def test_layers_that_count_the_dims_of_a_matrix_at_batch_1_are_told(follower: str) -> None:
    text = net_of("InnerProduct", IP % "bias_term: false", ((1, 4),)) + (
        f'layer {{ name: "r" type: "ReLU" bottom: "y" top: "y" }}\nlayer {{ name: "f" bottom: "y" top: "z" {follower} }}'
    )
    assert bool(warnings(judged(text, {"l": ((5, 4),)}))) is FOLLOWERS[follower]


def test_a_layer_that_atc_drops_and_caffe_keeps_is_told() -> None:
    text = net_of("ReLU", "") + 'layer { name: "d" type: "ReLU" bottom: "x0" top: "z" include { stage: "s" } }'
    (finding,) = judged(text).findings
    assert (finding.code, finding.layer) == ("T403", "d")


def test_a_layer_of_the_test_phase_alone_is_not_left_out() -> None:
    text = net_of("ReLU", "") + 'layer { name: "d" type: "Accuracy" bottom: "y" top: "z" include { phase: TEST } }'
    found = judged(text).findings
    assert [(each.code, each.layer) for each in found] == [("T401", "d")]


def test_a_warning_names_the_spelling_that_is_meant() -> None:
    judgement = judged_layer("BatchedMatMul", "batched_matmul_param { adj_x1: true }", ((2, 2), (2, 2)))
    assert "batch_matmul_param" in judgement.findings[0].hint


def test_warnings_stay_when_a_file_is_refused_and_come_last() -> None:
    text = input_layer("x", (1, 4)) + 'layer { name: "l" type: "Swish" bottom: "x" top: "y" foo_param { } }'
    judgement = judge(text, caffemodel_for(text, {}))
    assert [finding.code for finding in judgement.findings] == ["T401", "F509"]
