"""BVLC Caffe 1.0: its layer types, and what their checks do not let pass.

Lines are of github.com/BVLC/caffe at commit 9b89154 (2020-02), folder src/caffe. What an op's shape rule refuses
already (the two-bottom rule of Scale, equal shapes of Eltwise, ...) needs no row here.
"""

from __future__ import annotations

from torch2om.ir.op import elements
from torch2om.layers import (
    BNLL,
    ELU,
    LRN,
    LSTM,
    MVN,
    RNN,
    SPP,
    AbsVal,
    ArgMax,
    BatchNorm,
    Bias,
    Clip,
    Concat,
    Convolution,
    Crop,
    Deconvolution,
    Dropout,
    DynamicConvolution,
    Eltwise,
    Exp,
    Flatten,
    Im2col,
    InnerProduct,
    Log,
    Parameter,
    Pooling,
    Power,
    PReLU,
    Reduction,
    ReLU,
    Reshape,
    Scale,
    Sigmoid,
    Silence,
    Slice,
    Softmax,
    Split,
    Swish,
    TanH,
    Threshold,
    Tile,
)
from torch2om.targets.limits import Formula, OneOf, Rank, Site, Target

BVLC = "BVLC/caffe 9b89154 src/caffe/"
MOST_ELEMENTS = 2**31 - 1
MOST_AXES = 32


def windows_begin_inside(site: Site) -> bool:
    """Whether every window of a Pooling begins within the image or its left padding.

    Without padding the last window may lie wholly outside: MAX then gives -FLT_MAX there and AVE NaN (measured: k 1,
    s 2 on 4 x 4 gives 3 x 3).
    """
    op = site.layer.op
    if not isinstance(op, Pooling) or op.global_pooling:
        return True
    places = zip(site.bottoms[0][2:], site.tops[0][2:], op.stride, op.pad, strict=True)
    return all((count - 1) * stride < size + pad for size, count, stride, pad in places)


def _small_enough(site: Site) -> bool:
    return all(len(top) <= MOST_AXES and elements(top) <= MOST_ELEMENTS for top in site.tops)


WINDOWS_INSIDE = Formula(
    "every window begins within the image",
    windows_begin_inside,
    BVLC + "layers/pooling_layer.cpp:106 (only a padded image clips the last window)",
    lambda _: "its last window lies wholly outside the image",
)

CAFFE = Target(
    name="caffe",
    title="BVLC Caffe 1.0",
    dialect="caffe",
    source=BVLC + "layers",
    general=(Formula("a blob has at most 32 dims and 2^31 - 1 elements", _small_enough, BVLC + "blob.cpp:24, :34"),),
    accepts={
        AbsVal: (),
        ArgMax: (
            OneOf("first_of_equals", (False,), BVLC + "layers/argmax_layer.cpp:70 (it sorts pairs of value and index)"),
        ),
        BatchNorm: (),
        Bias: (),
        BNLL: (),
        Clip: (),
        Concat: (),
        Convolution: (),
        Crop: (),
        Deconvolution: (),
        Dropout: (),
        DynamicConvolution: (),  # as four layers: a parameter that an Eltwise overwrites (torch2om.caffe.overwritten)
        ELU: (),
        Eltwise: (),
        Exp: (),
        Flatten: (),
        Im2col: (),
        InnerProduct: (),
        Log: (),
        LRN: (),
        LSTM: (),
        MVN: (),
        Parameter: (),
        Pooling: (WINDOWS_INSIDE,),
        Power: (),
        PReLU: (Rank(2, 4, BVLC + "layers/prelu_layer.cpp:17 (channels() takes at most 4 dims)"),),
        Reduction: (),
        ReLU: (),
        Reshape: (),
        RNN: (),
        Scale: (),
        Sigmoid: (),
        Silence: (),
        Slice: (),
        Softmax: (),
        Split: (),
        SPP: (),
        Swish: (),
        TanH: (),
        Threshold: (),
        Tile: (),
    },
)
