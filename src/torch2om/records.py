"""Records (dataclasses of texts, numbers and records) as JSON that people can read, and back, every type checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import StrEnum
from functools import cache
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints


def json_text(record: Any) -> str:  # Any: any dataclass
    """Return a record as JSON text: a line for each field, and for each item of a field's list."""
    lines = (f' "{item.name}": {_spread(getattr(record, item.name))}' for item in fields(record))
    return "{\n" + ",\n".join(lines) + "\n}\n"


def json_line(record: Any) -> str:  # Any: any dataclass
    """Return a record as JSON on one line."""
    return _JSON.encode(record)


def _plain(value: object) -> Mapping[str, object]:
    """Return a record as JSON knows it, without the copies that dataclasses.asdict makes."""
    if isinstance(value, Mapping):
        return dict(value)
    if is_dataclass(value):
        return {item.name: getattr(value, item.name) for item in fields(value)}
    raise TypeError(f"{value!r} has no JSON form")


_JSON = json.JSONEncoder(default=_plain, ensure_ascii=False)


def _spread(value: object) -> str:
    """Return a value as JSON, a list with each item on a line of its own."""
    if not isinstance(value, tuple) or not value:
        return _JSON.encode(value)
    return "[\n" + ",\n".join(f"  {_JSON.encode(item)}" for item in value) + "\n ]"


def typed(kind: Any, value: object) -> Any:  # Any: a type as an annotation has it, and a value of that type
    """Return parsed JSON as a value of a field's type.

    The type is a record, a tuple, a mapping of texts, a text, a number, a StrEnum, or one of these `| None`.
    Raises ValueError or TypeError where it is none.
    """
    if is_dataclass(kind) and isinstance(kind, type) and isinstance(value, dict):
        types = _field_types(kind)
        return kind(**{name: typed(types.get(name), item) for name, item in value.items()})
    origin, inner = get_origin(kind), get_args(kind)
    if origin is UnionType:
        return None if value is None else typed(inner[0], value)
    if origin is tuple and isinstance(value, list):
        return tuple(typed(inner[0], item) for item in value)
    if origin is Mapping and isinstance(value, dict):
        return {name: typed(inner[1], item) for name, item in value.items()}
    return _scalar(kind, value)


def _scalar(kind: Any, value: object) -> Any:  # Any: as above
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return kind(str(value))
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise ValueError(f"{str(value)[:40]!r} is not of the type that its place needs")
    return value


@cache
def _field_types(kind: type) -> Mapping[str, Any]:  # Any: as above
    return get_type_hints(kind)
