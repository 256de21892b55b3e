"""The stages in order, whatever the net comes from, and the record of what they made."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Protocol, TypeVar

from torch2om.acceptance import assured
from torch2om.analysis import Size, analyze, applied_rules
from torch2om.emission import Artifact, Emission, published, write
from torch2om.errors import Diagnostic, PreprocessingError, UsageError
from torch2om.ir.net import Net
from torch2om.legalization import expose_outputs, keep_apart, legalize
from torch2om.legalization.rules import opt_in_rules
from torch2om.manifest import Source
from torch2om.passes import name_layers, simplify
from torch2om.preprocessing.normalization import Normalization
from torch2om.preprocessing.plan import Plan, Preprocessing, planned
from torch2om.publication import reported, require_place, staged
from torch2om.targets import target as find_target
from torch2om.targets.limits import Target
from torch2om.verification import Reference, Sample, Verification, random_samples, verify

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage that ended: its name and how long it took."""

    name: str
    seconds: float


OnStart = Callable[[str], None]
OnEnd = Callable[[Stage], None]


@dataclass(frozen=True)
class Request:
    """What a conversion is asked for beside the model.

    `samples` is a number of seeded inputs or the inputs themselves; 0 leaves verification out. `allow` names the
    inexact rules that may run. `source` says where the model came from. `preprocessing` is what the device shall do to
    a picture before the net.
    """

    target: str = "ascend310"
    out: Path = Path("out")
    name: str = "model"
    samples: int | Iterable[Sample] = 2
    allow: Collection[str] = ()
    source: Source = field(default_factory=Source)
    preprocessing: Preprocessing | None = None

    def __post_init__(self) -> None:
        if not self.name or self.name.startswith(".") or Path(self.name).name != self.name:
            raise UsageError(Diagnostic("U144", f"the files cannot be named {self.name!r}"))
        known = opt_in_rules()
        wrong = (f"there is no rule {name!r} to allow" for name in self.allow if name not in known)
        problems = [Diagnostic("U145", text, hint=f"there are {', '.join(known)}") for text in wrong]
        if problems:
            raise UsageError(problems)


@dataclass
class Conversion:
    """What a conversion has made so far: each stage's result, and how long each stage took.

    Shows itself as text (`print(conversion)`) and in a notebook.
    """

    target: Target
    stages: list[Stage] = field(default_factory=list)
    net: Net | None = None
    plan: Plan | None = None
    notes: tuple[Diagnostic, ...] = ()
    artifact: Artifact | None = None
    verification: Verification | None = None

    @property
    def rules(self) -> Mapping[str, int]:
        """The legalization rules and rewrites that were applied, with the number of layers each made."""
        return {} if self.net is None else applied_rules(self.net)

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _repr_html_(self) -> str:
        """Return the same text for a notebook: a table of numbers says it best, in a fixed-width font."""
        return f"<pre>{escape(str(self))}</pre>"

    def _lines(self) -> Iterable[str]:
        yield f"target   {self.target.name}: {self.target.title}"
        yield "stages   " + "  ".join(f"{stage.name} {stage.seconds:.2f} s" for stage in self.stages)
        if self.net is not None:
            cost = analyze(self.net)
            yield f"net      {len(self.net.layers)} layers, {cost.macs:,} MACs, {cost.parameters:,} parameters"
        if self.artifact is not None:
            yield f"files    {', '.join(map(str, self.artifact.files))}"
        for run in () if self.verification is None else self.verification.runs:
            worst = run.worst(1)
            text = f"worst {worst[0].blob} {worst[0].error:.1e} of {worst[0].tolerance:.0e}" if worst else "nothing"
            yield f"{run.title:8} {run.dtype} sample {run.sample}: {len(run.comparisons)} blobs compared, {text}"
        yield from map(str, (*self.notes, *(() if self.verification is None else self.verification.notes)))


class Timer:
    """Runs stages, notes their times in a list, and tells whoever listens."""

    def __init__(self, stages: list[Stage], on_start: OnStart, on_end: OnEnd) -> None:
        self._stages = stages
        self._on_start = on_start
        self._on_end = on_end

    def __call__(self, name: str, stage: Callable[[], T]) -> T:
        """Return what the stage returns."""
        self._on_start(name)
        begin = time.perf_counter()
        result = stage()
        ended = Stage(name, time.perf_counter() - begin)
        self._stages.append(ended)
        self._on_end(ended)
        return result


class Subject(Reference, Protocol):
    """A reference that is the model of a conversion."""

    def size(self) -> Size:
        """Return how large the model is."""


@dataclass(frozen=True)
class Entry:
    """What a model is when it enters: a net of its meaning, what the files must equal, and what was remarked."""

    net: Net
    reference: Subject
    notes: tuple[Diagnostic, ...] = ()


class Convertible(Protocol):
    """What is converted: a PyTorch model or Caffe files."""

    def enter(self, stage: Timer) -> Entry:
        """Return the model as a net, by stages of its own."""


@dataclass(frozen=True)
class Entered:
    """A model that has entered already: it is captured once and converted for several targets."""

    entry: Entry

    def enter(self, stage: Timer) -> Entry:  # noqa: ARG002 - the protocol's
        """Return the entry."""
        return self.entry


def run(
    model: Convertible, request: Request, on_start: OnStart = lambda _: None, on_end: OnEnd = lambda _: None
) -> Conversion:
    """Run all stages, telling `on_start` and `on_end` of each, once it is known that the folder takes files.

    Files that differ from the model are not published: the record then holds the difference and no artifact.
    """
    target = find_target(request.target)
    require_place(request.out)
    conversion = Conversion(target)
    stage = Timer(conversion.stages, on_start, on_end)
    entry = model.enter(stage)
    conversion.notes = entry.notes
    net = conversion.net = stage("simplify", lambda: simplify(entry.net))
    wish, plan = request.preprocessing, None
    if wish is not None:
        net, plan = stage("preprocess", lambda: fed_by_aipp(net, wish, target))
        conversion.plan, conversion.notes = plan, (*entry.notes, *plan.notes)
    net = conversion.net = stage("legalize", lambda: prepared(net, target, request.allow))
    stage("check", lambda: assured(net, target))
    emission = Emission(request.out, request.name, request.source, tuple(map(str, conversion.notes)), plan)
    with reported(request.out), staged(request.out) as folder:
        draft = stage("emit", lambda: write(net, target, emission, folder))
        conversion.notes = (*conversion.notes, *draft.notes)
        if request.samples:
            samples = _samples(entry.net, request.samples, draft.manifest.taken_out)
            conversion.verification = stage("verify", lambda: verify(entry.reference, draft, samples, net))
        if conversion.verification is None or conversion.verification.equal:
            conversion.artifact = published(draft, request.out)
    return conversion


def _samples(net: Net, wanted: int | Iterable[Sample], taken_out: Mapping[str, Normalization]) -> Iterable[Sample]:
    return random_samples(net.inputs, wanted, taken_out=taken_out) if isinstance(wanted, int) else wanted


def fed_by_aipp(net: Net, wish: Preprocessing, target: Target) -> tuple[Net, Plan]:
    """Return the net that AIPP feeds and what AIPP does; raises `PreprocessingError` (P816) for a target without."""
    if not target.compiler:
        raise PreprocessingError(Diagnostic("P816", f"{target.name} has no AIPP: no om is compiled for it"))
    return planned(net, wish, target.socs[0])


def prepared(net: Net, target: Target, allow: Collection[str] = ()) -> Net:
    """Return the net legal for the target, its outputs exposed to every reader, with final names."""
    legal = legalize(name_layers(net), target, allow)
    return name_layers(keep_apart(expose_outputs(legal, target), target))
