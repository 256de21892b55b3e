"""The caffemodel: a NetParameter of which only names, types, bottoms, tops and blobs matter, read and written by hand.

Reading gives views of the file's bytes. It takes what any Caffe descendant writes: `layer` (V2), `layers` (V1) and the
V0 layers inside those. Writing streams: every length follows from the shapes, so the arrays are asked for one at a
time, piece by piece, and their memory goes to the file as it is. The bytes are those that protobuf would write for the
same message.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from torch2om.caffe.blobs import StoredBlob, read_blob
from torch2om.caffe.fields.bvlc import BVLC
from torch2om.caffe.writeback import Writeback
from torch2om.wire import Chunk, Kind, WireProblem, field, head, read_chunk, varint

LARGEST_FILE = 2**31 - 1
"""The most bytes of a caffemodel that its readers take.

BVLC: kProtoReadBytesLimit = INT_MAX (src/caffe/util/io.cpp); ATC: no file over INT_MAX (acl_graph_parser_util).
"""

_LAYER, _V1_LAYER, _NET_NAME = 100, 2, 1
_V0_LAYER = 1  # of a V1 layer
_PARAMS_WITH_BIAS = (106, 117)  # convolution_param and inner_product_param of a V2 layer
_BIAS_TERM = 2  # of both
_BLOB_DATA, _BLOB_SHAPE, _SHAPE_DIM = 5, 7, 1
_V1_TYPES = {number: name for name, number in BVLC.enums["V1LayerParameter.LayerType"].items()}
_FLOAT = np.dtype("<f4")


class _Numbers(NamedTuple):
    """The field numbers of a layer message; 0 where it has no such field."""

    version: Literal[0, 1, 2]
    name: int
    type: int
    bottom: int
    top: int
    blobs: int


_V2 = _Numbers(2, name=1, type=2, bottom=3, top=4, blobs=7)
_V1 = _Numbers(1, name=4, type=5, bottom=2, top=3, blobs=6)
_V0 = _Numbers(0, name=1, type=2, bottom=0, top=0, blobs=50)


@dataclass(frozen=True, eq=False, slots=True)
class StoredLayer:
    """A layer of a caffemodel. `type` is "Convolution" in V2, "CONVOLUTION" in V1, "conv" in V0.

    A V1 type that BVLC does not name is its number in digits. `bias_term` is that of convolution_param or
    inner_product_param (true if not written): ATC mends old 4-D bias shapes only where it is true.
    """

    version: Literal[0, 1, 2]
    name: str
    type: str
    bottoms: tuple[str, ...]
    tops: tuple[str, ...]
    blobs: tuple[StoredBlob, ...]
    bias_term: bool
    offset: int


@dataclass(frozen=True, eq=False, slots=True)
class StoredNet:
    """A whole caffemodel: the net's name and the layers in the file's order, V1 and V2 together."""

    name: str
    layers: tuple[StoredLayer, ...]


class Streamed(Protocol):
    """A weight that can be written: its shape is known before its numbers are."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array to come."""

    def pieces(self, dtype: npt.DTypeLike) -> Iterator[npt.NDArray[Any]]:  # Any: the dtype is an argument
        """Yield the numbers in the dtype asked for, C-contiguous: the rows in order, some at a time or all at once."""


@dataclass(frozen=True, eq=False, slots=True)
class OutgoingLayer:
    """A layer to be written: ATC needs the bottoms too, to know which input of the layer a blob is."""

    name: str
    type: str
    bottoms: tuple[str, ...]
    tops: tuple[str, ...]
    blobs: tuple[Streamed, ...]


def read_caffemodel(path: Path) -> StoredNet:
    """Read a caffemodel; the arrays are views of one copy of the file in memory.

    Raises OSError, and WireProblem as `parse_caffemodel` does.
    """
    size = path.stat().st_size
    if size > LARGEST_FILE:
        raise WireProblem(0, f"the file has {size} bytes, more than the {LARGEST_FILE} that Caffe and ATC read")
    return parse_caffemodel(path.read_bytes())


def parse_caffemodel(content: bytes | bytearray | memoryview) -> StoredNet:
    """Read a caffemodel's bytes; the arrays are read-only views of them.

    Raises WireProblem for a file that is truncated, damaged or no caffemodel, also for one without any layer.
    """
    data = memoryview(content).cast("B").toreadonly()
    name = ""
    layers = []
    for chunk in _chunks(data, 0, len(data)):
        match chunk.number, chunk.kind:
            case 1, Kind.BYTES:
                name = _string(data, chunk)
            case 100, Kind.BYTES:
                layers.append(_layer(data, chunk, _V2))
            case 2, Kind.BYTES:
                layers.append(_layer(data, chunk, _V1))
    if not layers:
        raise WireProblem(0, "there is no layer in it: not a caffemodel, or an empty one")
    return StoredNet(name, tuple(layers))


def _chunks(data: memoryview, at: int, end: int) -> Iterator[Chunk]:
    while at < end:
        chunk = read_chunk(data, at, end)
        yield chunk
        at = chunk.stop


def _layer(data: memoryview, whole: Chunk, numbers: _Numbers) -> StoredLayer:
    chunks = list(_chunks(data, whole.start, whole.stop))
    inner = [chunk for chunk in chunks if chunk.number == _V0_LAYER and chunk.kind == Kind.BYTES]
    if numbers is _V1 and inner:
        old = _layer(data, inner[-1], _V0)
        outer = _read_layer(data, whole, chunks, numbers)
        return StoredLayer(0, old.name, old.type, outer.bottoms, outer.tops, old.blobs, old.bias_term, whole.start)
    return _read_layer(data, whole, chunks, numbers)


def _read_layer(data: memoryview, whole: Chunk, chunks: list[Chunk], numbers: _Numbers) -> StoredLayer:
    payloads = [chunk for chunk in chunks if chunk.kind == Kind.BYTES]

    def strings(number: int) -> tuple[str, ...]:
        return tuple(_string(data, chunk) for chunk in payloads if chunk.number == number)

    return StoredLayer(
        version=numbers.version,
        name=(strings(numbers.name) or ("",))[-1],
        type=_v1_type(chunks) if numbers is _V1 else (strings(numbers.type) or ("",))[-1],
        bottoms=strings(numbers.bottom),
        tops=strings(numbers.top),
        blobs=tuple(read_blob(data, chunk.start, chunk.stop) for chunk in payloads if chunk.number == numbers.blobs),
        bias_term=numbers is not _V2 or all(_bias_term(data, chunk) for chunk in payloads),
        offset=whole.start,
    )


def _v1_type(chunks: list[Chunk]) -> str:
    given = [chunk.value for chunk in chunks if chunk.number == _V1.type and chunk.kind == Kind.VARINT]
    number = given[-1] if given else 0
    return _V1_TYPES.get(number, str(number))


def _bias_term(data: memoryview, param: Chunk) -> bool:
    """Whether this field of a V2 layer leaves bias_term true: any field but two does."""
    if param.number not in _PARAMS_WITH_BIAS:
        return True
    inner = _chunks(data, param.start, param.stop)
    given = [chunk.value for chunk in inner if chunk.number == _BIAS_TERM and chunk.kind == Kind.VARINT]
    return not given or bool(given[-1])


def _string(data: memoryview, chunk: Chunk) -> str:
    try:
        return str(data[chunk.start : chunk.stop], "utf-8")
    except UnicodeDecodeError as problem:
        raise WireProblem(chunk.start, "a name is not UTF-8") from problem


def file_size(name: str, layers: Iterable[OutgoingLayer]) -> int:
    """Return how many bytes `write_caffemodel` would write; no array is asked for."""
    return sum(map(len, _parts(name, layers)))


def write_caffemodel(file: BinaryIO, name: str, layers: Iterable[OutgoingLayer]) -> int:
    """Write a caffemodel to a buffered binary file; return its size in bytes.

    Each piece of an array is asked for only when its turn comes, and not held. Raises before the first byte
    WireProblem if the file would be larger than any reader takes, and OSError if the disk has no room for it; later,
    WireProblem for an array that is not what its shape announced: what is written then is no caffemodel.
    """
    parts = _parts(name, layers)
    size = sum(map(len, parts))
    if size > LARGEST_FILE:
        raise WireProblem(0, f"the file would have {size} bytes, more than the {LARGEST_FILE} that Caffe and ATC read")
    stream = Writeback(file, size)
    for part in parts:
        for content in part.contents() if isinstance(part, _Floats) else (part,):
            stream.write(content)
    return size


@dataclass(frozen=True, slots=True)
class _Floats:
    """The bytes of an array to come: how many is known, which not yet."""

    blob: Streamed
    where: str

    def __len__(self) -> int:
        return math.prod(self.blob.shape) * _FLOAT.itemsize

    def contents(self) -> Iterator[memoryview]:
        """Ask for the array; yield the memory of its pieces as it is."""
        shape, left = tuple(self.blob.shape), math.prod(self.blob.shape)
        for piece in self.blob.pieces(_FLOAT):
            left -= piece.size
            if piece.shape[1:] != shape[1:] or piece.dtype != _FLOAT or not piece.flags.c_contiguous:
                raise self._other(
                    f"{piece.dtype} {piece.shape}{'' if piece.flags.c_contiguous else ', not contiguous'}"
                )
            yield piece.reshape(-1).view(np.uint8).data
        if left:
            raise self._other(f"{math.prod(shape) - left} numbers")

    def _other(self, found: str) -> WireProblem:
        return WireProblem(0, f"{self.where} was announced as float32 {tuple(self.blob.shape)} and came as {found}")


def _parts(name: str, layers: Iterable[OutgoingLayer]) -> list[bytes | _Floats]:
    return [field(_NET_NAME, name.encode()), *(part for layer in layers for part in _layer_parts(layer))]


def _layer_parts(layer: OutgoingLayer) -> Iterator[bytes | _Floats]:
    names = [(_V2.name, layer.name), (_V2.type, layer.type)]
    names += [(_V2.bottom, bottom) for bottom in layer.bottoms] + [(_V2.top, top) for top in layer.tops]
    parts: list[bytes | _Floats] = [field(number, text.encode()) for number, text in names]
    for index, blob in enumerate(layer.blobs):
        parts += _blob_parts(_Floats(blob, f"layer {layer.name}, blob {index}"))
    yield head(_LAYER, sum(map(len, parts)))
    yield from parts


def _blob_parts(floats: _Floats) -> list[bytes | _Floats]:
    """Return what a layer holds of a blob: its tag and length, the floats behind their tag and length, its shape."""
    dims = b"".join(varint(dim) for dim in floats.blob.shape)
    shape = field(_BLOB_SHAPE, field(_SHAPE_DIM, dims) if dims else b"")
    data: list[bytes | _Floats] = [head(_BLOB_DATA, len(floats)), floats] if len(floats) else []
    return [head(_V2.blobs, sum(map(len, data)) + len(shape)), *data, shape]
