"""In-place layers as layers of their own: each time a blob is written it gets a new name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from torch2om.caffe.entries import LayerEntry
from torch2om.ir.builder import Names


class Versions:
    """The versions of each blob of a file.

    The last one keeps the file's name, so that outputs are found by it; earlier ones are named `blob/layer` after the
    layer that wrote them. A net input keeps its name in any case.
    """

    def __init__(self, entries: Iterable[LayerEntry]) -> None:
        self._left = Counter(top for entry in entries for top in entry.tops)
        self._names = Names(tuple(self._left))
        self._current: dict[str, str] = {}
        self._in_file: dict[str, str] = {}
        self._inputs: set[str] = set()

    def current(self, blob: str) -> str | None:
        """Return the name of a blob's latest version, None if nobody wrote it yet."""
        return self._current.get(blob)

    def define(self, blob: str, layer: str) -> str:
        """Return the name of the version that `layer` writes now (the empty name: a net input)."""
        self._left[blob] -= 1
        last = self._left[blob] <= 0 and blob not in self._inputs
        version = blob if last or not layer else self._names.unique(f"{blob}/{layer}")
        if not layer:
            self._inputs.add(blob)
        self._current[blob] = version
        self._in_file[version] = blob
        return version

    def name_in_file(self, version: str) -> str:
        """Return what the file calls the blob of this version."""
        return self._in_file[version]
