"""Layers that shift and scale: by stored or measured statistics, by learned vectors, by a second blob."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

import numpy as np

from torch2om.ir.op import Array, Arrays, Op, Shape, Shapes, axis_of, need, only
from torch2om.ir.spelling import Spelling, spelled
from torch2om.layers.arity import check_weights, sole
from torch2om.layers.pooling import Pooling, PoolMethod
from torch2om.layers.precision import rounded, widened


@dataclass(frozen=True)
class BatchNorm(Op):
    """y = (x - mean[c] / factor) / sqrt(var[c] / factor + eps), c the index on axis 1; no affine part.

    Weights: mean (C), var (C), factor (1); a factor of 0 makes both statistics 0. With use_global_stats false the
    mean and the biased variance of the batch itself are taken (BVLC Caffe: BatchNormLayer).
    """

    caffe_type: ClassVar[str | None] = "BatchNorm"
    message: ClassVar[str] = "batch_norm_param"

    # The schema's default is false, but readers take an absent field as true in a deployed net.
    use_global_stats: bool = spelled(Spelling("use_global_stats", always=True), default=True)
    eps: float = 1e-5

    def __post_init__(self) -> None:
        need(self.eps >= 0, f"eps {self.eps} is negative")

    def expected_weights(self, bottoms: Shapes) -> tuple[Shape, ...]:
        """Return the shapes of mean, variance and factor."""
        bottom = only(bottoms)
        need(len(bottom) >= 2, f"needs a blob of rank 2 or more, not {list(bottom)}")
        return (bottom[1],), (bottom[1],), (1,)

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return the bottom's shape."""
        check_weights(weights, self.expected_weights(bottoms))
        return (bottoms[0],)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:
        """Return the normalized values."""
        x = widened(bottoms[0])
        mean, variance = self._stored(x, weights) if self.use_global_stats else _moments(x)
        with np.errstate(all="ignore"):
            y = x - mean
            y /= np.sqrt(variance + self.eps)
        return (rounded(y, bottoms[0]),)

    def _stored(self, x: Array, weights: Arrays) -> tuple[Array, Array]:
        """Return the stored mean and variance, shaped to broadcast over x."""
        mean, variance, factor = (widened(weight) for weight in weights)
        scale = 1 / factor[0] if factor[0] else factor[0]
        dims = (-1, *(1,) * (x.ndim - 2))
        return (mean * scale).reshape(dims), (variance * scale).reshape(dims)


def _moments(x: Array) -> tuple[Array, Array]:
    """Return the mean and biased variance over all axes but 1."""
    axes = (0, *range(2, x.ndim))
    return x.mean(axes, keepdims=True), x.var(axes, keepdims=True)


def _coefficient_shape(bottom: Shape, axis: int, num_axes: int) -> Shape:
    """Return bottom's dims from `axis` on, `num_axes` of them (-1: all)."""
    first = axis_of(axis, len(bottom))
    if num_axes == -1:
        return bottom[first:]
    need(first + num_axes <= len(bottom), f"axis {axis} and {num_axes} axes from it on exceed {list(bottom)}")
    return bottom[first : first + num_axes]


def _check_second(bottom: Shape, second: Shape, axis: int) -> None:
    """Raise `BadOp` unless the second bottom's dims are the first's from `axis` on; a 0-d blob always fits."""
    if not second:
        return
    first = axis_of(axis, len(bottom))
    fits = bottom[first : first + len(second)] == second
    need(fits, f"second bottom {list(second)} is not a run of {list(bottom)} that begins at axis {axis}")


def _aligned(values: Array, x: Array, axis: int) -> Array:
    """Return `values` shaped such that its first axis lies on x's `axis`."""
    first = axis_of(axis, x.ndim) if values.ndim else 0
    return values.reshape(*values.shape, *(1,) * (x.ndim - first - values.ndim))


@dataclass(frozen=True)
class Scale(Op):
    """y = x * gamma (+ beta), both aligned with x's axes from `axis` on.

    gamma is a weight of x's `num_axes` dims from `axis` on (-1: all the rest, 0: one number), or the second bottom,
    whose dims must be x's from `axis` on. beta, of gamma's shape, is the last weight if bias_term.
    """

    caffe_type: ClassVar[str | None] = "Scale"
    message: ClassVar[str] = "scale_param"

    axis: int = 1
    num_axes: int = 1
    bias_term: bool = False

    def __post_init__(self) -> None:
        need(self.num_axes >= -1, f"num_axes {self.num_axes} is below -1")

    def expected_weights(self, bottoms: Shapes) -> tuple[Shape, ...]:
        """Return the shapes of gamma (with one bottom) and beta (with bias_term)."""
        if len(bottoms) == 2:
            _check_second(bottoms[0], bottoms[1], self.axis)
            return (tuple(bottoms[1]),) * self.bias_term
        return (_coefficient_shape(only(bottoms), self.axis, self.num_axes),) * (1 + self.bias_term)

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return the first bottom's shape."""
        check_weights(weights, self.expected_weights(bottoms))
        return (bottoms[0],)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:
        """Return the scaled values; of copies that share their memory, in the order that a Reshape needs no copy of."""
        x, gamma, *beta = (widened(values) for values in (*bottoms, *weights))
        y = np.multiply(x, _aligned(gamma, x, self.axis), order="C" if 0 in x.strides else "K")
        if beta:
            y += _aligned(beta[0], x, self.axis)
        return (rounded(y, bottoms[0]),)


@dataclass(frozen=True)
class Bias(Op):
    """y = x + beta, beta aligned with x's axes from `axis` on.

    beta is the weight (x's `num_axes` dims from `axis` on; -1: all the rest, 0: one number), or the second bottom,
    whose dims must be x's from `axis` on.
    """

    caffe_type: ClassVar[str | None] = "Bias"
    message: ClassVar[str] = "bias_param"

    axis: int = 1
    num_axes: int = 1

    def __post_init__(self) -> None:
        need(self.num_axes >= -1, f"num_axes {self.num_axes} is below -1")

    def expected_weights(self, bottoms: Shapes) -> tuple[Shape, ...]:
        """Return the shape of beta (with one bottom)."""
        if len(bottoms) == 2:
            _check_second(bottoms[0], bottoms[1], self.axis)
            return ()
        return (_coefficient_shape(only(bottoms), self.axis, self.num_axes),)

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return the first bottom's shape."""
        check_weights(weights, self.expected_weights(bottoms))
        return (bottoms[0],)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:
        """Return the shifted values."""
        x, beta = (widened(values) for values in (*bottoms, *weights))
        return (rounded(x + _aligned(beta, x, self.axis), bottoms[0]),)


class NormRegion(StrEnum):
    """Over which neighbours LRN sums: the channels around, or the square around in the same channel."""

    ACROSS_CHANNELS = "ACROSS_CHANNELS"
    WITHIN_CHANNEL = "WITHIN_CHANNEL"


@dataclass(frozen=True)
class LRN(Op):
    """y = x * (k + alpha / n * sum of x^2 over the neighbourhood)^-beta, zeros beyond the edges.

    ACROSS_CHANNELS: n = local_size channels. WITHIN_CHANNEL: n = local_size^2, a square, and k is always 1, whatever
    the field says (BVLC Caffe: LRNLayer). local_size is odd; the blob is (N, C, H, W).
    """

    caffe_type: ClassVar[str | None] = "LRN"
    message: ClassVar[str] = "lrn_param"

    local_size: int = 5
    alpha: float = spelled("alpha", default=1.0, dialects={"opencv": Spelling("alpha", always=True)})
    beta: float = 0.75
    k: float = 1.0
    norm_region: NormRegion = NormRegion.ACROSS_CHANNELS

    def __post_init__(self) -> None:
        need(self.local_size > 0 and self.local_size % 2 == 1, f"local_size {self.local_size} is not odd")

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return the bottom's shape."""
        bottom = sole(bottoms, weights)
        need(len(bottom) == 4, f"needs a blob (N, C, H, W), not {list(bottom)}")
        return (bottom,)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - has no weights
        """Return the normalized values."""
        x = widened(bottoms[0])
        if self.norm_region is NormRegion.ACROSS_CHANNELS:
            base = self.k + self.alpha / self.local_size * self._across(x * x)
        else:
            base = 1 + self.alpha * self._within(x * x)
        with np.errstate(all="ignore"):
            return (rounded(x * base**-self.beta, bottoms[0]),)

    def _across(self, squares: Array) -> Array:
        """Return the sums over the channels around."""
        total = squares.copy()
        for distance in range(1, min(self.local_size // 2 + 1, squares.shape[1])):
            total[:, distance:] += squares[:, :-distance]
            total[:, :-distance] += squares[:, distance:]
        return total

    def _within(self, squares: Array) -> Array:
        """Return the means over the squares around, padding counted."""
        side, pad = self.local_size, self.local_size // 2
        return Pooling(PoolMethod.AVE, (side, side), pad=(pad, pad)).average(squares)


@dataclass(frozen=True)
class MVN(Op):
    """y = (x - mean) / (sqrt(var) + eps), per sample and channel, or per sample if across_channels.

    var is biased; with normalize_variance false only the mean is taken away. The top has rank 4 whatever the bottom's
    (1 to 4) is: dims of 1 follow (BVLC Caffe: MVNLayer).
    """

    caffe_type: ClassVar[str | None] = "MVN"
    message: ClassVar[str] = "mvn_param"

    normalize_variance: bool = True
    across_channels: bool = False
    eps: float = 1e-9

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return the bottom's shape with dims of 1 up to rank 4."""
        bottom = sole(bottoms, weights)
        need(1 <= len(bottom) <= 4, f"needs a blob of rank 1 to 4, not {list(bottom)}")
        return (self._shape(bottom),)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - has no weights
        """Return the normalized values."""
        x = widened(bottoms[0]).reshape(self._shape(bottoms[0].shape))
        axes = (1, 2, 3) if self.across_channels else (2, 3)
        y = x - x.mean(axes, keepdims=True)
        if self.normalize_variance:
            with np.errstate(all="ignore"):
                y /= np.sqrt(np.mean(y * y, axes, keepdims=True)) + self.eps
        return (rounded(y, bottoms[0]),)

    @staticmethod
    def _shape(bottom: Shape) -> Shape:
        return (*bottom, *(1,) * (4 - len(bottom)))


@dataclass(frozen=True)
class Normalize(Op):
    """y = scale[c] * x / sqrt(sum of x^2 + eps), summed over the sample, or over its channels at each place.

    `across_spatial` sums over the whole sample. Weights: scale (C), or one number [] if channel_shared. The blob has
    rank 2 to 4 (SSD's Caffe: NormalizeLayer).
    """

    caffe_type: ClassVar[str | None] = "Normalize"
    message: ClassVar[str] = "norm_param"

    across_spatial: bool = True
    channel_shared: bool = True
    eps: float = 1e-10

    def expected_weights(self, bottoms: Shapes) -> tuple[Shape, ...]:
        """Return the shape of the scale."""
        bottom = only(bottoms)
        need(2 <= len(bottom) <= 4, f"needs a blob of rank 2 to 4, not {list(bottom)}")
        return ((),) if self.channel_shared else ((bottom[1],),)

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return the bottom's shape."""
        check_weights(weights, self.expected_weights(bottoms))
        return (bottoms[0],)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:
        """Return the normalized values."""
        x, scale = widened(bottoms[0]), widened(weights[0])
        axes = tuple(range(1, x.ndim)) if self.across_spatial else (1,)
        with np.errstate(all="ignore"):
            y = x / np.sqrt(np.sum(x * x, axes, keepdims=True) + self.eps)
            y *= scale.reshape(-1, *(1,) * (x.ndim - 2))
        return (rounded(y, bottoms[0]),)
