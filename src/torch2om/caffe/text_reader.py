"""Text to message: a prototxt read by a field table as TextFormat::Parser reads it by a descriptor.

Our own reader, because protobuf's Python one has no places for unknown fields, recurses without a bound and differs
from the C++ one that judges the file in Caffe, ATC and OpenCV (see tokens.py). The rules in question, measured on
OpenCV 4.14: a field that is not repeated stands once, a message too; `:` may be missing before a message only; lists
in brackets for repeated fields only; one `,` or `;` after a known field; enums by name or by a known number; hex and
octal for integers, never for floats; a required field that is missing refuses the file.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from torch2om.caffe.fields.notation import Field, Table
from torch2om.caffe.literals import number, text_bytes, whole
from torch2om.caffe.tokens import Kind, Token, Tokens, shown

_DEEPEST = 100  # as deep as protobuf reads a binary message by default; the deepest net of a known schema has 6 levels
_CLOSING = {"{": "}", "<": ">"}
_TRUTHS = {"true": True, "True": True, "t": True, "false": False, "False": False, "f": False}
_NOT_FINITE = ("inf", "infinity", "nan")
_RANGES = {
    "int32": range(-(2**31), 2**31),
    "int64": range(-(2**63), 2**63),
    "uint32": range(2**32),
    "uint64": range(2**64),
}


class UnknownField(NamedTuple):
    """A field that the dialect does not know: its place, and its path from the net ("layer[3].pooling_param.foo")."""

    line: int
    column: int
    path: str


class Message(Protocol):
    """What is filled: a protobuf message, or any object with its fields as attributes (lists for repeated ones)."""

    def HasField(self, field_name: str) -> bool:  # noqa: N802 - protobuf's own name
        """Whether the field was given."""

    def SetInParent(self) -> None:  # noqa: N802 - protobuf's own name
        """Count as given, even without fields."""


def read_text(
    text: str, table: Table, message: Message, *, refuse_unknown: bool, owner: str = "NetParameter"
) -> list[UnknownField]:
    """Fill the empty `message` (of the type `owner`) from `text` and return the fields that `table` does not know.

    Raises SyntaxProblem where the C++ parser would, and at an unknown field with `refuse_unknown`.
    """
    reader = _Reader(text, table, refuse_unknown)
    reader.fields(message, owner, "", Token(Kind.END, "", 0))
    return reader.unknown


class _Reader:
    """A descent along the text, no deeper than _DEEPEST."""

    def __init__(self, text: str, table: Table, refuse_unknown: bool) -> None:
        self._tokens = Tokens(text)
        self._table = table
        self._refuse_unknown = refuse_unknown
        self._depth = 0
        self.unknown: list[UnknownField] = []

    def fields(self, message: Message, owner: str, path: str, opening: Token) -> None:
        """Read fields into `message` up to the end that belongs to `opening`; then all required ones must be there."""
        while not self._closed(opening):
            self._field(message, owner, path)
        for field in self._table.messages[owner].values():
            if field.label == "required" and not message.HasField(field.name):
                where = path.removesuffix(".") or owner
                raise self._tokens.problem(f"{where} lacks its required field {field.name}", opening.offset)

    def _closed(self, opening: Token) -> bool:
        if opening.kind is Kind.END:
            return self._tokens.at(Kind.END)
        if self._tokens.at(Kind.END):
            raise self._tokens.problem(f"the {opening.text!r} is never closed", opening.offset)
        return self._tokens.accept(_CLOSING[opening.text])

    def _field(self, message: Message, owner: str, path: str) -> None:
        name = self._tokens.expect(Kind.WORD, "a field name")
        field = self._table.messages[owner].get(name.text)
        if field is None:
            self._note_unknown(name, owner, path)
            self._skip_value()
            return
        if not field.many and message.HasField(field.name):
            raise self._tokens.problem(f"{path}{field.name} is given twice, but is not repeated", name.offset)
        if not self._tokens.accept(":") and field.type not in self._table.messages:
            raise self._tokens.expected(f"':' after {field.name}")
        if field.many and self._tokens.accept("["):
            self._list(message, field, path)
        else:
            self._value(message, field, path)
        self._separator()

    def _list(self, message: Message, field: Field, path: str) -> None:
        if self._tokens.accept("]"):
            return
        self._value(message, field, path)
        while not self._tokens.accept("]"):
            if not self._tokens.accept(","):
                raise self._tokens.expected("',' or ']'")
            self._value(message, field, path)

    def _value(self, message: Message, field: Field, path: str) -> None:
        held = getattr(message, field.name)
        if field.type in self._table.messages:
            inner = f"{path}{field.name}[{len(held)}]" if field.many else f"{path}{field.name}"
            self._message(_opened(message, field), field.type, inner)
        elif field.many:
            held.append(self._scalar(field))
        else:
            setattr(message, field.name, self._scalar(field))

    def _message(self, message: Message, owner: str, path: str) -> None:
        opening = self._open()
        self.fields(message, owner, f"{path}.", opening)
        self._depth -= 1

    def _open(self) -> Token:
        if self._tokens.current.text not in _CLOSING:
            raise self._tokens.expected("'{'")
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._tokens.problem(f"messages nest more than {_DEEPEST} deep")
        return self._tokens.take()

    def _separator(self) -> None:
        if not self._tokens.accept(";"):
            self._tokens.accept(",")

    def _scalar(self, field: Field) -> object:
        if field.type in self._table.enums:
            return self._enum(field)
        match field.type:
            case "string":
                return self._string()
            case "bytes":
                return self._bytes()
            case "bool":
                return self._bool()
            case "float" | "double":
                return self._float()
            case _:
                return self._integer(field, _RANGES[field.type])

    def _bytes(self) -> bytes:
        parts = [self._tokens.expect(Kind.STRING, "a string")]
        while self._tokens.at(Kind.STRING):
            parts.append(self._tokens.take())
        return b"".join(self._unescaped(part) for part in parts)

    def _unescaped(self, token: Token) -> bytes:
        try:
            return text_bytes(token.text)
        except ValueError as problem:
            raise self._tokens.problem(str(problem), token.offset) from problem

    def _string(self) -> str:
        start = self._tokens.current.offset
        data = self._bytes()
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as problem:
            raise self._tokens.problem("the string is not UTF-8", start) from problem

    def _bool(self) -> bool:
        if self._tokens.current.text in _TRUTHS:
            return _TRUTHS[self._tokens.take().text]
        if self._tokens.at(Kind.INTEGER) and whole(self._tokens.current.text) in (0, 1):
            return bool(whole(self._tokens.take().text))
        raise self._tokens.expected("true or false")

    def _float(self) -> float:
        sign = -1.0 if self._tokens.accept("-") else 1.0
        value = number(self._tokens.current.text) if self._is_number() else None
        if value is None:
            raise self._tokens.expected("a decimal number")
        self._tokens.take()
        return sign * value

    def _is_number(self) -> bool:
        token = self._tokens.current
        return token.kind in (Kind.INTEGER, Kind.FLOAT) or token.text.lower() in _NOT_FINITE

    def _integer(self, field: Field, allowed: range) -> int:
        start = self._tokens.current.offset
        sign = "-" if allowed.start < 0 and self._tokens.accept("-") else ""
        token = self._tokens.expect(Kind.INTEGER, "an integer" if allowed.start < 0 else "an integer of at least 0")
        value = whole(sign + token.text)
        if value is None or value not in allowed:
            given = shown(sign + token.text)
            raise self._tokens.problem(f"{field.name} cannot be {given}: not of type {field.type}", start)
        return value

    def _enum(self, field: Field) -> int:
        values = self._table.enums[field.type]
        start = self._tokens.current.offset
        sign = "-" if self._tokens.accept("-") else ""
        if self._tokens.current.kind not in (Kind.WORD, Kind.INTEGER):
            raise self._tokens.expected(f"one of {', '.join(values)}")
        token = self._tokens.take()
        value = values.get(token.text) if token.kind is Kind.WORD else whole(sign + token.text)
        if value is None or value not in values.values():
            given = shown(sign + token.text)
            raise self._tokens.problem(f"{field.name} cannot be {given}: one of {', '.join(values)}", start)
        return value

    def _note_unknown(self, name: Token, owner: str, path: str) -> None:
        if self._refuse_unknown:
            raise self._tokens.problem(f"{owner} has no field {shown(name.text)}", name.offset)
        self.unknown.append(UnknownField(*self._tokens.place(name.offset), path + name.text))

    def _skip_value(self) -> None:
        if not self._tokens.accept(":") or self._tokens.current.text in _CLOSING:
            self._skip_message()
        elif self._tokens.accept("["):
            self._skip_list()
        else:
            self._skip_scalar()

    def _skip_message(self) -> None:
        opening = self._open()
        while not self._closed(opening):
            self._tokens.expect(Kind.WORD, "a field name")
            self._skip_value()
            self._separator()
        self._depth -= 1

    def _skip_list(self) -> None:
        while True:
            if self._tokens.current.text in _CLOSING:
                self._skip_message()
            else:
                self._skip_scalar()
            if self._tokens.accept("]"):
                return
            if not self._tokens.accept(","):
                raise self._tokens.expected("',' or ']'")

    def _skip_scalar(self) -> None:
        if self._tokens.at(Kind.STRING):
            self._bytes()
        elif self._tokens.accept("-") and not self._is_number():
            raise self._tokens.expected("a number")
        elif self._tokens.current.kind in (Kind.WORD, Kind.INTEGER, Kind.FLOAT):
            self._tokens.take()
        else:
            raise self._tokens.expected("a value")


def _opened(message: Message, field: Field) -> Message:
    held = getattr(message, field.name)
    inner: Message = held.add() if field.many else held
    inner.SetInParent()
    return inner
