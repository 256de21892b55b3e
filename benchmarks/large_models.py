"""Conversion of large models without verify: OMP_NUM_THREADS=1 python benchmarks/large_models.py [MODEL ...]

A MODEL is `torchvision:NAME` or `timm:NAME`, with random weights, at its own size. Each is converted in a process of
its own; seconds are CPU time, and the files go where temporary files go. `own/export` is canonicalize + lower +
simplify + legalize + check + emit over capture, which is torch.export. `peak/captured` is the highest memory of the
process over its memory after capture, the model's own weights in it.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from torch import nn

from torch2om.loading import repair_torchvision
from torch2om.pipeline import Request, Stage, run
from torch2om.pytorch_models import PyTorchModel

MODELS = (
    "timm:vit_large_patch16_224",
    "timm:beit_large_patch16_224",
    "timm:convnext_xlarge",
    "torchvision:vit_l_16",
)
OWN = ("canonicalize", "lower", "simplify", "legalize", "check", "emit")
MIB = 2**20


def measure(spec: str) -> dict[str, float]:
    """Convert one model and note the process's memory after each stage."""
    model, side = built(spec)
    resident: dict[str, float] = {}
    begun: dict[str, float] = {}
    taken: dict[str, float] = {}

    def begin(stage: str) -> None:
        begun[stage] = time.process_time()

    def note(stage: Stage) -> None:
        taken[stage.name] = time.process_time() - begun[stage.name]
        resident[stage.name] = resident_mib()

    with tempfile.TemporaryDirectory() as folder:
        entering = PyTorchModel(model, {"x": (1, 3, side, side)})
        conversion = run(entering, Request("ascend310", Path(folder), samples=0), begin, note)
        assert conversion.artifact is not None
        size = conversion.artifact.caffemodel.stat().st_size
    waited = {stage.name: stage.seconds for stage in conversion.stages}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    own = sum(taken[stage] for stage in OWN)
    return {
        "parameters, M": sum(parameter.numel() for parameter in model.parameters()) / 1e6,
        **{f"{name}, s": value for name, value in taken.items()},
        "own/export": own / taken["capture"],
        "own without emit/export": (own - taken["emit"]) / taken["capture"],
        "emit's share": taken["emit"] / own,
        "emit, MiB per second waited": size / MIB / waited["emit"],
        "captured, MiB": resident["capture"],
        "peak, MiB": peak,
        "peak/captured": peak / resident["capture"],
    }


def built(spec: str) -> tuple[nn.Module, int]:
    """Return the model in eval mode, and the side of its image."""
    package, _, name = spec.partition(":")
    torch.manual_seed(0)
    kept = repair_torchvision()  # noqa: F841 - its declarations live as long as it does
    if package == "timm":
        import timm  # noqa: PLC0415 - only where it is asked for

        model: nn.Module = timm.create_model(name)
        config = timm.get_pretrained_cfg(name)
        assert config is not None
        return model.eval(), int(config.input_size[-1])
    from torchvision import models  # noqa: PLC0415 - it imports after the repair only

    return models.get_model(name).eval(), 224


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / MIB


def main() -> None:
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(measure(sys.argv[2])))
        return
    names = sys.argv[1:] or MODELS
    for index, name in enumerate(names):
        command = [sys.executable, __file__, "--one", name]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE)  # noqa: S603 - itself
        found = json.loads(done.stdout)
        if not index:
            print("| | " + " | ".join(found) + " |\n|---|" + "---:|" * len(found))
        print(f"| {name} | " + " | ".join(map(shown, found.values())) + " |", flush=True)


def shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    main()
