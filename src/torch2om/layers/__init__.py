"""Layer ops: one frozen class per Caffe layer type, and the virtual ones that every target rewrites."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from torch2om.ir.op import Op
from torch2om.layers.activation import (
    Celu,
    Erf,
    Gelu,
    Hardshrink,
    HardSigmoid,
    HardSwish,
    Hardtanh,
    LogSigmoid,
    Selu,
    Softplus,
    Softshrink,
    Softsign,
    Tanhshrink,
)
from torch2om.layers.detection import (
    Proposal,
    PSROIPooling,
    Region,
    ROIAlign,
    ROIPooling,
    YoloDetectionOutput,
)
from torch2om.layers.detection_output import (
    CodeType,
    DetectionOutput,
    FSRDetectionOutput,
    SSDDetectionOutput,
)
from torch2om.layers.elementary import Ceil, Cos, Expm1, Floor, Log1p, Reciprocal, Round, Rsqrt, Sign, Sin, Sqrt, Trunc
from torch2om.layers.linear import (
    BatchedMatMul,
    Convolution,
    Deconvolution,
    DepthwiseConvolution,
    InnerProduct,
)
from torch2om.layers.normalization import (
    LRN,
    MVN,
    BatchNorm,
    Bias,
    Normalize,
    NormRegion,
    Scale,
)
from torch2om.layers.pointwise import (
    BNLL,
    ELU,
    AbsVal,
    Clip,
    Dropout,
    Eltwise,
    EltwiseOperation,
    Exp,
    Log,
    Mish,
    Power,
    PReLU,
    ReLU,
    ReLU6,
    Sigmoid,
    Swish,
    TanH,
    Threshold,
)
from torch2om.layers.pooling import (
    SPP,
    Im2col,
    Pooling,
    PoolMethod,
    Rounding,
)
from torch2om.layers.priors import PriorBox
from torch2om.layers.rearrangement import Reorg, ShuffleChannel
from torch2om.layers.recurrent import LSTM, RNN
from torch2om.layers.reduction import ArgMax, Reduction, ReductionOperation, Softmax
from torch2om.layers.resizing import Interp, Upsample
from torch2om.layers.shape import (
    Concat,
    Crop,
    Flatten,
    Parameter,
    Permute,
    Reshape,
    Reverse,
    Silence,
    Slice,
    Split,
    Tile,
)
from torch2om.layers.virtual_arithmetic import (
    Arithmetic,
    ArithmeticKind,
    Compare,
    CompareKind,
    LinearMap,
    MatMul,
    Where,
)
from torch2om.layers.virtual_convolution import DynamicConvolution
from torch2om.layers.virtual_pooling import AdaptivePooling, WindowPooling
from torch2om.layers.virtual_recurrence import Cell, Recurrence
from torch2om.layers.virtual_reduction import ArgReduce, Reduce, ReduceKind, Standardize
from torch2om.layers.virtual_resizing import Resize, ResizeMode
from torch2om.layers.virtual_shape import Constant, Expand, Hole, Pad, PadMode, StridedSlice

__all__ = [
    "BNLL",
    "CAFFE_TYPES",
    "ELU",
    "LRN",
    "LSTM",
    "MVN",
    "RNN",
    "SPP",
    "AbsVal",
    "AdaptivePooling",
    "ArgMax",
    "ArgReduce",
    "Arithmetic",
    "ArithmeticKind",
    "BatchNorm",
    "BatchedMatMul",
    "Bias",
    "Ceil",
    "Cell",
    "Celu",
    "Clip",
    "CodeType",
    "Compare",
    "CompareKind",
    "Concat",
    "Constant",
    "Convolution",
    "Cos",
    "Crop",
    "Deconvolution",
    "DepthwiseConvolution",
    "DetectionOutput",
    "Dropout",
    "DynamicConvolution",
    "Eltwise",
    "EltwiseOperation",
    "Erf",
    "Exp",
    "Expand",
    "Expm1",
    "FSRDetectionOutput",
    "Flatten",
    "Floor",
    "Gelu",
    "HardSigmoid",
    "HardSwish",
    "Hardshrink",
    "Hardtanh",
    "Hole",
    "Im2col",
    "InnerProduct",
    "Interp",
    "LinearMap",
    "Log",
    "Log1p",
    "LogSigmoid",
    "MatMul",
    "Mish",
    "NormRegion",
    "Normalize",
    "PReLU",
    "PSROIPooling",
    "Pad",
    "PadMode",
    "Parameter",
    "Permute",
    "PoolMethod",
    "Pooling",
    "Power",
    "PriorBox",
    "Proposal",
    "ROIAlign",
    "ROIPooling",
    "ReLU",
    "ReLU6",
    "Reciprocal",
    "Recurrence",
    "Reduce",
    "ReduceKind",
    "Reduction",
    "ReductionOperation",
    "Region",
    "Reorg",
    "Reshape",
    "Resize",
    "ResizeMode",
    "Reverse",
    "Round",
    "Rounding",
    "Rsqrt",
    "SSDDetectionOutput",
    "Scale",
    "Selu",
    "ShuffleChannel",
    "Sigmoid",
    "Sign",
    "Silence",
    "Sin",
    "Slice",
    "Softmax",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Split",
    "Sqrt",
    "Standardize",
    "StridedSlice",
    "Swish",
    "TanH",
    "Tanhshrink",
    "Threshold",
    "Tile",
    "Trunc",
    "Upsample",
    "Where",
    "WindowPooling",
    "YoloDetectionOutput",
]

CAFFE_TYPES: Mapping[str, type[Op]] = MappingProxyType(
    {
        op.caffe_type: op
        for op in tuple(globals().values())
        if isinstance(op, type) and issubclass(op, Op) and op.caffe_type is not None
    }
)
"""Caffe's layer type -> the op class of that name, for every class exported here that is not virtual."""
