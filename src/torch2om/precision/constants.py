"""Constants of a net that half precision cannot hold, told before a chip makes infinity of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

import numpy as np

from torch2om.errors import Diagnostic, Severity
from torch2om.ir.net import Layer, Net
from torch2om.ir.op import Op
from torch2om.ir.weight import Weight
from torch2om.layers.precision import LARGEST_HALF, LARGEST_SINGLE

_MOST_TOLD = 5


def beyond_half(net: Net) -> tuple[Diagnostic, ...]:
    """Return a note of the layers with a constant above 65504: a chip that computes in half precision has infinity.

    The largest float32 is none of them: it stands for infinity, and may become it.
    """
    sizes: dict[int, float] = {}
    found = [(layer, size) for layer in net.layers if (size := _largest(layer, sizes)) > LARGEST_HALF]
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


def _largest(layer: Layer, sizes: dict[int, float]) -> float:
    """Return the largest magnitude in the layer's weights and parameters; `sizes` has weights that are shared."""
    for weight in layer.weights:
        if id(weight) not in sizes:
            sizes[id(weight)] = _largest_of(weight)
    return max((*(sizes[id(weight)] for weight in layer.weights), *_parameters(layer.op)), default=0.0)


def _largest_of(weight: Weight) -> float:
    numbers = weight.held(np.dtype(np.float32))
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
