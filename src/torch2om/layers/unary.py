"""The base of ops that map every element alone, y[i] = f(x[i])."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from torch2om.ir.op import Array, Arrays, Op, Shape, Shapes
from torch2om.layers.arity import sole
from torch2om.layers.precision import rounded, widened


class Unary(Op):
    """y = value(x), element by element: one bottom of any shape, no weights, one top of the bottom's shape.

    Overflow and invalid operations give the infinities and NaN of IEEE arithmetic, as they do in Caffe and PyTorch.
    """

    @abstractmethod
    def value(self, x: Array) -> Array:
        """Return the function's values at `x` (float32 or float64)."""

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return the bottom's shape."""
        return (sole(bottoms, weights),)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - has no weights
        """Return `value` of the bottom; float16 is computed in float32 and rounded."""
        with np.errstate(all="ignore"):
            return (rounded(self.value(widened(bottoms[0])), bottoms[0]),)
