"""BlobProto: one weight of a caffemodel as a view of the file's bytes.

Where the values may be, the first that is not empty counts (ATC's order, caffe_op_parser.cc ParseWeightType; BVLC
knows double_data and data): NVIDIA's raw_data, double_data, int8_data, int32_data, uint64_data, data. The shape is
num, channels, height, width if the file has any of these old fields, otherwise shape.dim (BVLC blob.cpp FromProto, ATC
ConvertShape). Field 12 is ATC's uint64_data, or NVIDIA's raw_data if raw_data_type (10, a number) is there too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from torch2om.wire import Chunk, Kind, WireProblem, packed_varints, read_chunk

Values = npt.NDArray[Any]  # Any: the file chooses among seven number types
Number = np.dtype[Any]  # Any: the same

_MOST_AXES = 32  # BVLC include/caffe/blob.hpp, kMaxBlobAxes
_LEGACY = (1, 2, 3, 4)
_DATA, _SHAPE, _DOUBLE, _INT8, _INT32, _UINT64 = 5, 7, 8, 10, 11, 12
_FLOATS: dict[int, Number] = {_DATA: np.dtype("<f4"), _DOUBLE: np.dtype("<f8")}
_FIXED = {_DATA: Kind.FIXED32, _DOUBLE: Kind.FIXED64}
_WHOLE: dict[int, Number] = {_INT32: np.dtype(np.int32), _UINT64: np.dtype(np.uint64)}
_RAW: dict[int, Number] = {0: np.dtype("<f8"), 1: np.dtype("<f4"), 2: np.dtype("<f2")}  # NVIDIA/caffe, enum Type
_FIRST_RUN = 16  # unpacked values looked at together at first; doubled while they go on


@dataclass(frozen=True, eq=False, slots=True)
class StoredBlob:
    """A weight as the file holds it: shape, values in a row (read-only), the field they come from, its place."""

    shape: tuple[int, ...]
    values: Values
    source: str
    offset: int

    def array(self) -> Values:
        """Return the values in their shape; WireProblem if their number is not what the shape needs."""
        if min(self.shape, default=0) < 0 or math.prod(self.shape) != self.values.size:
            raise WireProblem(self.offset, f"a blob of shape {self.shape} holds {self.values.size} values")
        return self.values.reshape(self.shape)


def read_blob(data: memoryview, start: int, stop: int) -> StoredBlob:
    """Read the BlobProto in data[start:stop]."""
    parts = _Parts(data, start)
    at = start
    while at < stop:
        chunk = read_chunk(data, at, stop)
        at = parts.add(chunk, stop)
    return parts.blob()


@dataclass(slots=True)
class _Parts:
    """What has been seen of a blob so far: protobuf lets any field come in pieces and in any order."""

    data: memoryview
    start: int
    legacy: dict[int, int] = field(default_factory=dict)
    dims: list[int] = field(default_factory=list)
    floats: dict[int, list[Values]] = field(default_factory=dict)
    spans: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    raw_type: int | None = None

    def add(self, chunk: Chunk, end: int) -> int:
        """Note one field; return where to read on (behind a whole run of unpacked floats)."""
        match chunk.number, chunk.kind:
            case (1 | 2 | 3 | 4) as number, Kind.VARINT:
                self.legacy[number] = _signed(chunk.value, 32)
            case 5 | 8, Kind.BYTES:
                self.floats.setdefault(chunk.number, []).append(self._packed(chunk))
            case 5 | 8, kind if kind == _FIXED[chunk.number]:
                return self._run(chunk, end)
            case 7, Kind.BYTES:
                self._shape(chunk)
            case 10, Kind.VARINT:
                self.raw_type = chunk.value
            case (10, Kind.BYTES) | (11 | 12, Kind.BYTES | Kind.VARINT):
                self.spans.setdefault(chunk.number, []).append((chunk.start, chunk.stop))
        return chunk.stop

    def blob(self) -> StoredBlob:
        """Return the blob that these parts make."""
        source, values = self._values()
        values.flags.writeable = False
        shape = tuple(self.legacy.get(number, 0) for number in _LEGACY) if self.legacy else tuple(self.dims)
        return StoredBlob(shape, values, source, self.start)

    def _packed(self, chunk: Chunk) -> Values:
        dtype = _FLOATS[chunk.number]
        count, rest = divmod(chunk.stop - chunk.start, dtype.itemsize)
        if rest:
            raise WireProblem(chunk.start, f"{chunk.value} bytes are no whole number of {dtype.itemsize}-byte floats")
        return self._view(dtype, count, chunk.start)

    def _run(self, chunk: Chunk, end: int) -> int:
        """Take this unpacked float and all that follow it directly; return where they end."""
        dtype = _FLOATS[chunk.number]
        tag = chunk.number << 3 | chunk.kind
        record = np.dtype([("tag", "u1"), ("value", dtype)])
        pieces = self.floats.setdefault(chunk.number, [])
        pieces.append(self._view(dtype, 1, chunk.start))
        at, window = chunk.stop, _FIRST_RUN
        while count := min(window, (end - at) // record.itemsize):
            records = self._view(record, count, at)
            same = int(np.argmin(np.append(records["tag"] == tag, False)))
            pieces.append(records["value"][:same])
            at += same * record.itemsize
            if same < count:
                break
            window *= 2
        return at

    def _shape(self, chunk: Chunk) -> None:
        at = chunk.start
        while at < chunk.stop:
            dim = read_chunk(self.data, at, chunk.stop)
            at = dim.stop
            if dim.number == 1 and dim.kind in (Kind.BYTES, Kind.VARINT):
                self._dims(dim)

    def _dims(self, chunk: Chunk) -> None:
        for block in packed_varints(self.data, chunk.start, chunk.stop):
            if len(self.dims) + block.size > _MOST_AXES:
                raise WireProblem(chunk.start, f"a blob has more than {_MOST_AXES} axes, Caffe's limit")
            self.dims.extend(block.astype(np.int64).tolist())

    def _values(self) -> tuple[str, Values]:
        if self.raw_type is not None and _UINT64 in self.spans:
            return "raw_data", self._raw(self.raw_type)
        for number, name in ((_DOUBLE, "double_data"), (_INT8, "int8_data"), (_INT32, "int32_data")):
            if (values := self._joined(number)).size:
                return name, values
        if (values := self._joined(_UINT64)).size:
            return "uint64_data", values
        return "data", self._joined(_DATA)

    def _joined(self, number: int) -> Values:
        if number in _FLOATS:
            pieces = self.floats.get(number, [])
            return pieces[0] if len(pieces) == 1 else np.concatenate([np.empty(0, _FLOATS[number]), *pieces])
        spans = self.spans.get(number, [])
        if number == _INT8:  # not repeated: the last one counts
            return self._view(np.dtype(np.int8), spans[-1][1] - spans[-1][0], spans[-1][0]) if spans else np.empty(0)
        blocks = [block.astype(_WHOLE[number]) for span in spans for block in packed_varints(self.data, *span)]
        return np.concatenate([np.empty(0, _WHOLE[number]), *blocks])

    def _raw(self, raw_type: int) -> Values:
        start, stop = self.spans[_UINT64][-1]
        if raw_type not in _RAW or (stop - start) % _RAW[raw_type].itemsize:
            raise WireProblem(start, f"raw_data of type {raw_type} and {stop - start} bytes is not read")
        return self._view(_RAW[raw_type], (stop - start) // _RAW[raw_type].itemsize, start)

    def _view(self, dtype: Number, count: int, at: int) -> Values:
        return np.frombuffer(self.data, dtype, count, at) if count else np.empty(0, dtype)


def _signed(value: int, bits: int) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value
