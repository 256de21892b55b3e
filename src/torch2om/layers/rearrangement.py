"""Layers that move elements between channels and space, or between groups of channels."""

from __future__ import annotations

from dataclasses import dataclass

from torch2om.ir.op import Array, Arrays, Op, Shape, Shapes, need
from torch2om.layers.arity import sole


@dataclass(frozen=True)
class ShuffleChannel(Op):
    """y[:, j*group + i] = x[:, i*(C/group) + j]: the channels, seen as `group` rows, are read column by column."""

    caffe_type = "ShuffleChannel"
    message = "shuffle_channel_param"

    group: int = 1

    def __post_init__(self) -> None:
        need(self.group >= 1, f"group must be at least 1, is {self.group}")

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return the bottom's shape; the channels must divide into the groups."""
        bottom = sole(bottoms, weights)
        need(len(bottom) >= 2, f"needs a channel dim, the bottom is {list(bottom)}")
        need(bottom[1] % self.group == 0, f"{bottom[1]} channels do not divide into {self.group} groups")
        return (bottom,)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - has no weights
        """Return the bottom with its channels shuffled."""
        batch, channels, *rest = bottoms[0].shape
        rows = bottoms[0].reshape(batch, self.group, channels // self.group, *rest)
        return (rows.swapaxes(1, 2).reshape(bottoms[0].shape),)


@dataclass(frozen=True)
class Reorg(Op):
    """y[n, (i*s + j)*C + c, h, w] = x[n, c, h*s + i, w*s + j] with s the stride: each s x s square becomes channels.

    `reverse` takes channels back into squares. CANN's operator list calls the two directions of PassThrough, which
    ATC makes of this layer, SpaceToDepth and DepthToSpace: the place in the square is the slow part of the channel.
    Darknet's own reorg orders the elements otherwise.
    """

    caffe_type = "Reorg"
    message = "reorg_param"

    stride: int = 2
    reverse: bool = False

    def __post_init__(self) -> None:
        need(self.stride >= 1, f"stride must be at least 1, is {self.stride}")

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return [N, C*s*s, H/s, W/s], or with `reverse` [N, C/(s*s), H*s, W*s]; the divisions must leave no rest."""
        bottom = sole(bottoms, weights)
        need(len(bottom) == 4, f"needs a bottom of rank 4, has {list(bottom)}")
        batch, channels, height, width = bottom
        side, square = self.stride, self.stride * self.stride
        if self.reverse:
            need(channels % square == 0, f"{channels} channels do not divide by {square}")
            return ((batch, channels // square, height * side, width * side),)
        need(height % side == 0 and width % side == 0, f"{height} x {width} does not divide by the stride {side}")
        return ((batch, channels * square, height // side, width // side),)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - has no weights
        """Return the bottom rearranged."""
        (top,) = self.infer([bottoms[0].shape], [])
        small, large = (bottoms[0].shape, top) if self.reverse else (top, bottoms[0].shape)
        batch, channels, _, _ = large
        _, _, height, width = small
        side = self.stride
        if self.reverse:
            parts = bottoms[0].reshape(batch, side, side, channels, height, width)
            return (parts.transpose(0, 3, 4, 1, 5, 2).reshape(top),)
        parts = bottoms[0].reshape(batch, channels, height, side, width, side)
        return (parts.transpose(0, 3, 5, 1, 2, 4).reshape(top),)
