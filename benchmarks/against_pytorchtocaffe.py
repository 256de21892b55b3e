"""The whole process against PytorchToCaffe's: python benchmarks/against_pytorchtocaffe.py CHECKOUT [MODEL ...]

CHECKOUT is a working copy of github.com/xxradon/PytorchToCaffe whose Caffe/caffe_pb2.py was made anew for the installed
protobuf: python -m grpc_tools.protoc -I Caffe --python_out=Caffe Caffe/caffe.proto. Every run is a process of its own,
from the interpreter's start to the files written, for torchvision's model with fresh weights at 224 x 224:
PytorchToCaffe, `torch2om convert --no-verify` and `torch2om convert` in turn, ROUNDS times. Seconds and peak memory are
medians.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MODELS = ("resnet50", "vgg16")
ROUNDS = 5


def commands(checkout: str, model: str, folder: str) -> dict[str, list[str]]:
    ours = [sys.executable, "-m", "torch2om", "convert", f"torchvision.models:{model}", "--input", "x=1x3x224x224"]
    ours += ["--target", "caffe", "--out", folder]
    return {
        "PytorchToCaffe": [sys.executable, __file__, "--theirs", checkout, model, folder],
        "torch2om --no-verify": [*ours, "--no-verify"],
        "torch2om": ours,
    }


def their_process(checkout: str, model: str, folder: str) -> None:
    """Convert as the project's own examples do."""
    sys.path.insert(0, checkout)
    from torch2om.loading import repair_torchvision  # noqa: PLC0415 - torchvision loads after it only

    repair_torchvision()
    import pytorch_to_caffe as theirs  # type: ignore[import-not-found]  # noqa: PLC0415 - it stands in the checkout
    import torch  # noqa: PLC0415 - a part of what is measured
    from torchvision import models  # noqa: PLC0415 - the same

    # PytorchToCaffe records Tensor.view, which torchvision's models called at its time, not torch.flatten.
    setattr(torch, "flatten", lambda x, _: x.view(x.size(0), -1))  # noqa: B010 - a child process that ends with this
    net = models.get_model(model, weights=None).eval()
    with torch.no_grad():
        theirs.trans_net(net, torch.ones(1, 3, 224, 224), model)
    theirs.save_prototxt(f"{folder}/model.prototxt")
    theirs.save_caffemodel(f"{folder}/model.caffemodel")


def measured(command: list[str]) -> tuple[float, float]:
    """Return the process's seconds and its peak memory in MiB."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - ours
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} ended with status {os.waitstatus_to_exitcode(status)}")
    return time.perf_counter() - begin, used.ru_maxrss / 1024


def row(checkout: str, model: str) -> str:
    found: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(ROUNDS):
            for name, command in commands(checkout, model, folder).items():
                found.setdefault(name, []).append(measured(command))
    medians = {name: [statistics.median(column) for column in zip(*runs, strict=True)] for name, runs in found.items()}
    seconds, memory = medians["PytorchToCaffe"]
    cells = [f"{s:.1f} s ({s / seconds:.2f}), {m:.0f} MiB ({m / memory:.2f})" for s, m in medians.values()]
    return f"|{model}|" + "|".join(cells) + "|"


def main() -> None:
    if sys.argv[1:2] == ["--theirs"]:
        their_process(*sys.argv[2:5])
        return
    checkout = str(Path(sys.argv[1]).resolve())
    print("|model|" + "|".join(commands(checkout, "", "")) + "|\n|---|---:|---:|---:|")
    for model in sys.argv[2:] or MODELS:
        print(row(checkout, model), flush=True)


if __name__ == "__main__":
    main()
