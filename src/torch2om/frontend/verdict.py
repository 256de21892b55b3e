"""What is found about a file, and the judgement that it comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from torch2om.errors import Diagnostic, Severity
from torch2om.ir.op import Shape
from torch2om.origin import Origin


class Stage(StrEnum):
    """Where ATC stops: reading the prototxt, the caffemodel, naming the outputs, verifying and inferring shapes."""

    MODEL = "model"
    WEIGHTS = "weights"
    OUT = "out"
    INFERSHAPE = "infershape"


_INNER_ERROR = "E19999"
_TELLING = (Stage.MODEL, Stage.WEIGHTS, Stage.INFERSHAPE)  # stages that print E19999 where a rule prints nothing


@dataclass(frozen=True)
class Judgement:
    """ATC's verdict on a prototxt and a caffemodel.

    `stage` is where it stopped, None if it accepts. `outputs` are the net's outputs as "layer:index" with the dims
    that ATC infers, in its order, and `tops` the names of the blobs there; both are empty unless it accepts. `codes`
    are the error codes that ATC prints. Warnings among the findings do not count against the file: the front end takes
    it, but what they name goes wrong later.
    """

    stage: Stage | None
    findings: tuple[Diagnostic, ...]
    outputs: Mapping[str, Shape] = field(default_factory=dict)
    tops: Mapping[str, str] = field(default_factory=dict)
    codes: tuple[str, ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether the front end takes the files."""
        return self.stage is None


@dataclass
class Findings:
    """Collects diagnostics and ATC's codes; knows the line that each layer begins at."""

    file: str = ""
    lines: Mapping[str, int] = field(default_factory=dict)
    found: list[Diagnostic] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)

    @property
    def refused(self) -> bool:
        """Whether something was found that ATC refuses."""
        return any(diagnostic.severity is Severity.ERROR for diagnostic in self.found)

    def refuse(self, code: str, text: str, source: str, *, layer: str = "", atc: str = "") -> None:
        """Note what ATC refuses, with its own error code."""
        self.found.append(
            Diagnostic(
                code,
                text,
                origin=self._origin(layer),
                layer=layer,
                source=f"{source} ({atc})" if atc else source,
            )
        )
        if atc and atc not in self.codes:
            self.codes.append(atc)

    def warn(self, code: str, text: str, source: str, *, layer: str = "", hint: str = "") -> None:
        """Note what ATC's front end takes and what then goes wrong."""
        origin = self._origin(layer)
        self.found.append(
            Diagnostic(code, text, origin=origin, layer=layer, hint=hint, source=source, severity=Severity.WARNING)
        )

    def judgement(
        self, stage: Stage | None, outputs: Mapping[str, Shape] | None = None, tops: Mapping[str, str] | None = None
    ) -> Judgement:
        """Return the judgement with everything found, errors first."""
        ordered = sorted(self.found, key=lambda diagnostic: list(Severity).index(diagnostic.severity))
        codes = tuple(self.codes) or ((_INNER_ERROR,) if stage in _TELLING else ())
        return Judgement(stage, tuple(ordered), outputs or {}, tops or {}, codes)

    def _origin(self, layer: str) -> Origin:
        return Origin(file=self.file, line=self.lines.get(layer, 0)) if self.file else Origin()
