"""How an op's field is written in a prototxt: data on the dataclass field, read by `caffe/` alone.

A field without a spelling is written under its own name. The writer leaves out a value that equals the schema's
default, unless `always` is set (a reader that wants the field even then: ATC's required attributes).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field
from types import MappingProxyType
from typing import Any

KEY = "spelling"
_NO_DIALECTS: Mapping[str, Spelling] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Spelling:
    """One proto field of the op's message: a scalar, an enumerator (a StrEnum's value is its name) or a list.

    `name` is the field's path (`shape.dim`). `beside` are further fields written whenever this one is, each with a
    fixed value (ATC's Upsample wants `scale: 1` beside its `stride`). `aliases` are older names, only read. `absent` is
    what the dialect's reader takes where the file does not hold the field, if neither the schema nor the op says so.
    """

    name: str
    always: bool = False
    beside: tuple[tuple[str, object], ...] = ()
    aliases: tuple[str, ...] = ()
    absent: object = None


@dataclass(frozen=True, slots=True)
class Spatial(Spelling):
    """One number per spatial axis: `kernel_size: 3`, or `kernel_h: 1 kernel_w: 3` where they differ.

    `name` is the square form, `height` and `width` the others; where the proto field is repeated and there are not
    exactly two axes, it is written once per axis. Read: either form, and a repeated field with one value for all.
    """

    height: str = ""
    width: str = ""


@dataclass(frozen=True, slots=True)
class Choice(Spelling):
    """A value written as another value: `{Rounding.FLOOR: False}` for `ceil_mode: false`."""

    values: tuple[tuple[object, object], ...] = ()


@dataclass(frozen=True, slots=True)
class Unwritten(Spelling):
    """A field without a proto spelling: what the layer's list of tops (`tops`) or the target's limits already say."""


@dataclass(frozen=True, slots=True)
class Given(Unwritten):
    """A field to which a dialect's reader gives one value, whatever the file says (which of equals an ArgMax names)."""

    value: object = None


def spelled(
    spelling: Spelling | str,
    *,
    default: Any = MISSING,  # Any: dataclasses.field's own default is of the field's type
    dialects: Mapping[str, Spelling] = _NO_DIALECTS,
) -> Any:  # Any: dataclasses.field is declared as the type of the field it defines
    """Declare a dataclass field with its proto spelling; `dialects` overrides it per dialect."""
    chosen = Spelling(spelling) if isinstance(spelling, str) else spelling
    return field(default=default, metadata={KEY: MappingProxyType({"": chosen, **dialects})})
