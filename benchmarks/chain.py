"""Cost grows linearly: python benchmarks/chain.py

Microseconds per layer of each stage on synthetic chains of 500, 2000 and 8000 layers, the median of ROUNDS; `read` is
the reading of the written files, `run` one execution of them in float32. The last row is the largest cost per layer
over the smallest.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from torch2om.caffe.reader import read_net
from torch2om.emission import Emission, emit
from torch2om.executor import execute
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
TARGET = target("ascend310")
ROUNDS = 3


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


def costs(length: int) -> dict[str, float]:
    """Return microseconds per layer of each stage."""
    with tempfile.TemporaryDirectory() as folder:
        net, found = chain(length), {}
        stages: dict[str, Callable[[Net], Net]] = {
            "simplify": simplify,
            "legalize": lambda net: prepared(net, TARGET),
            "check": lambda net: check(net, TARGET),
            "emit": lambda net: (emit(net, TARGET, Emission(Path(folder))), net)[1],
            "read": lambda _: read_net(
                Path(folder, "model.prototxt"), Path(folder, "model.caffemodel"), TARGET.dialect
            ),
            "run": lambda net: (execute(net, {"x": np.ones(SHAPE)}, np.float32), net)[1],
        }
        for name, stage in stages.items():
            begin = time.perf_counter()
            net = stage(net)
            found[name] = (time.perf_counter() - begin) / length * 1e6
    return found


def main() -> None:
    table = {}
    for length in LENGTHS:
        rounds = [costs(length) for _ in range(ROUNDS)]
        table[length] = {name: statistics.median(found[name] for found in rounds) for name in rounds[0]}
    stages = table[LENGTHS[0]]
    print("|layers|" + "|".join(stages) + "|\n|---:|" + "---:|" * len(stages))
    for length, row in table.items():
        print(f"|{length}|" + "|".join(f"{value:.0f}" for value in row.values()) + "|")
    columns = [[row[name] for row in table.values()] for name in stages]
    print("|ratio|" + "|".join(f"{max(column) / min(column):.2f}" for column in columns) + "|")


if __name__ == "__main__":
    main()
