"""tag, length, payload: protobuf's wire format, walked and written without protobuf.

For caffemodels and om files, whose bytes are nearly all weights: protobuf would copy them, and Python's would box each
number. Every step is checked against the end of the message that it is in, so a truncated or foreign file raises
WireProblem, and a length that lies allocates nothing. The encoding: https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

_DEEPEST_GROUP = 100  # protobuf's own default for nested messages
_LONGEST_VARINT = 10  # bytes of 7 bits for a 64-bit number
_BLOCK = 1 << 16  # bytes of packed varints decoded at once


class WireProblem(ValueError):  # noqa: N818 - a finding about the user's file, mapped to a diagnostic above
    """Bytes that are not what they promise: where (offset from the file's beginning) and why."""

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(f"byte {offset}: {message}")
        self.offset = offset
        self.message = message


class Kind(IntEnum):
    """The wire types: how the bytes after a tag are to be read."""

    VARINT = 0
    FIXED64 = 1
    BYTES = 2
    GROUP = 3
    END_GROUP = 4
    FIXED32 = 5


_BYTES, _VARINT = int(Kind.BYTES), int(Kind.VARINT)  # arithmetic on members of an enum is slow


class Chunk(NamedTuple):
    """One field on the wire: its payload is data[start:stop], or `value` for a varint; the next begins at `stop`."""

    number: int
    kind: Kind
    value: int
    start: int
    stop: int


def read_chunk(data: memoryview, at: int, end: int) -> Chunk:
    """Return the field whose tag stands at `at`, within a message that ends at `end`; groups are passed over."""
    tag, start = read_varint(data, at, end)
    number, kind = tag >> 3, tag & 7
    if number == 0 or kind not in (0, 1, 2, 3, 5):
        raise WireProblem(at, f"no field begins with the tag {tag}: another kind of file, or a damaged one")
    if kind == _BYTES:
        length, start = read_varint(data, start, end)
        return Chunk(number, Kind.BYTES, length, start, _after(start, length, end))
    if kind == _VARINT:
        value, stop = read_varint(data, start, end)
        return Chunk(number, Kind.VARINT, value, start, stop)
    if kind == Kind.GROUP:
        return Chunk(number, Kind.GROUP, 0, start, _after_group(data, start, end))
    width = 8 if kind == Kind.FIXED64 else 4
    return Chunk(number, Kind(kind), 0, start, _after(start, width, end))


def read_varint(data: memoryview, at: int, end: int) -> tuple[int, int]:
    """Return the varint at `at` and where the next thing begins."""
    if at < end and (first := data[at]) < 0x80:
        return first, at + 1
    value = 0
    for index in range(at, min(at + _LONGEST_VARINT, end)):
        byte = data[index]
        value |= (byte & 0x7F) << (7 * (index - at))
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, index + 1
    raise WireProblem(at, "the file ends inside a number" if end - at < _LONGEST_VARINT else "a number has no end")


def _after(start: int, length: int, end: int) -> int:
    if length > end - start:
        raise WireProblem(start, f"{length} bytes are announced, {end - start} are left")
    return start + length


def _after_group(data: memoryview, at: int, end: int) -> int:
    depth = 1
    while depth:
        tag, start = read_varint(data, at, end)
        if tag & 7 in (Kind.GROUP, Kind.END_GROUP):
            depth += 1 if tag & 7 == Kind.GROUP else -1
            at = start
        else:
            at = read_chunk(data, at, end).stop
        if depth > _DEEPEST_GROUP:
            raise WireProblem(at, f"groups nest more than {_DEEPEST_GROUP} deep")
    return at


def packed_varints(data: memoryview, start: int, stop: int) -> Iterator[npt.NDArray[np.uint64]]:
    """Yield the varints that fill data[start:stop], in order and some thousands at a time."""
    payload = np.frombuffer(data, np.uint8, stop - start, start) if stop > start else np.empty(0, np.uint8)
    at = 0
    while at < payload.size:
        last = np.flatnonzero(payload[at : at + _BLOCK] < 0x80)
        if last.size == 0:
            raise WireProblem(start + at, "a packed number has no end")
        yield _varints(payload[at : at + int(last[-1]) + 1], last, start + at)
        at += int(last[-1]) + 1


def _varints(block: npt.NDArray[np.uint8], last: npt.NDArray[np.intp], offset: int) -> npt.NDArray[np.uint64]:
    """Return the varints of a block, whose last bytes stand at `last`: 7 bits a byte, the lowest first."""
    first = np.concatenate(([0], last[:-1] + 1))
    if np.any(last - first >= _LONGEST_VARINT):
        raise WireProblem(offset, f"a packed number has more than {_LONGEST_VARINT} bytes")
    values = np.zeros(last.size, np.uint64)
    for place in range(int(np.max(last - first)) + 1):
        reach = np.flatnonzero(last - first >= place)
        bits = block[first[reach] + place] & np.uint8(0x7F)
        values[reach] |= bits.astype(np.uint64) << np.uint64(7 * place)
    return values


def varint(value: int) -> bytes:
    """Return a number of up to 64 bits as a varint; a negative one in two's complement."""
    if 0 <= value < 0x80:
        return bytes((value,))
    value &= 0xFFFF_FFFF_FFFF_FFFF
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


def head(number: int, length: int) -> bytes:
    """Return the tag and the length that stand before the `length` bytes of field `number`."""
    return varint(number << 3 | _BYTES) + varint(length)


def field(number: int, payload: bytes) -> bytes:
    """Return field `number` with its payload: a string, packed numbers or a whole message."""
    return head(number, len(payload)) + payload
