"""A convolution whose filters are a blob: no Caffe layer of its own, but several that say it (`caffe.overwritten`)."""

from __future__ import annotations

from dataclasses import dataclass

from torch2om.ir.op import Array, Arrays, Op, Shape, Shapes, need
from torch2om.layers.arity import exactly
from torch2om.layers.linear import Convolution


@dataclass(frozen=True)
class DynamicConvolution(Op):
    """y[n, o, p] = sum over c, t of w[o, c, t] * x[n, g(o) + c, p * stride + t * dilation - pad], w a blob as x is."""

    stride: tuple[int, ...] = (1, 1)
    pad: tuple[int, ...] = (0, 0)
    dilation: tuple[int, ...] = (1, 1)
    group: int = 1

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return (N, filters, spatial...)."""
        exactly(weights, 0, "weight")
        x, filters = exactly(bottoms, 2)
        return self.by(filters).infer([x], [filters])

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - has no weights
        """Return the cross-correlation."""
        x, filters = bottoms
        return self.by(filters.shape).run([x], [filters])

    def macs(self, bottoms: Shapes, weights: Shapes) -> int:  # noqa: ARG002 - has no weights
        """Return one multiply-accumulate per output element and filter element."""
        x, filters = bottoms
        return self.by(filters).macs([x], [filters])

    def by(self, filters: Shape) -> Convolution:
        """Return the convolution by constant filters of this shape."""
        need(len(filters) >= 3, f"filters need 3 dims or more, have {list(filters)}")
        return Convolution(filters[0], filters[2:], self.stride, self.pad, self.dilation, self.group, bias_term=False)
