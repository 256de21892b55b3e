"""The stage verify: every mirrored blob against a reference, in float64 for the meaning and float32 for the files.

The reference computes in float64: the exported graph of a PyTorch model, which is held against the user's own model
first, or the net of other Caffe files. The meaning is the net in memory, run in float64 with weights folded in
float64: it must equal the reference to 1e-9 of the blob's scale (or the bound that an applied rule declares). The files
are read back as a stranger would read them and run in float32: they must equal the same reference to 1e-5.

Where a normalization was taken out of the net, the net is fed the sample after that normalization, computed in float64;
what it is fed must equal the value that the reference has at that place, like any other blob.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, zip_longest
from types import MappingProxyType
from typing import Protocol

import numpy as np
import numpy.typing as npt

from torch2om.caffe.reader import read_net
from torch2om.emission import Artifact
from torch2om.errors import Diagnostic, Severity, VerificationError
from torch2om.executor import blobs
from torch2om.expectation import Exact, Expectations
from torch2om.ir.net import Net
from torch2om.ir.op import Array, Shape
from torch2om.leeway import EXACT, Leeway, leeways
from torch2om.legalization.rules import Rule
from torch2om.manifest import Manifest
from torch2om.metrics import Expected
from torch2om.origin import NOWHERE, Origin
from torch2om.preprocessing.normalization import Normalization
from torch2om.targets import target as find_target

MEANING_TOLERANCE = 1e-9
FILES_TOLERANCE = 1e-5

Sample = Mapping[str, Array]
NO_NORMALIZATION: Mapping[str, Normalization] = MappingProxyType({})


class Fed(Protocol):
    """An input of whatever is verified."""

    @property
    def name(self) -> str:
        """What a sample calls it."""

    @property
    def shape(self) -> Shape:
        """Its dims."""


@dataclass(frozen=True, slots=True)
class OwnRun:
    """What the user's own model returns, in its own precision, and how far that may be from the reference."""

    outputs: tuple[Array, ...]
    tolerance: float


class Reference(Protocol):
    """What files must be equal to."""

    @property
    def title(self) -> str:
        """Its name in messages."""

    def values(self, sample: Sample, wanted: Collection[str]) -> Iterable[tuple[str, Array]]:
        """Yield (call, value) of these calls (blobs, of a net), computed in float64, each as soon as it is."""

    def own_runs(self, sample: Sample) -> Iterable[OwnRun]:
        """Yield what must be equal to the reference itself: the model that it was made of, if it is not that model."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One blob against its value in the reference: the largest error relative to the value's scale, and the cosine.

    `scale` is the largest absolute number of the reference's value, `allowed` are the rules before the blob that ran
    only because the user allowed them.
    """

    blob: str
    call: str
    layer: str
    origin: Origin
    error: float
    cosine: float
    tolerance: float
    is_output: bool
    scale: float
    allowed: tuple[Rule, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether the error is within the tolerance (a NaN is not)."""
        return self.error <= self.tolerance


@dataclass(frozen=True)
class Run:
    """One execution on one sample: what it judges, the code of a difference, the precision, and what it found."""

    title: str
    code: str
    dtype: str
    sample: int
    comparisons: tuple[Comparison, ...]

    @property
    def first_difference(self) -> Comparison | None:
        """The first blob, in the net's order, that differs."""
        return next((found for found in self.comparisons if not found.equal), None)

    @property
    def outputs(self) -> tuple[Comparison, ...]:
        """The comparisons of the net's outputs."""
        return tuple(found for found in self.comparisons if found.is_output)

    def worst(self, count: int = 3) -> tuple[Comparison, ...]:
        """The blobs with the largest errors relative to their tolerance, worst first."""
        ranked = sorted(self.comparisons, key=lambda found: -np.nan_to_num(found.error / found.tolerance, nan=np.inf))
        return tuple(ranked[:count])


@dataclass(frozen=True)
class Verification:
    """The result: what the files were compared with, every run, and whether all blobs of all runs are equal."""

    reference: str
    runs: tuple[Run, ...]

    @property
    def equal(self) -> bool:
        """Whether every compared blob is within its tolerance."""
        return all(run.first_difference is None for run in self.runs)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """One diagnostic per run that differs, naming the first layer that diverges, at the user's line."""
        first = ((run, run.first_difference) for run in self.runs)
        return tuple(_difference(run, found, self.reference) for run, found in first if found is not None)

    @property
    def notes(self) -> tuple[Diagnostic, ...]:
        """A note of all outputs that are 0 on every sample: whatever computes nothing is equal to them."""
        scales: dict[str, float] = {}
        for found in (each for run in self.runs for each in run.outputs):
            scales[found.blob] = max(scales.get(found.blob, 0.0), found.scale)
        zero = [blob for blob, scale in scales.items() if scale == 0]
        if not zero:
            return ()
        text = (
            f"{self.reference} computes 0 everywhere, on every sample, in {', '.join(zero)}: equal proves little there"
        )
        hint = "use trained weights (a new model's head often starts as zeros), or your own inputs with --sample"
        return (Diagnostic("V706", text, severity=Severity.NOTE, hint=hint),)

    def raise_if_different(self) -> Verification:
        """Return self, or raise `VerificationError` with the first layer that diverges in each run."""
        if not self.equal:
            raise VerificationError(self.diagnostics)
        return self


def _difference(run: Run, found: Comparison, reference: str) -> Diagnostic:
    text = f"{found.blob} differs from {found.call} of {reference} by {found.error:.3g} of its scale"
    return Diagnostic(
        run.code,
        f"{text} ({run.dtype}, sample {run.sample}); at most {found.tolerance:g} is allowed",
        origin=found.origin,
        layer=found.layer,
        details=(f"rules applied there: {', '.join(found.origin.via)}",) if found.origin.via else (),
        hint="; ".join(_why_not(rule, found) for rule in found.allowed),
    )


def _why_not(rule: Rule, found: Comparison) -> str:
    """Return what a rule declared that the user allowed and that stands before a blob that differs."""
    if not rule.bound:
        text = f"you allowed {rule.name}, which is exact only under a condition that may not hold here"
        return f"{text} (torch2om explain {rule.name}): convert without it"
    text = f"you allowed {rule.name}, whose declared bound is {rule.bound:g} of a blob's scale"
    return f"{text}; this one's largest number is {found.scale:.2g}: convert without it"


def verify(reference: Reference, artifact: Artifact, samples: Iterable[Sample], net: Net | None = None) -> Verification:
    """Compare the written files with the reference on every sample; with `net` (the legalized one) its meaning as well.

    Raises `VerificationError` (V703) if the reference itself, or the model that it was made of, computes a value that
    is not finite on a sample.
    """
    manifest = artifact.manifest
    written = read_net(artifact.prototxt, artifact.caffemodel, find_target(manifest.target).dialect)
    runs: list[Run] = []
    nets = ([] if net is None else [_meaning(manifest, net)]) + [_files(manifest, written, net or written)]
    for index, sample in enumerate(samples):
        readings = sum((execution.readings for execution in nets), Counter(_output_calls(manifest)))
        expectations = Expectations(reference.title, reference.values(sample, readings.keys()), readings)
        fed = normalized(sample, manifest.taken_out)
        executed = _in_step([execution.compare(expectations, fed) for execution in nets])
        runs += (_own_run(manifest, index, own, expectations) for own in reference.own_runs(sample))
        runs += (execution.run(index, found) for execution, found in zip(nets, executed, strict=True))
    return Verification(reference.title, tuple(runs))


def _in_step(executions: Sequence[Iterator[Comparison]]) -> list[tuple[Comparison, ...]]:
    """Return the comparisons of each execution, which run side by side: what they are compared with is soon free."""
    rows = list(zip_longest(*executions))
    return [tuple(row[index] for row in rows if row[index] is not None) for index in range(len(executions))]


def _output_calls(manifest: Manifest) -> Iterable[str]:
    """Return the calls that the user's own model is compared with, when all else has been."""
    return {manifest.mirrors[output.blob] for output in manifest.outputs}


def random_samples(
    inputs: Iterable[Fed], count: int, seed: int = 0, taken_out: Mapping[str, Normalization] = NO_NORMALIZATION
) -> Iterator[Sample]:
    """Yield seeded samples: standard normal inputs, and every second one uniform in [0, 1) as images are.

    An input whose normalization was taken out of the net is such that the net is fed these numbers.
    """
    generator = np.random.default_rng(seed)
    sources = tuple(inputs)
    for index in range(count):
        draw = generator.standard_normal if index % 2 == 0 else generator.random
        fed = {source.name: draw(source.shape) for source in sources}
        undone = {name: taken_out[name].undone(values) if name in taken_out else values for name, values in fed.items()}
        yield {name: values.astype(np.float32) for name, values in undone.items()}


def normalized(sample: Sample, taken_out: Mapping[str, Normalization]) -> Sample:
    """Return what a net is fed for a sample of the model: its inputs after what was taken out, in float64."""
    done = {name: normalization.applied(sample[name].astype(np.float64)) for name, normalization in taken_out.items()}
    return {**sample, **done}


def _own_run(manifest: Manifest, index: int, own: OwnRun, expectations: Expectations) -> Run:
    """Compare what the user's own model returns with the reference that was made of it."""
    _refuse_broken(manifest, index, own)
    found = []
    for output, value in zip(manifest.outputs, own.outputs, strict=True):
        call = manifest.mirrors[output.blob]
        origin = next((layer.origin for layer in manifest.layers if layer.name == output.blob), NOWHERE)
        expected = expectations.look(call)
        distance = expected.distance(value)
        found.append(
            Comparison(
                blob=output.blob,
                call=call,
                layer=output.blob,
                origin=origin,
                error=distance.error,
                cosine=distance.cosine,
                tolerance=own.tolerance,
                is_output=True,
                scale=expected.scale,
            )
        )
    return Run("model", "V705", "own dtype", index, tuple(found))


def _refuse_broken(manifest: Manifest, index: int, own: OwnRun) -> None:
    """Raise V703 if the model's own outputs hold NaN or infinity, though float64 found finite values."""
    results = zip(manifest.outputs, own.outputs, strict=True)
    broken = [output.blob for output, value in results if not np.isfinite(value).all()]
    if broken:
        text = (
            f"the model itself, in its own precision, computes NaN or infinity in {', '.join(broken)} (sample {index})"
        )
        hint = "values leave the range of its dtype on the way (in float64 they do not): load trained weights"
        raise VerificationError(Diagnostic("V703", text, hint=hint))


def _meaning(manifest: Manifest, net: Net) -> _Execution:
    """Return the net in float64; a blob that a rule with a declared bound made is held to it, and then read exactly.

    Behind it, sums that cancel would make more of that error than was declared, and it would hide others.
    """
    declared = leeways(manifest, net, manifest.mirrors)
    exact = {blob: call for blob, call in manifest.mirrors.items() if declared.get(blob, EXACT).bound}
    return _Execution(("meaning", "V701"), net, np.float64, manifest, MEANING_TOLERANCE, declared, exact)


def _files(manifest: Manifest, written: Net, net: Net) -> _Execution:
    return _Execution(("files", "V702"), written, np.float32, manifest, FILES_TOLERANCE, leeways(manifest, net))


@dataclass(frozen=True)
class _Execution:
    """A net that runs in a precision and is compared with the reference blob by blob; `exact` ones are replaced."""

    what: tuple[str, str]
    net: Net
    dtype: npt.DTypeLike
    manifest: Manifest
    tolerance: float
    declared: Mapping[str, Leeway]
    exact: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def readings(self) -> Counter[str]:
        """How often each call is read: for each blob that is compared, and once more where it replaces one."""
        tops = (*self.manifest.taken_out, *(top for layer in self.net.layers for top in layer.tops))
        mirrors = self.manifest.mirrors
        return Counter(mirrors[top] for top in tops if top in mirrors) + Counter(self.exact.values())

    def run(self, sample: int, comparisons: tuple[Comparison, ...]) -> Run:
        """Return the record of a run on a sample."""
        return Run(*self.what, np.dtype(self.dtype).name, sample, comparisons)

    def compare(self, expectations: Expectations, sample: Sample) -> Iterator[Comparison]:
        """Compare what the net is fed where it has a normalization behind it, then each mirrored blob as it is made."""
        instead = Exact(expectations, self.exact, self.net.shapes)
        fed = ((name, name, sample[name].astype(self.dtype)) for name in self.manifest.taken_out)
        computed = blobs(self.net, sample, self.manifest.mirrors, self.dtype, instead)
        made = ((layer.name, top, value) for layer, top, value in computed)
        for layer, top, value in chain(fed, made):
            if top in self.manifest.mirrors:
                yield self._comparison(layer, top, value, expectations.read(self.manifest.mirrors[top]))

    @cached_property
    def _outputs(self) -> frozenset[str]:
        return frozenset(output.blob for output in self.manifest.outputs)

    @cached_property
    def _origins(self) -> Mapping[str, Origin]:
        return {layer.name: layer.origin for layer in self.manifest.layers}

    def _comparison(self, layer: str, top: str, value: Array, expected: Expected) -> Comparison:
        wanted = expected.values.shape
        # A target may want other dims: `tidy`, `with_one_element`.
        free = top not in self._outputs or not wanted
        if free and value.size == expected.values.size:
            value = value.reshape(wanted)
        distance, declared = expected.distance(value), self.declared.get(top, EXACT)
        return Comparison(
            blob=top,
            call=self.manifest.mirrors[top],
            layer=layer,
            origin=self._origins.get(layer, NOWHERE),
            error=distance.error,
            cosine=distance.cosine,
            tolerance=max(self.tolerance, declared.bound),
            is_output=top in self._outputs,
            scale=expected.scale,
            allowed=declared.allowed,
        )


def relative_error(value: Array, expected: Array) -> float:
    """max|value - expected| / max|expected|, in float64 (an all-zero reference is its own scale of 1)."""
    return Expected(expected).distance(value).error
