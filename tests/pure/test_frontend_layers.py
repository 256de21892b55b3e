"""What the plugins refuse when they read a layer: one row that breaks each rule, next to one that obeys it."""

from __future__ import annotations

import pytest
from atc_nets import IMAGE, Dims, judged, judged_layer, net_of

from torch2om.frontend import Stage

CONV = "convolution_param { num_output: 6 kernel_size: 3 %s }"
KERNEL = ((6, 4, 3, 3),)
DECONV = "convolution_param { num_output: 6 kernel_size: 3 %s }"
FILTER = ((4, 6, 3, 3),)
POOL = "pooling_param { %s }"
PRIOR = "prior_box_param { %s }"
ROI = "roi_pooling_param { pooled_h: %d pooled_w: 2 }"
SSD = ((1, 4, 8, 8), (1, 3, 16, 16))

# type, parameters that obey, parameters that break, ATC's code; inputs and blobs if need be
Row = tuple[str, str, str, str]
ROWS: dict[str, Row] = {
    "Convolution needs num_output": ("Convolution", CONV % "", "convolution_param { kernel_size: 3 }", "E50029"),
    "Convolution's group divides num_output": ("Convolution", CONV % "group: 1", CONV % "group: 4", "E50058"),
    "Convolution's group is at least 1": ("Convolution", CONV % "group: 1", CONV % "group: 0", "E50058"),
    "Convolution's kernel is spelled one way": ("Convolution", CONV % "", CONV % "kernel_h: 3 kernel_w: 3", "E50057"),
    "Convolution's kernel has one or two sizes": (
        "Convolution",
        CONV % "kernel_size: 3",
        CONV % "kernel_size: 3 kernel_size: 3",
        "E50029",
    ),
    "Convolution's kernel has both sides": (
        "Convolution",
        "convolution_param { num_output: 6 kernel_h: 3 kernel_w: 3 }",
        "convolution_param { num_output: 6 kernel_h: 3 }",
        "E50029",
    ),
    "Convolution needs a kernel": ("Convolution", CONV % "", "convolution_param { num_output: 6 }", "E50029"),
    "Convolution's axis is 1": ("Convolution", CONV % "axis: -3", CONV % "axis: 2", "E50058"),
    "Convolution is not force_nd_im2col": (
        "Convolution",
        CONV % "force_nd_im2col: false",
        CONV % "force_nd_im2col: true",
        "E50058",
    ),
    "Convolution's pad is spelled one way": ("Convolution", CONV % "pad: 1", CONV % "pad: 1 pad_h: 1", "E50057"),
    "Convolution's pad has at most two sizes": (
        "Convolution",
        CONV % "pad: 1 pad: 2",
        CONV % "pad: 1 pad: 1 pad: 1",
        "E50058",
    ),
    "Convolution's stride is spelled one way": (
        "Convolution",
        CONV % "stride_h: 2 stride_w: 2",
        CONV % "stride: 2 stride_h: 2",
        "E50057",
    ),
    "Convolution's dilation has at most two sizes": (
        "Convolution",
        CONV % "dilation: 1 dilation: 2",
        CONV % "dilation: 1 dilation: 1 dilation: 1",
        "E50058",
    ),
    "Deconvolution's pad is spelled one way": (
        "Deconvolution",
        DECONV % "pad: 1",
        DECONV % "pad: 1 pad_w: 1",
        "E50057",
    ),
    "Deconvolution's stride has at most two sizes": (
        "Deconvolution",
        DECONV % "stride: 2 stride: 2",
        DECONV % "stride: 2 stride: 2 stride: 2",
        "E50029",
    ),
    "a global Pooling has no kernel": (
        "Pooling",
        POOL % "global_pooling: true",
        POOL % "global_pooling: true kernel_size: 2",
        "E70009",
    ),
    "a global Pooling has no pad": (
        "Pooling",
        POOL % "global_pooling: true",
        POOL % "global_pooling: true pad: 1",
        "E70009",
    ),
    "a global Pooling has no stride": (
        "Pooling",
        POOL % "global_pooling: true stride: 1",
        POOL % "global_pooling: true stride: 2",
        "E70009",
    ),
    "Pooling's kernel is spelled one way": (
        "Pooling",
        POOL % "kernel_size: 2",
        POOL % "kernel_size: 2 kernel_h: 2 kernel_w: 2",
        "E70009",
    ),
    "Pooling's kernel has both sides": ("Pooling", POOL % "kernel_h: 2 kernel_w: 2", POOL % "kernel_h: 2", "E70009"),
    "Pooling needs a kernel": ("Pooling", POOL % "kernel_size: 2", POOL % "stride: 2", "E70009"),
    "Pooling's pad is spelled one way": (
        "Pooling",
        POOL % "kernel_size: 2 pad_h: 1 pad_w: 1",
        POOL % "kernel_size: 2 pad: 1 pad_h: 1 pad_w: 1",
        "E70009",
    ),
    "Pooling's stride has both sides": (
        "Pooling",
        POOL % "kernel_size: 2 stride_h: 1 stride_w: 1",
        POOL % "kernel_size: 2 stride_h: 1",
        "E70009",
    ),
    "Pooling's pad is at most the kernel": (
        "Pooling",
        POOL % "kernel_size: 2 pad: 2",
        POOL % "kernel_size: 2 pad: 3",
        "E70007",
    ),
    "a stochastic Pooling has no pad": (
        "Pooling",
        POOL % "kernel_size: 2 pool: STOCHASTIC",
        POOL % "kernel_size: 2 pool: STOCHASTIC pad: 1",
        "E70009",
    ),
    "InnerProduct names num_output": (
        "InnerProduct",
        "inner_product_param { num_output: 5 }",
        "inner_product_param { axis: 1 }",
        "E70005",
    ),
    "LRN's size is odd": ("LRN", "lrn_param { local_size: 3 }", "lrn_param { local_size: 4 }", "E70007"),
    "Permute names an axis once": (
        "Permute",
        "permute_param { order: 1 }",
        "permute_param { order: 1 order: 1 }",
        "E70007",
    ),
    "Slice's axis is spelled one way": (
        "Slice",
        "slice_param { slice_dim: 1 }",
        "slice_param { axis: 1 slice_dim: 1 }",
        "E70009",
    ),
    "Reshape names a shape": ("Reshape", "reshape_param { shape { dim: -1 } }", "reshape_param { axis: 1 }", "E19999"),
    "PriorBox's image is spelled one way": (
        "PriorBox",
        PRIOR % "min_size: 4 img_size: 8",
        PRIOR % "min_size: 4 img_size: 8 img_h: 8",
        "E70009",
    ),
    "PriorBox's step is spelled one way": (
        "PriorBox",
        PRIOR % "min_size: 4 step: 8",
        PRIOR % "min_size: 4 step: 8 step_w: 8",
        "E70009",
    ),
    "PriorBox's step is not negative": (
        "PriorBox",
        PRIOR % "min_size: 4 step: 8",
        PRIOR % "min_size: 4 step: -8",
        "E70007",
    ),
    "PriorBox needs min_size": ("PriorBox", PRIOR % "min_size: 4", PRIOR % "max_size: 4", "E70005"),
    "PriorBox's min_size is positive": ("PriorBox", PRIOR % "min_size: 4", PRIOR % "min_size: 0", "E70007"),
    "PriorBox has as many max_size": (
        "PriorBox",
        PRIOR % "min_size: 4 max_size: 8",
        PRIOR % "min_size: 4 max_size: 8 max_size: 9",
        "E19999",
    ),
    "PriorBox's max_size is larger": (
        "PriorBox",
        PRIOR % "min_size: 4 max_size: 8",
        PRIOR % "min_size: 4 max_size: 4",
        "E70007",
    ),
    "ROIPooling's size is positive": ("ROIPooling", ROI % 2, ROI % 0, "E70009"),
}
INPUTS: dict[str, tuple[Dims, ...]] = {"PriorBox": SSD, "ROIPooling": (IMAGE, (16, 5))}
BLOBS: dict[str, tuple[Dims, ...]] = {"Convolution": KERNEL, "Deconvolution": FILTER, "InnerProduct": ((5, 256),)}


@pytest.mark.parametrize("rule", ROWS)
def test_a_plugin_takes_what_obeys_and_refuses_what_breaks(rule: str) -> None:
    kind, obeys, breaks, code = ROWS[rule]
    inputs, blobs = INPUTS.get(kind, (IMAGE,)), BLOBS.get(kind, ())
    taken = judged_layer(kind, obeys, inputs, blobs)
    assert taken.accepted, taken.findings
    refused = judged_layer(kind, breaks, inputs, blobs)
    assert (refused.stage, refused.codes) == (Stage.MODEL, (code,))
    assert refused.findings[0].layer == "l"


ENDS = {
    "Convolution": (CONV % "", "E50058"),
    "Deconvolution": (DECONV % "", "E50029"),
}


@pytest.mark.parametrize("kind", ENDS)
def test_a_convolution_has_one_bottom_and_one_top(kind: str) -> None:
    params, code = ENDS[kind]
    for net in (net_of(kind, params, (IMAGE, IMAGE)), net_of(kind, params, tops=("y", "z"))):
        judgement = judged(net, {"l": BLOBS[kind]})
        assert (judgement.stage, judgement.codes) == (Stage.MODEL, (code,))


def test_prior_box_has_two_bottoms() -> None:
    judgement = judged_layer("PriorBox", PRIOR % "min_size: 4", (IMAGE,))
    assert (judgement.stage, judgement.codes) == (Stage.MODEL, ("E70009",))


REQUIRED = {
    "Tile": ("tile_param { tiles: 1 }", "tile_param { axis: 1 }", (IMAGE,)),
    "SPP": ("spp_param { pyramid_height: 1 }", "spp_param { pool: AVE }", (IMAGE,)),
    "ROIAlign": (
        "roi_align_param { pooled_h: 2 pooled_w: 2 spatial_scale: 1 }",
        "roi_align_param { pooled_h: 2 pooled_w: 2 }",
        (IMAGE, (16, 5)),
    ),
    "YoloV2DetectionOutput": (
        "yolov2_detection_output_param { biases: 1 }",
        "yolov2_detection_output_param { boxes: 5 }",
        (IMAGE, IMAGE, IMAGE, (1, 4)),
    ),
}


@pytest.mark.parametrize("kind", REQUIRED)
def test_a_field_is_written_even_at_its_default(kind: str) -> None:
    written, missing, inputs = REQUIRED[kind]
    assert judged_layer(kind, written, inputs).accepted
    judgement = judged_layer(kind, missing, inputs)
    assert (judgement.stage, judgement.codes) == (Stage.INFERSHAPE, ("E19014",))
