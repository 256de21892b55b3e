"""OpenCV 4's Caffe reader: the layer types it creates, and the forms in which they compute what Caffe computes.

Every row was measured with OpenCV 4.14 (opencv-python-headless): each golden net of tests/data/golden, and each type on
blobs of 1 to 6 dims, loaded from a file in this dialect and compared with Caffe's numbers. What differs or stops is a
limit here, with the place in OpenCV's sources (github.com/opencv/opencv, modules/dnn/src) that does it.
"""

from __future__ import annotations

from torch2om.layers import (
    BNLL,
    ELU,
    LRN,
    MVN,
    AbsVal,
    BatchNorm,
    Concat,
    Convolution,
    Crop,
    Deconvolution,
    Dropout,
    Eltwise,
    EltwiseOperation,
    Exp,
    Flatten,
    InnerProduct,
    Log,
    Mish,
    Permute,
    Pooling,
    PoolMethod,
    Power,
    PReLU,
    PriorBox,
    ReLU,
    ReLU6,
    Reshape,
    Rounding,
    Scale,
    Sigmoid,
    Slice,
    Softmax,
    Split,
    TanH,
)
from torch2om.targets.caffe import WINDOWS_INSIDE
from torch2om.targets.fusions import FUSIONS
from torch2om.targets.limits import Formula, OneOf, Rank, Site, Target

DNN = "OpenCV 4.14 modules/dnn/src/"
MEASURED = "measured with OpenCV 4.14"


LEAST_DIMS = 2


def _reads_columns(site: Site) -> bool:
    """Whether the layer can have these blobs: a cv::Mat has two dims at least, and a vector becomes a column (N, 1).

    A Reshape names its dims. An elementwise layer reads a column alike, but stops where its memory was a matrix before.
    """
    plain = isinstance(site.layer.op, Reshape) or all(len(shape) >= LEAST_DIMS for shape in site.bottoms)
    return all(site.tops) and plain


def _no_scalar_weight(site: Site) -> bool:
    return all(site.layer.weight_shapes)


def _whole_order(site: Site) -> bool:
    op = site.layer.op
    return not isinstance(op, Permute) or len(op.order) == len(site.bottoms[0])


def _points_written(site: Site) -> bool:
    """Without points OpenCV divides by the number of readers, not of tops."""
    op = site.layer.op
    return not isinstance(op, Slice) or len(op.slice_point) == op.tops - 1


def _no_second_bias(site: Site) -> bool:
    op = site.layer.op
    return not isinstance(op, Scale) or len(site.bottoms) == 1 or not op.bias_term


def _plane_convolution(site: Site) -> bool:
    return len(site.bottoms[0]) in (3, 4)


def _kernel_fits(site: Site) -> bool:
    op = site.layer.op
    if not isinstance(op, Convolution | Pooling):
        return True
    extent = op.window.extent if isinstance(op, Convolution) else op.kernel
    sizes = zip(site.bottoms[0][2:], op.pad, extent, strict=True)
    return all(size + 2 * pad >= extent for size, pad, extent in sizes)


def _clips_alike(site: Site) -> bool:
    """Whether no window is clipped away along an axis without padding: Caffe looks at both axes' padding for that."""
    op = site.layer.op
    if not isinstance(op, Pooling) or op.rounding is Rounding.FLOOR or not any(op.pad):
        return True
    axes = zip(site.bottoms[0][2:], site.tops[0][2:], op.kernel, op.stride, op.pad, strict=True)
    return all(pad or count == -(-(size - kernel) // stride) + 1 for size, count, kernel, stride, pad in axes)


def _misses_outside(site: Site) -> bool:
    """Whether OpenCV's own code for 3 x 3 filters of single channels takes the taps outside the image as zeros.

    It does not where a row of windows begins above the image and ends below it, where windows begin one column to the
    left of an image of one column, or of any image if they are dilated across. It runs where the rest of this function
    says, and was compared on 1956 forms: wrong on these, on no others.
    """
    op, (bottom, *_) = site.layer.op, site.bottoms
    if not isinstance(op, Convolution) or not 1 < op.group == op.num_output == bottom[1]:
        return True
    if set(op.kernel) != {3} or max(op.pad) > 1:
        return True
    stride, dilation = op.stride[-1], op.dilation[-1]
    if stride > 2 or (stride == 2 and dilation > 1):
        return True
    above = len(op.kernel) == 2 and op.pad[0] == 1 and bottom[2] <= 2 * op.dilation[0] - 1
    return not above and not (op.pad[-1] == 1 and (dilation > 1 or bottom[-1] == 1))


def _sums_alone_weighted(site: Site) -> bool:
    op = site.layer.op
    return not isinstance(op, Eltwise) or not op.coeff or op.operation is EltwiseOperation.SUM


def _axis_from_front(site: Site) -> bool:
    op = site.layer.op
    return not isinstance(op, Scale) or op.axis >= 0


NO_SCALAR = Formula("no weight is a scalar", _no_scalar_weight, "OpenCV 4.14 modules/core/src/matrix.cpp:662")
LOG = DNN + "layers/elementwise_layers.cpp (Log reads no parameters)"


def _whole_sizes(site: Site) -> bool:
    op = site.layer.op
    return not isinstance(op, PriorBox) or all(size == int(size) for size in (*op.min_size, *op.max_size))


OPENCV = Target(
    name="opencv",
    title="OpenCV 4's Caffe reader",
    dialect="opencv",
    source=DNN + "init.cpp (the layer types registered there)",
    general=(
        Formula("a blob of one dim becomes a column (N, 1); none has no dim", _reads_columns, MEASURED + ", cv::Mat"),
    ),
    least_dims=LEAST_DIMS,
    scalars=False,
    outputs_by_layer=True,
    reads_every_input=True,
    fusions=FUSIONS,
    accepts={
        AbsVal: (),
        BatchNorm: (OneOf("use_global_stats", (True,), DNN + "layers/batch_norm_layer.cpp"),),
        BNLL: (),
        Concat: (),
        Convolution: (
            Formula("1 or 2 spatial axes", _plane_convolution, DNN + "layers/convolution_layer.cpp:137"),
            Formula("the kernel is not larger than the padded image", _kernel_fits, MEASURED),
            Formula(
                "3 x 3 filters of single channels, padded by 1, are not dilated across and less than the image",
                _misses_outside,
                DNN + "layers/cpu_kernels/convolution.cpp:144, conv_depthwise.cpp:160",
                lambda _: "OpenCV reads beyond the image",
            ),
        ),
        Crop: (),
        Deconvolution: (
            Rank(4, 4, MEASURED),
            OneOf("dilation", ((1, 1),), DNN + "layers/convolution_layer.cpp (its output size has no dilation)"),
        ),
        Dropout: (),
        ELU: (),
        Eltwise: (
            Rank(2, 5, DNN + "layers/eltwise_layer.cpp (1 < dims <= 5)"),
            Formula("only a sum has coefficients", _sums_alone_weighted, DNN + "layers/eltwise_layer.cpp:190"),
        ),
        Exp: (),
        Flatten: (),
        InnerProduct: (OneOf("transpose", (False,), DNN + "layers/fully_connected_layer.cpp"),),
        Log: (
            OneOf("base", (-1,), LOG),
            OneOf("scale", (1,), LOG),
            OneOf("shift", (0,), LOG),
        ),
        LRN: (Rank(4, 4, MEASURED), OneOf("k", (1,), MEASURED + ": another k is ignored")),
        Mish: (),
        MVN: (
            Rank(4, 4, MEASURED + ": the top has the dims of the bottom, in Caffe 4"),
            OneOf(
                "normalize_variance",
                (False,),
                DNN + "layers/cpu_kernels/fast_norm.cpp:33 (E[x^2] - E[x]^2 in float32: 6e-3 off at a mean of 100 std)",
            ),
        ),
        Permute: (Formula("order names every dim", _whole_order, DNN + "layers/permute_layer.cpp:162"),),
        Pooling: (
            Rank(4, 4, MEASURED),
            OneOf("pool", (PoolMethod.MAX, PoolMethod.AVE), DNN + "layers/pooling_layer.cpp:141"),
            OneOf("tops", (1,), MEASURED + ": the second top is there only if the first is read"),
            Formula("the kernel is not larger than the padded image", _kernel_fits, MEASURED),
            WINDOWS_INSIDE,
            Formula(
                "windows are clipped away along padded axes only",
                _clips_alike,
                DNN + "layers/pooling_layer.cpp (getMemoryShapes looks at each axis's own padding)",
            ),
        ),
        Power: (),
        PriorBox: (
            OneOf("image", ((0, 0),), MEASURED + ": the second bottom's size is taken in any case"),
            Formula("sizes are whole numbers", _whole_sizes, MEASURED + ": Caffe cuts them to whole numbers"),
            Formula(
                "variance has 1 or 4 values",
                lambda site: len(getattr(site.layer.op, "variance", ())) > 0,
                DNN + "layers/prior_box_layer.cpp:164",
                lambda _: "variance has none",
            ),
        ),
        PReLU: (OneOf("channel_shared", (False,), "OpenCV 4.14 modules/core/src/matrix.cpp:662"),),
        ReLU: (),
        ReLU6: (),
        Reshape: (OneOf("axis", (0,), MEASURED), OneOf("num_axes", (-1,), MEASURED)),
        Scale: (
            NO_SCALAR,
            Formula("axis is not negative", _axis_from_front, DNN + "layers/scale_layer.cpp:65"),
            Formula("with two bottoms it has no bias", _no_second_bias, MEASURED + ": the bias is ignored"),
        ),
        Sigmoid: (),
        Slice: (Formula("slice points are written", _points_written, DNN + "layers/slice_layer.cpp:414"),),
        Softmax: (),
        Split: (OneOf("tops", (1,), DNN + "layers/split_layer.cpp:81 (it makes as many tops as are read)"),),
        TanH: (),
    },
)
