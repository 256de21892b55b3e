"""Virtual ops that combine several bottoms, or multiply by a matrix: PyTorch's meaning, broadcasting included."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import numpy as np

from torch2om.ir.op import Array, Arrays, Op, Shape, Shapes, axis_of, elements, need
from torch2om.layers.arity import exactly
from torch2om.layers.dims import broadcast, with_dim
from torch2om.layers.precision import rounded, widened


class ArithmeticKind(StrEnum):
    """The elementwise operations of two operands."""

    ADD = "ADD"
    SUB = "SUB"
    MUL = "MUL"
    DIV = "DIV"
    MAX = "MAX"
    MIN = "MIN"
    POW = "POW"


class CompareKind(StrEnum):
    """The comparisons of two operands: >, >=, <, <=, ==, !=."""

    GT = "GT"
    GE = "GE"
    LT = "LT"
    LE = "LE"
    EQ = "EQ"
    NE = "NE"


_Function = Callable[[Array, Array], Any]  # Any: numpy's universal functions promise no more

_ARITHMETIC: Mapping[ArithmeticKind, _Function] = MappingProxyType(
    {
        ArithmeticKind.ADD: np.add,
        ArithmeticKind.SUB: np.subtract,
        ArithmeticKind.MUL: np.multiply,
        ArithmeticKind.DIV: np.divide,
        ArithmeticKind.MAX: np.maximum,
        ArithmeticKind.MIN: np.minimum,
        ArithmeticKind.POW: np.power,
    }
)
_COMPARE: Mapping[CompareKind, _Function] = MappingProxyType(
    {
        CompareKind.GT: np.greater,
        CompareKind.GE: np.greater_equal,
        CompareKind.LT: np.less,
        CompareKind.LE: np.less_equal,
        CompareKind.EQ: np.equal,
        CompareKind.NE: np.not_equal,
    }
)


@dataclass(frozen=True)
class Broadcasting(Op):
    """The shape rule of the ops whose bottoms, `operands` of them, broadcast to the top's shape."""

    operands = 2

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return the shape that all bottoms broadcast to."""
        exactly(weights, 0, "weight")
        return (broadcast(exactly(bottoms, self.operands)),)


@dataclass(frozen=True)
class Arithmetic(Broadcasting):
    """y = a kind b, element by element: a + b, a - b, a * b, a / b, max, min, a ^ b.

    Division by 0 and powers of negative numbers give the infinities and NaN of IEEE arithmetic; MAX and MIN hand a
    NaN on (torch.maximum).
    """

    kind: ArithmeticKind

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - has no weights
        """Return the combined values."""
        left, right = bottoms
        with np.errstate(all="ignore"):
            return (rounded(_ARITHMETIC[self.kind](widened(left), widened(right)), left),)


@dataclass(frozen=True)
class Compare(Broadcasting):
    """y = 1 where a kind b holds, 0 elsewhere."""

    kind: CompareKind

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - has no weights
        """Return ones and zeros."""
        left, right = bottoms
        return (np.asarray(_COMPARE[self.kind](left, right), dtype=left.dtype),)


@dataclass(frozen=True)
class Where(Broadcasting):
    """y = a where the condition is not 0, b elsewhere; bottoms condition, a, b."""

    operands = 3

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - has no weights
        """Return the chosen values."""
        condition, first, second = bottoms
        return (np.where(condition != 0, first, second),)


@dataclass(frozen=True)
class MatMul(Op):
    """y = a @ b over the last two dims, of x1 and x2, transposed if adj says so; the dims before broadcast.

    As torch.matmul on rank 2 and more.
    """

    adj_x1: bool = False
    adj_x2: bool = False

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return [..., rows of a, columns of b]."""
        exactly(weights, 0, "weight")
        left, right = exactly(bottoms, 2)
        need(len(left) >= 2 and len(right) >= 2, f"needs matrices, has {list(left)} and {list(right)}")
        rows, depth = left[:-3:-1] if self.adj_x1 else left[-2:]
        depth_2, columns = right[:-3:-1] if self.adj_x2 else right[-2:]
        need(depth == depth_2, f"{depth} columns do not meet {depth_2} rows")
        return ((*broadcast([left[:-2], right[:-2]]), rows, columns),)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - has no weights
        """Return the products."""
        left, right = (widened(x) for x in bottoms)
        a = np.swapaxes(left, -1, -2) if self.adj_x1 else left
        b = np.swapaxes(right, -1, -2) if self.adj_x2 else right
        return (rounded(a @ b, bottoms[0]),)

    def macs(self, bottoms: Shapes, weights: Shapes) -> int:
        """Return one multiplication per element of the top and column of a."""
        return elements(self.infer(bottoms, weights)[0]) * bottoms[0][-2 if self.adj_x1 else -1]


@dataclass(frozen=True)
class LinearMap(Op):
    """y = M x along `axis`, for every other index; weight M [out, in]."""

    axis: int

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return the bottom's shape with M's rows along `axis`."""
        (bottom,) = exactly(bottoms, 1)
        (matrix,) = exactly(weights, 1, "weight")
        axis = axis_of(self.axis, len(bottom))
        need(len(matrix) == 2, f"the weight must be a matrix, is {list(matrix)}")
        need(matrix[1] == bottom[axis], f"the matrix {list(matrix)} does not meet {bottom[axis]} elements")
        return (with_dim(bottom, axis, matrix[0]),)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:
        """Return the mapped bottom."""
        matrix, x = widened(weights[0]), widened(bottoms[0])
        mapped = np.moveaxis(np.tensordot(matrix, x, axes=(1, self.axis)), 0, self.axis)
        return (rounded(mapped, bottoms[0]),)

    def macs(self, bottoms: Shapes, weights: Shapes) -> int:
        """Return one multiplication per element of M and other index."""
        return elements(bottoms[0]) * weights[0][0]
