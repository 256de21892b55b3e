"""A blob in half precision against the exact one: sums of squares and spans, block by block in a core's cache."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from torch2om.ir.op import Array
from torch2om.layers.precision import BLOCK, halve
from torch2om.precision.span import Span, span_of

SAFE = 1e-30  # a sum of squares above it, and below its reciprocal, has lost nothing in float32


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums of squares of the exact numbers, of the errors that have accumulated and of the layer's own; the span."""

    exact: float = 0.0
    accumulated: float = 0.0
    own: float = 0.0
    span: Span = field(default_factory=Span)

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.exact + other.exact,
            self.accumulated + other.accumulated,
            self.own + other.own,
            self.span + other.span,
        )

    @property
    def error(self) -> float:
        """||accumulated error|| / ||exact||."""
        return _ratio(self.accumulated, self.exact)

    @property
    def own_error(self) -> float:
        """||own error|| / ||exact||."""
        return _ratio(self.own, self.exact)


def _ratio(error: float, exact: float) -> float:
    """Return sqrt(error / exact); zeros alone are their own scale of 1; infinite where a number was not finite."""
    return float(np.sqrt(error / (exact or 1.0))) if np.isfinite(error) else float("inf")


@dataclass(frozen=True, slots=True)
class Tallied:
    """A blob's tally, and the blob rounded to half precision: of the half-precision run, and the exact one."""

    tally: Tally
    half: Array
    best: Array


def tallied(exact: Array, half: Array, own: Array, *, selected: bool) -> Tallied:
    """Round and tally a blob.

    `half` is what its layer makes of the half-precision run's blobs, `own` what it makes of the exact ones rounded to
    half precision; neither is rounded yet. If the layer only selects (`selected`), they need no rounding, and `own` is
    the exact blob rounded.
    """
    rounded, best = (half, own) if selected else (np.empty(exact.shape, np.float32) for _ in range(2))
    total = Tally()
    room = np.empty((3, min(BLOCK, exact.size)), np.float32)
    flat = [blob.reshape(-1) for blob in (exact, half, own, rounded, best)]
    with np.errstate(all="ignore"):
        for start in range(0, exact.size, BLOCK):
            total += _block([blob[start : start + BLOCK] for blob in flat], room, selected=selected)
    return Tallied(total, rounded, best)


def _block(blobs: list[Array], room: Array, *, selected: bool) -> Tally:
    """Fill a block of the rounded blobs, and tally it."""
    exact, half, own, rounded, best = blobs
    single, first, second = room[:, : exact.size]
    single[...] = exact  # near enough to measure half precision's errors with
    if not selected:
        halve(single, best, first)
        halve(half, rounded, first)
        own = halve(own, second, first)
    accumulated, alone = (_square(np.subtract(blob, single, out=first)) for blob in (rounded, own))
    return Tally(_square(single), accumulated, alone, span_of(single, best))


def error_of(found: Iterator[tuple[Array, Array]]) -> float:
    """||values - exact|| / ||exact|| over pairs (values, exact), all together."""
    error = scale = 0.0
    with np.errstate(all="ignore"):
        for values, exact in found:
            error += _square((values - exact).reshape(-1))
            scale += _square(exact.reshape(-1))
    return _ratio(error, scale)


def _square(values: Array) -> float:
    """Return the sum of squares: in the array's own width, and in float64 where that leaves its range."""
    found = float(values @ values)
    if SAFE < found < 1 / SAFE:
        return found
    wide = values.astype(np.float64)
    return float(wide @ wide)
