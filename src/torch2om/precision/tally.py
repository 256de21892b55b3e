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


def tallied(exact: Array, half: Array, own: Array, *, selected: bool) -> tuple[Tally, Array]:
    """Return the tally of a blob, and the exact blob rounded to half precision.

    `half` is the blob of the half-precision run; `own` what its layer makes of exact numbers rounded to half precision,
    itself not yet rounded. If the layer only selects (`selected`), `own` is the rounded exact blob already.
    """
    best = own if selected else np.empty(exact.shape, np.float32)
    total = Tally()
    room = np.empty((2, min(BLOCK, exact.size)), np.float32)
    flat = [blob.reshape(-1) for blob in (exact, half, own, best)]
    with np.errstate(all="ignore"):
        for start in range(0, exact.size, BLOCK):
            total += _block([blob[start : start + BLOCK] for blob in flat], room, selected=selected)
    return total, best


def _block(blobs: list[Array], room: Array, *, selected: bool) -> Tally:
    exact, half, own, best = blobs
    first, second = room[:, : exact.size]
    single = exact.astype(np.float32)  # near enough to measure half precision's errors with
    if not selected:
        halve(single, best, first)
        own = halve(own, second, first)
    accumulated, alone = (_square(np.subtract(blob, single, out=first)) for blob in (half, own))
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
