"""One model through all stages for one target, and everything that the result must hold."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from quality import weaknesses
from torch import nn

from torch2om.analysis import analyze, applied_rules
from torch2om.emission import Artifact, Emission, emit
from torch2om.errors import Torch2omError
from torch2om.executor import blobs
from torch2om.ir.net import Layer, Net
from torch2om.ir.op import Array
from torch2om.layers import BatchNorm, Dropout, Power, PReLU
from torch2om.layers.unary import Unary
from torch2om.lowering import lower
from torch2om.passes import simplify
from torch2om.pipeline import prepared
from torch2om.program import Inputs, Program, canonicalize, capture
from torch2om.reference import ProgramReference, original_outputs
from torch2om.targets import check, target
from torch2om.verification import Sample, Verification, random_samples, relative_error, verify

TARGETS = ("caffe", "ascend310", "opencv")  # ascend310p and ascend310b have the table of ascend310
LEGAL_NAME = re.compile(r"[A-Za-z0-9./_-]+")  # what ATC takes (E11018)
OPENCV_TOLERANCE = 1e-5
LEAST_DIMS = 2  # of a cv::Mat: a blob (N) comes as (N, 1)


@dataclass(frozen=True)
class Subject:
    """A model after the stages that know no target, a sample for it, and the products that PyTorch counts in it."""

    program: Program
    net: Net
    sample: Sample
    macs: int


def subject(model: nn.Module, inputs: Inputs) -> Subject:
    program = canonicalize(capture(model, inputs))
    net = simplify(lower(program))
    sample = next(random_samples(net.inputs, 1))
    return Subject(program, net, sample, ProgramReference(program).size().macs)


def settled(model: nn.Module, *inputs: torch.Tensor) -> nn.Module:
    """Return the model in eval mode, every batch norm with the statistics of these inputs and with gamma, beta of its own.

    Untouched statistics (mean 0, variance 1) let activations grow or vanish from layer to layer, and a gamma of 1
    and a beta of 0 hide mistakes in them. With betas around 0, deep nets of random weights are chaotic: PyTorch's own
    float32 then differs from its float64 by 2e-5 (ResNet-50) to 4e-5 (EfficientNetV2-S); with betas around 1 by 1e-6.
    That holds for the models here. The zoo's `benchmarks/zoo/settling.py` draws until it holds for any, in more passes.
    """
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d)]
    with torch.no_grad():
        for norm in norms:
            norm.weight.uniform_(0.5, 1.0)
            norm.bias.uniform_(0.5, 1.5)
            norm.momentum = None  # the statistics of this pass alone
        model.train()
        model(*inputs)
    return model.eval()


@dataclass(frozen=True)
class Written:
    """A model's files for one target: the net in them, and what verify found."""

    net: Net
    artifact: Artifact
    verification: Verification


def written(subject: Subject, name: str, folder: Path) -> Written:
    chosen = target(name)
    net = check(prepared(subject.net, chosen), chosen)
    artifact = emit(net, chosen, Emission(folder / name))
    return Written(net, artifact, verify(ProgramReference(subject.program), artifact, [subject.sample], net))


def faults(
    subject: Subject,
    folder: Path,
    most_macs: float = math.inf,
    targets: Sequence[str] = TARGETS,
    rules: Collection[str] = (),
) -> list[str]:
    """Return what is wrong with the model's files for these targets; they may multiply at most so often.

    Each of the rules must be applied for a target.
    """
    found = []
    untaken = set(rules)
    for name in targets:
        try:
            result = written(subject, name, folder)
        except Torch2omError as error:
            found.append(f"{name}: {error}")
            continue
        found += [f"{name}: {text}" for text in complaints(subject, result)]
        untaken -= applied_rules(result.net).keys()
        macs = analyze(result.net).macs
        if macs > most_macs:
            found.append(f"{name}: {macs} multiply-accumulates, at most {most_macs:.0f} are wanted")
        if name == "opencv":
            found += opencv_differences(subject, result)
    return found + [f"no target takes {rule}" for rule in sorted(untaken)]


def complaints(subject: Subject, result: Written) -> Iterator[str]:
    yield from map(str, result.verification.diagnostics)
    yield from illegal_names(result.net)
    yield from idle_layers(subject, result.net)
    yield from weaknesses(result.net)


def illegal_names(net: Net) -> Iterator[str]:
    names = [layer.name for layer in net.layers]
    yield from (f"{name!r} has an illegal name" for name in names if not LEGAL_NAME.fullmatch(name))
    yield from (f"{name!r} stands twice" for name in {*names} if names.count(name) > 1)
    for layer in net.layers:
        if layer.tops and layer.tops[0] != layer.name:
            yield f"{layer.name!r} has the first top {layer.tops[0]!r}"


def idle_layers(subject: Subject, net: Net) -> Iterator[str]:
    """Yield layers that only training needs, and layers whose result is their bottom on this sample.

    An activation may leave a sample as it is. A Split that exposes an output or keeps layers apart that OpenCV would
    fuse, and a Reshape to the dims that Caffe has where the target infers others, are wanted.
    """
    values = dict(subject.sample)
    for layer, top, value in blobs(net, subject.sample, net.producers, np.float32):
        values[top] = value
        if isinstance(layer.op, BatchNorm | Dropout):
            yield f"{layer.name!r} is a {layer.op.caffe_type}"
        elif _may_idle(layer) or len(layer.bottoms) != 1:
            continue
        elif np.array_equal(values[layer.bottoms[0]], value):
            yield f"{layer.name!r} does nothing: {layer.op}"


def _may_idle(layer: Layer) -> bool:
    activates = isinstance(layer.op, Unary | PReLU) and layer.op != Power()
    return activates or bool({"expose_outputs", "match_ranks", "keep_apart"}.intersection(layer.origin.via))


def opencv_differences(subject: Subject, result: Written) -> Iterator[str]:
    """Yield the outputs that OpenCV computes otherwise than the user's model."""
    computed = run_opencv(result.artifact, subject.sample)
    expected = original_outputs(subject.program, subject.sample)
    for output, value in zip(result.artifact.manifest.outputs, expected, strict=True):
        found = computed[output.blob]
        error = relative_error(found.reshape(value.shape) if value.ndim < LEAST_DIMS else found, value)
        if not error <= OPENCV_TOLERANCE:
            yield f"OpenCV's {output.blob} differs by {error:.1e} of its scale"


def run_opencv(artifact: Artifact, sample: Sample) -> Mapping[str, Array]:
    """Return what OpenCV's Caffe reader and layers make of the files."""
    net = cv2.dnn.readNetFromCaffe(str(artifact.prototxt), str(artifact.caffemodel))
    for name, values in sample.items():
        net.setInput(values, name)
    names = [output.blob for output in artifact.manifest.outputs]
    return dict(zip(names, map(np.asarray, net.forward(names)), strict=True))
