"""Reads a convolution whose filters are a blob, as BVLC Caffe can say it: by a parameter that a layer overwrites.

    layer { name: "w/place" type: "Parameter" top: "place" param { name: "place" } parameter_param { shape { ... } } }
    layer { name: "w/put" type: "Eltwise" bottom: "place" bottom: "w" top: "place" eltwise_param { coeff: 0 coeff: 1 } }
    layer { name: "w/end" type: "Silence" bottom: "place" }
    layer { name: "y" type: "Convolution" bottom: "x" top: "y" param { name: "place" } convolution_param { ... } }

A Parameter's top is its parameter's memory (BVLC include/caffe/layers/parameter_layer.hpp, Forward_cpu), and layers
that name the same parameter share that memory (net.cpp, ShareWeights): the Convolution finds there what the Eltwise
wrote. `writer` writes these layers, in this order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from torch2om.caffe.dialect import Dialect
from torch2om.caffe.entries import LayerEntry
from torch2om.caffe.parameters import read_op
from torch2om.errors import Diagnostic, Problems, Severity
from torch2om.ir.net import Net
from torch2om.ir.op import BadOp, Shapes, need
from torch2om.layers import Convolution, DynamicConvolution, Eltwise
from torch2om.layers.pointwise import EltwiseOperation

DYNAMIC = "DynamicConvolution"
PUT = Eltwise(EltwiseOperation.SUM, (0.0, 1.0))
"""y = 0 * x_0 + x_1: what a place held is forgotten, be it infinite (eltwise_layer.cpp clears y before it adds)."""


@dataclass(frozen=True)
class _Place:
    """A Parameter whose parameter others share, and the places in the file of those that have to do with it.

    `writers` write its top in place, `readers` read its top and do not write it, `users` share its parameter.
    """

    at: int
    top: str
    name: str
    writers: tuple[int, ...]
    readers: tuple[int, ...]
    users: tuple[int, ...]


def with_dynamic(given: Sequence[LayerEntry], dialect: Dialect, problems: Problems) -> list[LayerEntry]:
    """Return the layers with each convolution by an overwritten parameter as one layer that reads the written blob.

    Any other use of a parameter that a layer overwrites, where others share it, is a problem (F507): what they compute
    with is not in the caffemodel.
    """
    gone: set[int] = set()
    filters: dict[int, str] = {}
    for place in _overwritten(given):
        if _understood(place, given, dialect):
            gone |= {place.at, *place.writers, *place.readers}
            filters |= dict.fromkeys(place.users, given[place.writers[0]].bottoms[1])
        else:
            entry, put, user = (given[at] for at in (place.at, place.writers[0], place.users[0]))
            text = f"{put.name!r} overwrites its parameter {place.name!r}, which {user.name!r} shares"
            problems.add(Diagnostic("F507", text, origin=entry.origin, layer=entry.name))
    return [
        replace(entry, type=DYNAMIC, bottoms=(*entry.bottoms, filters[at]), shared=()) if at in filters else entry
        for at, entry in enumerate(given)
        if at not in gone
    ]


def _overwritten(given: Sequence[LayerEntry]) -> Iterator[_Place]:
    """Yield the Parameters whose parameter others share and whose top a layer writes in place."""
    tops, bottoms, shared = (defaultdict[str, list[int]](list) for _ in range(3))
    for at, entry in enumerate(given):
        for found, names in ((tops, entry.tops), (bottoms, entry.bottoms), (shared, entry.shared)):
            for name in filter(None, names):
                found[name].append(at)
    for at, entry in enumerate(given):
        if entry.type == "Parameter" and entry.tops and any(entry.shared):
            top, name = entry.tops[0], entry.shared[0]
            writers = tuple(other for other in tops[top] if other != at)
            readers = tuple(other for other in bottoms[top] if other not in writers)
            users = tuple(other for other in shared[name] if other != at)
            if writers and users:
                yield _Place(at, top, name, writers, readers, users)


def _understood(place: _Place, given: Sequence[LayerEntry], dialect: Dialect) -> bool:
    """Whether one Eltwise puts one blob there, Silence alone reads it, and Convolutions filter by it later."""
    at = place.writers[0]
    if len(place.writers) > 1 or not _puts(given[at], place.top, dialect):
        return False
    source = given[at].bottoms[1]
    users = [given[user] for user in place.users]
    return (
        place.at < at < min(place.users)
        and all(given[reader].type == "Silence" for reader in place.readers)
        and all(user.type == "Convolution" and len(user.bottoms) == len(user.shared) == 1 for user in users)
        and not any(source in later.tops for later in given[at:])
    )


def _puts(entry: LayerEntry, top: str, dialect: Dialect) -> bool:
    """Whether the layer makes `top` a copy of its second bottom."""
    if entry.type != "Eltwise" or len(entry.bottoms) != 2 or entry.bottoms[0] != top:
        return False
    try:
        return read_op(Eltwise, entry.message, dialect, shapes=(), tops=1) == PUT
    except BadOp:
        return False


def relies_on_memory(net: Net) -> tuple[Diagnostic, ...]:
    """Return a note of the convolutions whose filters a layer writes: not every reader of Caffe files computes them."""
    found = [layer for layer in net.layers if isinstance(layer.op, DynamicConvolution)]
    if not found:
        return ()
    count = "products of two blobs are convolutions" if len(found) > 1 else "product of two blobs is a convolution"
    return (
        Diagnostic(
            "T418",
            f"{len(found)} {count} by a parameter that a layer overwrites, as BVLC Caffe computes it",
            origin=found[0].origin,
            layer=found[0].name,
            severity=Severity.NOTE,
            hint="whatever else reads the files, such as a converter of Caffe files, may take parameters for constants",
        ),
    )


def read_dynamic(entry: LayerEntry, dialect: Dialect, shapes: Shapes) -> DynamicConvolution:
    """Return the op of a convolution by the last bottom; `BadOp` if its parameters do not fit that blob's dims."""
    read = read_op(Convolution, entry.message, dialect, shapes=shapes[:1], tops=1)
    assert isinstance(read, Convolution)
    need(not read.bias_term, "a convolution by a blob is read without bias only")
    op = DynamicConvolution(read.stride, read.pad, read.dilation, read.group)
    need(op.by(shapes[1]) == read, f"its parameters do not fit filters of dims {list(shapes[1])}")
    return op
