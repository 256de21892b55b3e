"""Every way in which torch2om says no: one diagnostic type, one exception tree, one table of codes.

The exceptions::

    Torch2omError              base: carries one or more diagnostics, prints them all
    ├── UsageError             the request itself is wrong: a file, a name, an option
    ├── CaptureError           the PyTorch model cannot be captured as a static graph
    ├── LoweringError          an operation has no meaning in Caffe's layers
    ├── LegalityError          the target cannot express a layer
    ├── CaffeFileError         a prototxt or caffemodel is broken or unknown
    ├── OmFileError            an om is broken, encrypted or another kind of file
    ├── PreprocessingError     AIPP cannot do what is asked, or its file is broken
    ├── EmitError              the files cannot be written
    ├── VerificationError      the written files do not compute what PyTorch computes
    ├── DeviceError            what a device computes, or would compute, cannot be compared
    └── CompileError           the vendor's compiler makes no om of the files

A stage collects all its problems and raises once (`Problems`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum

from torch2om.codes import CODES
from torch2om.origin import NOWHERE, Origin

_MOST_MODULES = 6  # that are named of those that have the same problem


class Severity(StrEnum):
    """How much a diagnostic weighs: an error refuses, a warning tells what would go wrong, a note informs."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Diagnostic:
    """One problem: what is wrong, where, why (the source), and what to do.

    `code` is a key of `codes.CODES`; `layer` is the Caffe layer concerned; `source` cites who says so;
    `details` are further sentences, printed indented (each rule's refusal, say).
    """

    code: str
    message: str
    origin: Origin = NOWHERE
    layer: str = ""
    hint: str = ""
    source: str = ""
    severity: Severity = Severity.ERROR
    details: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise ValueError(f"unknown diagnostic code {self.code!r}")

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def record(self) -> dict[str, object]:
        """Return the diagnostic as a JSON object."""
        origin = self.origin
        return {
            "code": self.code,
            "severity": str(self.severity),
            "layer": self.layer,
            "message": self.message,
            "source": self.source,
            "hint": self.hint,
            "details": self.details,
            "file": origin.file,
            "line": origin.line,
            "text": origin.code,
            "module": origin.module,
        }

    def lines(self) -> Iterator[str]:
        """Yield the text as printed: the sentence first, then the place, the reasons and the hint."""
        place = f" [{self.layer}]" if self.layer else ""
        yield f"{self.severity} {self.code}{place}: {self.message}"
        if self.origin.place:
            yield f"  at {self.origin.place}" + (f": {self.origin.code}" if self.origin.code else "")
        for detail in self.details:
            yield f"  - {detail}"
        if self.source:
            yield f"  source: {self.source}"
        if self.hint:
            yield f"  hint: {self.hint}"


class Torch2omError(Exception):
    """One or more diagnostics that stop the run."""

    def __init__(self, diagnostics: Iterable[Diagnostic] | Diagnostic) -> None:
        given = (diagnostics,) if isinstance(diagnostics, Diagnostic) else tuple(diagnostics)
        if not given:
            raise ValueError("an error needs at least one diagnostic")
        self.diagnostics = given
        super().__init__("\n".join(str(d) for d in given))


class UsageError(Torch2omError):
    """The request itself is wrong: a file, a name or an option."""


class CaptureError(Torch2omError):
    """The PyTorch model cannot be captured as a static graph."""


class LoweringError(Torch2omError):
    """An operation has no meaning in Caffe's layers."""


class LegalityError(Torch2omError):
    """The target cannot express a layer."""


class CaffeFileError(Torch2omError):
    """A prototxt or caffemodel is broken or unknown."""


class OmFileError(Torch2omError):
    """An om is broken, encrypted or another kind of file."""


class PreprocessingError(Torch2omError):
    """AIPP cannot do what is asked, or its configuration file is broken."""


class EmitError(Torch2omError):
    """The files cannot be written."""


class VerificationError(Torch2omError):
    """The written files do not compute what PyTorch computes."""


class DeviceError(Torch2omError):
    """What a device computes, or would compute in half precision, cannot be compared."""


class CompileError(Torch2omError):
    """The vendor's compiler makes no om of the files."""


@dataclass
class Problems:
    """Collects diagnostics; `raise_as` raises them all at once if one of them is an error.

    A problem that a line of the user's has many times (a layer called in a loop, a block of many) is told once.
    """

    found: list[Diagnostic] = field(default_factory=list)

    def add(self, diagnostic: Diagnostic) -> None:
        """Remember one diagnostic; the same problem at the same place is kept once."""
        if diagnostic not in self.found:
            self.found.append(diagnostic)

    def raise_as(self, error: type[Torch2omError]) -> None:
        """Raise `error` with everything found, errors first, if there is at least one error."""
        if any(d.severity is Severity.ERROR for d in self.found):
            raise error(sorted(_told_once(self.found), key=lambda d: list(Severity).index(d.severity)))


def _told_once(found: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    """Yield the first diagnostic of each problem and line, with a sentence about the others."""
    groups: dict[Diagnostic, list[Diagnostic]] = {}
    for diagnostic in found:
        origin = diagnostic.origin
        alike = replace(diagnostic, origin=Origin(file=origin.file, line=origin.line)) if origin.line else diagnostic
        groups.setdefault(alike, []).append(diagnostic)
    for first, *others in groups.values():
        modules = dict.fromkeys(other.origin.module for other in others if other.origin.module != first.origin.module)
        named = [*modules][:_MOST_MODULES] + ["..."] * (len(modules) > _MOST_MODULES)
        where = f", in {', '.join(named)}" if modules else ""
        more = f"the same {len(others)} {'time' if len(others) == 1 else 'times'} more from this line{where}"
        yield replace(first, details=(*first.details, more)) if others else first


class Refuse(Exception):  # noqa: N818 - it is an imperative, raised by rules and lowerings to say why not
    """A lowering or a rule says why it does not apply; the driver turns it into a diagnostic at the user's line.

    `code` overrides the driver's default code; `hint` says what the user can do instead.
    """

    def __init__(self, reason: str, *, hint: str = "", code: str = "", source: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint
        self.code = code
        self.source = source

    def diagnostic(self, default_code: str, origin: Origin, layer: str = "") -> Diagnostic:
        """Return the refusal as a diagnostic at `origin`."""
        return Diagnostic(
            self.code or default_code, self.reason, origin=origin, layer=layer, hint=self.hint, source=self.source
        )
