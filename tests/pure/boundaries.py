"""For each kind of layer a form that every target with it accepts, and how to change one thing of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from torch2om.ir.op import Op, Shape
from torch2om.layers import (
    LRN,
    LSTM,
    MVN,
    SPP,
    ArgMax,
    BatchedMatMul,
    BatchNorm,
    CodeType,
    Concat,
    Convolution,
    Deconvolution,
    DepthwiseConvolution,
    DetectionOutput,
    Eltwise,
    FSRDetectionOutput,
    InnerProduct,
    Log,
    Normalize,
    Pooling,
    PoolMethod,
    PReLU,
    PriorBox,
    Proposal,
    PSROIPooling,
    Reduction,
    Region,
    Reorg,
    Reshape,
    ROIPooling,
    Scale,
    ShuffleChannel,
    Split,
    SSDDetectionOutput,
    Upsample,
    YoloDetectionOutput,
)


@dataclass(frozen=True)
class Form:
    """An op and the shapes of its bottoms; its weights are those that it expects.

    `makers` are the ops that make the bottoms (the same one: one layer), where it matters.
    """

    op: Op
    bottoms: tuple[Shape, ...]
    makers: tuple[Op | None, ...] = ()


def form(op: Op, *bottoms: Shape) -> Form:
    return Form(op, bottoms)


IMAGE = (2, 3, 4, 5)
SMALL = (1, 1, 4, 4)
HIGH = (1, 1, 600, 4)
STEPS, MARKS = (3, 2, 4, 1), (3, 2)
FIRST = ArgMax(axis=1, first_of_equals=True)
MAX, AVE, STOCHASTIC = PoolMethod.MAX, PoolMethod.AVE, PoolMethod.STOCHASTIC
INT32_MAX = 2**31 - 1

PRIORS = ((1, 8), (1, 4), (1, 2, 8))
REGIONS = ((3, 2), (3, 8), (3, 5, 1, 1))
ANCHORS = ((1, 2, 4, 4), (1, 4, 4, 4), (1, 3))
YOLO = Region(2, 4, 1)
BOXES = ((1, 4, 32), (1, 32), (1, 2, 32), (1, 2))
DETECTION_BASES: Mapping[type[Op], Form] = MappingProxyType(
    {
        DetectionOutput: form(DetectionOutput(2), *REGIONS),
        FSRDetectionOutput: form(FSRDetectionOutput(2), *REGIONS),
        PriorBox: form(PriorBox((2.0,), (3.0,), variance=(0.1,)), (1, 3, 2, 2), (1, 3, 16, 16)),
        Proposal: form(Proposal(ratio=(1.0,), scale=(8.0,)), *ANCHORS),
        PSROIPooling: form(PSROIPooling(1.0, 1, 2), (1, 4, 8, 8), (2, 5, 1, 1)),
        ROIPooling: form(ROIPooling((2, 2)), (1, 3, 40, 40), (2, 5)),
        SSDDetectionOutput: form(SSDDetectionOutput(2), *PRIORS),
        YoloDetectionOutput: form(YoloDetectionOutput(2, 1), *BOXES),
    }
)

# Forms of which one field at a time is changed, for Range and OneOf.
BASES: Mapping[type[Op], Form] = MappingProxyType(
    {
        ArgMax: form(FIRST, IMAGE),
        BatchNorm: form(BatchNorm(), IMAGE),
        **DETECTION_BASES,
        Convolution: form(Convolution(1, (2, 1), bias_term=False), HIGH),
        DepthwiseConvolution: form(DepthwiseConvolution(1, (2, 1), bias_term=False), HIGH),
        Deconvolution: form(Deconvolution(2, (2, 1), bias_term=False), (1, 2, 4, 4)),
        InnerProduct: form(InnerProduct(3), (2, 3, 4)),
        Log: form(Log(), IMAGE),
        LRN: form(LRN(3), IMAGE),
        LSTM: form(LSTM(4), STEPS, MARKS),
        MVN: form(MVN(normalize_variance=False), IMAGE),
        Normalize: form(Normalize(eps=1e-6), (2, 3, 1, 1)),
        Pooling: form(Pooling(MAX, (2, 2), (2, 2)), (1, 1, 4, 4)),
        PReLU: form(PReLU(), IMAGE),
        Reshape: form(Reshape((6, 20)), IMAGE),
        Scale: form(Scale(), IMAGE),
        Split: form(Split(1), IMAGE),
        SPP: form(SPP(1), (1, 1, 64, 64)),
    }
)

# What a field may not be, where the base needs more than that field changed.
ELSEWHERE: Mapping[tuple[type[Op], str], Form] = MappingProxyType(
    {
        (LSTM, "expose_hidden"): form(LSTM(4, True), STEPS, MARKS, (1, 2, 4), (1, 2, 4)),
        (Reshape, "axis"): form(Reshape((60,), axis=1), IMAGE),
        (Reshape, "num_axes"): form(Reshape((1, 2), num_axes=1), IMAGE),
    }
)

# A value that is not among those that a OneOf lists; a truth value's is its opposite.
OUTSIDE: Mapping[tuple[type[Op], str], object] = MappingProxyType(
    {
        (ArgMax, "top_k"): 2,
        (SSDDetectionOutput, "code_type"): CodeType.CORNER,
        (SSDDetectionOutput, "eta"): 0.5,
        (Deconvolution, "dilation"): (2, 1),
        (Deconvolution, "group"): 2,
        (InnerProduct, "axis"): 2,
        (Log, "base"): 2.0,
        (Log, "scale"): 2.0,
        (Log, "shift"): 1.0,
        (LRN, "k"): 2.0,
        (Pooling, "pool"): STOCHASTIC,
        (Pooling, "tops"): 2,
        (PriorBox, "image"): (8, 8),
        (Scale, "axis"): 2,
        (Split, "tops"): 2,
    }
)

DIMS = (2, 4, 4, 4, 2, 2, 2, 2, 2)


def filtering(kind: type[Convolution | Deconvolution], rank: int) -> Form:
    axes = (1,) * (rank - 2)
    return form(kind(1, axes, axes, (0,) * (rank - 2), axes), (1, 1, *(4,) * (rank - 2)))


def recurrent(rank: int) -> Form:
    """The marks have 2 dims; x has 3 at least."""
    return form(LSTM(4), (3, 2, 4, 1, 1)[: max(rank, 3)], MARKS if rank > 1 else (3,))


# The layer with bottoms of this rank.
OF_RANK: Mapping[type[Op], Callable[[int], Form]] = MappingProxyType(
    {
        BatchedMatMul: lambda rank: form(BatchedMatMul(), (2,) * rank, (2,) * rank),
        Convolution: lambda rank: filtering(Convolution, rank),
        DepthwiseConvolution: lambda rank: filtering(DepthwiseConvolution, rank),
        Deconvolution: lambda rank: filtering(Deconvolution, rank),
        Eltwise: lambda rank: form(Eltwise(), DIMS[:rank], DIMS[:rank]),
        LRN: lambda rank: form(LRN(3), DIMS[:rank]),
        LSTM: recurrent,
        MVN: lambda rank: form(MVN(normalize_variance=False), DIMS[:rank]),
        Pooling: lambda rank: form(Pooling(MAX, (2, 2)), DIMS[:rank]),
        PReLU: lambda rank: form(PReLU(), DIMS[:rank]),
        Reduction: lambda rank: form(Reduction(axis=0), DIMS[:rank]),
        Reorg: lambda rank: form(Reorg(), DIMS[:rank]),
        ShuffleChannel: lambda rank: form(ShuffleChannel(2), DIMS[:rank]),
        SPP: lambda rank: form(SPP(1), DIMS[:rank]),
        Upsample: lambda rank: form(Upsample(2), DIMS[:rank]),
    }
)

# The layer with so many bottoms.
OF_BOTTOMS: Mapping[type[Op], Callable[[int], Form]] = MappingProxyType(
    {
        Concat: lambda count: form(Concat(), *(IMAGE,) * count),
        Eltwise: lambda count: form(Eltwise(), *(IMAGE,) * count),
        YoloDetectionOutput: lambda count: form(YoloDetectionOutput(2, 1), *(*BOXES, (1,))[:count]),
        LSTM: lambda count: form(LSTM(4), *(STEPS, MARKS, (2, 5), (1, 2, 4))[:count]),
    }
)
