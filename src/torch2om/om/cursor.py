"""Reads numbers of fixed width from a view, one behind the other, never beyond its end."""

from __future__ import annotations

import struct

import numpy as np

from torch2om.wire import WireProblem

_U32 = struct.Struct("<I")


class Cursor:
    """A place in a view that moves on with each reading; `offset` is where the view begins in the file."""

    __slots__ = ("_at", "_data", "_offset")

    def __init__(self, data: memoryview, offset: int) -> None:
        self._data = data
        self._offset = offset
        self._at = 0

    @property
    def place(self) -> int:
        """Where it stands in the file."""
        return self._offset + self._at

    @property
    def left(self) -> int:
        """How many bytes are left."""
        return len(self._data) - self._at

    def take(self, size: int) -> memoryview:
        """Return the next `size` bytes; WireProblem if there are fewer."""
        if size > self.left:
            raise WireProblem(self.place, f"{size} bytes are announced, {self.left} are left")
        self._at += size
        return self._data[self._at - size : self._at]

    def u32(self) -> int:
        """Return the next four bytes as a number."""
        number: int = _U32.unpack(self.take(_U32.size))[0]
        return number

    def fields(self, layout: struct.Struct) -> tuple[int, ...]:
        """Return the next fields of a layout of whole numbers."""
        return layout.unpack(self.take(layout.size))

    def text(self, size: int) -> str:
        """Return the next `size` bytes as a text; what is not UTF-8 is shown as escapes."""
        return str(self.take(size), "utf-8", "backslashreplace")

    def numbers(self, size: int, dtype: str) -> tuple[int, ...]:
        """Return the numbers in the next `size` bytes."""
        data = self.take(size)
        if size % np.dtype(dtype).itemsize:
            raise WireProblem(self.place, f"{size} bytes are no whole number of {dtype}")
        return tuple(np.frombuffer(data, dtype).tolist())

    def inner(self, size: int) -> Cursor:
        """Return a cursor over the next `size` bytes."""
        place = self.place
        return Cursor(self.take(size), place)
