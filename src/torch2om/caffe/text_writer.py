"""Message to text: the prototxt of a message, as Caffe itself prints one.

Fields stand in the order of their numbers, one a line, two spaces deeper per message; a repeated field repeats its
name; enums by name; a float is the shortest text that reads back as the same value.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator

from google.protobuf.message import Message

from torch2om.caffe.fields.notation import Field, Table

_INDENT = "  "
_ESCAPES = {ord("\n"): r"\n", ord("\r"): r"\r", ord("\t"): r"\t", ord('"'): r"\"", ord("\\"): r"\\"}
_ESCAPES |= {code: f"\\{code:03o}" for code in (*range(0x20), 0x7F) if code not in _ESCAPES}


def write_text(message: Message, table: Table) -> str:
    """Return the prototxt of `message`, whose class is one of `table`'s; "" if nothing is set."""
    return "".join(f"{line}\n" for line in _lines(message, table, ""))


def _lines(message: Message, table: Table, indent: str) -> Iterator[str]:
    fields = table.messages[message.DESCRIPTOR.name]
    for described, value in message.ListFields():
        field = fields[described.name]
        for item in value if field.many else (value,):
            if field.type in table.messages:
                yield f"{indent}{field.name} {{"
                yield from _lines(item, table, indent + _INDENT)
                yield f"{indent}}}"
            else:
                yield f"{indent}{field.name}: {_scalar(item, field, table)}"


def _scalar(value: str | bytes | bool | float, field: Field, table: Table) -> str:
    if field.type in table.enums:
        return next(name for name, number in table.enums[field.type].items() if number == value)
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{value.translate(_ESCAPES)}"'
        case bytes():
            return f'"{"".join(_byte(byte) for byte in value)}"'
        case float():
            return _shortest(value, "f" if field.type == "float" else "d")
        case _:
            return str(value)


def _byte(byte: int) -> str:
    return f"\\{byte:03o}" if byte >= 0x80 else chr(byte).translate(_ESCAPES)


def _shortest(value: float, width: str) -> str:
    """Return the shortest text that reads back as `value` at its width: 0.1, 1, 1e-05, 38485688, inf, nan."""
    if math.isnan(value):
        return "nan"
    texts = (f"{value:.{digits}g}" for digits in (range(6, 10) if width == "f" else range(15, 18)))
    exact = struct.pack(width, value)
    return min((text for text in texts if struct.pack(width, float(text)) == exact), key=len)
