"""Cost grows linearly: python benchmarks/chain.py

Microseconds per layer of each stage on PyTorch chains of 500, 2000 and 8000 calls, the median of ROUNDS; `read` is the
reading of the written files, `run` one execution of them in float32. The last row is the largest cost per layer over
the smallest. Capture and canonicalize are PyTorch's and not shown.
"""

from __future__ import annotations

import gc
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import nn

from torch2om.caffe.reader import read_net
from torch2om.emission import Emission, emit
from torch2om.executor import execute
from torch2om.lowering import lower
from torch2om.passes import simplify
from torch2om.pipeline import prepared
from torch2om.program import Program, canonicalize, capture
from torch2om.targets import check, target

T = TypeVar("T")
LENGTHS = (500, 2000, 8000)
SHAPE = (1, 4, 8, 8)
TARGET = target("ascend310")
ROUNDS = 3


class Chain(nn.Module):
    """Convolution, scale, relu and clamp, over and over: something to fold and something to legalize."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self.rounds = length // 4
        self.filters = nn.Parameter(torch.eye(4).reshape(4, 4, 1, 1))
        self.scale = nn.Parameter(torch.ones(1, 4, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for _ in range(self.rounds):
            x = torch.conv2d(x, self.filters) * self.scale
            x = x.relu().clamp(-1.0, 1.0)
        return x


def costs(program: Program, length: int) -> dict[str, float]:
    """Return microseconds per layer of each stage."""
    found: dict[str, float] = {}

    def timed(name: str, stage: Callable[[], T]) -> T:
        gc.collect()  # what earlier stages left is not this one's cost
        begin = time.perf_counter()
        result = stage()
        found[name] = (time.perf_counter() - begin) / length * 1e6
        return result

    with tempfile.TemporaryDirectory() as folder:
        net = timed("lower", lambda: lower(program))
        net = timed("simplify", lambda: simplify(net))
        net = timed("legalize", lambda: prepared(net, TARGET))
        timed("check", lambda: check(net, TARGET))
        files = timed("emit", lambda: emit(net, TARGET, Emission(Path(folder))))
        again = timed("read", lambda: read_net(files.prototxt, files.caffemodel, TARGET.dialect))
        timed("run", lambda: execute(again, {"x": np.ones(SHAPE)}, np.float32))
    return found


def main() -> None:
    table = {}
    for length in LENGTHS:
        program = canonicalize(capture(Chain(length), [SHAPE]))
        rounds = [costs(program, length) for _ in range(ROUNDS)]
        table[length] = {name: statistics.median(found[name] for found in rounds) for name in rounds[0]}
    stages = table[LENGTHS[0]]
    print("|layers|" + "|".join(stages) + "|\n|---:|" + "---:|" * len(stages))
    for length, row in table.items():
        print(f"|{length}|" + "|".join(f"{value:.0f}" for value in row.values()) + "|")
    columns = [[row[name] for row in table.values()] for name in stages]
    print("|ratio|" + "|".join(f"{max(column) / min(column):.2f}" for column in columns) + "|")


if __name__ == "__main__":
    main()
