"""Reads an om: recognizes it, takes its parts apart, and gives them as typed, frozen records."""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from torch2om.errors import Diagnostic, OmFileError, UsageError
from torch2om.om.aipp import Aipp, read_aipp
from torch2om.om.container import Kind, Parts, read_parts
from torch2om.om.decoding import read_definition
from torch2om.om.definition import Definition
from torch2om.om.header import Header, read_header
from torch2om.om.kernels import Kernel, read_kernels
from torch2om.om.ports import Ports, read_ports
from torch2om.om.provenance import Memory, Provenance, is_kirin, read_memory, read_provenance
from torch2om.om.recognition import refuse_other_kinds, refuse_unreadable
from torch2om.om.tasks import KIRIN_TASKS, Tasks, read_tasks
from torch2om.om.weights import EXTERNAL, Weight, read_weights
from torch2om.wire import WireProblem


@dataclass(frozen=True)
class OmModel:
    """One model of a file: a static om has one, a dynamic one may have several, the root first."""

    parts: Parts = field(repr=False)
    definition: Definition = field(repr=False)
    ports: Ports
    aipp: tuple[Aipp, ...]
    weights: tuple[Weight, ...] = field(repr=False)
    tasks: Tasks = field(repr=False)
    kernels: tuple[Kernel, ...] = field(repr=False)
    provenance: Provenance
    memory: Memory

    @cached_property
    def readers(self) -> Mapping[str, str]:
        """Weight -> `OPERATOR input K`, the first operator that reads it; one that nobody reads is not among them."""
        constants = {weight.name for weight in self.weights}
        found: dict[str, str] = {}
        for op in self.definition.all_ops():
            for place, source in enumerate(op.inputs):
                name = source.rpartition(":")[0]
                if name in constants:
                    found.setdefault(name, f"{op.name} input {place}")
        return found

    @property
    def external_weights(self) -> tuple[str, ...]:
        """The weights that stand in files beside the om."""
        return tuple(op.name for op in self.definition.all_ops() if op.type == EXTERNAL)


@dataclass(frozen=True)
class OmFile:
    """A whole file. The weights' bytes are views of it: they are read from the disk when somebody asks for them."""

    size: int
    header: Header
    models: tuple[OmModel, ...]

    @property
    def root(self) -> OmModel:
        """The model that is called."""
        return self.models[0]


def read_om(path: Path) -> OmFile:
    """Return what a file holds. Its bytes are mapped, not copied: do not change the file while it is in use.

    Raises `UsageError` (U133) and, as `parse_om` does, `OmFileError`.
    """
    try:
        content = _mapped(path)
    except OSError as error:
        raise UsageError(Diagnostic("U133", f"{path}: {error.strerror}")) from error
    with _about(str(path)):
        return parse_om(content)


def _mapped(path: Path) -> memoryview:
    with path.open("rb") as stream:
        if not path.stat().st_size:
            return memoryview(b"")
        return memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))


def parse_om(content: bytes | memoryview) -> OmFile:
    """Return what the bytes of an om hold.

    Raises `OmFileError` with what the file is instead (O801 to O807), or where it is damaged (O808).
    """
    data = memoryview(content).toreadonly()
    refuse_other_kinds(data)
    header = read_header(data)
    refuse_unreadable(header, len(data))
    try:
        models = tuple(_model(parts, header) for parts in read_parts(data, header))
    except WireProblem as problem:
        raise OmFileError(Diagnostic("O808", str(problem))) from problem
    return OmFile(len(data), header, models)


def _model(parts: Parts, header: Header) -> OmModel:
    model = parts.of(Kind.MODEL_DEF)
    if model is None:
        raise WireProblem(0, "there is no model definition in it")
    definition = read_definition(model)
    kirin = is_kirin(header, definition)
    return OmModel(
        parts=parts,
        definition=definition,
        ports=read_ports(parts.of(Kind.MODEL_INOUT_INFO), definition),
        aipp=read_aipp(definition),
        weights=read_weights(definition.all_ops(), parts.of(Kind.WEIGHTS_DATA)),
        tasks=_kirin_tasks(parts) if kirin else read_tasks(parts.of(Kind.TASK_INFO)),
        kernels=() if kirin else read_kernels(parts),
        provenance=read_provenance(header, definition),
        memory=read_memory(definition),
    )


def _kirin_tasks(parts: Parts) -> Tasks:
    return Tasks(unread=KIRIN_TASKS if parts.of(Kind.TASK_INFO) else "")


@contextmanager
def _about(file: str) -> Iterator[None]:
    """Name the file in what is said about it."""
    try:
        yield
    except OmFileError as error:
        (found,) = error.diagnostics
        raise OmFileError(replace(found, message=f"{file}: {found.message}")) from error
