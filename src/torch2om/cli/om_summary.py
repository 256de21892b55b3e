"""The screen of an om: a section for each thing that a file tells, nothing for what it does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from torch2om.cli import figures
from torch2om.cli.findings import blocks
from torch2om.cli.tables import pairs, table
from torch2om.ir.text import shape_text
from torch2om.om.container import partition_name
from torch2om.om.description import plain
from torch2om.om.provenance import is_kirin
from torch2om.om.weights import CONSTANTS

if TYPE_CHECKING:
    from torch2om.matching import Matching
    from torch2om.matching.ports import PortMatch
    from torch2om.om.aipp import Aipp
    from torch2om.om.definition import Op
    from torch2om.om.ports import Port, Ports
    from torch2om.om.reader import OmFile, OmModel

_LONGEST = 200  # characters of an attribute's value on the screen


def summary(file: Path, om: OmFile, with_attributes: bool) -> RenderableType:
    """Return the whole screen; of a file of several models, each of them."""
    shown: list[RenderableType] = [_headline(file, om), Text(), pairs(_facts(om))]
    for index, model in enumerate(om.models):
        if len(om.models) > 1:
            shown += [Text(), Text(f"model {index + 1} of {len(om.models)}: {model.definition.name}", "bold")]
        shown += _sections(model, with_attributes)
    return Group(*shown)


def _headline(file: Path, om: OmFile) -> Text:
    found = om.root.provenance
    name = om.header.name or om.root.definition.name or file.stem
    return Text.assemble((name, "bold"), f": {found.kind} of {found.generation}, {figures.size(om.size)}")


def _facts(om: OmFile) -> Iterator[tuple[str, str]]:
    """Yield what is known of where the file comes from and what it takes to run it."""
    found = om.root.provenance
    told = {
        "chip": (found.soc or "not told by this generation") + (f" (arch {found.arch})" if found.arch else ""),
        "framework": found.framework,
        "compiler": found.compiler_version,
        "operators": found.operators_version if found.operators_version != found.compiler_version else "",
        "platform": " ".join(filter(None, (found.platform, found.target))),
        "command": found.command,
        "memory": _memory(om.root),
        "parts": _parts(om),
    }
    yield from ((what, said) for what, said in told.items() if said)


def _memory(model: OmModel) -> str:
    memory = model.memory
    sizes = ((memory.work, "of work"), (memory.weights, "of weights"), (memory.zero_copy, "of inputs and outputs"))
    counts = ((memory.streams, "stream"), (memory.events, "event"), (memory.labels, "label"))
    said = [f"{figures.size(size)} {what}" for size, what in sizes if size]
    return ", ".join((*said, *(figures.counted(number, what) for number, what in counts if number)))


def _parts(om: OmFile) -> str:
    kirin = is_kirin(om.header, om.root.definition)
    parts = om.root.parts.partitions
    return ", ".join(f"{partition_name(part.number, kirin=kirin)} {figures.size(part.size)}" for part in parts)


def _sections(model: OmModel, with_attributes: bool) -> list[RenderableType]:
    shown: list[RenderableType] = [_ports("input", model.ports.inputs), _ports("output", model.ports.outputs)]
    if model.ports.gears:
        shown.append(_gears(model.ports))
    shown += [_aipp(each) for each in model.aipp]
    shown.append(_operators(model))
    if with_attributes:
        shown.append(_attributes(model))
    if model.weights:
        shown.append(_weights(model))
    shown.append(pairs(_programs(model)))
    return shown


def _ports(what: str, ports: Iterable[Port]) -> RenderableType:
    shown = table(what, "type", "shape", "layout", "bytes", numbers=("bytes",))
    for port in ports:
        behind = f" (behind AIPP {shape_text(port.model_shape)})" if port.model_shape else ""
        shown.add_row(port.name, port.dtype, shape_text(port.shape) + behind, port.layout, str(port.bytes))
    return shown


def _gears(ports: Ports) -> RenderableType:
    shown = table("gears", "values")
    for kind, gears in ports.gears.items():
        shown.add_row(kind, ", ".join(shape_text(gear) for gear in gears))
    if ports.order:
        shown.add_row("order", ", ".join(ports.order))
    return shown


def _aipp(aipp: Aipp) -> RenderableType:
    what = ", ".join(filter(None, (aipp.mode, aipp.input_format)))
    settings = ", ".join(f"{key} {_short(value)}" for key, value in aipp.settings.items())
    notes = (settings, *aipp.inputs, *aipp.outputs)
    return Group(Text(), Text.assemble(("AIPP", "bold"), f" of {aipp.op}: {what}"), *_indented(notes))


def _indented(lines: Iterable[str]) -> Iterator[RenderableType]:
    return (Padding(Text(line), (0, 0, 0, 2), expand=False) for line in lines if line)


def _short(value: object) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _operators(model: OmModel) -> RenderableType:
    """Return every operator but the constants, which are among the weights."""
    shown = table("operator", "type", "makes", "numbers", "layout", "layers of the source")
    for op in _computing(model):
        names = op.original_names
        shown.add_row(op.name, op.type, *_made(op), "" if names == (op.name,) else ", ".join(names))
    return shown


def _attributes(model: OmModel) -> RenderableType:
    shown: list[RenderableType] = []
    for op in _computing(model):
        shown += [Text(op.name, "bold")]
        shown += _indented(f"{name} = {_short(plain(op.attributes[name]))}" for name in sorted(op.attributes))
    return Group(*shown)


def _computing(model: OmModel) -> Iterator[Op]:
    return (op for op in model.definition.all_ops() if op.type not in CONSTANTS)


def _made(op: Op) -> tuple[str, str, str]:
    """Return shape, type and layout of what an operator makes; of several tops each."""
    descs = op.output_descs
    columns = (
        [shape_text(desc.shape) for desc in descs],
        [desc.dtype for desc in descs],
        [desc.layout for desc in descs],
    )
    shapes, dtypes, layouts = ("\n".join(column) for column in columns)
    return shapes, dtypes, layouts


def _weights(model: OmModel) -> RenderableType:
    shown = table("weight", "type", "shape", "axes", "layout", "bytes", "read by", numbers=("bytes",))
    for weight in model.weights:
        data = (weight.dtype, shape_text(weight.shape), weight.axes, weight.layout, str(len(weight.data)))
        shown.add_row(weight.name, *data, model.readers.get(weight.name, ""))
    return shown


def _programs(model: OmModel) -> Iterator[tuple[str, str]]:
    tasks = model.tasks
    if tasks.unread:
        yield "tasks", f"not read: {tasks.unread}"
    elif tasks.tasks:
        counts = ", ".join(f"{number} {kind}" for kind, number in Counter(tasks.types).most_common())
        yield "tasks", f"{counts}; {tasks.on_ai_cpu or 'none'} on the AI CPU"
    if model.kernels:
        total = sum(kernel.bytes for kernel in model.kernels)
        yield "kernels", f"{figures.counted(len(model.kernels), 'program')} of {figures.size(total)}"
    if model.external_weights:
        yield "external", f"weights in files beside the om: {', '.join(model.external_weights)}"


def matching(name: str, file: Path, found: Matching) -> RenderableType:
    """Return the screen of a comparison of an om with files."""
    said = ("holds these files", "bold green") if found.equal else ("is not proved to hold these files", "bold red")
    headline = Text.assemble((file.name, "bold"), f" for {name}: ", said)
    shown: list[RenderableType] = [headline, _matched_ports(found.ports)]
    shown += [Text(line) for line in _matched_weights(found)]
    return Group(*shown, blocks(found.diagnostics))


def _matched_ports(ports: Iterable[PortMatch]) -> RenderableType:
    shown = table("files", "shape", "om", "shape there", "type", "")
    for each in ports:
        port = each.port
        there = ("", "", "") if port is None else (port.name, shape_text(port.shape), port.dtype)
        verdict = Text("differs", "bold red") if each.problems else Text("; ".join(each.notes) or "equal")
        shown.add_row(f"{each.kind} {each.name}", shape_text(each.shape), *there, verdict)
    return shown


def _matched_weights(found: Matching) -> Iterator[str]:
    states = Counter(str(each.state) for each in found.weights)
    counts = ", ".join(f"{number} {state}" for state, number in states.items())
    yield f"weights  {counts or 'none in the files'}"
    ways = Counter(each.how for each in found.weights if each.state == "equal" and not each.host)
    if ways:
        yield f"how      {'; '.join(f'{number} {how}' for how, number in ways.most_common())}"
    if found.unexplained:
        own = figures.counted(len(found.unexplained), "constant")
        yield f"besides  {own} in the om that no layer of the files explains: {', '.join(found.unexplained)}"
