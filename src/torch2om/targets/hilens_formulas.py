"""What HiLens's table of Caffe operators demands of a layer where it stands: its formulas, row by row.

Each works on any site of its layer type; what a layer of another type says is true, or 0.
"""

from __future__ import annotations

from math import prod

from torch2om.ir.op import Shape, elements
from torch2om.layers import (
    LRN,
    LSTM,
    Convolution,
    Deconvolution,
    Flatten,
    InnerProduct,
    Interp,
    NormRegion,
    Pooling,
    Power,
    Softmax,
)
from torch2om.layers.window import Window
from torch2om.targets.limits import Site

MOST_DIMS = 4
MOST_SIDE = 32  # of a Pooling's window
BUFFER = 1024 * 1024  # bytes: the L1 buffer, over which #8 and #18 distribute their operands
INT32_MAX = 2**31 - 1


def aligned(count: int) -> int:
    """Return the count as the device's blocks of 16 hold it."""
    return -(-count // 16) * 16


def has_few_dims(site: Site) -> bool:
    """Whether every blob has 1 to 4 dims, none of them 0."""
    return all(1 <= len(shape) <= MOST_DIMS and all(shape) for shape in (*site.bottoms, *site.tops))


def wrong_dims(site: Site) -> str:
    """Return the first blob that has other dims."""
    wrong = next(s for s in (*site.bottoms, *site.tops) if not (1 <= len(s) <= MOST_DIMS and all(s)))
    return f"a blob is {list(wrong)}"


def axis_from_front(site: Site) -> bool:
    """Whether the axis is not negative, or the first bottom has the 4 dims for which it may be."""
    axis = getattr(site.layer.op, "axis", 0)
    axes = axis if isinstance(axis, tuple) else (axis or 0,)
    return len(site.bottoms[0]) == MOST_DIMS or min(axes) >= 0


def windows(site: Site) -> int:
    """Return (in + pads) / stride + 1, the larger of the two axes."""
    op = site.layer.op
    if not isinstance(op, Convolution):
        return 0
    axes = zip(site.bottoms[0][2:], op.pad, op.stride, strict=True)
    return max((size + 2 * pad) // stride + 1 for size, pad, stride in axes)


def single_channels(site: Site) -> bool:
    """Whether filters, channels and groups are as many."""
    op = site.layer.op
    return not isinstance(op, Convolution) or op.num_output == site.bottoms[0][1] == op.group


def kernel_passes_pad(site: Site) -> bool:
    """Whether kernel - pad - 1 >= 0 along each axis."""
    op = site.layer.op
    return not isinstance(op, Deconvolution) or all(k - p - 1 >= 0 for k, p in zip(op.kernel, op.pad, strict=True))


def deconvolution_bytes(site: Site) -> int:
    """Return a + b: the filters, halved where their channels pair up, and a row of the stretched input."""
    op, (filters, *_) = site.layer.op, site.layer.weight_shapes
    if not isinstance(op, Deconvolution) or len(op.kernel) != 2:
        return 0
    number, channels = aligned(filters[0]), aligned(filters[1])
    a = number * channels * prod(op.kernel) * 2
    a = a // 2 if channels % 32 == 0 else a
    width = (site.bottoms[0][-1] - 1) * op.stride[-1] + 1
    return a + width * op.kernel[0] * number * 2 * 2


def flattens_several(site: Site) -> bool:
    """Whether the flattened dims are several, and the top is neither the bottom again nor of one element there."""
    op, (bottom,), (top,) = site.layer.op, site.bottoms, site.tops
    if not isinstance(op, Flatten):
        return True
    start, end = (axis % len(bottom) for axis in (op.axis, op.end_axis))
    return start < end and top[start] != 1


def bias_length(site: Site) -> int:
    """Return how many elements the bias has, 0 without one."""
    op = site.layer.op
    return op.num_output if isinstance(op, InnerProduct) and op.bias_term else 0


def zooms_or_shrinks(site: Site) -> bool:
    """Whether at most one of the two factors is not 1."""
    op = site.layer.op
    return not isinstance(op, Interp) or op.zoom_factor == 1 or op.shrink_factor == 1


def keeps_a_thirtieth(site: Site) -> bool:
    """Whether (outH * outW) / (inH * inW) > 1 / 30."""
    (bottom,), (top,) = site.bottoms, site.tops
    return elements(top[2:]) * 30 > elements(bottom[2:])


def lrn_across(site: Site) -> bool:
    """Whether an LRN across channels has numbers that the row takes."""
    op = site.layer.op
    if not isinstance(op, LRN) or op.norm_region is not NormRegion.ACROSS_CHANNELS:
        return True
    smooth = op.local_size > 15 or (op.k > 1e-5 and op.beta > 0.01)
    narrow = site.bottoms[0][1] <= 1776 or op.local_size < 1728
    return smooth and narrow and (op.k, op.alpha) != (0, 0)


def lrn_within(site: Site) -> bool:
    """Whether an LRN within a channel has numbers that the row takes."""
    op = site.layer.op
    if not isinstance(op, LRN) or op.norm_region is not NormRegion.WITHIN_CHANNEL:
        return True
    return op.k == 1 and op.local_size <= 15 and op.beta > 0.01


def lrn_shown(site: Site) -> str:
    """Return the LRN's numbers."""
    op = site.layer.op
    if not isinstance(op, LRN):
        return ""
    numbers = f"local_size is {op.local_size}, k {op.k:g}, alpha {op.alpha:g}, beta {op.beta:g}"
    return f"{numbers} for {site.bottoms[0][1]} channels"


def lstm_outputs(site: Site) -> int:
    """Return the number of outputs of a step."""
    op = site.layer.op
    return op.num_output if isinstance(op, LSTM) else 0


def lstm_bytes(site: Site) -> int:
    """Return a + b + c for 16 rows of a step, x and h beside each other; Caffe's LSTM has no projection, so c is 0."""
    both = aligned(elements(site.bottoms[0][2:])) + aligned(lstm_outputs(site))
    return both * 16 * 2 * 2 + both * 16 * 4 * 2 * 2


def whole_image(site: Site) -> int:
    """Return H * W of a global Pooling's image, 0 where the Pooling is not global."""
    op = site.layer.op
    return elements(site.bottoms[0][2:]) if isinstance(op, Pooling) and op.global_pooling else 0


def window(site: Site) -> Shape:
    """Return the Pooling's window: the image's size if it is global."""
    op = site.layer.op
    window = op.window(site.bottoms[0][2:]) if isinstance(op, Pooling) else Window((), (), ())
    return window.kernel


def window_fits(site: Site) -> bool:
    """Whether the window is not larger than the padded image."""
    op = site.layer.op
    if not isinstance(op, Pooling):
        return True
    axes = zip(site.bottoms[0][2:], op.pad, window(site), strict=True)
    return all(size + 2 * pad >= kernel for size, pad, kernel in axes)


def positive_base(site: Site) -> bool:
    """Whether Caffe itself wants a base that is not negative: only roots give NaN there."""
    op = site.layer.op
    return not isinstance(op, Power) or not float(op.power).is_integer()


def single_place(site: Site) -> bool:
    """Whether the image is 1 x 1, or there is none."""
    return elements(site.bottoms[0][2:]) == 1


def factor_per_channel(site: Site) -> bool:
    """Whether gamma (and beta) are one number per channel, be gamma a weight or the second bottom."""
    shapes = (*site.bottoms[1:], *site.layer.weight_shapes)
    return all(shape == site.bottoms[0][1:2] for shape in shapes)


MOST_CHANNELS = (256 * 1024 // 4 - 8 * 1024 - 256) // 2
MOST_BATCHES = (56 * 1024 - 256) // 2
LONGEST_LINE = 1024 * 1024 // 32 - 1
LONGEST = (MOST_BATCHES, MOST_CHANNELS, LONGEST_LINE, LONGEST_LINE)
LONGEST_LAST = 46080


def softmax_length(site: Site) -> tuple[int, int]:
    """Return the axis from the front, and its length."""
    op, (bottom,) = site.layer.op, site.bottoms
    axis = op.axis % len(bottom) if isinstance(op, Softmax) else 0
    return axis, bottom[axis]


def softmax_fits(site: Site) -> bool:
    """Whether the axis is not longer than the row takes."""
    (axis, length), rank = softmax_length(site), len(site.bottoms[0])
    if rank < MOST_DIMS:
        return length <= LONGEST_LAST
    return length <= LONGEST[axis]


def softmax_axis(site: Site) -> bool:
    """Whether the row takes a softmax along this axis."""
    (axis, _), bottom = softmax_length(site), site.bottoms[0]
    if len(bottom) < MOST_DIMS:
        return axis == len(bottom) - 1
    return axis != 2 or bottom[3] == 1
