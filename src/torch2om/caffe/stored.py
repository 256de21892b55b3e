"""The weights of a layer that was read: from the caffemodel, a layer that shares them, or constant fillers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from torch2om.caffe.blobs import StoredBlob
from torch2om.caffe.caffemodel import StoredLayer
from torch2om.caffe.entries import LayerEntry
from torch2om.caffe.schema import CaffeMessage
from torch2om.errors import CaffeFileError, Diagnostic
from torch2om.ir.op import BadOp, Op, Shape, Shapes
from torch2om.ir.weight import AnyArray, Precision, Weight, constant

# Which fillers of a layer's message fill its weights and which its biases (caffe.proto; the first that it has counts).
_OF_WEIGHTS = ("weight_filler", "filler", "scale_filler")
_OF_BIASES = ("bias_filler",)
# What fills weights whose filler is left out beside another: 0, as BVLC's FillerParameter has the type constant and the
# value 0, but a Scale's factors, which are 1 (scale_layer.cpp).
_FILLED_BY_DEFAULT: Mapping[str, float] = MappingProxyType({"Scale": 1.0})


class Weights:
    """Finds each layer's weights; layers that name the same parameters share them."""

    def __init__(self, stored: Mapping[str, StoredLayer] | None) -> None:
        self._stored = stored
        self._shared: dict[str, Weight] = {}

    def of(self, entry: LayerEntry, op: Op, bottoms: Shapes) -> tuple[Weight, ...]:
        """Return the layer's weights in the shapes that its op expects; `BadOp` if what is stored does not fit."""
        expected = op.expected_weights(bottoms)
        layer = None if self._stored is None else self._stored.get(entry.name)
        if layer is not None and layer.blobs:
            weights = _fitted(layer.blobs, expected)
        else:
            weights = tuple(self._missing(entry, index, shape) for index, shape in enumerate(expected))
        for name, weight in zip(entry.shared, weights, strict=False):
            if name:
                self._shared.setdefault(name, weight)
        return weights

    def _missing(self, entry: LayerEntry, index: int, shape: Shape) -> Weight:
        name = entry.shared[index] if index < len(entry.shared) else ""
        if name in self._shared:
            return self._shared[name]
        fillers = _fillers(entry)
        is_bias = index == 1 or (index > 1 and len(shape) == 1)  # an RNN has two (rnn_layer.cpp)
        filler = next((fillers[name] for name in (_OF_BIASES if is_bias else _OF_WEIGHTS) if name in fillers), None)
        if filler is not None and filler.type == "constant":
            return constant(np.full(shape, filler.value, np.float32))
        if filler is None and fillers:
            value = 0.0 if is_bias else _FILLED_BY_DEFAULT.get(entry.type, 0.0)
            return constant(np.full(shape, value, np.float32))
        if self._stored is not None:
            raise BadOp(f"weight {index} {list(shape)} is not in the caffemodel")
        why = "it has no filler" if filler is None else f"its filler, {filler.type}, is random"
        return Weight(shape, _absent(entry, f"weight {index} has no numbers: no caffemodel was given, and {why}"))


def _fitted(blobs: tuple[StoredBlob, ...], expected: tuple[Shape, ...]) -> tuple[Weight, ...]:
    if len(blobs) != len(expected):
        raise BadOp(f"the caffemodel has {len(blobs)} weights for it, {len(expected)} are needed")
    return tuple(_fit(blob, shape) for blob, shape in zip(blobs, expected, strict=True))


def _fit(blob: StoredBlob, shape: Shape) -> Weight:
    """Return the stored weight in the expected shape: old files write all shapes with 4 dims, ones in front."""
    given = blob.shape
    lead = len(given) - len(shape)
    if given[max(lead, 0) :] != shape or any(dim != 1 for dim in given[: max(lead, 0)]):
        raise BadOp(f"the caffemodel has a weight of shape {list(given)}, {list(shape)} is needed")
    return constant(blob.array().reshape(shape))


def _fillers(entry: LayerEntry) -> dict[str, CaffeMessage]:
    """Return the fillers that the layer names. One that names none is meant to have its numbers in the caffemodel."""
    messages = (
        getattr(entry.message, field.name) for field, _ in entry.message.ListFields() if field.name.endswith("_param")
    )
    return {
        field.name: value
        for message in messages
        for field, value in message.ListFields()
        if field.name in (*_OF_WEIGHTS, *_OF_BIASES)
    }


def _absent(entry: LayerEntry, text: str) -> Callable[[Precision], AnyArray]:
    """Return the source of a weight whose shape is known and whose numbers are not: asking for them is refused."""

    def refuse(_: Precision) -> AnyArray:
        raise CaffeFileError(Diagnostic("F506", text, origin=entry.origin, layer=entry.name))

    return refuse
