"""The base of all layer ops: a frozen record of parameters that knows its shape rule, its meaning and its cost.

An op bears Caffe's exact type name and holds one spelling per parameter; `spelling.py` says how each field is
written in a prototxt. `run` is the documented behaviour of Caffe in numpy and works in the dtype of its bottoms
(float64, float32 or float16).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

Shape = tuple[int, ...]
Shapes = Sequence[Shape]
Array = npt.NDArray[np.floating[Any]]  # Any: the float width is the run's choice
Arrays = Sequence[Array]


class BadOp(ValueError):  # noqa: N818 - a condition of the op, turned into a diagnostic by whoever has the place
    """Parameters, bottom shapes or weight shapes that this op cannot have; the text says which and why."""


def need(condition: bool, reason: str) -> None:
    """Raise `BadOp(reason)` unless the condition holds."""
    if not condition:
        raise BadOp(reason)


@dataclass(frozen=True)
class Op(ABC):
    """A layer's typed parameters. Subclasses are frozen dataclasses; `caffe_type` None means a virtual layer.

    `message` names the LayerParameter field that holds the parameters (`pooling_param`), empty if there is none.
    `computed` is false where a layer's place in a net can be judged, but its numbers are not known.
    """

    caffe_type: ClassVar[str | None] = None
    message: ClassVar[str] = ""
    computed: ClassVar[bool] = True

    @abstractmethod
    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return the shapes of the tops, one per top; raise `BadOp` for bottoms or weights that do not fit."""

    @abstractmethod
    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:
        """Return the tops' values in the bottoms' dtype; shapes as `infer` says."""

    def expected_weights(self, bottoms: Shapes) -> tuple[Shape, ...]:  # noqa: ARG002 - most layers have none
        """Return the shapes that the weights must have for these bottoms (none for most layers)."""
        return ()

    def macs(self, bottoms: Shapes, weights: Shapes) -> int:  # noqa: ARG002 - most layers multiply nothing
        """Return the multiply-accumulate operations of one run (0 for layers without products of sums)."""
        return 0


def axis_of(axis: int, rank: int) -> int:
    """Return the axis counted from the front: -1 is rank - 1. Raise `BadOp` outside [-rank, rank)."""
    need(-rank <= axis < rank, f"axis {axis} is outside a blob of rank {rank}")
    return axis % rank


def only(shapes: Shapes, what: str = "bottom") -> Shape:
    """Return the one shape there must be."""
    need(len(shapes) == 1, f"needs exactly 1 {what}, has {len(shapes)}")
    return shapes[0]


def elements(shape: Shape) -> int:
    """Return the number of elements of a shape (1 for a 0-d blob)."""
    return math.prod(shape)
