"""Virtual ops that move elements or make them: padding, strided slices, expansion, constants, holes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from torch2om.ir.op import Array, Arrays, Op, Shape, Shapes, axis_of, need
from torch2om.layers.arity import check_weights, exactly, sole
from torch2om.layers.dims import broadcast, with_dim


class PadMode(StrEnum):
    """What stands outside: a value, the mirror image, the border element, or the other end."""

    CONSTANT = "CONSTANT"
    REFLECT = "REFLECT"
    REPLICATE = "REPLICATE"
    CIRCULAR = "CIRCULAR"


@dataclass(frozen=True)
class Pad(Op):
    """y[o] = x[o - before] inside x; outside `value`, or the element that the mode picks.

    `pads` holds (before, after) for every dim; a negative number crops. REFLECT mirrors x without repeating the
    border, before it is cropped; CIRCULAR goes round what the crop left (torch.nn.functional.pad, measured).
    """

    pads: tuple[tuple[int, int], ...]
    mode: PadMode = PadMode.CONSTANT
    value: float = 0.0

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return the bottom's dims plus both pads; each must stay positive, and no pad pass what its mode can fill."""
        bottom = sole(bottoms, weights)
        need(len(self.pads) == len(bottom), f"{len(self.pads)} pairs of pads for a bottom of rank {len(bottom)}")
        for length, (before, after) in zip(bottom, self.pads, strict=True):
            need(length + before + after >= 1, f"pads {before} and {after} leave nothing of {length} elements")
            most = self._most(length, before, after)
            need(max(before, after) <= most, f"pads {before} and {after} of {length} elements: at most {most} possible")
        return (tuple(length + before + after for length, (before, after) in zip(bottom, self.pads, strict=True)),)

    def _most(self, length: int, before: int, after: int) -> float:
        """Return how many elements the mode can put on one side of a dim."""
        match self.mode:
            case PadMode.REFLECT:
                return length - 1
            case PadMode.CIRCULAR:
                return length + min(before, 0) + min(after, 0)
            case PadMode.CONSTANT | PadMode.REPLICATE:
                return float("inf")

    def sources(self, axis: int, length: int) -> npt.NDArray[np.intp]:
        """Return which element of the bottom stands at each place along `axis`, for all modes but CONSTANT."""
        before, after = self.pads[axis]
        places = np.arange(-before, length + after)
        match self.mode:
            case PadMode.REFLECT:
                distances: npt.NDArray[np.intp] = np.abs(places)
                return np.minimum(distances, 2 * (length - 1) - distances)
            case PadMode.CIRCULAR:
                first, left = max(-before, 0), length + min(before, 0) + min(after, 0)
                return (places - first) % left + first
            case PadMode.CONSTANT | PadMode.REPLICATE:
                return np.clip(places, 0, length - 1)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - has no weights
        """Return the padded and cropped bottom."""
        (x,) = bottoms
        if self.mode is PadMode.CONSTANT:
            crop = tuple(
                slice(max(-before, 0), length - max(-after, 0))
                for length, (before, after) in zip(x.shape, self.pads, strict=True)
            )
            grown = [(max(before, 0), max(after, 0)) for before, after in self.pads]
            return (np.pad(x[crop], grown, constant_values=self.value),)
        for axis, pads in enumerate(self.pads):
            if pads != (0, 0):
                x = x.take(self.sources(axis, x.shape[axis]), axis=axis)
        return (x,)


@dataclass(frozen=True)
class StridedSlice(Op):
    """y = x[start:stop:step] along `axis`; bounds as in Python (negative from the end, clamped), step positive."""

    axis: int
    start: int
    stop: int
    step: int = 1

    def __post_init__(self) -> None:
        need(self.step >= 1, f"step must be at least 1, is {self.step}")

    def bounds(self, length: int) -> range:
        """Return the indices taken from a dim of `length`; raise `BadOp` if there are none."""
        taken = range(length)[self.start : self.stop : self.step]
        need(len(taken) >= 1, f"the slice {self.start}:{self.stop}:{self.step} of {length} elements is empty")
        return taken

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return the bottom's shape with the slice's length along `axis`."""
        bottom = sole(bottoms, weights)
        axis = axis_of(self.axis, len(bottom))
        return (with_dim(bottom, axis, len(self.bounds(bottom[axis]))),)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - has no weights
        """Return the elements taken."""
        (x,) = bottoms
        taken = slice(self.start, self.stop, self.step)
        return (x[(slice(None),) * (self.axis % x.ndim) + (taken,)],)


@dataclass(frozen=True)
class Expand(Op):
    """y = x repeated along dims of length 1, and under new leading dims, until it has `shape` (torch.Tensor.expand)."""

    shape: Shape

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return `shape`, to which the bottom must broadcast."""
        bottom = sole(bottoms, weights)
        need(broadcast([bottom, self.shape]) == self.shape, f"{list(bottom)} does not expand to {list(self.shape)}")
        return (self.shape,)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - has no weights
        """Return a read-only view of the bottom."""
        return (np.broadcast_to(bottoms[0], self.shape),)


@dataclass(frozen=True)
class Constant(Op):
    """y = the layer's weight, of shape `shape`; there is no bottom."""

    shape: Shape

    def expected_weights(self, bottoms: Shapes) -> tuple[Shape, ...]:
        """Return `shape`; there must be no bottom."""
        exactly(bottoms, 0)
        return (self.shape,)

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return `shape`, which the weight must have."""
        check_weights(weights, self.expected_weights(bottoms))
        return (self.shape,)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - has no bottoms
        """Return the weight."""
        return (weights[0],)


@dataclass(frozen=True)
class Hole(Op):
    """Stands for a refused call, so that the layers behind it keep their shapes; a net with a hole is never run."""

    shape: Shape

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:  # noqa: ARG002 - takes whatever it gets
        """Return `shape`, whatever the bottoms are."""
        return (self.shape,)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - computes nothing
        """Raise AssertionError: the refusal ends the stage that made the hole."""
        raise AssertionError(f"a hole of shape {list(self.shape)} stands for a refused call and has no values")
