"""PyTorch's interpolation to a size or by a factor, in every mode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from torch2om.ir.op import Array, Arrays, Op, Shape, Shapes, need
from torch2om.layers.arity import sole
from torch2om.layers.interpolation import Floats, Taps, apply_taps, area, cubic, linear, nearest, nearest_small
from torch2om.layers.precision import rounded, widened

# PyTorch resizes an image to the nearest element by another kernel if its new height and width add up to no more.
SMALL_IMAGE = 128


class ResizeMode(StrEnum):
    """The modes of torch.nn.functional.interpolate; LINEAR and CUBIC work on every resized axis."""

    NEAREST = "NEAREST"
    NEAREST_EXACT = "NEAREST_EXACT"
    LINEAR = "LINEAR"
    CUBIC = "CUBIC"
    AREA = "AREA"


@dataclass(frozen=True)
class Resize(Op):
    """y = x interpolated along its last len(size) dims to `size` elements each (torch.nn.functional.interpolate).

    `scales` are the factors the user gave, one per axis or () for none: PyTorch then computes the coordinates from
    the factor and not from the sizes. Without antialiasing.
    """

    mode: ResizeMode
    size: tuple[int, ...]
    align_corners: bool = False
    scales: tuple[float | None, ...] = ()

    def __post_init__(self) -> None:
        need(len(self.size) >= 1 and min(self.size) >= 1, f"size {list(self.size)} must hold positive numbers")
        fits = len(self.scales) in {0, len(self.size)}
        need(fits, f"{len(self.scales)} scales for {len(self.size)} axes")
        need(all(scale is None or scale > 0 for scale in self.scales), f"scales {list(self.scales)} must be positive")
        corners = self.mode in {ResizeMode.LINEAR, ResizeMode.CUBIC} or not self.align_corners
        need(corners, f"align_corners has no meaning in mode {self.mode}")

    def taps(self, in_size: Sequence[int]) -> tuple[Taps, ...]:
        """Return the interpolation along each resized axis of `in_size` elements."""
        scales = self.scales or (None,) * len(self.size)
        return tuple(self._axis(*axis) for axis in zip(in_size, self.size, scales, strict=True))

    def _axis(self, length: int, size: int, scale: float | None) -> Taps:
        """Return the interpolation along one axis."""
        match self.mode:
            case ResizeMode.NEAREST | ResizeMode.NEAREST_EXACT:
                # The choice is upsample_nearest2d's (_use_vectorized_kernel_cond_2d in cpu/UpSampleKernel.cpp); with
                # channels last it takes the small kernel for larger images too.
                pick = nearest_small if len(self.size) == 2 and sum(self.size) <= SMALL_IMAGE else nearest
                return pick(length, size, scale, exact=self.mode is ResizeMode.NEAREST_EXACT)
            case ResizeMode.LINEAR:
                return linear(length, size, scale, align_corners=self.align_corners)
            case ResizeMode.CUBIC:
                return cubic(length, size, scale, align_corners=self.align_corners)
            case ResizeMode.AREA:
                return area(length, size)

    def matrices(self, in_size: Sequence[int]) -> tuple[Floats, ...]:
        """Return one [out, in] float64 matrix M per resized axis, y = M x; rows are zero but at the taps."""
        return tuple(taps.matrix() for taps in self.taps(in_size))

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return the bottom's shape with `size` in place of its last dims."""
        bottom = sole(bottoms, weights)
        need(len(bottom) >= len(self.size), f"{list(bottom)} has fewer dims than size {list(self.size)}")
        return ((*bottom[: len(bottom) - len(self.size)], *self.size),)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - has no weights
        """Return the interpolated values."""
        taps = self.taps(bottoms[0].shape[-len(self.size) :])
        return (rounded(apply_taps(widened(bottoms[0]), taps), bottoms[0]),)
