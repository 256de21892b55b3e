"""The weights of a layer that was read: from the caffemodel, a layer that shares them, or constant fillers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from torch2om.caffe.blobs import StoredBlob
from torch2om.caffe.caffemodel import StoredLayer
from torch2om.caffe.entries import LayerEntry
from torch2om.caffe.schema import CaffeMessage
from torch2om.errors import CaffeFileError, Diagnostic
from torch2om.ir.op import BadOp, Op, Shape, Shapes
from torch2om.ir.weight import AnyArray, Precision, Weight, constant

# Which filler of a layer's message fills which of its weights (caffe.proto; the first that the message has counts).
_FILLERS: tuple[tuple[str, ...], ...] = (("weight_filler", "filler", "scale_filler"), ("bias_filler",))


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
        filler = _filler(entry, index)
        if filler is not None and filler.type == "constant":
            return constant(np.full(shape, filler.value, np.float32))
        if self._stored is not None:
            raise BadOp(f"weight {index} {list(shape)} is not in the caffemodel")
        return Weight(shape, _absent(entry, index))


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


def _filler(entry: LayerEntry, index: int) -> CaffeMessage | None:
    names = _FILLERS[min(index, 1)]
    messages = (
        getattr(entry.message, field.name) for field, _ in entry.message.ListFields() if field.name.endswith("_param")
    )
    for message in messages:
        for name in names:
            if name in message.DESCRIPTOR.fields_by_name and message.HasField(name):
                return getattr(message, name)
    return None


def _absent(entry: LayerEntry, index: int) -> Callable[[Precision], AnyArray]:
    """Return the source of a weight whose shape is known and whose numbers are not: asking for them is refused."""

    def refuse(_: Precision) -> AnyArray:
        text = f"weight {index} has no numbers: no caffemodel was given, and its filler is random"
        raise CaffeFileError(Diagnostic("F506", text, origin=entry.origin, layer=entry.name))

    return refuse
