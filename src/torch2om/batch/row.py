"""A row of the table: what became of one model, target by target."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from torch2om.analysis import Size, analyze
from torch2om.batch.listing import Job, Limits
from torch2om.errors import Diagnostic
from torch2om.ir.net import Net
from torch2om.pipeline import Conversion
from torch2om.verification import Comparison, Verification


class Verdict(StrEnum):
    """How a model ends for a target."""

    EQUAL = "equal"
    REFUSED = "refused"
    DIFFERENT = "different"
    OUT_OF_TIME = "out of time"
    OUT_OF_MEMORY = "out of memory"
    DIED = "died"
    DEFECT = "defect"


BOUNDED = (Verdict.OUT_OF_TIME, Verdict.OUT_OF_MEMORY)  # another limit may end them otherwise


@dataclass(frozen=True, slots=True)
class Errors:
    """The largest error relative to a blob's scale: of all blobs, and of the net's outputs; NaN is as large as any."""

    worst: float
    outputs: float


@dataclass(frozen=True, slots=True)
class Cost:
    """The written net: its layers, its multiply-accumulates, and these by layer type and by rule that was applied.

    A layer that several rules made counts for each of them.
    """

    layers: int
    macs: int
    by_type: Mapping[str, int]
    by_rule: Mapping[str, int]


@dataclass(frozen=True)
class Outcome:
    """One model for one target: the verdict, seconds by stage, the net, errors by kind of run, and what was found."""

    target: str
    verdict: Verdict
    stages: Mapping[str, float] = field(default_factory=dict)
    net: Cost | None = None
    errors: Mapping[str, Errors] = field(default_factory=dict)
    findings: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that the model was made of, and a digest that tells it from its later self."""

    path: str
    digest: str


@dataclass(frozen=True)
class Row:
    """One model: its entry, its size, what the stages before any target took, and the outcome for each target.

    `peak` is the most memory that its process had, in bytes; `seconds` is its whole life.
    """

    job: Job
    limits: Limits
    version: str
    size: Size | None
    stages: Mapping[str, float]
    seconds: float
    peak: int
    sources: tuple[SourceFile, ...]
    outcomes: tuple[Outcome, ...]

    @property
    def equal(self) -> bool:
        """Whether every target has its files, proved equal."""
        return all(outcome.verdict is Verdict.EQUAL for outcome in self.outcomes)


def outcome_of(conversion: Conversion, stages: Mapping[str, float]) -> Outcome:
    """Return the outcome of a conversion that went through all stages with verification."""
    found, net = conversion.verification, conversion.net
    assert found is not None
    assert net is not None
    verdict = Verdict.EQUAL if found.equal else Verdict.DIFFERENT
    findings = (*conversion.notes, *found.notes, *found.diagnostics)
    return Outcome(conversion.target.name, verdict, stages, cost_of(net), errors_of(found), findings)


def cost_of(net: Net) -> Cost:
    """Return what the net costs."""
    by_type, by_rule = Counter[str](), Counter[str]()
    cost = analyze(net)
    for layer, line in zip(net.layers, cost.layers, strict=True):
        if line.macs:
            by_type[line.kind] += line.macs
            by_rule.update(dict.fromkeys(layer.origin.via, line.macs))
    return Cost(len(net.layers), cost.macs, dict(by_type), dict(by_rule))


def errors_of(found: Verification) -> Mapping[str, Errors]:
    """Return title of a kind of run (`model`, `meaning`, `files`) -> its largest errors over all samples."""
    titles = dict.fromkeys(run.title for run in found.runs)
    runs = {title: [run for run in found.runs if run.title == title] for title in titles}
    return {
        title: Errors(
            _largest([each for run in chosen for each in run.comparisons]),
            _largest([each for run in chosen for each in run.outputs]),
        )
        for title, chosen in runs.items()
    }


def _largest(found: Sequence[Comparison]) -> float:
    return max((each.error for each in found), key=lambda error: (error != error, error), default=0.0)  # noqa: PLR0124 - NaN alone differs from itself
