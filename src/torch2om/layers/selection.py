"""Layers that move or compare numbers and compute none: rounding them changes nothing that was rounded before."""

from __future__ import annotations

from torch2om.ir.op import Op
from torch2om.layers.pointwise import AbsVal, Dropout, Eltwise, EltwiseOperation, ReLU, ReLU6
from torch2om.layers.pooling import Pooling, PoolMethod
from torch2om.layers.rearrangement import Reorg, ShuffleChannel
from torch2om.layers.shape import Concat, Crop, Flatten, Permute, Reshape, Reverse, Slice, Split, Tile

_ALWAYS: frozenset[type[Op]] = frozenset(
    {
        AbsVal,
        Concat,
        Crop,
        Dropout,
        Flatten,
        Permute,
        ReLU6,
        Reorg,
        Reshape,
        Reverse,
        ShuffleChannel,
        Slice,
        Split,
        Tile,
    }
)


def selects(op: Op) -> bool:
    """Whether every number of the tops is 0, 6 (ReLU6) or the magnitude or value of one of the bottoms' numbers.

    And monotonous: round(op(x)) = op(round(x)) whatever the width. A window outside the image gives -FLT_MAX, so
    poolings with padding, or with gaps between windows, are left out.
    """
    match op:
        case ReLU(negative_slope=slope):
            return not slope
        case Eltwise(operation=operation):
            return operation is EltwiseOperation.MAX
        case Pooling(pool=PoolMethod.MAX, tops=1):
            gaps = any(stride > kernel for stride, kernel in zip(op.stride, op.kernel, strict=True))
            return op.global_pooling or not (any(op.pad) or gaps)
        case _:
            return type(op) in _ALWAYS
