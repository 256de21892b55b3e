"""A row of the table: what became of one model, target by target."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from torch2om.analysis import Size, analyze, applied_rules
from torch2om.batch.listing import Job, Limits
from torch2om.errors import Diagnostic
from torch2om.ir.net import Net
from torch2om.origin import Origin
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
    """The written net: its layers, its multiply-accumulates (also by layer type), and where it has more than is meant.

    `meant` are those of the net that knows no target; `added` maps an operator and the rules applied to it to what
    they added: `aten.upsample_bilinear2d.vec: resize_axes_by_maps, map_by_inner_product`. `rules` maps each rule that
    was applied to the number of layers that it made.
    """

    layers: int
    macs: int
    by_type: Mapping[str, int]
    meant: int
    added: Mapping[str, int]
    rules: Mapping[str, int] = field(default_factory=dict)


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


def outcome_of(conversion: Conversion, meant: Net) -> Outcome:
    """Return the outcome of a conversion that went through all stages with verification; `meant` is what entered."""
    found, net = conversion.verification, conversion.net
    assert found is not None
    assert net is not None
    verdict = Verdict.EQUAL if found.equal else Verdict.DIFFERENT
    findings = (*conversion.notes, *found.notes, *found.diagnostics)
    cost = cost_of(net, meant)
    return Outcome(conversion.target.name, verdict, net=cost, errors=errors_of(found), findings=findings)


def cost_of(net: Net, meant: Net) -> Cost:
    """Return what a written net costs, beside the net that entered."""
    cost, before = analyze(net), analyze(meant)
    by_type = Counter[str]()
    for line in cost.layers:
        by_type[line.kind] += line.macs
    return Cost(
        layers=len(net.layers),
        macs=cost.macs,
        by_type=dict(+by_type),
        meant=before.macs,
        added=dict(_added(net, meant)),
        rules=dict(applied_rules(net)),
    )


def _added(net: Net, meant: Net) -> Counter[str]:
    """Return what each call costs more than is meant, summed over calls of one operator with the same rules."""
    added = Counter[str]()
    made, wanted = _by_call(net), _by_call(meant)
    for call, lines in made.items():
        more = sum(macs for macs, _ in lines) - sum(macs for macs, _ in wanted.get(call, ()))
        if more > 0:
            operator = lines[0][1].target
            rules = dict.fromkeys(rule for macs, origin in lines if macs for rule in origin.via)
            added[f"{operator}: {', '.join(rules)}"] += more
    return added


def _by_call(net: Net) -> Mapping[str, list[tuple[int, Origin]]]:
    """Return call -> multiply-accumulates and origin of each layer that comes from it."""
    found: defaultdict[str, list[tuple[int, Origin]]] = defaultdict(list)
    for layer, line in zip(net.layers, analyze(net).layers, strict=True):
        found[layer.origin.call].append((line.macs, layer.origin))
    return found


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
