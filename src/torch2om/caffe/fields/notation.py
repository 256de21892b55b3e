"""`number name type=default`: the spelling of a Caffe message's fields in one line, and the tables made of such lines.

    "1 num_output uint32, 3 pad uint32*, 13 round_mode .RoundMode=CEIL"

A type may be a protobuf scalar, a message or an enum; one that begins with a dot is an enum of the same message.
After the type: `*` repeated, `#` repeated and packed, `!` required; none of them, optional. Number 0 stands for "the
sources do not agree on a number": only a union may hold such a field, and it gives it a private number.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Literal

Label = Literal["optional", "required", "repeated", "packed"]

_FIELD = re.compile(r"(?P<number>\d+) (?P<name>\w+) (?P<type>[\w.]+)(?P<mark>[*#!]?)(?:=(?P<default>\S*))?")
_LABELS: Mapping[str, Label] = {"": "optional", "!": "required", "*": "repeated", "#": "packed"}
_PRIVATE = 100_000_000  # beyond every number in use (the highest is OpenCV's roi_pooling_param, 8266711)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message: its number on the wire, its name in text, its type, label and default."""

    number: int
    name: str
    type: str
    label: Label
    default: str | None

    @property
    def many(self) -> bool:
        """Whether the field may be given more than once."""
        return self.label in ("repeated", "packed")


@dataclass(frozen=True, slots=True)
class Table:
    """The messages and enums of a schema, or what one schema adds to another and lacks of it (`without`)."""

    messages: Mapping[str, Mapping[str, Field]]
    enums: Mapping[str, Mapping[str, int]]
    without: tuple[str, ...] = ()

    def extended(self, delta: "Table") -> "Table":
        """Return self minus `delta.without`, plus what `delta` adds or spells differently."""
        messages = {
            name: {key: field for key, field in fields.items() if f"{name}.{key}" not in delta.without}
            for name, fields in self.messages.items()
            if name not in delta.without
        }
        for name, fields in delta.messages.items():
            messages[name] = {**messages.get(name, {}), **fields}
        enums = {name: values for name, values in self.enums.items() if name not in delta.without}
        for name, values in delta.enums.items():
            enums[name] = {**enums.get(name, {}), **values}
        return Table(messages, enums)


def table(messages: Mapping[str, str], enums: Mapping[str, str], without: tuple[str, ...] = ()) -> Table:
    """Read the one-line spellings of a schema's messages and enums."""
    return Table(
        {name: {field.name: field for field in _fields(name, line)} for name, line in messages.items()},
        {
            name: {value: int(number) for number, value in map(str.split, line.split(", "))}
            for name, line in enums.items()
        },
        without,
    )


def _fields(message: str, line: str) -> Iterable[Field]:
    for spelling in filter(None, line.split(", ")):
        found = _FIELD.fullmatch(spelling)
        if found is None:
            raise ValueError(f"{message}: {spelling!r} is not `number name type=default`")
        kind = found["type"]
        kind = message + kind if kind.startswith(".") else kind
        yield Field(int(found["number"]), found["name"], kind, _LABELS[found["mark"]], found["default"])


def union(tables: Sequence[Table], types: Mapping[str, str]) -> Table:
    """Every field that any of `tables` has, under its name; where they disagree, what reads the files of all of them.

    A field is repeated if it is so anywhere, and required, or with a default, only where all agree. Fields whose types
    differ need a line in `types` ("Message.field": type). The first table keeps its numbers; a later field whose number
    is taken gets a private one, so a union reads text, but of binary messages only the fields of the first table.
    """
    messages = {
        name: _numbered(
            _merged(name, [t.messages[name] for t in tables if name in t.messages], types),
        )
        for name in _names(t.messages for t in tables)
    }
    enums: dict[str, dict[str, int]] = {}
    for one in tables:
        for name, values in one.enums.items():
            enums[name] = {**enums.get(name, {}), **values}
    return Table(messages, enums)


def _names(mappings: Iterable[Mapping[str, object]]) -> list[str]:
    return list(dict.fromkeys(name for mapping in mappings for name in mapping))


def _merged(message: str, variants: Sequence[Mapping[str, Field]], types: Mapping[str, str]) -> list[Field]:
    return [
        _agreed(f"{message}.{name}", [v[name] for v in variants if name in v], types.get(f"{message}.{name}"))
        for name in _names(variants)
    ]


def _agreed(path: str, variants: Sequence[Field], type_: str | None) -> Field:
    kinds = {field.type for field in variants}
    if type_ is None and len(kinds) > 1:
        raise ValueError(f"{path} is {' or '.join(sorted(kinds))}: choose one for the union")
    many = [field.label for field in variants if field.many]
    label: Label = many[0] if many else "required" if all(f.label == "required" for f in variants) else "optional"
    defaults = {field.default for field in variants}
    default = defaults.pop() if len(defaults) == 1 and not many else None
    return replace(variants[0], type=type_ or variants[0].type, label=label, default=default)


def _numbered(fields: Iterable[Field]) -> Mapping[str, Field]:
    private = count(_PRIVATE)
    taken: set[int] = {0}
    numbered = {}
    for field in fields:
        number = next(private) if field.number in taken else field.number
        taken.add(number)
        numbered[field.name] = replace(field, number=number)
    return numbered
