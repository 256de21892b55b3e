"""Constants of a net that half precision cannot hold, told before a chip makes infinity of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

import numpy as np

from torch2om.errors import Diagnostic, Severity
from torch2om.ir.net import Layer, Net
from torch2om.ir.op import Array, Op
from torch2om.layers.precision import LARGEST_HALF, LARGEST_SINGLE

_MOST_TOLD = 5


class Magnitudes:
    """The largest magnitude of each layer's weights, noted while they pass on their way to a file.

    The largest float32 is none: it stands for infinity.
    """

    def __init__(self) -> None:
        self._largest: dict[str, float] = {}

    def note(self, layer: str, numbers: Array) -> None:
        """Note some of the numbers of a layer."""
        self._largest[layer] = max(self._largest.get(layer, 0.0), _largest(numbers))

    def of(self, layer: Layer) -> float:
        """Return the largest magnitude in the layer's weights and parameters."""
        return max((self._largest.get(layer.name, 0.0), *_parameters(layer.op)))


def beyond_half(net: Net, magnitudes: Magnitudes) -> tuple[Diagnostic, ...]:
    """Return a note of the layers with a constant above 65504: a chip that computes in half precision has infinity.

    `magnitudes` are those of the net's weights.
    """
    found = [(layer, size) for layer in net.layers if (size := magnitudes.of(layer)) > LARGEST_HALF]
    if not found:
        return ()
    told = [f"{layer.name} ({layer.op.caffe_type}{_made_by(layer)}): {size:.3g}" for layer, size in found[:_MOST_TOLD]]
    more = [f"and {len(found) - _MOST_TOLD} more"] if len(found) > _MOST_TOLD else []
    first = found[0][0]
    text = f"{len(found)} layers hold" if len(found) > 1 else "a layer holds"
    return (
        Diagnostic(
            "T417",
            f"{text} constants beyond {LARGEST_HALF:.0f}, which half precision makes infinite",
            origin=first.origin,
            layer=first.name,
            severity=Severity.NOTE,
            details=(*told, *more),
            hint="write -6e4 for the -1e9 of a mask, or keep the layers in a higher precision (torch2om precision)",
        ),
    )


def _made_by(layer: Layer) -> str:
    return f", made by {layer.origin.via[-1]}" if layer.origin.via else ""


def _largest(numbers: Array) -> float:
    largest = float(max(numbers.max(initial=0), -numbers.min(initial=0)))
    if largest < LARGEST_SINGLE:
        return largest
    magnitudes = np.abs(numbers)
    return float(magnitudes.max(initial=0, where=magnitudes < LARGEST_SINGLE))


def _parameters(op: Op) -> Iterator[float]:
    """Yield the magnitudes of the op's real numbers that are no infinity."""
    for field in fields(op):
        value = getattr(op, field.name)
        for number in value if isinstance(value, tuple) else (value,):
            if isinstance(number, float) and abs(number) < LARGEST_SINGLE:
                yield abs(number)
