"""A protobuf message found on the wire: its fields by number, interpreted only when asked for.

An om's model definition is a message of messages. Each one that is asked for is walked once; a field of another wire
type than the one asked for is not there, as protobuf has it. Two bounds keep hostile files harmless: how many values a
file may hold in all (`Allowance`), and how deep its messages may nest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from torch2om.wire import Chunk, Kind, WireProblem, packed_varints, read_chunk, read_varint

MOST_VALUES = 5_000_000
"""The most values of one message, such as a model definition: real ones have some 500 for each operator."""

_FEW = 64  # bytes of packed numbers
_MESSAGE = 5  # values: a message takes more time and memory than a number

DEEPEST = 100  # protobuf's own default for nested messages


@dataclass(slots=True)
class Allowance:
    """How many values may still be read; each reading of a file has its own."""

    left: int = MOST_VALUES

    def spend(self, count: int, at: int) -> None:
        """Take `count` values away; WireProblem if there are not so many left."""
        self.left -= count
        if self.left < 0:
            raise WireProblem(at, "there are more values in it than any real model has")


class Message:
    """The fields in data[start:stop]."""

    __slots__ = ("_allowance", "_data", "_depth", "_fields", "last", "start")

    def __init__(self, data: memoryview, start: int, stop: int, allowance: Allowance, depth: int = 0) -> None:
        if depth > DEEPEST:
            raise WireProblem(start, f"messages nest more than {DEEPEST} deep")
        self._data = data
        self._allowance = allowance
        self._depth = depth
        self._fields: dict[int, list[Chunk]] = {}
        self.start = start
        self.last = 0
        allowance.spend(_MESSAGE, start)
        at = start
        while at < stop:
            chunk = read_chunk(data, at, stop)
            allowance.spend(1, at)
            self._fields.setdefault(chunk.number, []).append(chunk)
            self.last = chunk.number
            at = chunk.stop

    def _of_kind(self, number: int, kind: Kind) -> Iterator[Chunk]:
        return (chunk for chunk in self._fields.get(number, ()) if chunk.kind == kind)

    def _last(self, number: int, kind: Kind) -> Chunk | None:
        """Return the field that counts where one was written again: the last."""
        for chunk in reversed(self._fields.get(number, ())):
            if chunk.kind == kind:
                return chunk
        return None

    def raws(self, number: int) -> tuple[memoryview, ...]:
        """Return a repeated bytes field, as views of the file."""
        return tuple(self._data[chunk.start : chunk.stop] for chunk in self._of_kind(number, Kind.BYTES))

    def raw(self, number: int) -> memoryview:
        """Return a bytes field; empty if it is not there."""
        found = self._last(number, Kind.BYTES)
        return self._data[found.start : found.stop] if found else self._data[:0]

    def texts(self, number: int) -> tuple[str, ...]:
        """Return a repeated string field; what is not UTF-8 is shown as escapes."""
        return tuple(str(raw, "utf-8", "backslashreplace") for raw in self.raws(number))

    def text(self, number: int) -> str:
        """Return a string field; empty if it is not there."""
        return str(self.raw(number), "utf-8", "backslashreplace")

    def integers(self, number: int) -> tuple[int, ...]:
        """Return a repeated int64 field, packed or not."""
        found: list[int] = []
        for chunk in self._fields.get(number, ()):
            if chunk.kind == Kind.VARINT:
                found.append(_signed(chunk.value))
            elif chunk.kind == Kind.BYTES:
                found.extend(self._packed(chunk))
        return tuple(found)

    def _packed(self, chunk: Chunk) -> Iterator[int]:
        """Yield the int64 numbers of a packed field; few are read one by one, which is quicker than by numpy."""
        at = chunk.start
        if chunk.stop - at > _FEW:
            for block in packed_varints(self._data, at, chunk.stop):
                self._allowance.spend(block.size, at)
                yield from block.astype(np.int64).tolist()
            return
        while at < chunk.stop:
            value, at = read_varint(self._data, at, chunk.stop)
            self._allowance.spend(1, at)
            yield _signed(value)

    def integer(self, number: int, default: int = 0) -> int:
        """Return an int64, uint32 or enum field."""
        found = self._last(number, Kind.VARINT)
        return _signed(found.value) if found else default

    def flags(self, number: int) -> tuple[bool, ...]:
        """Return a repeated bool field, packed or not."""
        return tuple(map(bool, self.integers(number)))

    def reals(self, number: int) -> tuple[float, ...]:
        """Return a repeated float field, packed or not."""
        found: list[float] = []
        for chunk in self._fields.get(number, ()):
            if chunk.kind in (Kind.FIXED32, Kind.BYTES):
                found.extend(self._floats(chunk).tolist())
        return tuple(found)

    def real(self, number: int) -> float:
        """Return a float field; 0 if it is not there."""
        found = self._last(number, Kind.FIXED32)
        return float(self._floats(found)[0]) if found else 0.0

    def _floats(self, chunk: Chunk) -> npt.NDArray[Any]:  # Any: its dtype is given below
        count, rest = divmod(chunk.stop - chunk.start, 4)
        if rest:
            raise WireProblem(chunk.start, f"{chunk.stop - chunk.start} bytes are no whole number of floats")
        self._allowance.spend(count, chunk.start)
        return np.frombuffer(self._data[chunk.start : chunk.stop], "<f4")

    def inners(self, number: int) -> Iterator[Message]:
        """Yield the messages of a repeated message field."""
        for chunk in self._of_kind(number, Kind.BYTES):
            yield Message(self._data, chunk.start, chunk.stop, self._allowance, self._depth + 1)

    def inner(self, number: int) -> Message:
        """Return a message field; an empty message if it is not there."""
        found = self._last(number, Kind.BYTES)
        start, stop = (found.start, found.stop) if found else (self.start, self.start)
        return Message(self._data, start, stop, self._allowance, self._depth + 1)


def _signed(value: int) -> int:
    """Return a varint's 64 bits as the int64 that they stand for."""
    return value - (1 << 64) if value >> 63 else value
