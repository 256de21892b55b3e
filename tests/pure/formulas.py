"""For each Formula of a target forms of layers at both sides of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from boundaries import AVE, IMAGE, INT32_MAX, MARKS, MAX, SMALL, STEPS, Form, filtering, form

from torch2om.layers import (
    LRN,
    LSTM,
    SPP,
    ArgMax,
    Convolution,
    Crop,
    Deconvolution,
    DepthwiseConvolution,
    Eltwise,
    EltwiseOperation,
    Flatten,
    InnerProduct,
    Interp,
    Normalize,
    NormRegion,
    Permute,
    Pooling,
    Power,
    ReLU,
    Reshape,
    Reverse,
    Rounding,
    Scale,
    Slice,
    Softmax,
    TanH,
)


@dataclass(frozen=True)
class Sides:
    """Forms that obey a Formula, and forms that break it."""

    obey: tuple[Form, ...]
    broken: tuple[Form, ...]


def pooled(kernel: int, size: int, stride: int = 1, **fields: object) -> Form:
    return form(Pooling(**{"kernel": (kernel, kernel), "stride": (stride, stride), **fields}), (1, 1, size, size))  # type: ignore[arg-type]  # fields by name


def whole(*image: int) -> Form:
    return form(Pooling(AVE, global_pooling=True), (1, 1, *image))


def lrn(channels: int = 3, **fields: object) -> Form:
    return form(LRN(**fields), (1, channels, 4, 4))  # type: ignore[arg-type]  # fields by name


def within(**fields: object) -> Form:
    return lrn(**{"norm_region": NormRegion.WITHIN_CHANNEL, **fields})  # type: ignore[arg-type]  # fields by name


def lstm(hidden: int, features: int, batch: int = 2) -> Form:
    return form(LSTM(hidden), (3, batch, features, 1), (3, batch))


def softmax(axis: int, *dims: int) -> Form:
    return form(Softmax(axis), dims)


CONV = Convolution(1, (1, 1))
LARGE_KERNEL = "the padded image is at least as large as the dilated kernel"
WHOLE_KERNEL = "the kernel is not larger than the padded image"
INSIDE = "every window begins within the image"

# (layer type, or "" for every layer; the Formula's first words) -> forms at its both sides, as near as numbers can be.
SIDES: Mapping[tuple[str, str], Sides] = MappingProxyType(
    {
        # of every layer
        ("", "a blob has at most 32 dims and 2^31 - 1 elements"): Sides(
            (form(ReLU(), (1,) * 32), form(ReLU(), (INT32_MAX,))), (form(ReLU(), (1,) * 33), form(ReLU(), (2**31,)))
        ),
        ("", "a blob has 1 to 4 dims, none of them 0"): Sides(
            (form(ReLU(), (2,)), form(ReLU(), IMAGE)),
            (form(ReLU(), ()), form(ReLU(), (1, *IMAGE)), form(ReLU(), (0, 3)), form(Reshape((1, 2, 3, 4, 5)), (120,))),
        ),
        ("", "an axis is not negative where its blob has other than 4 dims"): Sides(
            (softmax(-1, *IMAGE), softmax(2, 2, 3, 4)), (softmax(-1, 2, 3, 4), form(Reverse((-1,)), (2, 3)))
        ),
        ("", "a blob of one dim becomes a column (N, 1); none has no dim"): Sides(
            (form(ReLU(), (2, 3)), form(Reshape((2, 3)), (6,))), (form(ReLU(), (3,)), form(Reshape(()), (1,)))
        ),
        # convolutions
        ("Convolution", "the image's height is at most 100000"): Sides(
            (form(CONV, (1, 1, 100000, 1)),), (form(CONV, (1, 1, 100001, 1)),)
        ),
        ("Convolution", LARGE_KERNEL): Sides(
            (form(Convolution(1, (3, 2), dilation=(2, 1)), (1, 1, 5, 4)),),
            (form(Convolution(1, (3, 2), (2, 1), dilation=(2, 1)), (1, 1, 4, 4)),),
        ),
        ("Convolution", "(in + pads) / stride + 1"): Sides(
            (form(CONV, (1, 1, 1, INT32_MAX - 1)),), (form(CONV, (1, 1, 1, INT32_MAX)),)
        ),
        ("Convolution", "1 or 2 spatial axes"): Sides(
            (filtering(Convolution, 3), filtering(Convolution, 4)), (filtering(Convolution, 5),)
        ),
        ("Convolution", WHOLE_KERNEL): Sides(
            (form(Convolution(1, (4, 4)), SMALL),), (form(Convolution(1, (5, 5), (2, 2)), SMALL),)
        ),
        ("Convolution", "3 x 3 filters of single channels"): Sides(
            (form(Convolution(2, (3, 3), pad=(1, 1), group=2), (1, 2, 4, 4)),),
            (
                form(Convolution(2, (3, 3), pad=(1, 1), dilation=(1, 2), group=2), (1, 2, 6, 6)),
                form(Convolution(2, (3, 3), pad=(1, 1), group=2), (1, 2, 1, 4)),
            ),
        ),
        ("DepthwiseConvolution", "the image's height is at most 100000"): Sides(
            (form(DepthwiseConvolution(1, (1, 1)), (1, 1, 100000, 1)),),
            (form(DepthwiseConvolution(1, (1, 1)), (1, 1, 100001, 1)),),
        ),
        ("DepthwiseConvolution", LARGE_KERNEL): Sides(
            (form(DepthwiseConvolution(1, (3, 2)), (1, 1, 3, 4)),),
            (form(DepthwiseConvolution(1, (3, 2), (2, 1)), (1, 1, 2, 4)),),
        ),
        ("DepthwiseConvolution", "(in + pads) / stride + 1"): Sides(
            (form(DepthwiseConvolution(1, (1, 1)), (1, 1, 1, INT32_MAX - 1)),),
            (form(DepthwiseConvolution(1, (1, 1)), (1, 1, 1, INT32_MAX)),),
        ),
        ("DepthwiseConvolution", "the filters, the channels and the groups are as many"): Sides(
            (form(DepthwiseConvolution(2, (1, 1), group=2), (1, 2, 4, 4)),),
            (
                form(DepthwiseConvolution(4, (1, 1), group=2), (1, 2, 4, 4)),
                form(DepthwiseConvolution(2, (1, 1)), (1, 2, 4, 4)),
            ),
        ),
        ("Deconvolution", "images are at most 200000 high and 4096 wide"): Sides(
            (
                form(Deconvolution(1, (1, 1)), (1, 1, 200000, 4096)),
                form(Deconvolution(1, (1, 1), (1, 7)), (1, 1, 1, 586)),
            ),
            (
                form(Deconvolution(1, (1, 1)), (1, 1, 200001, 1)),
                form(Deconvolution(1, (1, 1)), (1, 1, 1, 4097)),
                form(Deconvolution(1, (1, 1), (1, 7)), (1, 1, 1, 587)),
            ),
        ),
        ("Deconvolution", "pad is less than the kernel"): Sides(
            (form(Deconvolution(1, (2, 2), pad=(1, 1)), SMALL),), (form(Deconvolution(1, (2, 1), pad=(1, 1)), SMALL),)
        ),
        ("Deconvolution", "its filters and a row of its stretched input take at most"): Sides(
            (
                form(Deconvolution(512, (2, 2)), (1, 256, 1, 256)),  # channels in pairs: 524288 + 524288 bytes
                form(Deconvolution(16, (3, 3), (1, 2)), (1, 16, 1, 2719)),  # 4608 + 1043904
            ),
            (
                form(Deconvolution(512, (2, 2)), (1, 256, 1, 257)),
                form(Deconvolution(16, (3, 3), (1, 2)), (1, 16, 1, 2720)),
            ),
        ),
        # inner products and recurrence
        ("InnerProduct", "it works on the dims from axis 1 of up to 4, or from axis 2"): Sides(
            (form(InnerProduct(3), IMAGE), form(InnerProduct(3, axis=2), (2, 3, 4))),
            (
                form(InnerProduct(3), (1, *IMAGE)),
                form(InnerProduct(3, axis=0), (2, 3)),
                form(InnerProduct(3, axis=3), IMAGE),
            ),
        ),
        ("InnerProduct", "its bias has at most 56832 elements"): Sides(
            (form(InnerProduct(56832), (1, 1)), form(InnerProduct(56833, bias_term=False), (1, 1))),
            (form(InnerProduct(56833), (1, 1)),),
        ),
        ("LSTM", "it has no static input"): Sides(
            (form(LSTM(4), STEPS, MARKS), form(LSTM(4, True), STEPS, MARKS, (1, 2, 4), (1, 2, 4))),
            (form(LSTM(4), STEPS, MARKS, (2, 5)),),
        ),
        ("LSTM", "x is [steps, batch, features, 1]"): Sides(
            (form(LSTM(4), STEPS, MARKS),), (form(LSTM(4), STEPS[:3], MARKS), form(LSTM(4), (3, 2, 2, 2), MARKS))
        ),
        ("LSTM", "16 rows of x and h take at most 1048576 bytes"): Sides((lstm(1024, 2240),), (lstm(1024, 2241),)),
        ("LSTM", "16 rows of h take at most 32768 bytes"): Sides((lstm(1024, 4),), (lstm(1025, 4),)),
        ("LSTM", "the batch is at most 2048"): Sides((lstm(4, 4, 2048),), (lstm(4, 4, 2049),)),
        # pooling
        ("Pooling", INSIDE): Sides(
            (pooled(2, 4, 2, pad=(1, 1)), pooled(1, 4, 2, rounding=Rounding.FLOOR)), (pooled(1, 4, 2),)
        ),
        ("Pooling", WHOLE_KERNEL): Sides((pooled(4, 4), pooled(6, 4, pad=(1, 1))), (pooled(5, 4, 2),)),
        ("Pooling", "a global window has at most 10000 elements"): Sides((whole(32, 32),), (whole(100, 101),)),
        ("Pooling", "a window is at most 32 high and wide"): Sides(
            (pooled(32, 64), whole(32, 32)), (pooled(33, 64), whole(33, 1), whole(1, 33))
        ),
        ("Pooling", "windows are clipped away along padded axes only"): Sides(
            (pooled(2, 4, 3, pad=(1, 1)), form(Pooling(MAX, (2, 2), (2, 2), (1, 0)), SMALL)),
            (form(Pooling(MAX, (2, 1), (2, 3), (1, 0)), (1, 1, 4, 6)),),
        ),
        ("SPP", "with several levels the image is at most 510 x 510"): Sides(
            (form(SPP(2), (1, 1, 510, 510)), form(SPP(1), (1, 1, 511, 511))),
            (form(SPP(2), (1, 1, 511, 4)), form(SPP(2), (1, 1, 4, 511))),
        ),
        # elementwise
        ("Eltwise", "only a sum has coefficients"): Sides(
            (form(Eltwise(coeff=(1.0, 2.0)), IMAGE, IMAGE),),
            (form(Eltwise(EltwiseOperation.MAX, (1.0, 2.0)), IMAGE, IMAGE),),
        ),
        ("Power", "power is no whole number"): Sides(
            (form(Power(0.5), IMAGE), form(Power(-0.5, 1.0, 1e-5), IMAGE)),
            (form(Power(1.0, 2.0), IMAGE), form(Power(2.0), IMAGE), form(Power(-1.0), IMAGE)),
        ),
        ("TanH", "a blob has at most 2147483647 elements"): Sides(
            (form(TanH(), (INT32_MAX,)),), (form(TanH(), (2**16, 2**15)),)
        ),
        ("Scale", "x has 4 dims"): Sides((form(Scale(), IMAGE),), (form(Scale(), (2, 3, 4)),)),
        ("Scale", "gamma and beta are one number per channel"): Sides(
            (form(Scale(bias_term=True), IMAGE), form(Scale(), IMAGE, (3,)), form(Scale(-3), IMAGE)),
            (form(Scale(1, 2), IMAGE), form(Scale(), IMAGE, (3, 4)), form(Scale(1, 0), IMAGE)),
        ),
        ("Scale", "no weight is a scalar"): Sides((form(Scale(), IMAGE),), (form(Scale(0, 0), IMAGE),)),
        ("Scale", "axis is not negative"): Sides((form(Scale(1), IMAGE),), (form(Scale(-3), IMAGE),)),
        ("Scale", "with two bottoms it has no bias"): Sides(
            (form(Scale(), IMAGE, (3, 4)), form(Scale(bias_term=True), IMAGE)),
            (form(Scale(bias_term=True), IMAGE, (3, 4)),),
        ),
        # normalization and softmax
        ("LRN", "across channels"): Sides(
            (
                lrn(local_size=15, k=1.1e-5, beta=0.011),
                lrn(local_size=17, k=0.0, beta=0.0),
                lrn(1777, local_size=1727),
                lrn(1776, local_size=1729),
            ),
            (
                lrn(local_size=15, k=1e-5),
                lrn(local_size=15, beta=0.01),
                lrn(local_size=17, k=0.0, alpha=0.0),
                lrn(1777, local_size=1729),
            ),
        ),
        ("LRN", "within a channel"): Sides(
            (within(local_size=15, beta=0.011),), (within(local_size=17), within(k=2.0), within(beta=0.01))
        ),
        ("Normalize", "an image is 1 x 1"): Sides(
            (form(Normalize(eps=1e-6), (2, 3, 1, 1)),), (form(Normalize(eps=1e-6), (2, 3, 1, 2)),)
        ),
        ("Normalize", "eps is above"): Sides(
            (form(Normalize(eps=1.1e-7), (2, 3)), form(Normalize(eps=0.1 + 1e-6), (2, 3))),
            (form(Normalize(eps=1e-7), (2, 3)), form(Normalize(eps=0.1001), (2, 3))),
        ),
        ("Softmax", "of 4 dims any axis"): Sides(
            (
                *(softmax(axis, 2, 3, 4, 1) for axis in range(4)),
                softmax(3, *IMAGE),
                softmax(-1, *IMAGE),
                softmax(2, 2, 3, 4),
            ),
            (softmax(2, *IMAGE), softmax(1, 2, 3, 4), softmax(0, 2, 3)),
        ),
        ("Softmax", "of 4 dims the axis has at most"): Sides(
            (
                softmax(0, 28544, 1, 1, 1),
                softmax(1, 1, 28544, 1, 1),
                softmax(2, 1, 1, 32767, 1),
                softmax(3, 1, 1, 1, 32767),
                softmax(0, 46080),
            ),
            (
                softmax(0, 28545, 1, 1, 1),
                softmax(1, 1, 28545, 1, 1),
                softmax(2, 1, 1, 32768, 1),
                softmax(3, 1, 1, 1, 32768),
                softmax(1, 1, 46081),
            ),
        ),
        # resizing
        ("Interp", "it zooms or shrinks, not both"): Sides(
            (form(Interp(zoom_factor=2), IMAGE), form(Interp(shrink_factor=2), IMAGE)),
            (form(Interp(zoom_factor=2, shrink_factor=2), IMAGE),),
        ),
        ("Interp", "the top has more than 1/30 of the bottom's places"): Sides(
            (form(Interp(1, 3), (1, 1, 6, 10)),), (form(Interp(1, 2), (1, 1, 6, 10)),)
        ),
        # shape
        ("ArgMax", "out_max_val only with axis"): Sides(
            (
                form(ArgMax(True, axis=1, first_of_equals=True), IMAGE),
                form(ArgMax(first_of_equals=True), IMAGE),
            ),
            (form(ArgMax(True, first_of_equals=True), IMAGE),),
        ),
        ("ArgMax", "no layer computes with its places"): Sides(
            (form(ArgMax(True, axis=1, first_of_equals=True), IMAGE),),
            (form(ArgMax(axis=1, first_of_equals=True), IMAGE), form(ArgMax(first_of_equals=True), IMAGE)),
        ),
        ("Crop", "the reference has x's rank and its dims up to the axis"): Sides(
            (form(Crop(2), IMAGE, (2, 3, 1, 2)),),
            (form(Crop(2), IMAGE, (1, 3, 1, 2)), form(Crop(2), (2, 3, 4), (2, 3, 2, 1))),
        ),
        ("Flatten", "it makes one dim of several"): Sides(
            (form(Flatten(), IMAGE), form(Flatten(), (2, 3, 1, 1)), form(Flatten(0), (2, 3))),
            (form(Flatten(), (2, 3)), form(Flatten(), (2, 1, 1, 1))),
        ),
        ("Permute", "order names every dim"): Sides(
            (form(Permute((0, 2, 3, 1)), IMAGE),), (form(Permute((0, 2)), IMAGE),)
        ),
        ("Reshape", "it names its dims"): Sides((form(Reshape((1,)), (1, 1)),), (form(Reshape(()), (1, 1)),)),
        ("Reverse", "it turns one axis round"): Sides((form(Reverse((1,)), IMAGE),), (form(Reverse((1, 2)), IMAGE),)),
        ("Slice", "slice points are written"): Sides(
            (form(Slice(1, (1,), 2), IMAGE),), (form(Slice(1, (), 3), IMAGE),)
        ),
    }
)
