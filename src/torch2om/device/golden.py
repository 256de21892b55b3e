"""Golden outputs: what the device should compute, by the Caffe files and by the model that they came from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from torch2om.executor import Numbers, execute
from torch2om.ir.net import Net
from torch2om.ir.op import Array
from torch2om.manifest import Manifest
from torch2om.verification import Reference


@dataclass(frozen=True)
class Golden:
    """The outputs of every sample, in the manifest's order, by one authority; `decides`: a verdict counts on them."""

    key: str
    title: str
    outputs: tuple[tuple[Array, ...], ...]
    decides: bool = True


def golden_of_files(net: Net, samples: Iterable[Numbers]) -> Golden:
    """Return what the Caffe files compute in float32."""
    return Golden("caffe", "Caffe files", tuple(_run(net, sample, np.float32) for sample in samples))


def golden_of_half(net: Net, samples: Iterable[Numbers]) -> Golden:
    """Return what the Caffe files compute in simulated half precision: it explains a difference, it judges none."""
    outputs = tuple(_run(net, sample, np.float16) for sample in samples)
    return Golden("half", "simulated half precision", outputs, decides=False)


def golden_of_reference(reference: Reference, manifest: Manifest, samples: Sequence[Numbers]) -> Golden:
    """Return what the model computes in float64, rounded to float32."""
    calls = [manifest.mirrors[blob] for blob in dict.fromkeys(output.blob for output in manifest.outputs)]
    found = [dict(reference.values(sample, calls)) for sample in samples]
    outputs = tuple(tuple(values[call].astype(np.float32) for call in calls) for values in found)
    return Golden("model", reference.title, outputs)


def _run(net: Net, sample: Numbers, dtype: type[np.floating]) -> tuple[Array, ...]:
    return tuple(blob.astype(np.float32) for blob in execute(net, sample, dtype).values())
