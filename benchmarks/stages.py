"""Seconds per stage and peak memory of a conversion: OMP_NUM_THREADS=1 python benchmarks/stages.py [MODEL ...]

Each model of torchvision runs at 224 x 224 in processes of its own, `--rounds` times; every number is the median of the
rounds. Seconds are CPU time: others on the machine disturb them little. `own/traced` is lower + simplify + legalize +
check + emit, against capture + canonicalize. `emit/save` is emit against numpy.save of the same bytes, in turn, in one
process. `growth/weights` is the process's highest memory up to emit less its memory after capture, in units of the
weights' bytes. MACs are those of the written files, and `MACs/torch` their ratio to what torch.utils.flop_counter
counts.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from torch import nn

from torch2om.analysis import analyze
from torch2om.caffe.reader import read_net
from torch2om.emission import Artifact, Emission, emit
from torch2om.ir.net import Net
from torch2om.loading import load_model
from torch2om.pipeline import Request, Stage, run
from torch2om.program import canonicalize, capture
from torch2om.pytorch_models import PyTorchModel
from torch2om.reference import ProgramReference
from torch2om.targets.limits import Target

MODELS = ("resnet50", "vgg16", "mobilenet_v2")
OWN = ("lower", "simplify", "legalize", "check", "emit")
SHAPE = (1, 3, 224, 224)
MIB = 2**20


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / MIB


def measure(name: str) -> dict[str, float]:
    """Convert one model; what is measured beside that comes after the stages."""
    model = load_model(f"torchvision.models:{name}")
    assert isinstance(model, nn.Module)
    resident: dict[str, float] = {}
    peaks: dict[str, float] = {}
    begun: dict[str, float] = {}
    taken: dict[str, float] = {}

    def begin(stage: str) -> None:
        begun[stage] = time.process_time()

    def note(stage: Stage) -> None:
        taken[stage.name] = time.process_time() - begun[stage.name]
        resident[stage.name] = resident_mib()
        peaks[stage.name] = peak_mib()

    with tempfile.TemporaryDirectory() as folder:
        subject = PyTorchModel(model, {"x": SHAPE})
        conversion = run(subject, Request("ascend310", Path(folder)), begin, note)
        assert conversion.artifact is not None
        assert conversion.net is not None
        size = conversion.artifact.caffemodel.stat().st_size
        macs = written_macs(conversion.artifact, conversion.target)
    traced = taken["capture"] + taken["canonicalize"]
    return {
        **{f"{name} s": value for name, value in taken.items()},
        "own/traced": sum(taken[stage] for stage in OWN) / traced,
        "emit/save": emit_against_save(conversion.net, conversion.target, size),
        "weights MiB": size / MIB,
        "captured MiB": resident["capture"],
        "peak up to emit MiB": peaks["emit"],
        "growth/weights": (peaks["emit"] - resident["capture"]) / (size / MIB),
        "peak with verify MiB": peaks["verify"],
        "MACs": macs,
        "MACs/torch": macs / pytorch_macs(subject),
    }


def emit_against_save(net: Net, target: Target, size: int) -> float:
    """Return the median seconds of emit over those of numpy.save, five times in turn."""
    numbers = np.ones(size // 4, np.float32)
    with tempfile.TemporaryDirectory() as folder:
        emission = Emission(Path(folder))
        pairs = [
            (
                seconds(lambda: emit(net, target, emission)),
                seconds(lambda: np.save(f"{folder}/same.npy", numbers)),
            )
            for _ in range(5)
        ]
    emits, saves = zip(*pairs, strict=True)
    return float(statistics.median(emits) / statistics.median(saves))


def seconds(action: Callable[[], object]) -> float:
    begin = time.process_time()
    action()
    return time.process_time() - begin


def written_macs(files: Artifact, target: Target) -> int:
    return analyze(read_net(files.prototxt, files.caffemodel, target.dialect)).macs


def pytorch_macs(model: PyTorchModel) -> int:
    return ProgramReference(canonicalize(capture(model.model, model.inputs))).size().macs


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", action="store_true", help="measure in this process, and print JSON")
    parser.add_argument("models", nargs="*", help="names of torchvision.models")
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(measure(asked.models[0])))
        return
    names = asked.models or MODELS
    columns = {name: medians(name, asked.rounds) for name in names}
    print("| |" + "|".join(names) + "|\n|---|" + "---:|" * len(names))
    for row in columns[names[0]]:
        print(f"|{row}|" + "|".join(shown(column[row]) for column in columns.values()) + "|")


def medians(name: str, count: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--one", name]
    rounds = [
        json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)  # noqa: S603 - itself
        for _ in range(count)
    ]
    return {row: statistics.median(found[row] for found in rounds) for row in rounds[0]}


def shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    main()
