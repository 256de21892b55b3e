"""A conversion's folder for the tests of device runs, and a board that answers with what it is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from torch2om.device import DeviceRecord, as_fed, golden_of_files, golden_of_half, write_inputs
from torch2om.emission import Artifact, Emission, emit
from torch2om.ir.net import Input, Layer, Net, Output
from torch2om.layers import Flatten, Power, ReLU
from torch2om.targets import target
from torch2om.verification import random_samples

SHAPE = (2, 3, 4, 5)
NET = Net(
    "two",
    (Input("x", SHAPE), Input("a/b.c", (1, 4))),
    (
        Layer("up", Power(scale=3.0), ("x",), ("up",)),
        Layer("r", ReLU(), ("up",), ("r",)),
        Layer("flat", Flatten(), ("a/b.c",), ("flat",)),
        Layer("down", Power(scale=0.5), ("flat",), ("down",)),
    ),
    (Output("r"), Output("down")),
)


@dataclass(frozen=True)
class Prepared:
    """A conversion with its inputs written, and the record of them."""

    artifact: Artifact
    inputs: Path
    record: DeviceRecord

    def golden(self, sample: int, index: int, key: str = "caffe") -> np.ndarray:
        found: np.ndarray = np.load(self.inputs / f"golden/{key}/sample_{sample}_{index}.npy")
        return found


def prepared(folder: Path, samples: int = 2) -> Prepared:
    artifact = emit(NET, target("caffe"), Emission(folder / "out"))
    data = [as_fed(sample) for sample in random_samples(NET.inputs, samples)]
    inputs = folder / "out" / "device_in"
    golden = [golden_of_files(NET, data), golden_of_half(NET, data)]
    return Prepared(artifact, inputs, write_inputs(artifact.manifest, data, golden, inputs))


def answer(run: Path, ready: Prepared, names: Sequence[str], suffix: str, dtype: str = "<f4") -> Path:
    """Write what a runner would: `names` hold {sample} and {index}."""
    run.mkdir(parents=True)
    for sample in range(len(ready.record.samples)):
        for index, name in enumerate(names):
            values = ready.golden(sample, index, "half").astype(dtype)
            path = run / (name.format(sample=f"sample_{sample}", index=index) + suffix)
            if suffix == ".bin":
                path.write_bytes(values.tobytes())
            elif suffix == ".npy":
                np.save(path, values)
            else:
                path.write_text(" ".join(f"{value:.6g}" for value in values.ravel()))
    return run
