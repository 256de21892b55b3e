"""Layers that change height and width by interpolation."""

from __future__ import annotations

from dataclasses import dataclass

from torch2om.ir.op import Array, Arrays, Op, Shape, Shapes, need
from torch2om.ir.spelling import Spelling, spelled
from torch2om.layers.arity import sole
from torch2om.layers.interpolation import apply_taps, linear
from torch2om.layers.precision import rounded, widened


def image_of(shape: Shape) -> Shape:
    """Return the shape as (N, C, H, W), dims that are missing at the end 1: Caffe's Blob::num() to Blob::width()."""
    need(len(shape) <= 4, f"needs a bottom of rank 4 or less, has {list(shape)}")
    return (*shape, *(1,) * (4 - len(shape)))


@dataclass(frozen=True)
class Interp(Op):
    """y = x, cropped, then resized bilinearly with the corner elements in place (align_corners).

    The crop takes off -`pad_beg` and -`pad_end` rows and columns. The size of the result is `height` x `width`, or
    (n - 1) / shrink_factor + 1 rounded down and then (n - 1) * zoom_factor + 1 (DeepLab's interp_layer).
    """

    caffe_type = "Interp"
    message = "interp_param"

    height: int = 0
    width: int = 0
    zoom_factor: int = 1
    shrink_factor: int = 1
    pad_beg: int = 0
    pad_end: int = 0

    def __post_init__(self) -> None:
        need((self.height > 0) == (self.width > 0), "height and width are given both or not at all")
        need(min(self.height, self.width) >= 0, "height and width must not be negative")
        need(self.zoom_factor >= 1, f"zoom_factor must be at least 1, is {self.zoom_factor}")
        need(self.shrink_factor >= 1, f"shrink_factor must be at least 1, is {self.shrink_factor}")
        factors = self.zoom_factor > 1 or self.shrink_factor > 1
        need(not (self.height and factors), "height and width exclude zoom_factor and shrink_factor")
        need(max(self.pad_beg, self.pad_end) <= 0, "only crops are possible: pad_beg and pad_end must not be positive")

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return [N, C, height, width]."""
        bottom = image_of(sole(bottoms, weights))
        cropped = tuple(length + self.pad_beg + self.pad_end for length in bottom[2:])
        need(min(cropped) >= 1, f"the crop leaves nothing of {bottom[2]} x {bottom[3]}")
        size = (self.height, self.width) if self.height else tuple(map(self._factored, cropped))
        return ((*bottom[:2], *size),)

    def _factored(self, length: int) -> int:
        """Return the length that the two factors make of `length`."""
        return (length - 1) // self.shrink_factor * self.zoom_factor + 1

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - has no weights
        """Return the cropped and resized bottom."""
        (top,) = self.infer([bottoms[0].shape], [])
        x = bottoms[0].reshape(image_of(bottoms[0].shape))
        rows, columns = x.shape[2:]
        begin = -self.pad_beg
        x = x[:, :, begin : rows + self.pad_end, begin : columns + self.pad_end]
        taps = [linear(length, size, align_corners=True) for length, size in zip(x.shape[2:], top[2:], strict=True)]
        return (rounded(apply_taps(widened(x), taps), x),)


@dataclass(frozen=True)
class Upsample(Op):
    """y[n, c, h, w] = x[n, c, h // factor, w // factor].

    YOLO's forks call the factor `scale`. ATC multiplies the values by `scale` and resizes by `stride`; so a file that
    says both means `stride`.
    """

    caffe_type = "Upsample"
    message = "upsample_param"

    factor: int = spelled(
        Spelling("scale", always=True),
        default=1,
        dialects={
            "ascend": Spelling("stride", always=True, beside=(("scale", 1),)),
            "any": Spelling("stride", always=True, beside=(("scale", 1),), aliases=("scale",)),
        },
    )

    def __post_init__(self) -> None:
        whole = float(self.factor).is_integer() and self.factor >= 1
        need(whole, f"the factor must be a whole number and at least 1, is {self.factor}")
        object.__setattr__(self, "factor", int(self.factor))  # the forks' `scale` is a float field

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return [N, C, H * factor, W * factor]."""
        bottom = image_of(sole(bottoms, weights))
        return ((*bottom[:2], bottom[2] * self.factor, bottom[3] * self.factor),)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - has no weights
        """Return the bottom with every element repeated in both directions."""
        x = bottoms[0].reshape(image_of(bottoms[0].shape))
        return (x.repeat(self.factor, axis=2).repeat(self.factor, axis=3),)
