"""The executor beside PyTorch's float64 forward: OMP_NUM_THREADS=1 python benchmarks/executor.py [MODEL ...]

Each model of torchvision (all classification models, if none is named) is converted in a process of its own and runs at
224 x 224 in turn: the executor over the legalized net, and the model itself in float64, `--rounds` times each after a
first run that is not counted. Every number is the median of the rounds, in seconds of CPU time: with one thread each,
others on the machine disturb them little. `peak` is the most memory that a run of the executor takes by numpy's own
account, and `live` the most that blobs still to be read and the layer at work with its weights and tops need: a run
that frees blobs as they die comes near it.
"""

from __future__ import annotations

import argparse
import copy
import json
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn

from torch2om.errors import Torch2omError
from torch2om.executor import execute, last_read
from torch2om.ir.net import Net
from torch2om.ir.op import Shape, elements
from torch2om.loading import load_model, repair_torchvision
from torch2om.pipeline import Request, run
from torch2om.pytorch_models import PyTorchModel

SHAPE = (1, 3, 224, 224)
DOUBLE = 8  # bytes
MIB = 2**20


def measure(name: str, target: str, rounds: int) -> dict[str, float]:
    """Convert one model and run both in turn."""
    model = load_model(f"torchvision.models:{name}")
    assert isinstance(model, nn.Module)
    net = converted(model, target)
    double = copy.deepcopy(model).eval().double()
    values = np.random.default_rng(0).standard_normal(SHAPE)
    ours, theirs = [], []
    for _ in range(rounds + 1):
        theirs.append(seconds(lambda: forward(double, values)))
        ours.append(seconds(lambda: execute(net, {"x": values})))
    executor, pytorch = statistics.median(ours[1:]), statistics.median(theirs[1:])
    peak, live = traced_peak(lambda: execute(net, {"x": values})), live_bytes(net)
    return {
        "executor": executor,
        "pytorch": pytorch,
        "ratio": executor / pytorch,
        "peak": peak / MIB,
        "live": live / MIB,
        "peak/live": peak / live,
    }


def converted(model: nn.Module, target: str) -> Net:
    with tempfile.TemporaryDirectory() as folder:
        conversion = run(PyTorchModel(model, {"x": SHAPE}), Request(target, Path(folder), samples=0))
    assert conversion.net is not None
    return conversion.net


def forward(model: nn.Module, values: np.ndarray) -> None:
    with torch.no_grad():
        model(torch.from_numpy(values))


def seconds(action: Callable[[], object]) -> float:
    begin = time.process_time()
    action()
    return time.process_time() - begin


def traced_peak(action: Callable[[], object]) -> int:
    tracemalloc.start()
    action()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def live_bytes(net: Net) -> int:
    """Return the most bytes that blobs still to be read and the layer at work need, each blob counted as its own."""
    held: dict[str, Shape] = {source.name: source.shape for source in net.inputs}
    most = 0
    for layer, dying in zip(net.layers, last_read(net), strict=True):
        held.update({top: net.shapes[top] for top in layer.tops})
        most = max(most, sum(map(elements, (*held.values(), *layer.weight_shapes))))
        for blob in dying:
            held.pop(blob)
    return most * DOUBLE


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--target", default="ascend310")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", action="store_true", help="measure in this process, and print JSON")
    parser.add_argument("models", nargs="*", help="names of torchvision.models")
    asked = parser.parse_args()
    if asked.one:
        try:
            print(json.dumps(measure(asked.models[0], asked.target, asked.rounds)))
        except Torch2omError as error:
            print(json.dumps({"refused": error.diagnostics[0].code}))
        return
    print(f"torch with {torch.get_num_threads()} threads\n")
    print("| model | executor, s | PyTorch, s | ratio | peak, MiB | live, MiB | peak/live |\n|---|" + "---:|" * 6)
    tried = (row(name, asked.target, asked.rounds) for name in asked.models or classifiers())
    rows = [found for found in tried if found is not None]
    for number in ("ratio", "peak/live"):
        found = sorted(each[number] for each in rows)
        print(f"\n{number}: median {statistics.median(found):.2f}, from {found[0]:.2f} to {found[-1]:.2f}", end="")
    print()


def classifiers() -> list[str]:
    kept = repair_torchvision()  # noqa: F841 - its declarations live as long as it does
    from torchvision import models  # noqa: PLC0415 - it imports after the repair only

    names: list[str] = models.list_models(module=models)
    return names


def row(name: str, target: str, rounds: int) -> dict[str, float] | None:
    """Measure a model in a process of its own, and print its row; a model that is refused (E603) has no numbers."""
    command = [sys.executable, __file__, "--one", "--target", target, "--rounds", str(rounds), name]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)  # noqa: S603 - itself
    found: dict[str, float] = json.loads(done.stdout)
    if "refused" in found:
        print(f"| {name} | refused {found['refused']} |" + " |" * 5, flush=True)
        return None
    numbers = ("executor", "pytorch", "ratio", "peak", "live", "peak/live")
    shown = (f"{found[number]:,.0f}" if found[number] >= 100 else f"{found[number]:.3g}" for number in numbers)
    print(f"| {name} | " + " | ".join(shown) + " |", flush=True)
    return found


if __name__ == "__main__":
    main()
