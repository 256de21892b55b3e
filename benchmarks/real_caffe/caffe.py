"""A real Caffe behind ctypes, in a process of its own: where one of Caffe's checks fails, the process ends."""

from __future__ import annotations

import ctypes
import os
import pickle
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float32]
MOST_DIMS = 32  # of a Caffe blob


class Aborted(Exception):  # noqa: N818 - it says what became of the process
    """Caffe ended the process; the text is what it logged."""


@dataclass(frozen=True)
class RealCaffe:
    """The library that the Makefile beside this file builds."""

    library: Path

    def blobs(
        self, prototxt: Path, caffemodel: Path, feeds: Mapping[str, npt.ArrayLike], wanted: Iterable[str]
    ) -> Mapping[str, Values]:
        """Return blobs after one forward pass in float32; raises `Aborted`."""
        with tempfile.TemporaryDirectory() as folder:
            log, result = Path(folder) / "log", Path(folder) / "result"
            child = os.fork()
            if not child:
                self._leave(log, result, (prototxt, caffemodel, feeds, tuple(wanted)))
            os.waitpid(child, 0)
            if not result.exists():
                raise Aborted(_reason(log.read_text(errors="replace")))
            found: Mapping[str, Values] = pickle.loads(result.read_bytes())  # noqa: S301 - written here
            return found

    def _leave(
        self, log: Path, result: Path, asked: tuple[Path, Path, Mapping[str, npt.ArrayLike], tuple[str, ...]]
    ) -> None:
        """Run the net, leave its blobs in a file, and end this process whatever happens."""
        try:
            for stream in (1, 2):
                os.dup2(os.open(log, os.O_CREAT | os.O_WRONLY | os.O_APPEND), stream)
            content = pickle.dumps(self._run(*asked))
            result.write_bytes(content)
        finally:
            os._exit(0)

    def _run(
        self, prototxt: Path, caffemodel: Path, feeds: Mapping[str, npt.ArrayLike], wanted: tuple[str, ...]
    ) -> dict[str, Values]:
        library = ctypes.CDLL(str(self.library))
        library.open_net.restype = ctypes.c_void_p
        library.count.restype = ctypes.c_long
        net = ctypes.c_void_p(library.open_net(os.fsencode(prototxt), os.fsencode(caffemodel)))
        for name, values in feeds.items():
            array = np.ascontiguousarray(values, np.float32)
            assert library.count(net, name.encode()) == array.size
            library.feed(net, name.encode(), array.ctypes.data_as(ctypes.c_void_p))
        library.forward(net)
        return {name: _fetched(library, net, name) for name in wanted}


def _fetched(library: ctypes.CDLL, net: ctypes.c_void_p, name: str) -> Values:
    assert library.count(net, name.encode()) >= 0
    dims = (ctypes.c_long * MOST_DIMS)()
    rank = library.shape(net, name.encode(), dims)
    values = np.empty(tuple(dims[:rank]), np.float32)
    library.fetch(net, name.encode(), values.ctypes.data_as(ctypes.c_void_p))
    return values


def _reason(log: str) -> str:
    """Return the failed check of Caffe's log, or its last line."""
    lines = [line for line in log.splitlines() if line]
    failed = [line.partition("] ")[2] for line in lines if "Check failed" in line]
    return (failed or lines or ["nothing was logged"])[-1]
