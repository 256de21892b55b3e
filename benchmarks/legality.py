"""What legality costs: python benchmarks/legality.py [NAME ...]

For each of the tests' models (torchvision's, and the own nets with batch 1) and each target: layers of the legal net,
and its multiply-accumulates over those that PyTorch counts. Every net is written and verified; one that is not equal
to PyTorch, or refused, says so instead.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "models"))
from judging import Subject, settled, subject, written
from test_own_nets import ROWS, built
from zoo import SIZES, build

from torch2om.analysis import analyze
from torch2om.errors import Torch2omError
from torch2om.targets import TARGETS


def subjects(names: list[str]) -> Iterator[tuple[str, Subject]]:
    for name in names or [*SIZES, *ROWS]:
        if name in ROWS:
            yield name, subject(built(ROWS[name]), ROWS[name].shapes(1))
        else:
            torch.manual_seed(0)
            model = settled(build(name), torch.randn(4, 3, 112, 112))
            yield f"{name} at {SIZES[name]}", subject(model, [(1, 3, SIZES[name], SIZES[name])])


def cell(found: Subject, target: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        try:
            result = written(found, target, Path(folder))
        except Torch2omError as error:
            return "refused: " + ", ".join(sorted({one.code for one in error.diagnostics}))
    if result.verification.diagnostics:
        return "differs: " + ", ".join(sorted({one.code for one in result.verification.diagnostics}))
    report = analyze(result.net)
    return f"{len(report.layers)} ({report.macs / max(found.macs, 1):.4f})"


def main() -> None:
    heads = ("model", "layers before", *TARGETS)
    print("|" + "|".join(heads) + "|\n|---|" + "---:|" * (len(heads) - 1))
    for name, found in subjects(sys.argv[1:]):
        print("|" + "|".join((name, str(len(found.net.layers)), *(cell(found, t) for t in TARGETS))) + "|", flush=True)


if __name__ == "__main__":
    main()
