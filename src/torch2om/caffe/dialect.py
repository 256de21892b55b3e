"""The dialects of Caffe's file formats: one name for each reader that spells things its own way."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

Dialect = Literal["caffe", "ascend", "omg", "opencv", "any"]
"""`caffe` is BVLC's, `ascend` is ATC's, `omg` that of its predecessor, `opencv` is OpenCV 4's, `any` the union that our
reader takes."""

_PARENTS: Mapping[Dialect, Dialect] = MappingProxyType({"omg": "ascend"})


def lineage(dialect: Dialect) -> tuple[Dialect, ...]:
    """Return the dialect and the one that it is a form of: what holds for that holds for it, if it says nothing."""
    parent = _PARENTS.get(dialect)
    return (dialect,) if parent is None else (dialect, parent)
