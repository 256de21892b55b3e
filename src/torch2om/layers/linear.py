"""Layers that are matrix products: convolutions, their transpose, inner products, products of two blobs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from torch2om.ir.op import Array, Arrays, Op, Shape, Shapes, axis_of, elements, need, only
from torch2om.ir.spelling import Spatial, spelled
from torch2om.layers.arity import check_weights, exactly
from torch2om.layers.correlation import correlate, spread
from torch2om.layers.precision import rounded, widened
from torch2om.layers.window import Window, check_window

KERNEL = Spatial("kernel_size", height="kernel_h", width="kernel_w")
STRIDE = Spatial("stride", height="stride_h", width="stride_w")
PAD = Spatial("pad", height="pad_h", width="pad_w")


@dataclass(frozen=True)
class Filtering(Op):
    """The parameters of layers that slide filters over a blob (N, C, spatial...): one number per spatial axis each."""

    message: ClassVar[str] = "convolution_param"

    num_output: int
    kernel: tuple[int, ...] = spelled(KERNEL)
    stride: tuple[int, ...] = spelled(STRIDE, default=(1, 1))
    pad: tuple[int, ...] = spelled(PAD, default=(0, 0))
    dilation: tuple[int, ...] = spelled(Spatial("dilation"), default=(1, 1))
    group: int = 1
    bias_term: bool = True

    def __post_init__(self) -> None:
        check_window(self.window, self.pad)
        need(self.num_output > 0, f"num_output {self.num_output} is not positive")
        need(self.group > 0, f"group {self.group} is not positive")
        need(self.num_output % self.group == 0, f"num_output {self.num_output} is no multiple of group {self.group}")

    @property
    def window(self) -> Window:
        """The sliding window: kernel, stride and dilation."""
        return Window(self.kernel, self.stride, self.dilation)

    def _channels(self, bottom: Shape) -> int:
        """Return the bottom's channels, checked."""
        rank = len(self.kernel) + 2
        need(len(bottom) == rank, f"kernel {list(self.kernel)} needs a blob of rank {rank}, not {list(bottom)}")
        need(bottom[1] % self.group == 0, f"{bottom[1]} channels are no multiple of group {self.group}")
        return bottom[1]

    def _with_bias(self, filters: Shape) -> tuple[Shape, ...]:
        return (filters, (self.num_output,)) if self.bias_term else (filters,)

    def _add_bias(self, y: Array, weights: Arrays) -> Array:
        """Add weights[1], if there is one, to the channels of y in place."""
        if self.bias_term:
            y += widened(weights[1]).reshape(-1, *(1,) * len(self.kernel))
        return y


@dataclass(frozen=True)
class Convolution(Filtering):
    """y[n, o, p] = b[o] + sum over c, t of w[o, c, t] * x[n, g(o) + c, p * stride + t * dilation - pad].

    Weights: filters (num_output, C / group, kernel...), bias (num_output). Spatial sizes are
    (in + 2 * pad - extent) / stride + 1, divided towards zero as Caffe's integers are: a kernel that overlaps its input
    by less than one stride sees zeros there.
    """

    caffe_type: ClassVar[str | None] = "Convolution"

    def expected_weights(self, bottoms: Shapes) -> tuple[Shape, ...]:
        """Return the shapes of filters and bias."""
        return self._with_bias((self.num_output, self._channels(only(bottoms)) // self.group, *self.kernel))

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return (N, num_output, spatial...)."""
        check_weights(weights, self.expected_weights(bottoms))
        return ((bottoms[0][0], self.num_output, *self.window.counts(bottoms[0][2:], self.pad)),)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:
        """Return the cross-correlation plus bias."""
        x = widened(bottoms[0])
        counts = self.window.counts(x.shape[2:], self.pad)
        y = correlate(x, widened(weights[0]), self.window, self.pad, counts)
        return (rounded(self._add_bias(y, weights), bottoms[0]),)

    def macs(self, bottoms: Shapes, weights: Shapes) -> int:
        """Return one multiply-accumulate per output element and filter element."""
        (top,) = self.infer(bottoms, weights)
        return elements(top) * elements(weights[0][1:])


@dataclass(frozen=True)
class DepthwiseConvolution(Convolution):
    """y[n, o, p] = b[o] + sum over t of w[o, 0, t] * x[n, g(o), p * stride + t * dilation - pad].

    ATC's and HiLens's own type for a Convolution; it means what a Convolution with the same parameters means.
    """

    caffe_type: ClassVar[str | None] = "DepthwiseConvolution"


@dataclass(frozen=True)
class Deconvolution(Filtering):
    """y[n, o, p * stride + t * dilation - pad] = b[o] + sum over c, t, p of w[c, o, t] * x[n, c, p].

    Weights: filters (C, num_output / group, kernel...), bias (num_output). Spatial sizes are
    stride * (in - 1) + extent - 2 * pad.
    """

    caffe_type: ClassVar[str | None] = "Deconvolution"

    def expected_weights(self, bottoms: Shapes) -> tuple[Shape, ...]:
        """Return the shapes of filters and bias."""
        return self._with_bias((self._channels(only(bottoms)), self.num_output // self.group, *self.kernel))

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return (N, num_output, spatial...)."""
        check_weights(weights, self.expected_weights(bottoms))
        span = self.window.span(bottoms[0][2:])
        sizes = tuple(size - 2 * pad for size, pad in zip(span, self.pad, strict=True))
        need(min(sizes) > 0, f"pad {list(self.pad)} leaves nothing of {list(span)}")
        return ((bottoms[0][0], self.num_output, *sizes),)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:
        """Return the transposed cross-correlation plus bias."""
        y = spread(widened(bottoms[0]), widened(weights[0]), self.window, self.pad, self.group)
        return (rounded(self._add_bias(y, weights), bottoms[0]),)

    def macs(self, bottoms: Shapes, weights: Shapes) -> int:
        """Return one multiply-accumulate per input element and filter element that it meets."""
        self.infer(bottoms, weights)
        return elements(bottoms[0]) * elements(weights[0][1:])


@dataclass(frozen=True)
class InnerProduct(Op):
    """y[..., o] = b[o] + sum over k of w[o, k] * x[..., k], where k runs over all axes from `axis` on.

    Weights: w (num_output, K), or (K, num_output) if transpose, bias (num_output). The top is x's dims before `axis`,
    then num_output.
    """

    caffe_type: ClassVar[str | None] = "InnerProduct"
    message: ClassVar[str] = "inner_product_param"

    num_output: int
    bias_term: bool = True
    axis: int = 1
    transpose: bool = False

    def __post_init__(self) -> None:
        need(self.num_output > 0, f"num_output {self.num_output} is not positive")

    def expected_weights(self, bottoms: Shapes) -> tuple[Shape, ...]:
        """Return the shapes of matrix and bias."""
        bottom = only(bottoms)
        depth = elements(bottom[axis_of(self.axis, len(bottom)) :])
        matrix = (depth, self.num_output) if self.transpose else (self.num_output, depth)
        return (matrix, (self.num_output,)) if self.bias_term else (matrix,)

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return the dims before `axis`, then num_output."""
        check_weights(weights, self.expected_weights(bottoms))
        return ((*bottoms[0][: axis_of(self.axis, len(bottoms[0]))], self.num_output),)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:
        """Return the product plus bias."""
        lead = bottoms[0].shape[: axis_of(self.axis, bottoms[0].ndim)]
        matrix = widened(weights[0]) if self.transpose else widened(weights[0]).T
        y = widened(bottoms[0]).reshape(-1, matrix.shape[0]) @ matrix
        if self.bias_term:
            y += widened(weights[1])
        return (rounded(y, bottoms[0]).reshape(*lead, self.num_output),)

    def macs(self, bottoms: Shapes, weights: Shapes) -> int:
        """Return one multiply-accumulate per row of x and element of w."""
        (top,) = self.infer(bottoms, weights)
        return elements(top[:-1]) * elements(weights[0])


@dataclass(frozen=True)
class BatchedMatMul(Op):
    """y[..., i, j] = sum over k of a[..., i, k] * b[..., k, j], where a and b are x1 and x2, transposed if adj says so.

    Two bottoms of equal rank and equal batch dims (ATC: op_proto of BatchMatMul).
    """

    caffe_type: ClassVar[str | None] = "BatchedMatMul"
    message: ClassVar[str] = "batch_matmul_param"

    adj_x1: bool = False
    adj_x2: bool = False

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return the batch dims, then rows of a and columns of b."""
        check_weights(weights, ())
        a, b = exactly(bottoms, 2)
        need(len(a) == len(b) >= 2, f"ranks of {list(a)} and {list(b)} differ or are below 2")
        need(a[:-2] == b[:-2], f"batch dims of {list(a)} and {list(b)} differ")
        rows, depth = a[:-3:-1] if self.adj_x1 else a[-2:]
        depth_2, columns = b[:-3:-1] if self.adj_x2 else b[-2:]
        need(depth == depth_2, f"inner dims {depth} and {depth_2} differ")
        return ((*a[:-2], rows, columns),)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - has no weights
        """Return the products."""
        a, b = (widened(x) for x in bottoms)
        left = np.swapaxes(a, -1, -2) if self.adj_x1 else a
        right = np.swapaxes(b, -1, -2) if self.adj_x2 else b
        return (rounded(left @ right, bottoms[0]),)

    def macs(self, bottoms: Shapes, weights: Shapes) -> int:
        """Return one multiply-accumulate per element of y and inner index."""
        (top,) = self.infer(bottoms, weights)
        return elements(top) * bottoms[0][-2 if self.adj_x1 else -1]
