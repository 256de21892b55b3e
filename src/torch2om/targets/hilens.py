"""HiLens Kit: omg, the model converter of the Ascend 310 before ATC, and the operators that its guide lists.

Sources. "HiLens #N" is row N of the table of Caffe operators in Huawei HiLens's user guide (github.com/
huaweicloudDocs/hilens, cn.zh-cn, 42 rows); what is not in that table is not accepted. OMG are the restrictions that
omg's own manuals state for Caffe models. PRACTICE is what developers found on the device.

Sources that contradict each other. Pooling: #21 takes global windows of up to 10000 elements, practice says that the
device fails with a side over 32; both are rows. Upsample: #37 describes the inverse of a max pooling, with two bottoms;
the form with one bottom, which repeats elements, is the one that converted YOLO models use, and the only one we write.
InnerProduct: #14 has two sizes more, for quantized nets alone; they are no rows here. DepthwiseConvolution (#5) and
Convolution with groups (#6) are both listed: either may be used for filters of single channels. PriorBox: #24 speaks
of one input, the nets of SSD that omg converts give it two, the image beside the places. DetectionOutput: #9 has Faster
R-CNN's layer under this name, nets for omg write FSRDetectionOutput; SSD's own DetectionOutput is SSDDetectionOutput
here (#38).
"""

from __future__ import annotations

from types import MappingProxyType

from torch2om.ir.op import elements
from torch2om.layers import (
    ELU,
    LRN,
    LSTM,
    AbsVal,
    ArgMax,
    BatchNorm,
    Concat,
    Convolution,
    Crop,
    Deconvolution,
    DepthwiseConvolution,
    Eltwise,
    Exp,
    Flatten,
    InnerProduct,
    Interp,
    Log,
    Normalize,
    Permute,
    Pooling,
    Power,
    PReLU,
    PriorBox,
    ReLU,
    Reorg,
    Reshape,
    Reverse,
    Scale,
    ShuffleChannel,
    Sigmoid,
    Slice,
    Softmax,
    TanH,
    Upsample,
)
from torch2om.targets import hilens_formulas as formulas
from torch2om.targets.ascend import COMPUTED, arg_max_tops, inner_product_tops, kernel_fits, prior_box_tops
from torch2om.targets.caffe import WINDOWS_INSIDE
from torch2om.targets.hilens_detection import DETECTION
from torch2om.targets.limits import Bottoms, Formula, Limit, OneOf, Range, Rank, Target

OMG = "restrictions on Caffe models in the manuals of omg (DDK 1.x)"
PRACTICE = "practice on Ascend 310 devices"

GENERAL: tuple[Limit, ...] = (
    Formula("a blob has 1 to 4 dims, none of them 0", formulas.has_few_dims, OMG, formulas.wrong_dims),
    Formula(
        "an axis is not negative where its blob has other than 4 dims",
        formulas.axis_from_front,
        "HiLens, the sentence above the table",
        lambda site: f"axis is {getattr(site.layer.op, 'axis', 0)} for a blob of {len(site.bottoms[0])} dims",
    ),
)


FILTERS: tuple[Limit, ...] = (
    Rank(4, 4, "HiLens #6"),
    Range("kernel", 1, 255, "HiLens #6"),
    Range("stride", 1, 63, "HiLens #6"),
    Range("pad", 0, 255, "HiLens #6"),
    Range("dilation", 1, 255, "HiLens #6"),
    Formula("the padded image is at least as large as the dilated kernel", kernel_fits, "HiLens #6"),
    Formula(
        "(in + pads) / stride + 1 is at most 2147483647",
        lambda site: formulas.windows(site) <= formulas.INT32_MAX,
        "HiLens #6",
        lambda site: f"(in + pads) / stride + 1 is {formulas.windows(site)}",
    ),
)


ACCEPTS: dict[type, tuple[Limit, ...]] = {
    **DETECTION,
    AbsVal: (),
    ArgMax: (OneOf("first_of_equals", (True,), "CANN tbe/impl/arg_max_with_kd.py (vcmax keeps the first)"),),
    BatchNorm: (OneOf("use_global_stats", (True,), "HiLens #3"),),
    Concat: (Bottoms(1, 1000, "HiLens #4"),),
    DepthwiseConvolution: (
        *FILTERS,
        Formula(
            "the filters, the channels and the groups are as many",
            formulas.single_channels,
            "HiLens #5",
        ),
    ),
    Convolution: FILTERS,
    Crop: (),
    Deconvolution: (
        Rank(4, 4, "HiLens #8"),
        OneOf("group", (1,), "HiLens #8"),
        OneOf("dilation", ((1, 1),), "HiLens #8"),
        Formula("pad is less than the kernel", formulas.kernel_passes_pad, "HiLens #8"),
        Formula(
            "its filters and a row of its stretched input take at most 1048576 bytes (a + b)",
            lambda site: formulas.deconvolution_bytes(site) <= formulas.BUFFER,
            "HiLens #8",
            lambda site: f"a + b is {formulas.deconvolution_bytes(site)} bytes",
        ),
    ),
    Eltwise: (Bottoms(2, 4, "HiLens #10"),),
    ELU: (),
    Exp: (),
    Flatten: (Formula("it makes one dim of several, and that dim is not 1", formulas.flattens_several, "HiLens #13"),),
    InnerProduct: (
        OneOf("transpose", (False,), "HiLens #14"),
        OneOf("axis", (1,), "HiLens #14"),
        Formula(
            "its bias has at most 56832 elements",
            lambda site: formulas.bias_length(site) <= 56832,
            "HiLens #14",
            lambda site: f"its bias has {formulas.bias_length(site)} elements",
        ),
    ),
    Interp: (
        Formula("it zooms or shrinks, not both", formulas.zooms_or_shrinks, "HiLens #15"),
        Formula("the top has more than 1/30 of the bottom's places", formulas.keeps_a_thirtieth, "HiLens #15"),
    ),
    Log: (),
    LRN: (
        Formula(
            "across channels: up to a local_size of 15 k > 0.00001 and beta > 0.01, k and alpha are not both 0, "
            "and above 1776 channels local_size < 1728",
            formulas.lrn_across,
            "HiLens #17",
            formulas.lrn_shown,
        ),
        Formula(
            "within a channel: k is 1, local_size 1 to 15 and beta > 0.01",
            formulas.lrn_within,
            "HiLens #17",
            formulas.lrn_shown,
        ),
    ),
    LSTM: (
        Bottoms(2, 3, "HiLens #18"),
        OneOf("expose_hidden", (False,), "HiLens #18 (its states are no bottoms)"),
        Formula(
            "x is [steps, batch, features, 1]",
            lambda site: len(site.bottoms[0]) == formulas.MOST_DIMS and site.bottoms[0][3] == 1,
            "HiLens #18",
            lambda site: f"x is {list(site.bottoms[0])}",
        ),
        Formula(
            "16 rows of x and h take at most 1048576 bytes (a + b + c)",
            lambda site: formulas.lstm_bytes(site) <= formulas.BUFFER,
            "HiLens #18",
            lambda site: f"a + b + c is {formulas.lstm_bytes(site)} bytes",
        ),
        Formula(
            "16 rows of h take at most 32768 bytes (d)",
            lambda site: 16 * formulas.aligned(formulas.lstm_outputs(site)) * 2 <= 256 * 1024 // 8,
            "HiLens #18",
            lambda site: f"d is {16 * formulas.aligned(formulas.lstm_outputs(site)) * 2} bytes",
        ),
        Formula(
            "the batch is at most 2048 (e)",
            lambda site: site.bottoms[0][1] * 4 <= 256 * 1024 // 32,
            "HiLens #18",
            lambda site: f"the batch is {site.bottoms[0][1]}",
        ),
    ),
    Normalize: (
        OneOf("across_spatial", (True,), "HiLens #19"),
        Formula(
            "an image is 1 x 1: across_spatial must be true, but the sum is said to run along the channels",
            formulas.single_place,
            "HiLens #19",
        ),
        Formula(
            "eps is above 0.0000001 and at most 0.100001",
            lambda site: 1e-7 < getattr(site.layer.op, "eps", 1) <= 0.1 + 1e-6,
            "HiLens #19",
            lambda site: f"eps is {getattr(site.layer.op, 'eps', 1):g}",
        ),
    ),
    Permute: (),
    Pooling: (
        OneOf("tops", (1,), "HiLens #21"),
        Formula("the kernel is not larger than the padded image", formulas.window_fits, "HiLens #21"),
        Formula(
            "a global window has at most 10000 elements",
            lambda site: formulas.whole_image(site) <= 10000,
            "HiLens #21",
            lambda site: f"the image has {formulas.whole_image(site)} elements",
        ),
        Formula(
            "a window is at most 32 high and wide",
            lambda site: max(formulas.window(site)) <= formulas.MOST_SIDE,
            PRACTICE + ": it converts and then fails",
            lambda site: f"the formulas.window is {formulas.window(site)[0]} x {formulas.window(site)[1]}",
        ),
        WINDOWS_INSIDE,
    ),
    Power: (
        Formula(
            "power is no whole number (1 is not taken, and scale * x + shift must be positive)",
            formulas.positive_base,
            "HiLens #22",
            lambda site: f"power is {getattr(site.layer.op, 'power', 1):g}",
        ),
    ),
    PReLU: (),
    ReLU: (),
    Reorg: (),
    Reshape: (),
    Reverse: (
        Formula(
            "it turns one axis round",
            lambda site: len(getattr(site.layer.op, "axis", ())) == 1,
            "HiLens #40",
        ),
    ),
    Scale: (
        Formula("x has 4 dims", lambda site: len(site.bottoms[0]) == formulas.MOST_DIMS, "HiLens #31"),
        OneOf("axis", (1, -3), "HiLens #31"),
        Formula("gamma and beta are one number per channel", formulas.factor_per_channel, "HiLens #31"),
    ),
    ShuffleChannel: (),
    Sigmoid: (),
    Slice: (),
    Softmax: (
        Formula(
            "of 4 dims any axis, axis 2 with a width of 1; of fewer dims the last", formulas.softmax_axis, "HiLens #35"
        ),
        Formula(
            f"of 4 dims the axis has at most {', '.join(map(str, formulas.LONGEST))} elements, "
            f"of fewer dims {formulas.LONGEST_LAST}",
            formulas.softmax_fits,
            "HiLens #35",
            lambda site: f"axis {formulas.softmax_length(site)[0]} has {formulas.softmax_length(site)[1]} elements",
        ),
    ),
    TanH: (
        Formula(
            "a blob has at most 2147483647 elements",
            lambda site: elements(site.bottoms[0]) <= formulas.INT32_MAX,
            "HiLens #36",
            lambda site: f"the bottom has {elements(site.bottoms[0])} elements",
        ),
    ),
    Upsample: (Rank(4, 4, "HiLens #37"),),
}

HILENS = Target(
    name="hilens",
    title="HiLens Kit (Ascend 310), omg's Caffe front end",
    dialect="omg",
    source="HiLens, table of Caffe operators: what is not in it is not accepted",
    accepts=MappingProxyType(ACCEPTS),
    general=GENERAL,
    computed=COMPUTED,
    # A product of omg agrees with ATC in the dims of an InnerProduct at batch 1, and #24 in those of a PriorBox.
    shapes=MappingProxyType({InnerProduct: inner_product_tops, ArgMax: arg_max_tops, PriorBox: prior_box_tops}),
    least_dims=1,
    scalars=False,
    most_dims=formulas.MOST_DIMS,
    compiler="omg",
    socs=("Ascend310",),
)
