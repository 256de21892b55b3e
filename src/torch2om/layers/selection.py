"""What of a layer has to be computed in a wider width: nothing, its one rounding left out, or one part at a time."""

from __future__ import annotations

from torch2om.ir.op import Array, Op
from torch2om.layers.normalization import Bias, Scale
from torch2om.layers.pointwise import AbsVal, Dropout, Eltwise, EltwiseOperation, ReLU, ReLU6
from torch2om.layers.pooling import Pooling, PoolMethod
from torch2om.layers.rearrangement import Reorg, ShuffleChannel
from torch2om.layers.shape import Concat, Crop, Flatten, Permute, Reshape, Reverse, Slice, Split, Tile
from torch2om.layers.unary import Unary

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


def rounds_once(op: Op, bottoms: int) -> bool:
    """Whether every number of the top is one sum or one product of two of the bottoms' numbers.

    In float32 it then is what float64 gives, rounded to float32: IEEE arithmetic rounds it correctly, and float64 has
    more than twice the digits.
    """
    match op:
        case Scale(bias_term=bias_term):
            return bottoms == 2 and not bias_term
        case Bias():
            return bottoms == 2
        case Eltwise(operation=EltwiseOperation.PROD | EltwiseOperation.SUM, coeff=coeff):
            return bottoms == 2 and {abs(factor) for factor in coeff} <= {1}
        case _:
            return False


def in_parts(op: Op, bottom: Array) -> Array | None:
    """Return the bottom such that the op's top is made of what it makes of each part, along axis 1; None if it is not.

    Every element (Unary) or every channel's image (Pooling) is such a part. None as well for a bottom that is no run
    of memory: its top is best laid out as it is.
    """
    if not bottom.flags.c_contiguous:
        return None
    match op:
        case Unary():
            return bottom.reshape(1, -1)
        case Pooling(tops=1):
            return bottom.reshape(1, -1, *bottom.shape[2:])
        case _:
            return None
