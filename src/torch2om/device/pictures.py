"""Inputs behind an AIPP: the board is fed bytes, and the net gets the blob that AIPP makes of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from torch2om.emission import Artifact
from torch2om.errors import Diagnostic, UsageError
from torch2om.ir.op import Array, Shape
from torch2om.manifest import Manifest, PictureRecord
from torch2om.metrics import Numbers
from torch2om.preprocessing import AippConfig, read_aipp_file, simulate
from torch2om.verification import random_samples

Fed = Mapping[str, Numbers]  # what the board is fed: bytes of pictures, float32 of other inputs


@dataclass(frozen=True, slots=True)
class Picture:
    """An input that is fed as bytes: what the manifest says of it, AIPP's configuration, and the shape of the blob."""

    record: PictureRecord
    config: AippConfig
    shape: Shape

    def fed(self, values: Numbers) -> Numbers:
        """Return numbers as bytes; raises `UsageError` (U115) unless they are whole and from 0 to 255."""
        found = values.astype(np.uint8)
        if not np.array_equal(found, values):
            text = f"{self.record.input} is fed as bytes ({self.record.pixels}), whole numbers from 0 to 255"
            raise UsageError(Diagnostic("U115", text))
        return found

    def blob(self, fed: Numbers) -> Array:
        """Return what AIPP makes of the bytes, in float16 as on the device."""
        return simulate(self.config, fed, self.shape)

    def exact(self, fed: Numbers) -> Array:
        """Return what AIPP is to compute, the normalization in float64."""
        return simulate(self.config, fed, self.shape, np.float64)


def pictures_of(artifact: Artifact) -> tuple[Picture, ...]:
    """Return the inputs of a conversion that are behind an AIPP; raises `UsageError` if its file cannot be read."""
    if artifact.aipp is None:
        return ()
    inputs = artifact.manifest.inputs
    configs = {inputs[config.related_input_rank or 0].name: config for config in read_aipp_file(artifact.aipp)}
    shapes = {record.name: record.shape for record in inputs}
    return tuple(Picture(record, configs[record.input], shapes[record.input]) for record in artifact.manifest.pictures)


def fed_shapes(artifact: Artifact, pictures: Sequence[Picture]) -> dict[str, Shape]:
    """Return input -> the shape of what the board is fed."""
    shapes = {record.name: record.shape for record in artifact.manifest.inputs}
    return shapes | {picture.record.input: picture.record.fed for picture in pictures}


def as_fed(sample: Mapping[str, Numbers], pictures: Sequence[Picture] = ()) -> dict[str, Numbers]:
    """Return a sample as the board is fed it, bytes of pictures and float32 of the rest; golden outputs are of that."""
    bytes_of = {picture.record.input: picture.fed for picture in pictures}
    return {name: bytes_of.get(name, _single)(values) for name, values in sample.items()}


def _single(values: Numbers) -> Numbers:
    return np.asarray(values, np.float32)


def drawn(artifact: Artifact, pictures: Sequence[Picture], count: int) -> Iterator[dict[str, Numbers]]:
    """Yield seeded samples as the board is fed them; the bytes of pictures are noise."""
    shapes = fed_shapes(artifact, pictures)
    ports = [replace(record, shape=shapes[record.name]) for record in artifact.manifest.inputs]
    generator = np.random.default_rng(0)
    for sample in random_samples(ports, count):
        noise = {picture.record.input: generator.integers(0, 256, picture.record.fed) for picture in pictures}
        yield as_fed({**sample, **noise}, pictures)


def behind_aipp(fed: Fed, pictures: Sequence[Picture]) -> dict[str, Numbers]:
    """Return the net's inputs for what the board is fed."""
    return {**fed, **{picture.record.input: picture.blob(fed[picture.record.input]) for picture in pictures}}


def for_the_model(fed: Fed, pictures: Sequence[Picture], manifest: Manifest) -> dict[str, Numbers]:
    """Return the model's own inputs for what the board is fed: before a normalization that was taken out of the net."""
    found = {**fed, **{picture.record.input: picture.exact(fed[picture.record.input]) for picture in pictures}}
    undone = {name: taken.undone(found[name].astype(np.float64)) for name, taken in manifest.taken_out.items()}
    return {**found, **undone}
