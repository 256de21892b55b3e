"""HiLens Kit: omg, the model converter of the Ascend 310 before ATC, and the operators that its guide lists.

Sources. "HiLens #N" is row N of the table of Caffe operators in Huawei HiLens's user guide (github.com/
huaweicloudDocs/hilens, cn.zh-cn, 42 rows); what is not in that table is not accepted. OMG are the restrictions that
omg's own manuals state for Caffe models. PRACTICE is what developers found on the device.

Sources that contradict each other. Pooling: #21 takes global windows of up to 10000 elements, practice says that the
device fails with a side over 32; both are rows. Upsample: #37 describes the inverse of a max pooling, with two bottoms;
the form with one bottom, which repeats elements, is the one that converted YOLO models use, and the only one we write.
InnerProduct: #14 has two sizes more, for quantized nets alone; they are no rows here. DepthwiseConvolution (#5) and
Convolution with groups (#6) are both listed: either may be used for filters of single channels.
"""

from __future__ import annotations

from math import prod
from types import MappingProxyType

from torch2om.ir.op import Shape, elements
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
    NormRegion,
    Permute,
    Pooling,
    Power,
    PReLU,
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
from torch2om.layers.window import Window
from torch2om.targets.ascend import arg_max_tops, inner_product_tops, kernel_fits
from torch2om.targets.caffe import WINDOWS_INSIDE
from torch2om.targets.limits import Bottoms, Formula, Limit, OneOf, Range, Rank, Site, Target

OMG = "restrictions on Caffe models in the manuals of omg (DDK 1.x)"
PRACTICE = "practice on Ascend 310 devices"

MOST_DIMS = 4
MOST_SIDE = 32  # of a Pooling's window
BUFFER = 1024 * 1024  # bytes: the L1 buffer, over which #8 and #18 distribute their operands
INT32_MAX = 2**31 - 1


def _aligned(count: int) -> int:
    """Return the count as the device's blocks of 16 hold it."""
    return -(-count // 16) * 16


def _has_few_dims(site: Site) -> bool:
    return all(1 <= len(shape) <= MOST_DIMS and all(shape) for shape in (*site.bottoms, *site.tops))


def _wrong_dims(site: Site) -> str:
    wrong = next(s for s in (*site.bottoms, *site.tops) if not (1 <= len(s) <= MOST_DIMS and all(s)))
    return f"a blob is {list(wrong)}"


def _axis_from_front(site: Site) -> bool:
    """Whether the axis is not negative, or the first bottom has the 4 dims for which it may be."""
    axis = getattr(site.layer.op, "axis", 0)
    axes = axis if isinstance(axis, tuple) else (axis or 0,)
    return len(site.bottoms[0]) == MOST_DIMS or min(axes) >= 0


GENERAL: tuple[Limit, ...] = (
    Formula("a blob has 1 to 4 dims, none of them 0", _has_few_dims, OMG, _wrong_dims),
    Formula(
        "an axis is not negative where its blob has other than 4 dims",
        _axis_from_front,
        "HiLens, the sentence above the table",
        lambda site: f"axis is {getattr(site.layer.op, 'axis', 0)} for a blob of {len(site.bottoms[0])} dims",
    ),
)


def _windows(site: Site) -> int:
    """Return (in + pads) / stride + 1, the larger of the two axes."""
    op = site.layer.op
    if not isinstance(op, Convolution):
        return 0
    axes = zip(site.bottoms[0][2:], op.pad, op.stride, strict=True)
    return max((size + 2 * pad) // stride + 1 for size, pad, stride in axes)


FILTERS: tuple[Limit, ...] = (
    Rank(4, 4, "HiLens #6"),
    Range("kernel", 1, 255, "HiLens #6"),
    Range("stride", 1, 63, "HiLens #6"),
    Range("pad", 0, 255, "HiLens #6"),
    Range("dilation", 1, 255, "HiLens #6"),
    Formula("the padded image is at least as large as the dilated kernel", kernel_fits, "HiLens #6"),
    Formula(
        "(in + pads) / stride + 1 is at most 2147483647",
        lambda site: _windows(site) <= INT32_MAX,
        "HiLens #6",
        lambda site: f"(in + pads) / stride + 1 is {_windows(site)}",
    ),
)


def _single_channels(site: Site) -> bool:
    op = site.layer.op
    return not isinstance(op, Convolution) or op.num_output == site.bottoms[0][1] == op.group


def _kernel_passes_pad(site: Site) -> bool:
    op = site.layer.op
    return not isinstance(op, Deconvolution) or all(k - p - 1 >= 0 for k, p in zip(op.kernel, op.pad, strict=True))


def _deconvolution_bytes(site: Site) -> int:
    """Return a + b: the filters, halved where their channels pair up, and a row of the stretched input."""
    op, (filters, *_) = site.layer.op, site.layer.weight_shapes
    if not isinstance(op, Deconvolution) or len(op.kernel) != 2:
        return 0
    number, channels = _aligned(filters[0]), _aligned(filters[1])
    a = number * channels * prod(op.kernel) * 2
    a = a // 2 if channels % 32 == 0 else a
    width = (site.bottoms[0][-1] - 1) * op.stride[-1] + 1
    return a + width * op.kernel[0] * number * 2 * 2


def _flattens_several(site: Site) -> bool:
    """Whether the flattened dims are several, and the top is neither the bottom again nor of one element there."""
    op, (bottom,), (top,) = site.layer.op, site.bottoms, site.tops
    if not isinstance(op, Flatten):
        return True
    start, end = (axis % len(bottom) for axis in (op.axis, op.end_axis))
    return start < end and top[start] != 1


def _bias_length(site: Site) -> int:
    op = site.layer.op
    return op.num_output if isinstance(op, InnerProduct) and op.bias_term else 0


def _zooms_or_shrinks(site: Site) -> bool:
    op = site.layer.op
    return not isinstance(op, Interp) or op.zoom_factor == 1 or op.shrink_factor == 1


def _keeps_a_thirtieth(site: Site) -> bool:
    (bottom,), (top,) = site.bottoms, site.tops
    return elements(top[2:]) * 30 > elements(bottom[2:])


def _lrn_across(site: Site) -> bool:
    op = site.layer.op
    if not isinstance(op, LRN) or op.norm_region is not NormRegion.ACROSS_CHANNELS:
        return True
    smooth = op.local_size > 15 or (op.k > 1e-5 and op.beta > 0.01)
    narrow = site.bottoms[0][1] <= 1776 or op.local_size < 1728
    return smooth and narrow and (op.k, op.alpha) != (0, 0)


def _lrn_within(site: Site) -> bool:
    op = site.layer.op
    if not isinstance(op, LRN) or op.norm_region is not NormRegion.WITHIN_CHANNEL:
        return True
    return op.k == 1 and op.local_size <= 15 and op.beta > 0.01


def _lrn_shown(site: Site) -> str:
    op = site.layer.op
    if not isinstance(op, LRN):
        return ""
    numbers = f"local_size is {op.local_size}, k {op.k:g}, alpha {op.alpha:g}, beta {op.beta:g}"
    return f"{numbers} for {site.bottoms[0][1]} channels"


def _lstm_outputs(site: Site) -> int:
    op = site.layer.op
    return op.num_output if isinstance(op, LSTM) else 0


def _lstm_bytes(site: Site) -> int:
    """Return a + b + c for 16 rows of a step, x and h beside each other; Caffe's LSTM has no projection, so c is 0."""
    both = _aligned(elements(site.bottoms[0][2:])) + _aligned(_lstm_outputs(site))
    return both * 16 * 2 * 2 + both * 16 * 4 * 2 * 2


def _whole_image(site: Site) -> int:
    """Return H * W of a global Pooling's image, 0 where the Pooling is not global."""
    op = site.layer.op
    return elements(site.bottoms[0][2:]) if isinstance(op, Pooling) and op.global_pooling else 0


def _window(site: Site) -> Shape:
    op = site.layer.op
    window = op.window(site.bottoms[0][2:]) if isinstance(op, Pooling) else Window((), (), ())
    return window.kernel


def _window_fits(site: Site) -> bool:
    op = site.layer.op
    if not isinstance(op, Pooling):
        return True
    axes = zip(site.bottoms[0][2:], op.pad, _window(site), strict=True)
    return all(size + 2 * pad >= kernel for size, pad, kernel in axes)


def _positive_base(site: Site) -> bool:
    """Whether Caffe itself wants a base that is not negative: only roots give NaN there."""
    op = site.layer.op
    return not isinstance(op, Power) or not float(op.power).is_integer()


def _single_place(site: Site) -> bool:
    return elements(site.bottoms[0][2:]) == 1


def _factor_per_channel(site: Site) -> bool:
    """Whether gamma (and beta) are one number per channel, be gamma a weight or the second bottom."""
    shapes = (*site.bottoms[1:], *site.layer.weight_shapes)
    return all(shape == site.bottoms[0][1:2] for shape in shapes)


MOST_CHANNELS = (256 * 1024 // 4 - 8 * 1024 - 256) // 2
MOST_BATCHES = (56 * 1024 - 256) // 2
LONGEST_LINE = 1024 * 1024 // 32 - 1
LONGEST_LAST = 46080


def _softmax_length(site: Site) -> tuple[int, int]:
    """Return the axis from the front, and its length."""
    op, (bottom,) = site.layer.op, site.bottoms
    axis = op.axis % len(bottom) if isinstance(op, Softmax) else 0
    return axis, bottom[axis]


def _softmax_fits(site: Site) -> bool:
    (axis, length), rank = _softmax_length(site), len(site.bottoms[0])
    if rank < MOST_DIMS:
        return length <= LONGEST_LAST
    return length <= (MOST_BATCHES, MOST_CHANNELS, LONGEST_LINE, LONGEST_LINE)[axis]


def _softmax_axis(site: Site) -> bool:
    (axis, _), bottom = _softmax_length(site), site.bottoms[0]
    if len(bottom) < MOST_DIMS:
        return axis == len(bottom) - 1
    return axis != 2 or bottom[3] == 1


ACCEPTS: dict[type, tuple[Limit, ...]] = {
    AbsVal: (),
    ArgMax: (OneOf("first_of_equals", (True,), "CANN tbe/impl/arg_max_with_kd.py (vcmax keeps the first)"),),
    BatchNorm: (OneOf("use_global_stats", (True,), "HiLens #3"),),
    Concat: (Bottoms(1, 1000, "HiLens #4"),),
    DepthwiseConvolution: (
        *FILTERS,
        Formula(
            "the filters, the channels and the groups are as many",
            _single_channels,
            "HiLens #5",
        ),
    ),
    Convolution: FILTERS,
    Crop: (),
    Deconvolution: (
        Rank(4, 4, "HiLens #8"),
        OneOf("group", (1,), "HiLens #8"),
        OneOf("dilation", ((1, 1),), "HiLens #8"),
        Formula("pad is less than the kernel", _kernel_passes_pad, "HiLens #8"),
        Formula(
            "its filters and a row of its stretched input take at most 1048576 bytes (a + b)",
            lambda site: _deconvolution_bytes(site) <= BUFFER,
            "HiLens #8",
            lambda site: f"a + b is {_deconvolution_bytes(site)} bytes",
        ),
    ),
    Eltwise: (Bottoms(2, 4, "HiLens #10"),),
    ELU: (),
    Exp: (),
    Flatten: (Formula("it makes one dim of several, and that dim is not 1", _flattens_several, "HiLens #13"),),
    InnerProduct: (
        OneOf("transpose", (False,), "HiLens #14"),
        OneOf("axis", (1,), "HiLens #14"),
        Formula(
            "its bias has at most 56832 elements",
            lambda site: _bias_length(site) <= 56832,
            "HiLens #14",
            lambda site: f"its bias has {_bias_length(site)} elements",
        ),
    ),
    Interp: (
        Formula("it zooms or shrinks, not both", _zooms_or_shrinks, "HiLens #15"),
        Formula("the top has more than 1/30 of the bottom's places", _keeps_a_thirtieth, "HiLens #15"),
    ),
    Log: (),
    LRN: (
        Formula(
            "across channels: up to a local_size of 15 k > 0.00001 and beta > 0.01, k and alpha are not both 0, "
            "and above 1776 channels local_size < 1728",
            _lrn_across,
            "HiLens #17",
            _lrn_shown,
        ),
        Formula("within a channel: k is 1, local_size 1 to 15 and beta > 0.01", _lrn_within, "HiLens #17", _lrn_shown),
    ),
    LSTM: (
        Bottoms(2, 3, "HiLens #18"),
        OneOf("expose_hidden", (False,), "HiLens #18 (its states are no bottoms)"),
        Formula(
            "x is [steps, batch, features, 1]",
            lambda site: len(site.bottoms[0]) == MOST_DIMS and site.bottoms[0][3] == 1,
            "HiLens #18",
            lambda site: f"x is {list(site.bottoms[0])}",
        ),
        Formula(
            "16 rows of x and h take at most 1048576 bytes (a + b + c)",
            lambda site: _lstm_bytes(site) <= BUFFER,
            "HiLens #18",
            lambda site: f"a + b + c is {_lstm_bytes(site)} bytes",
        ),
        Formula(
            "16 rows of h take at most 32768 bytes (d)",
            lambda site: 16 * _aligned(_lstm_outputs(site)) * 2 <= 256 * 1024 // 8,
            "HiLens #18",
            lambda site: f"d is {16 * _aligned(_lstm_outputs(site)) * 2} bytes",
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
            _single_place,
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
        Formula("the kernel is not larger than the padded image", _window_fits, "HiLens #21"),
        Formula(
            "a global window has at most 10000 elements",
            lambda site: _whole_image(site) <= 10000,
            "HiLens #21",
            lambda site: f"the image has {_whole_image(site)} elements",
        ),
        Formula(
            "a window is at most 32 high and wide",
            lambda site: max(_window(site)) <= MOST_SIDE,
            PRACTICE + ": it converts and then fails",
            lambda site: f"the window is {_window(site)[0]} x {_window(site)[1]}",
        ),
        WINDOWS_INSIDE,
    ),
    Power: (
        Formula(
            "power is no whole number (1 is not taken, and scale * x + shift must be positive)",
            _positive_base,
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
        Formula("x has 4 dims", lambda site: len(site.bottoms[0]) == MOST_DIMS, "HiLens #31"),
        OneOf("axis", (1, -3), "HiLens #31"),
        Formula("gamma and beta are one number per channel", _factor_per_channel, "HiLens #31"),
    ),
    ShuffleChannel: (),
    Sigmoid: (),
    Slice: (),
    Softmax: (
        Formula("of 4 dims any axis, axis 2 with a width of 1; of fewer dims the last", _softmax_axis, "HiLens #35"),
        Formula(
            f"of 4 dims the axis has at most {MOST_BATCHES}, {MOST_CHANNELS}, {LONGEST_LINE}, {LONGEST_LINE} elements, "
            f"of fewer dims {LONGEST_LAST}",
            _softmax_fits,
            "HiLens #35",
            lambda site: f"axis {_softmax_length(site)[0]} has {_softmax_length(site)[1]} elements",
        ),
    ),
    TanH: (
        Formula(
            "a blob has at most 2147483647 elements",
            lambda site: elements(site.bottoms[0]) <= INT32_MAX,
            "HiLens #36",
            lambda site: f"the bottom has {elements(site.bottoms[0])} elements",
        ),
    ),
    Upsample: (Rank(4, 4, "HiLens #37"),),
}

HILENS = Target(
    name="hilens",
    title="HiLens Kit (Ascend 310), omg's Caffe front end",
    dialect="ascend",
    source="HiLens, table of Caffe operators: what is not in it is not accepted",
    accepts=MappingProxyType(ACCEPTS),
    general=GENERAL,
    # A product of omg agrees with ATC in the dims of an InnerProduct at batch 1.
    shapes=MappingProxyType({InnerProduct: inner_product_tops, ArgMax: arg_max_tops}),
    least_dims=1,
    most_dims=MOST_DIMS,
    compiler="omg",
    socs=("Ascend310",),
)
