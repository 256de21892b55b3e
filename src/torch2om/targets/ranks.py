"""Where a target gives a blob other dims than Caffe does: which layers read both alike.

The elements and their order are the same; only the dims differ (ATC's InnerProduct at batch 1 gives [1, C, 1, 1]).
"""

from __future__ import annotations

from torch2om.ir.net import Layer
from torch2om.ir.op import BadOp, Op, Shape, elements
from torch2om.layers import (
    BatchNorm,
    Bias,
    Concat,
    Eltwise,
    Flatten,
    InnerProduct,
    PReLU,
    Reshape,
    Scale,
    Slice,
    Softmax,
    Split,
    Tile,
)
from torch2om.layers.unary import Unary


def reads_alike(layer: Layer, ours: tuple[Shape, ...], theirs: tuple[Shape, ...]) -> bool:
    """Whether the layer computes the same elements in the same order from bottoms with their dims as with ours.

    A layer that is judged alone computes what the target says of its own dims.
    """
    if ours == theirs or not layer.op.computed:
        return True
    try:
        tops = layer.op.infer(theirs, layer.weight_shapes)
    except BadOp:
        return False
    wanted = layer.op.infer(ours, layer.weight_shapes)
    same_counts = [elements(top) for top in tops] == [elements(top) for top in wanted]
    return same_counts and _indifferent(layer.op, ours, theirs)


def _indifferent(op: Op, ours: tuple[Shape, ...], theirs: tuple[Shape, ...]) -> bool:
    """Whether the op does not see the difference; its shape rule accepts both."""
    padded = _longer(ours, theirs)
    match op:
        case Unary() | Split():
            alike = True
        case Eltwise():
            alike = len(set(theirs)) == 1
        case Reshape():
            alike = op.axis == 0 and op.num_axes == -1 and _copies_alike(op, ours[0], theirs[0])
        case BatchNorm() | PReLU() | Flatten(axis=1, end_axis=-1) | InnerProduct(axis=1):
            alike = padded
        case Softmax() | Slice() | Tile() | Concat():
            alike = op.axis >= 0 and padded
        case Scale() | Bias():
            alike = op.axis >= 0 and op.num_axes >= 0 and padded
        case _:
            alike = False
    return alike


def _copies_alike(op: Reshape, ours: Shape, theirs: Shape) -> bool:
    """Whether every dim that is copied (0) is the same in both."""
    axes = [axis for axis, dim in enumerate(op.dims) if dim == 0]
    return [ours[axis] for axis in axes] == [theirs[axis] for axis in axes]


def _longer(ours: tuple[Shape, ...], theirs: tuple[Shape, ...]) -> bool:
    """Whether their dims are ours with dims of 1 behind."""
    pairs = zip(ours, theirs, strict=True)
    return all(their == (*own, *(1,) * (len(their) - len(own))) for own, their in pairs)
