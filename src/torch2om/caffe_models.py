"""Other people's Caffe files as what is converted: convert_caffe(), and the stage that makes a net of them.

The files are their own reference: the net as it was read, run in float64. Needs no torch.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from torch2om.analysis import Size, analyze
from torch2om.caffe.reader import read_net
from torch2om.errors import CaffeFileError, Problems
from torch2om.executor import blobs, require_numbers
from torch2om.ir.net import Net
from torch2om.ir.op import Array
from torch2om.manifest import Source
from torch2om.pipeline import Conversion, Entry, Request, Timer, run
from torch2om.preprocessing.plan import Preprocessing
from torch2om.verification import OwnRun, Sample


@dataclass(frozen=True)
class CaffeModel:
    """A prototxt and its caffemodel; without one, every layer with weights must have constant fillers."""

    prototxt: Path
    caffemodel: Path | None = None

    def enter(self, stage: Timer) -> Entry:
        """Return the files as a net; raises `CaffeFileError` and `UsageError`."""
        net = stage("read", self.net)
        return Entry(net, NetReference(net, self.prototxt.name))

    def net(self) -> Net:
        """Return the net, each of whose blobs mirrors itself: what is made of it must equal it blob by blob."""
        net = read_net(self.prototxt, self.caffemodel)
        require_numbers(net)
        if self.caffemodel is None:
            _need_numbers(net)
        return replace(net, mirrors={blob: blob for blob in net.shapes})

    @property
    def source(self) -> Source:
        """The files as the manifest names them."""
        return Source(str(self.prototxt), "" if self.caffemodel is None else str(self.caffemodel))


@dataclass(frozen=True)
class NetReference:
    """A net as what files must be equal to."""

    net: Net
    title: str

    def values(self, sample: Sample, wanted: Collection[str]) -> Iterator[tuple[str, Array]]:
        """Yield the float64 values of these blobs."""
        yield from ((source.name, sample[source.name]) for source in self.net.inputs if source.name in wanted)
        yield from ((top, values) for _, top, values in blobs(self.net, sample, wanted))

    def own_runs(self, sample: Sample) -> Iterable[OwnRun]:  # noqa: ARG002 - the protocol's
        """Yield nothing: the net is the user's own model."""
        return ()

    def size(self) -> Size:
        """Return the net's own parameters and multiply-accumulates."""
        cost = analyze(self.net)
        return Size(cost.parameters, cost.macs)


def _need_numbers(net: Net) -> None:
    """Raise with every layer whose weights have shapes only."""
    problems = Problems()
    for layer in net.layers:
        try:
            for weight in layer.weights:
                weight.array(np.float32)
        except CaffeFileError as error:
            problems.found += (replace(found, hint="name the caffemodel with --weights") for found in error.diagnostics)
    problems.raise_as(CaffeFileError)


def convert_caffe(  # noqa: PLR0913 - the user's one call: every option by its name
    prototxt: str | Path,
    caffemodel: str | Path | None = None,
    target: str = "ascend310",
    out: str | Path = "out",
    *,
    name: str = "model",
    samples: int | Iterable[Sample] = 2,
    allow: Collection[str] = (),
    preprocessing: Preprocessing | None = None,
) -> Conversion:
    """Convert Caffe files, whoever wrote them, to files that are legal for a target, and prove that they are equal.

    Writes `out/NAME.prototxt`, `out/NAME.caffemodel` and `out/manifest.json`. Raises `Torch2omError`: files that cannot
    be read, layers that cannot be made legal, and a result that differs, each at the line of the old prototxt.
    """
    model = CaffeModel(Path(prototxt), None if caffemodel is None else Path(caffemodel))
    conversion = run(model, Request(target, Path(out), name, samples, allow, model.source, preprocessing))
    if conversion.verification is not None:
        conversion.verification.raise_if_different()
    return conversion
