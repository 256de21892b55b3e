"""python -m benchmarks.real_caffe LIBRARY [--models | --zoo NAME ...] [--count 1000] [--seed 1]

Runs what is written for the target `caffe` in a real BVLC Caffe (LIBRARY: see the Makefile beside this file) and
compares every mirrored blob with PyTorch's float64 value: nets of the sweep by their numbers, with --models the models
of tests/models/zoo.py, or with --zoo models of timm and torchvision by their names in the zoo. The exit status is 1 if
Caffe ends at a net, or computes it otherwise.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import numpy as np
import torch
from benchmarks.real_caffe.caffe import Aborted, RealCaffe
from benchmarks.sweep.branch import draw
from benchmarks.sweep.bundle import Lowered, lowered
from benchmarks.zoo.entries import job_of, named

from torch2om.acceptance import assured
from torch2om.emission import Artifact, Emission, write
from torch2om.errors import LegalityError
from torch2om.ir.net import Net
from torch2om.passes import simplify
from torch2om.pipeline import Timer, prepared
from torch2om.pytorch_models import PyTorchModel
from torch2om.reference import ProgramReference
from torch2om.targets import target
from torch2om.verification import FILES_TOLERANCE, Reference, Sample, random_samples, relative_error

CAFFE = target("caffe")
BUNDLE = 100
MODELS = Path(__file__).parents[2] / "tests" / "models"


@dataclass(frozen=True)
class Subject:
    """A net that knows no target yet, one sample of its inputs, and PyTorch's values."""

    name: str
    net: Net
    sample: Sample
    reference: Reference


def main() -> int:
    """Print a line for each model and each fault, then the sums."""
    warnings.simplefilter("ignore")  # PyTorch's, on parameters that are drawn
    parser = argparse.ArgumentParser(prog="python -m benchmarks.real_caffe")
    parser.add_argument("library", type=Path)
    parser.add_argument("--models", action="store_true")
    parser.add_argument("--zoo", nargs="+", default=[], metavar="NAME")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    caffe, sums, worst = RealCaffe(given.library.resolve()), Counter[str](), 0.0
    for subject in subjects(given):
        outcome, error = judged(caffe, subject)
        sums[outcome] += 1
        worst = max(worst, error)
        if given.models or given.zoo or outcome not in ("equal", "refused"):
            print(f"{subject.name}: {outcome}, {error:.1e}", flush=True)
    print(f"{dict(sums)}; largest error of the nets that ran {worst:.1e} of a blob's scale")
    return 0 if set(sums) <= {"equal", "refused"} else 1


def subjects(given: argparse.Namespace) -> Iterator[Subject]:
    """Yield what the command line names."""
    if given.zoo:
        yield from zoo(given.zoo)
    elif given.models:
        yield from models()
    else:
        yield from nets(range(given.seed, given.seed + given.count))


def judged(caffe: RealCaffe, subject: Subject) -> tuple[str, float]:
    """Return what became of one net, and its largest error."""
    try:
        net = assured(prepared(subject.net, CAFFE), CAFFE)
    except LegalityError:
        return "refused", 0.0
    with tempfile.TemporaryDirectory() as folder:
        files = write(net, CAFFE, Emission(Path(folder)), Path(folder))
        try:
            found = caffe.blobs(files.prototxt, files.caffemodel, subject.sample, files.manifest.mirrors)
        except Aborted as aborted:
            return f"Caffe ends: {aborted}", 0.0
    error = largest(found, files, subject)
    return ("equal" if error <= FILES_TOLERANCE else "DIFFERENT"), error


def largest(found: Mapping[str, np.typing.NDArray[np.float32]], files: Artifact, subject: Subject) -> float:
    """Return the largest error of a blob, relative to its scale; a blob may have other dims than PyTorch's value."""
    mirrors = files.manifest.mirrors
    wanted = dict(subject.reference.values(subject.sample, frozenset(mirrors.values())))
    pairs = ((found[blob], wanted[call]) for blob, call in mirrors.items())
    return max((relative_error(value.reshape(each.shape), each) for value, each in pairs), default=0.0)


def nets(seeds: range) -> Iterator[Subject]:
    """Yield the sweep's nets of these numbers that can be lowered."""
    for at in range(0, len(seeds), BUNDLE):
        for result in lowered([draw(seed) for seed in seeds[at : at + BUNDLE]]):
            if isinstance(result, Lowered):
                yield Subject(f"net {result.branch.seed}", result.net, result.sample, result)


def models() -> Iterator[Subject]:
    """Yield torchvision's models, as the tests of the models judge them."""
    sys.path.insert(0, str(MODELS))
    from judging import settled, subject  # noqa: PLC0415 - it stands beside the tests
    from zoo import SIZES, build  # noqa: PLC0415 - the same

    for name, size in SIZES.items():
        torch.manual_seed(0)
        found = subject(settled(build(name), torch.randn(4, 3, 112, 112)), [(1, 3, size, size)])
        yield Subject(name, found.net, found.sample, ProgramReference(found.program))


def zoo(names: Collection[str]) -> Iterator[Subject]:
    """Yield models of the zoo, each at its default input with weights that hide nothing."""
    for entry in named(names):
        job = job_of(entry, ("caffe",))
        torch.manual_seed(0)
        model = import_module(f"benchmarks.zoo.{entry.library}_models").build(entry.name)
        found = PyTorchModel(model, [each.shape for each in job.inputs]).enter(Timer([], _silent, _silent))
        net = simplify(found.net)
        yield Subject(entry.title, net, next(random_samples(net.inputs, 1)), found.reference)


def _silent(_: object) -> None:
    """Say nothing of stages."""


if __name__ == "__main__":
    sys.exit(main())
