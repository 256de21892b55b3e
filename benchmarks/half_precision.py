"""What simulating half precision costs, and what it finds: python benchmarks/half_precision.py [--layers] [MODEL ...]

Each model of torchvision, with seeded weights and batch norms whose statistics come from a real forward pass, is
converted for ascend310; the files are read in a process of their own, as the verb reads them, and run on a seeded batch
of one. In turn, ROUNDS times: the net in float32, the net in simulated half precision, and the whole study (three runs
in step, and the table). Every number is a median of CPU time, of one thread if OMP_NUM_THREADS is 1: the clock on the
wall would measure what else the machine does. `--layers` prints the table itself.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from torch2om.caffe.reader import read_net
from torch2om.emission import artifact_in
from torch2om.executor import execute
from torch2om.ir.net import Net
from torch2om.precision import Study, choose, study
from torch2om.verification import random_samples

MODELS = ("resnet50", "mobilenet_v2")
SHAPE = (1, 3, 224, 224)
BATCH = 4  # of the forward pass that gives the statistics
ROUNDS = 9


def write(name: str, folder: Path) -> None:
    import torch  # noqa: PLC0415 - the measured process does without

    sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "models"))
    from judging import settled  # noqa: PLC0415
    from zoo import build  # noqa: PLC0415

    from torch2om import convert  # noqa: PLC0415

    torch.manual_seed(0)
    model = settled(build(name), torch.randn(BATCH, *SHAPE[1:]))
    convert(model, {"x": SHAPE}, target="ascend310", out=folder, samples=0)


def seconds(action: Callable[[], object]) -> float:
    begin = time.process_time()
    action()
    return time.process_time() - begin


def measure(net: Net) -> tuple[dict[str, float], Study]:
    (sample,) = random_samples(net.inputs, 1)
    actions: dict[str, Callable[[], object]] = {
        "float32": lambda: execute(net, sample, np.float32),
        "float16": lambda: execute(net, sample, np.float16),
        "study": lambda: study(net, [sample]),
    }
    rounds = [{name: seconds(action) for name, action in actions.items()} for _ in range(ROUNDS + 1)][1:]
    return {name: statistics.median(times[name] for times in rounds) for name in actions}, study(net, [sample])


def rows(times: dict[str, float], found: Study, net: Net) -> Iterator[tuple[str, str]]:
    base = times["float32"]
    yield "layers", str(len(net.layers))
    yield "float32, ms", f"{base * 1e3:.0f}"
    yield "float16 simulated, ms", f"{times['float16'] * 1e3:.0f}"
    yield "float16 / float32", f"{times['float16'] / base:.2f}"
    yield "study with its table, ms", f"{times['study'] * 1e3:.0f}"
    yield "study / float32", f"{times['study'] / base:.2f}"
    yield "largest accumulated error", f"{max(layer.error for layer in found.layers):.1e}"
    yield "largest own error", f"{max(layer.own for layer in found.layers):.1e}"
    yield "error of the output", f"{found.outputs[0].measures.relative_euclidean:.1e}"
    yield "cosine of the output", f"1 - {1 - found.outputs[0].measures.cosine:.0e}"
    yield "layers to keep", str(len(choose(net, found)))


def table(found: Study) -> Iterator[str]:
    for line in found.layers:
        yield (
            f"  {line.layer.name:40} {line.layer.op.caffe_type:14} {line.error:8.1e} {line.own:8.1e}"
            f" {line.tops.largest:8.3g} {line.tops.overflowed:3} {line.tops.vanished:3} {line.tops.subnormal:6}"
        )


def measured(folder: Path) -> Iterator[str]:
    artifact = artifact_in(folder)
    net = read_net(artifact.prototxt, artifact.caffemodel)
    times, found = measure(net)
    yield from (f"{label:28} {value}" for label, value in rows(times, found, net))
    if "--layers" in sys.argv:
        yield from table(found)


def main() -> None:
    if sys.argv[1:2] == ["--one"]:
        print("\n".join(measured(Path(sys.argv[2]))))
        return
    options = [name for name in sys.argv[1:] if name.startswith("-")]
    for name in [name for name in sys.argv[1:] if name not in options] or MODELS:
        with tempfile.TemporaryDirectory() as folder:
            write(name, Path(folder))
            print(name, flush=True)
            subprocess.run([sys.executable, __file__, "--one", folder, *options], check=True)  # noqa: S603 - itself


if __name__ == "__main__":
    main()
