"""Writes om files as the compilers lay them out: for the generations of which no file may be kept here.

Protobuf's messages are written by number (GE graph_metadef/proto/ge_ir.proto, task.proto), the container as GE
base/common/helper/om_file_helper.cc writes it.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch2om.wire import field as wire_field
from torch2om.wire import varint

FLOAT16 = 2
FIRST, SECOND = 0x10000000, 0x20000000


def number(index: int, value: int) -> bytes:
    return varint(index << 3) + varint(value)


def floats(index: int, values: Sequence[float]) -> bytes:
    return wire_field(index, struct.pack(f"<{len(values)}f", *values))


def integers(index: int, values: Sequence[int]) -> bytes:
    return wire_field(index, b"".join(map(varint, values)))


@dataclass(frozen=True)
class Const:
    """A TensorDef: in the partition of weights at `offset`, or with its bytes."""

    shape: tuple[int, ...]
    layout: str
    dtype: int = FLOAT16
    offset: int = 0
    size: int = 0
    data: bytes = b""
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def encoded(self, key: Keys) -> bytes:
        made = desc(self.shape, self.layout, self.dtype, self.attributes, key) + number(11, self.size)
        return wire_field(1, made + number(18, self.offset)) + (wire_field(2, self.data) if self.data else b"")


@dataclass(frozen=True)
class Named:
    """A NamedAttrs."""

    attributes: Mapping[str, Any]


@dataclass
class Keys:
    """How attributes are named: as they are, or by the tables that CANN 7 writes into the model."""

    compressed: bool = False
    names: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    is_text: list[bool] = field(default_factory=list)

    def coded(self, name: str, value: Any) -> tuple[bytes, Any]:
        if not self.compressed:
            return name.encode(), value
        is_text = isinstance(value, str) or (isinstance(value, list) and bool(value) and isinstance(value[0], str))
        if name not in self.names:
            self.names.append(name)
            self.is_text.append(is_text)
        if is_text:
            value = [self._text(item) for item in value] if isinstance(value, list) else self._text(value)
        return b"\0" + self._digits(self.names.index(name)), value

    def tables(self) -> dict[str, Any]:
        if not self.compressed:
            return {}
        tables = {"attr_name_enum": self.names, "attr_value_enum": self.texts, "attrs_use_string_value": self.is_text}
        return {"om_compress_version": 1, **tables}

    def _text(self, text: str) -> int:
        if text not in self.texts:
            self.texts.append(text)
        return self.texts.index(text)

    @staticmethod
    def _digits(index: int) -> bytes:
        digits = bytearray([index % 127 + 1])
        while index := index // 127:
            digits.append(index % 127 + 1)
        return bytes(digits)


PLAIN = Keys()


def value(given: Any, key: Keys = PLAIN) -> bytes:
    """An AttrDef."""
    if isinstance(given, Const | Named | list):
        return _composed(given, key)
    encoders: dict[type, Callable[[Any], bytes]] = {
        bool: lambda flag: number(5, flag),
        int: lambda whole: number(3, whole),
        float: lambda real: varint(4 << 3 | 5) + struct.pack("<f", real),
        str: lambda text: wire_field(2, text.encode()),
        bytes: lambda raw: wire_field(7, raw),
    }
    return encoders[type(given)](given)


def _composed(given: Const | Named | list[Any], key: Keys) -> bytes:
    match given:
        case Const():
            return wire_field(12, given.encoded(key))
        case Named():
            return wire_field(10, attributes(2, given.attributes, key))
    return wire_field(1, items(given))


def items(given: list[Any]) -> bytes:
    """An AttrDef.ListValue."""
    match given:
        case [bool(), *_]:
            return integers(5, given) + number(20, 4)
        case [int(), *_]:
            return integers(3, given) + number(20, 2)
        case [float(), *_]:
            return floats(4, given) + number(20, 3)
        case [str(), *_]:
            return b"".join(wire_field(2, item.encode()) for item in given) + number(20, 1)
    return b""


def attributes(index: int, given: Mapping[str, Any], key: Keys = PLAIN) -> bytes:
    """A map<string, AttrDef>."""
    coded = (key.coded(name, item) for name, item in given.items())
    return b"".join(wire_field(index, wire_field(1, name) + wire_field(2, value(item, key))) for name, item in coded)


def desc(
    shape: Sequence[int], layout: str, dtype: int = FLOAT16, given: Mapping[str, Any] | None = None, key: Keys = PLAIN
) -> bytes:
    """A TensorDescriptor."""
    dims = wire_field(3, integers(1, shape))
    return number(2, dtype) + dims + wire_field(4, layout.encode()) + attributes(5, given or {}, key)


@dataclass(frozen=True)
class Op:
    """An OpDef: `inputs` are `source:index`; `ins` and `outs` are encoded descriptors."""

    name: str
    type: str
    inputs: tuple[str, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    ins: tuple[bytes, ...] = ()
    outs: tuple[bytes, ...] = ()
    id: int = 0

    def encoded(self, key: Keys) -> bytes:
        parts = [wire_field(1, self.name.encode()), wire_field(2, self.type.encode())]
        parts += [wire_field(5, source.encode()) for source in self.inputs]
        parts += [attributes(10, self.attributes, key), number(21, self.id)]
        sources = [source.rpartition(":") for source in self.inputs]
        parts += [wire_field(24, name.encode()) for name, _, _ in sources]
        parts.append(integers(25, [int(index) for _, _, index in sources]))
        parts += [wire_field(33, each) for each in self.ins] + [wire_field(34, each) for each in self.outs]
        return b"".join(parts)


def graph(ops: Sequence[Op], name: str = "main", key: Keys = PLAIN) -> bytes:
    """A GraphDef."""
    return wire_field(1, name.encode()) + b"".join(wire_field(6, op.encoded(key)) for op in ops)


def model(ops: Sequence[Op], given: Mapping[str, Any] | None = None, key: Keys = PLAIN) -> bytes:
    """A ModelDef of one graph."""
    main = graph(ops, key=key)
    head = wire_field(1, b"net") + number(2, 2) + wire_field(3, b"1.11.z.0")
    return head + wire_field(7, main) + attributes(11, {**(given or {}), **key.tables()})


def table(parts: Sequence[tuple[int, bytes]], *, wide: bool) -> bytes:
    """A partition table and the partitions behind it."""
    at, entries = 0, b""
    for kind, data in parts:
        entries += struct.pack("<I4xQQ" if wide else "<III", kind, at, len(data))
        at += len(data)
    return struct.pack("<I4x" if wide else "<I", len(parts)) + entries + b"".join(data for _, data in parts)


def om(*models: Sequence[tuple[int, bytes]], wide: bool = False, version: int = FIRST, kind: int = 0) -> bytes:
    """A whole file of one or more models."""
    return container(
        b"".join(table(parts, wide=wide) for parts in models), len(models), wide=wide, version=version, kind=kind
    )


def container(payload: bytes, count: int = 1, *, wide: bool = False, version: int = FIRST, kind: int = 0) -> bytes:
    """A head and what follows it."""
    length = 0 if wide else len(payload)
    head = bytearray(256)
    struct.pack_into(
        "<4sII64sIBBBB32sI32sI", head, 0, b"IMOD", 256, version, b"", length, 0, 0, kind, 0, b"net", 0, b"", 2
    )
    if version == SECOND:
        struct.pack_into("<I20sB3xQBB", head, 156, count, b"1.11.z.0", 1, len(payload) if wide else 0, 0, 0)
    else:
        struct.pack_into("<20sB", head, 156, b"1.11.z.0", 1)
    return bytes(head) + payload


def tensor_info(
    name: str, dims: Sequence[int], layout: int, dtype: int, model_dims: Sequence[int] | None = None
) -> bytes:
    """One tensor of MODEL_INOUT_INFO; four bytes for each number."""
    behind = dims if model_dims is None else model_dims
    size = math.prod(dims) * (1 if dtype == 4 else 2 if dtype == 1 else 4)
    head = struct.pack("<QiiIIII", size, layout, dtype, len(name), 8 * len(dims), 8 * len(behind), 0)
    return head + name.encode() + struct.pack(f"<{len(dims)}q", *dims) + struct.pack(f"<{len(behind)}q", *behind)


def record(kind: int, content: bytes) -> bytes:
    """One record of MODEL_INOUT_INFO."""
    return struct.pack("<II", kind, len(content)) + content


def tensors(kind: int, *infos: bytes) -> bytes:
    """The inputs (0) or outputs (1) of MODEL_INOUT_INFO."""
    return record(kind, struct.pack("<I", len(infos)) + b"".join(infos))


def kernel(name: str, binary: bytes, magic: int = 0x5D776EFD) -> bytes:
    """One program of TBE_KERNELS."""
    return struct.pack("<III", magic, len(name), len(binary)) + name.encode() + binary


def task(kind: int, stream: int, definition: bytes = b"") -> bytes:
    """One TaskDef of a ModelTaskDef."""
    return wire_field(10, number(2, kind) + number(10, stream) + (wire_field(20, definition) if definition else b""))
