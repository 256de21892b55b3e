"""Nested values as PyTorch models take and return them, as a flat list of leaves with their places."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Tree = Any  # any nesting of tuples, lists, dicts and dataclasses


class Leaf(NamedTuple):
    """A leaf: how Python reaches it (`['out'][0].x`), the keys on the way, whether one of them is a name, the value."""

    place: str
    keys: tuple[str, ...]
    named: bool
    value: object

    @property
    def name(self) -> str:
        """The keys joined by dots, or nothing if they are positions only."""
        return ".".join(self.keys) if self.named else ""


def leaves(tree: Tree) -> Iterator[Leaf]:
    """Yield the leaves in order: dict items, fields of dataclasses and named tuples, elements of lists and tuples."""
    return _walk(Leaf("", (), named=False, value=tree))


def _walk(at: Leaf) -> Iterator[Leaf]:
    children = list(_children(at.value))
    if not children and not _is_container(at.value):
        yield at
    for place, key, named, value in children:
        yield from _walk(Leaf(at.place + place, (*at.keys, key), at.named or named, value))


def _is_container(value: Tree) -> bool:
    return isinstance(value, Mapping | list | tuple) or _is_record(value)


def _is_record(value: Tree) -> bool:
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def _children(value: Tree) -> Iterator[tuple[str, str, bool, Tree]]:
    """Yield (place, key, whether the key is a name, value) of a container's parts; nothing for a leaf.

    A dataclass that is a dict as well (a transformers output) is read as the dataclass.
    """
    if _is_record(value):
        names = [field.name for field in dataclasses.fields(value)]
        yield from ((f".{name}", name, True, getattr(value, name)) for name in names)
    elif isinstance(value, Mapping):
        yield from ((f"[{key!r}]", str(key), True, item) for key, item in value.items())
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        yield from ((f".{name}", name, True, item) for name, item in zip(value._fields, value, strict=True))
    elif isinstance(value, list | tuple):
        yield from ((f"[{index}]", str(index), False, item) for index, item in enumerate(value))
