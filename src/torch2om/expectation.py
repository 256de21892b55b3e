"""What a reference computes, held only until everything that must be equal to it has been compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from torch2om.errors import Diagnostic, VerificationError
from torch2om.ir.op import Array, Shape, elements
from torch2om.metrics import Expected


class Expectations:
    """A reference's values, computed as they are asked for; each is forgotten after its last reading.

    `values` yields (call, value) in the order in which the reference computes them, `readings` says how often each will
    be read. Nets are compared in step with the reference, so few values are held at a time: all those of a transformer
    for large images would fill the memory. Raises `VerificationError` (V703) at a value that is not finite.
    """

    def __init__(self, title: str, values: Iterable[tuple[str, Array]], readings: Mapping[str, int]) -> None:
        self._title = title
        self._values = iter(values)
        self._readings = Counter(readings)
        self._held: dict[str, Expected] = {}

    def look(self, call: str) -> Expected:
        """Return a value that will be read later on."""
        while call not in self._held:
            name, value = next(self._values)
            if self._readings[name] > 0:
                self._held[name] = self._finite(name, Expected(value))
        return self._held[call]

    def read(self, call: str) -> Expected:
        """Return a value for one of its readings."""
        found = self.look(call)
        self._readings[call] -= 1
        if not self._readings[call]:
            del self._held[call]
        return found

    def _finite(self, call: str, expected: Expected) -> Expected:
        if not np.isfinite(expected.scale):
            text = f"{self._title} computes values that are not finite, first in {call}"
            raise VerificationError(Diagnostic("V703", text))
        return expected


class Exact(Mapping[str, Array]):
    """Blob -> the reference's value, for blobs that have as many elements: each is read once."""

    def __init__(self, expectations: Expectations, calls: Mapping[str, str], shapes: Mapping[str, Shape]) -> None:
        self._expectations = expectations
        self._calls = calls
        self._shapes = shapes

    def __contains__(self, blob: object) -> bool:
        if not isinstance(blob, str) or blob not in self._calls:
            return False
        return self._expectations.look(self._calls[blob]).values.size == elements(self._shapes[blob])

    def __getitem__(self, blob: str) -> Array:
        return self._expectations.read(self._calls[blob]).values.reshape(self._shapes[blob])

    def __iter__(self) -> Iterator[str]:
        return iter(self._calls)

    def __len__(self) -> int:
        return len(self._calls)
