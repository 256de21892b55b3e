"""The verdict on one net and one target: prepared, checked, written, read back and compared as the product does it."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import cv2
import numpy as np
from benchmarks.sweep.branch import Branch
from benchmarks.sweep.bundle import Lowered, Refused, Result

from torch2om.acceptance import assured, examine_files
from torch2om.emission import Artifact, Emission, write
from torch2om.errors import Diagnostic, Severity, Torch2omError
from torch2om.ir.net import Net
from torch2om.origin import Origin
from torch2om.pipeline import prepared
from torch2om.targets.limits import Target
from torch2om.verification import relative_error, verify

OPENCV_TOLERANCE = 1e-4  # its layers compute in float32
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - files that live for milliseconds
BUT = ", but "  # between what a layer has and the limit that it breaks
LEAST_DIMS = 2  # of a cv::Mat: a blob (N) comes as (N, 1)
_STEP = re.compile(r"steps\.(\d)")
_NUMBER = re.compile(r"(?<![\w.])-?\d+(\.\d+)?(e-?\d+)?")  # a number of its own, not a part of a name


class Outcome(StrEnum):
    """How a net ends at a target; the last two must not be."""

    VERIFIED = "verified"
    REFUSED = "refused"
    DIFFERENT = "DIFFERENT"
    CRASH = "CRASH"


@dataclass(frozen=True)
class Verdict:
    """What became of a net at a target; `reason` says why, and `blamed` which operators' it is.

    In a reason # stands for the numbers of the net; those of the limit are written out. `source` is who states it.
    """

    seed: int
    target: str
    outcome: Outcome
    operators: tuple[str, ...]
    blamed: tuple[str, ...] = ()
    reason: str = ""
    detail: str = ""
    source: str = ""


class Verdicts:
    """The verdicts on one net, target by target.

    `closely` looks at the written files as `torch2om check` does, beside the judgement of the net before it is written,
    and has OpenCV itself load and run them where it is the target.
    Equal files in one dialect are read back and run once: Ascend's chips differ in limits, seldom in what is written.
    """

    def __init__(self, result: Result, *, closely: bool) -> None:
        self._result = result
        self._closely = closely
        self._known: dict[tuple[str, bytes, bytes], list[str]] = {}
        self._legal: list[tuple[Target, Net]] = []

    def at(self, target: Target) -> Verdict:
        """Return the verdict at one target."""
        try:
            return self._judged(target)
        except Torch2omError as error:
            return _refusal(self._result.branch, target, error.diagnostics)
        except Exception as error:  # noqa: BLE001 - every error that is not the product's own is a finding
            return _ended(self._result.branch, target, Outcome.CRASH, f"{type(error).__name__}: {error}")

    def _judged(self, target: Target) -> Verdict:
        result = self._result
        if isinstance(result, Refused):
            if result.crash:
                return _ended(result.branch, target, Outcome.CRASH, result.crash)
            return _refusal(result.branch, target, result.diagnostics)
        net = self._prepared(target, result.net)
        with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
            artifact = write(net, target, Emission(Path(folder), "net"), Path(folder))
            key = (target.dialect, artifact.prototxt.read_bytes(), artifact.caffemodel.read_bytes())
            if key not in self._known:
                self._known[key] = list(self._faults(artifact, net, target))
        outcome = Outcome.DIFFERENT if self._known[key] else Outcome.VERIFIED
        return _ended(result.branch, target, outcome, "; ".join(self._known[key]))

    def _prepared(self, target: Target, net: Net) -> Net:
        """Return the net legal for the target; ATC's chips have one table, and what is legal for one is for all."""
        for other, legal in self._legal:
            if replace(other, name=target.name, title=target.title, socs=target.socs) == target:
                return legal
        legal = assured(prepared(net, target), target)
        self._legal.append((target, legal))
        return legal

    def _faults(self, artifact: Artifact, net: Net, target: Target) -> Iterator[str]:
        assert isinstance(self._result, Lowered)
        yield from _differences(self._result, artifact, net)
        if self._closely:
            yield from _findings(artifact, target)
        if self._closely and target.name == "opencv":
            yield from _opencv_differences(self._result, artifact)


def _differences(result: Lowered, artifact: Artifact, net: Net) -> Iterator[str]:
    """Yield what differs from PyTorch: the module itself, the net in float64, the files in float32."""
    for found in verify(result, artifact, [result.sample], net).diagnostics:
        yield f"{found.code} {found.message} ({', '.join(found.origin.via)})"


def _findings(artifact: Artifact, target: Target) -> Iterator[str]:
    """Yield what the product's own check finds in the files."""
    found = examine_files(artifact.prototxt, artifact.caffemodel, target).findings
    yield from (f"check {one.code} {one.message}" for one in found if one.severity is not Severity.NOTE)


def _opencv_differences(result: Lowered, artifact: Artifact) -> Iterator[str]:
    """Yield the outputs that OpenCV computes otherwise."""
    reader = cv2.dnn.readNetFromCaffe(str(artifact.prototxt), str(artifact.caffemodel))
    reader.enableWinograd(False)  # it loses two digits
    for name, values in result.sample.items():
        reader.setInput(values, name)
    outputs = artifact.manifest.outputs
    made = reader.forward([output.blob for output in outputs])
    for output, value in zip(outputs, made, strict=True):
        wanted = np.asarray(result.calls[artifact.manifest.mirrors[output.blob]], np.float64)
        found = np.asarray(value, np.float64)
        error = relative_error(found.reshape(wanted.shape) if wanted.ndim < LEAST_DIMS else found, wanted)
        if not error <= OPENCV_TOLERANCE:
            yield f"OpenCV computes {output.blob} otherwise, by {error:.1e}"


def _refusal(branch: Branch, target: Target, diagnostics: tuple[Diagnostic, ...]) -> Verdict:
    """Return the refusal, for the reason that comes first, blamed on the operators that the diagnostics name."""
    blamed = dict.fromkeys(name for found in diagnostics for name in _owner(branch, found.origin))
    first = diagnostics[0]
    reason = f"{first.code} {'; '.join(map(_without_numbers, first.message.split('; ')))}"
    detail = "\n".join(map(str, diagnostics))
    verdict = _ended(branch, target, Outcome.REFUSED, reason, tuple(blamed), detail)
    return replace(verdict, source=first.source)


def _without_numbers(message: str) -> str:
    """Return a message with # for the numbers of what the net has; behind "but" stands the limit."""
    found, but, limit = message.partition(BUT)
    return _NUMBER.sub("#", found) + but + limit


def _owner(branch: Branch, origin: Origin) -> tuple[str, ...]:
    """Return the operator that a layer comes from, or all of the branch where its module is not known."""
    step = _STEP.search(origin.module)
    chosen = branch.operators if step is None else (branch.operators[int(step[1])],)
    return tuple(operator.name for operator in chosen)


def _ended(
    branch: Branch,
    target: Target,
    outcome: Outcome,
    reason: str,
    blamed: tuple[str, ...] = (),
    detail: str = "",
) -> Verdict:
    names = tuple(operator.name for operator in branch.operators)
    return Verdict(branch.seed, target.name, outcome, names, blamed or names, reason, detail or reason)
