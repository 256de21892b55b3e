"""ATC's Caffe front end for Ascend 310, 310P and 310B: its layer types, the forms it takes, the dims that it infers.

The three share one table: the front end and the operators' rules are the same, the chips differ in their names.

Sources. CANN: the public operator sources of June 2021 (canndev, ops/built-in): `framework/caffe_plugin` reads the
parameters, `op_proto` verifies and infers shapes, `tbe/impl` and `fusion_pass` are the kernels and their
preparation. GE: the parser, github.com/mirror-cann/ge commit f513b8f2a.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from torch2om.ir.op import Op, Shape, axis_of
from torch2om.layers import (
    BNLL,
    ELU,
    LRN,
    LSTM,
    MVN,
    SPP,
    AbsVal,
    ArgMax,
    BatchedMatMul,
    BatchNorm,
    Bias,
    Concat,
    Convolution,
    Crop,
    Deconvolution,
    DepthwiseConvolution,
    Dropout,
    Eltwise,
    Exp,
    Flatten,
    InnerProduct,
    Log,
    Mish,
    Normalize,
    Permute,
    Pooling,
    PoolMethod,
    Power,
    PReLU,
    PriorBox,
    Reduction,
    ReLU,
    ReLU6,
    Reorg,
    Reshape,
    Reverse,
    Scale,
    ShuffleChannel,
    Sigmoid,
    Slice,
    Softmax,
    Split,
    TanH,
    Threshold,
    Tile,
    Upsample,
)
from torch2om.targets.caffe import windows_begin_inside
from torch2om.targets.limits import Bottoms, Formula, Limit, OneOf, Range, Rank, ShapeRule, Site, Target

CONV_KERNEL = "CANN tbe/impl/util/util_conv2d.py:21-44"
DECONV_KERNEL = "CANN tbe/impl/deconvolution.py:45-57"
CONV_PROTO = "CANN op_proto/nn_calculation_ops.cc:4152-4700"
POOLING_PLUGIN = "CANN framework/caffe_plugin/pooling_plugin.cc"
ARG_MAX_KERNEL = "CANN tbe/impl/arg_max_with_kd.py:340"
INDICES = "CANN tbe/impl/arg_max_with_kd.py:120 (int32); power.py, eltwise.py (float16 and float32 alone)"
CROP_KERNEL = "CANN tbe/impl/crop.py:898-980"
REDUCTION_KERNEL = "CANN tbe/impl/reduction.py:190 (no C axis in NC1HWC0); before 2021 its MEAN of 4 dims divided by 16"


def kernel_fits(site: Site) -> bool:
    """Whether no window of a Convolution passes the padded image (BVLC rounds a negative rest towards zero)."""
    op = site.layer.op
    if not isinstance(op, Convolution):
        return True
    axes = zip(site.bottoms[0][2:], op.pad, op.window.extent, strict=True)
    return all(size + 2 * pad >= extent for size, pad, extent in axes)


def _deconvolution_size(site: Site) -> bool:
    return all(shape[-2] <= 200000 and shape[-1] <= 4096 for shape in (site.bottoms[0], site.tops[0]))


def _inner_product_form(site: Site) -> bool:
    op = site.layer.op
    if not isinstance(op, InnerProduct):
        return True
    rank = len(site.bottoms[0])
    axis = axis_of(op.axis, rank)
    return (axis == 1 and rank <= 4) or axis == 2


def _arg_max_form(site: Site) -> bool:
    op = site.layer.op
    return not isinstance(op, ArgMax) or op.axis is not None or not op.out_max_val


def _gives_values(site: Site) -> bool:
    op = site.layer.op
    return not isinstance(op, ArgMax) or (op.out_max_val and op.axis is not None)


def _crops_like(site: Site) -> bool:
    """Whether the reference has x's rank, and its dims before the crop's axis."""
    op = site.layer.op
    if not isinstance(op, Crop):
        return True
    bottom, reference = site.bottoms
    axis = axis_of(op.axis, len(bottom))
    return len(bottom) == len(reference) and bottom[:axis] == reference[:axis]


def _names_dims(site: Site) -> bool:
    op = site.layer.op
    return not isinstance(op, Reshape) or len(op.dims) > 0


def _pyramid_fits(site: Site) -> bool:
    op = site.layer.op
    height, width = site.bottoms[0][2:4]
    return not isinstance(op, SPP) or op.pyramid_height == 1 or max(height, width) <= 510


CONVOLUTION: tuple[Limit, ...] = (
    Rank(4, 4, CONV_PROTO),
    Range("kernel", 1, 255, CONV_KERNEL),
    Range("stride", 1, 63, CONV_KERNEL),
    Range("pad", 0, 255, CONV_KERNEL),
    Range("dilation", 1, 255, CONV_KERNEL),
    Formula("the image's height is at most 100000", lambda site: site.bottoms[0][2] <= 100000, CONV_KERNEL),
    Formula("the padded image is at least as large as the dilated kernel", kernel_fits, CONV_PROTO + " (E50060)"),
)

ACCEPTS: dict[type, tuple[Limit, ...]] = {
    AbsVal: (),
    ArgMax: (
        OneOf("top_k", (1,), ARG_MAX_KERNEL),
        OneOf("first_of_equals", (True,), "CANN tbe/impl/arg_max_with_kd.py (vcmax keeps the first)"),
        Formula("out_max_val only with axis", _arg_max_form, "CANN op_proto/elewise_calculation_ops.cc:3643"),
    ),
    BatchedMatMul: (Rank(2, 8, "CANN op_proto/matrix_calculation_ops.cc (BatchMatMul)"),),
    BatchNorm: (OneOf("use_global_stats", (True,), "CANN tbe/impl/bninference_d.py:483"),),
    Bias: (),
    BNLL: (),
    Concat: (),
    Convolution: CONVOLUTION,
    DepthwiseConvolution: CONVOLUTION,
    Crop: (
        Formula("the reference has x's rank and its dims up to the axis", _crops_like, "CANN tbe/impl/crop.py:898-980"),
    ),
    Deconvolution: (
        Rank(4, 4, "CANN op_proto/nn_calculation_ops.cc:5660"),
        Range("kernel", 1, 255, DECONV_KERNEL),
        Range("stride", 1, 63, DECONV_KERNEL),
        Range("dilation", 1, 255, DECONV_KERNEL),
        Formula("images are at most 200000 high and 4096 wide", _deconvolution_size, DECONV_KERNEL),
    ),
    Dropout: (),
    ELU: (),
    Eltwise: (Bottoms(2, 32, "CANN tbe/impl/eltwise.py:146 (one, too, but in Caffe it has two at least)"),),
    Exp: (),
    Flatten: (),
    InnerProduct: (
        Formula(
            "it works on the dims from axis 1 of up to 4, or from axis 2",
            _inner_product_form,
            "CANN op_proto/matrix_calculation_ops.cc:134-300",
        ),
    ),
    Log: (),
    LRN: (),
    LSTM: (
        Rank(2, 4, "CANN op_proto/nn_calculation_ops.cc:81"),
        Formula(
            "it has no static input",
            lambda site: len(site.bottoms) == (4 if getattr(site.layer.op, "expose_hidden", False) else 2),
            "CANN fusion_pass/graph_fusion/ai_core/lstm_fusion_pass.cc (its static input takes another path)",
        ),
    ),
    Mish: (),
    MVN: (Rank(4, 4, "CANN tbe/impl/mvn.py:74"),),
    Normalize: (),
    Permute: (),
    Pooling: (
        Rank(4, 4, "CANN op_proto/nn_pooling_ops.cc:1097"),
        OneOf("pool", (PoolMethod.MAX, PoolMethod.AVE), "CANN tbe/impl/pooling.py:284"),
        OneOf("tops", (1,), "CANN op_proto: Pooling has one output"),
        Formula(
            "every window begins within the image", windows_begin_inside, "CANN op_proto/nn_pooling_ops.cc (as Caffe's)"
        ),
    ),
    Power: (),
    PReLU: (),
    PriorBox: (
        Formula(
            "variance has 1 or 4 values",
            lambda site: len(getattr(site.layer.op, "variance", ())) > 0,
            "CANN fusion_pass/graph_fusion/ai_core/prior_box_fusion_pass.cc",
            lambda _: "variance has none",
        ),
    ),
    Reduction: (Rank(1, 3, REDUCTION_KERNEL),),
    ReLU: (),
    ReLU6: (),
    Reorg: (Rank(4, 4, "CANN op_proto (PassThrough)"),),
    Reshape: (Formula("it names its dims", _names_dims, "GE parser/caffe/caffe_reshape_parser.cc:55"),),
    Reverse: (),
    Scale: (),
    ShuffleChannel: (Rank(3, 4, "CANN tbe/impl/shuffle_channel.py:777"),),
    Sigmoid: (),
    Slice: (),
    Softmax: (),
    Split: (),
    SPP: (
        Rank(4, 4, "CANN framework/caffe_plugin/spp_plugin.cc"),
        Range("pyramid_height", 1, 6, "CANN op_proto (SPP)"),
        Formula("with several levels the image is at most 510 x 510", _pyramid_fits, "CANN op_proto (SPP)"),
    ),
    TanH: (),
    Threshold: (),
    Tile: (),
    Upsample: (Rank(4, 4, "CANN tbe/impl/upsample.py (NC1HWC0 only)"),),
}


COMPUTED: Mapping[type[Op], tuple[Limit, ...]] = MappingProxyType(
    {
        ArgMax: (
            Formula(
                "no layer computes with its places",
                _gives_values,
                INDICES,
                lambda _: "its places are int32",
            ),
        )
    }
)


def inner_product_tops(site: Site) -> tuple[Shape, ...]:
    """At batch 1 and axis 1 the top is [1, num_output, 1, 1] (CANN op_proto/matrix_calculation_ops.cc:290)."""
    (top,) = site.tops
    return ((1, top[1], 1, 1),) if len(top) == 2 and top[0] == 1 else (top,)


def arg_max_tops(site: Site) -> tuple[Shape, ...]:
    """Without axis the top is [N, top_k] (CANN op_proto/elewise_calculation_ops.cc:3700)."""
    op = site.layer.op
    flat = isinstance(op, ArgMax) and op.axis is None
    return ((site.bottoms[0][0], op.top_k),) if flat and isinstance(op, ArgMax) else site.tops


def _spp_tops(site: Site) -> tuple[Shape, ...]:
    """The top has 4 dims, the last two 1 (CANN op_proto: SPP)."""
    (top,) = site.tops
    return ((*top[:2], 1, 1),)


def prior_box_tops(site: Site) -> tuple[Shape, ...]:
    """The top has 4 dims, the last one 1 (CANN op_proto/nn_other_ops.cc:197)."""
    (top,) = site.tops
    return ((*top, 1),)


SHAPES: Mapping[type[Op], ShapeRule] = MappingProxyType(
    {
        InnerProduct: inner_product_tops,
        ArgMax: arg_max_tops,
        PriorBox: prior_box_tops,
        SPP: _spp_tops,
    }
)


def _chip(name: str, title: str, socs: tuple[str, ...]) -> Target:
    """Return the target of a family of chips; the first of `socs` is compiled for if none is named."""
    return Target(
        name=name,
        title=f"{title}, ATC's Caffe front end",
        dialect="ascend",
        source="CANN framework/caffe_plugin (REGISTER_CUSTOM_OP), GE parser/common/op_map.cc:25",
        accepts=MappingProxyType(ACCEPTS),
        computed=COMPUTED,
        shapes=SHAPES,
        least_dims=1,  # there are no 0-d blobs: Reduction over axis 0 gives [1] (CANN op_proto/reduction_ops.cc)
        compiler="atc",
        socs=socs,
    )


ASCEND310 = _chip("ascend310", "Ascend 310", ("Ascend310",))
ASCEND310P = _chip("ascend310p", "Ascend 310P", ("Ascend310P3", "Ascend310P1"))
ASCEND310B = _chip("ascend310b", "Ascend 310B", ("Ascend310B4", "Ascend310B1", "Ascend310B2", "Ascend310B3"))
