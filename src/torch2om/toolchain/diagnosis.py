"""From a compiler's log to diagnostics: each code with its cause and remedy, at the layer and the user's line.

Blocks are `E10016: [PID: 1] TIME message` (older: without PID and time) and the indented lines below. Where a block
names an op, it is the Caffe layer of that name, or several that the compiler fused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from torch2om.errors import Diagnostic, Severity
from torch2om.origin import NOWHERE, Origin
from torch2om.toolchain.failures import FAILED, SYMPTOMS, failure

_CODE = re.compile(r"^\s*(?P<code>E[A-Z0-9]\d{4}|W\d{5})\b\s*:?\s*(?P<text>.*)$")
_STAMP = re.compile(r"^\[PID: ?\d+\]\s*|^\d{4}-\d\d-\d\d-[\d:.]+\s*")
_OMG = re.compile(r'^\[ERROR\]\s*\w+:\S+\s+\S+:\d+:\s*"?(?P<text>.*?)"?\s*$')
_OPS = re.compile(
    r"\[(?P<listed>[^\[\]]+)|'(?P<quoted>[^']+)'|\"(?P<double>[^\"]+)\"|"
    r"(?:\bname\s*[:=]\s*|\b(?:op|node|layer|opname)\s*[:= ]\s*(?!name\b))(?P<word>[A-Za-z0-9./_-]+)",
    re.IGNORECASE,
)
_TRACE = 12  # lines of a block that are shown
_LONGEST = 1000  # characters of a name that is looked up


@dataclass(frozen=True)
class Block:
    """One failure in a log: its code (empty: none), its first line, and the lines below it."""

    code: str
    text: str
    below: tuple[str, ...] = ()

    @property
    def whole(self) -> str:
        """All its lines."""
        return "\n".join((self.text, *self.below))


def diagnose(lines: Sequence[str], origins: Mapping[str, Origin]) -> tuple[Diagnostic, ...]:
    """Return what a log says, errors and warnings, in its order; `origins` maps each layer to its place in PyTorch."""
    blocks = (*_coded(lines), *_symptoms(lines), *_of_omg(lines))
    found = dict.fromkeys(_diagnostic(block, origins) for block in blocks)
    return tuple(found)


def says_failed(lines: Iterable[str]) -> bool:
    """Whether a log says that the compiler failed, in the words of any generation."""
    return any(text in line for line in lines for text in FAILED)


def _coded(lines: Sequence[str]) -> Iterator[Block]:
    """Yield the blocks with a code; a block ends where the next begins, or at a line that is not indented."""
    block: Block | None = None
    for line in lines:
        match = _CODE.match(line)
        if match:
            yield from [block] if block else []
            block = Block(match["code"], _without_stamp(match["text"]))
        elif block and not block.text:
            block = replace(block, text=line.strip())
        elif block and (line.startswith((" ", "\t")) and line.strip()):
            block = replace(block, below=(*block.below, line.strip()))
        elif block:
            yield block
            block = None
    yield from [block] if block else []


def _without_stamp(text: str) -> str:
    return _STAMP.sub("", _STAMP.sub("", text.strip()))


def _symptoms(lines: Sequence[str]) -> Iterator[Block]:
    text = "\n".join(lines)
    told: set[str] = set()
    for symptom in SYMPTOMS:
        match = re.search(symptom.pattern, text)
        if match:
            line = text[text.rfind("\n", 0, match.start()) + 1 : (text + "\n").index("\n", match.end())]
            if line not in told:
                told.add(line)
                yield Block("", line.strip(), (symptom.cause, symptom.remedy))


def _of_omg(lines: Sequence[str]) -> Iterator[Block]:
    """Yield omg's own error lines; the first says what, the ones after it only hand the failure on."""
    for line in lines:
        match = _OMG.match(line)
        if match:
            yield Block("FMK", match["text"])
            return


def _diagnostic(block: Block, origins: Mapping[str, Origin]) -> Diagnostic:
    layers = tuple(named_layers(block.whole, origins))
    place = {"origin": origins.get(layers[0], NOWHERE) if layers else NOWHERE, "layer": ", ".join(layers)}
    if not block.code:
        cause, remedy = block.below
        return Diagnostic("K903", block.text, **place, hint=remedy, details=(cause,))  # type: ignore[arg-type]  # str and Origin by name
    if block.code == "FMK":
        return Diagnostic("K903", f"omg: {block.text}", **place, source="omg's log")  # type: ignore[arg-type]
    known = failure(block.code)
    return Diagnostic(
        "K903",
        f"{block.code}: {block.text or known.cause}",
        **place,  # type: ignore[arg-type]
        hint=known.remedy,
        source=known.source,
        severity=Severity.WARNING if block.code.startswith("W") else Severity.ERROR,
        details=(known.cause, *block.below[:_TRACE]),
    )


def named_layers(text: str, layers: Mapping[str, Origin]) -> Iterator[str]:
    """Yield the layers that a text names as ops: alone, in a list, or fused into one name, each once."""
    seen: set[str] = set()
    for match in _OPS.finditer(text):
        for word in re.split(r"[\s,;:]+", next(filter(None, match.groups()), "")):
            for layer in _layers_of(word.strip(".'\""), layers):
                if layer not in seen:
                    seen.add(layer)
                    yield layer


def _layers_of(word: str, layers: Mapping[str, Origin]) -> tuple[str, ...]:
    """Return the layers that a word is the name of: one, or several written one after the other (`conv1relu1`)."""
    found: list[str] = []
    rest = word[:_LONGEST]
    while rest:
        name = next((rest[:end] for end in range(len(rest), 0, -1) if rest[:end] in layers), None)
        if name is None:
            return ()
        found.append(name)
        rest = rest[len(name) :].lstrip("_+")
    return tuple(found)
