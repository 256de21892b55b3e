"""Cost grows linearly: a synthetic chain of 500, 2000 and 8000 layers, microseconds per layer of each of our stages."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from torch2om.emission import Emission, emit
from torch2om.ir.blob import Blob
from torch2om.ir.builder import Builder, Names
from torch2om.ir.net import Input, Net, Output
from torch2om.ir.weight import constant
from torch2om.layers import Convolution, Hardtanh, ReLU, Scale
from torch2om.origin import Origin
from torch2om.passes import simplify
from torch2om.pipeline import prepared
from torch2om.targets import check, target

LENGTHS = (500, 2000, 8000)
SHAPE = (1, 4, 8, 8)


def chain(length: int) -> Net:
    """Return convolution, scale, relu and clamp, over and over: something to fold and something to legalize."""
    builder = Builder(Names(("x",)), Origin(call="call", target="aten.conv2d.default"))
    blob = Blob("x", SHAPE)
    filters, vector = constant(np.ones((4, 4, 1, 1), np.float32)), constant(np.ones(4, np.float32))
    for _ in range(length // 4):
        blob = builder.add(Convolution(4, (1, 1), bias_term=False), blob, weights=(filters,))
        blob = builder.add(Scale(), blob, weights=(vector,))
        blob = builder.add(ReLU(), blob)
        blob = builder.add(Hardtanh(-1.0, 1.0), blob)
    return Net("chain", (Input("x", SHAPE),), tuple(builder.layers), (Output(blob.name),))


def main() -> None:
    chosen = target("ascend310")
    stages: dict[str, Callable[[Net], Net]] = {
        "simplify": simplify,
        "legalize": lambda net: prepared(net, chosen),
        "check": lambda net: (check(net, chosen), net)[1],
        "emit": lambda net: (emit(net, chosen, Emission(Path(tempfile.mkdtemp()))), net)[1],
    }
    print("|layers|" + "|".join(stages) + "|\n|---:|" + "---:|" * len(stages))
    for length in LENGTHS:
        net, row = chain(length), []
        for stage in stages.values():
            begin = time.perf_counter()
            net = stage(net)
            row.append((time.perf_counter() - begin) / length * 1e6)
        print(f"|{length}|" + "|".join(f"{value:.0f}" for value in row) + "|")


if __name__ == "__main__":
    main()
