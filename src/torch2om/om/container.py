"""The parts of an om: behind the head stands a table of partitions and then their bytes, once for each model.

Source: GE base/common/helper/om_file_helper.cc. Two widths of the table exist. Partitions follow each other; where a
compiler aligned them, there is room between them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum

from torch2om.om.header import FLOW, SECOND, SIZE, Header
from torch2om.wire import WireProblem

MOST_PARTITIONS = 32  # GE accepts 8; of a flow model 4096, which is refused as one
MOST_MODELS = 1024  # gears of a dynamic model are far fewer


class Kind(IntEnum):
    """What a partition holds, on Ascend chips (GE ModelPartitionType)."""

    MODEL_DEF = 0
    WEIGHTS_DATA = 1
    TASK_INFO = 2
    TBE_KERNELS = 3
    CUST_AICPU_KERNELS = 4
    SO_BINS = 5
    FLOW_MODEL = 6
    FLOW_SUBMODEL = 7
    MODEL_INOUT_INFO = 8
    STATIC_TASK_DESC = 9
    DYNAMIC_TASK_DESC = 10
    TASK_PARAM = 11
    TILING_DATA = 12
    PRE_MODEL_DESC = 20
    PRE_MODEL_SQE = 21
    PRE_KERNEL_ARGS = 22
    PRE_MODEL_DESC_EXTEND = 23
    BUNDLE_MODEL_INFO = 24
    BUNDLE_MODEL_VAR_INFO = 25
    CUSTOM_OPS = 26


_KIRIN_NAMES: Mapping[int, str] = {
    3: "TASK_GRAPH",
    4: "SIGNATURE_INFO",
    5: "MODEL_CONFIG",
    6: "AIPP_CUSTOM_INFO",
    7: "ENCRYPT_INFO",
}  # what the compiler for phones puts under these numbers


def partition_name(number: int, *, kirin: bool) -> str:
    """Return what a partition of this number holds."""
    if kirin and number in _KIRIN_NAMES:
        return _KIRIN_NAMES[number]
    return Kind(number).name if number in set(Kind) else f"partition {number}"


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition: its number, and its bytes file[start:stop]."""

    number: int
    file: memoryview = field(repr=False)
    start: int
    stop: int

    @property
    def data(self) -> memoryview:
        """Its bytes."""
        return self.file[self.start : self.stop]

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return self.stop - self.start


@dataclass(frozen=True, slots=True)
class Parts:
    """The partitions of one model, in the file's order."""

    partitions: tuple[Partition, ...]

    def of(self, kind: Kind) -> Partition | None:
        """Return the partition of a kind, or None."""
        return next((each for each in self.partitions if each.number == kind), None)


@dataclass(frozen=True, slots=True)
class _Width:
    """One of the two widths of a table: its head (how many entries) and its entries (number, offset, size)."""

    head: struct.Struct
    entry: struct.Struct


_NARROW = _Width(struct.Struct("<I"), struct.Struct("<III"))
_WIDE = _Width(struct.Struct("<I4x"), struct.Struct("<I4xQQ"))


def read_parts(data: memoryview, header: Header) -> tuple[Parts, ...]:
    """Return the parts of every model in the file, the root model first; raises WireProblem."""
    if header.model_count > MOST_MODELS:
        raise WireProblem(0, f"the head announces {header.model_count} models")
    width = _WIDE if header.is_wide else _NARROW
    at, found = SIZE, []
    for _ in range(header.model_count):
        partitions = tuple(_partitions(data, at, width))
        found.append(Parts(tuple(_renumbered(partitions, header))))
        at = partitions[-1].stop
    if at != len(data):
        raise WireProblem(at, f"{len(data) - at} bytes follow the last partition")
    return tuple(found)


def _partitions(data: memoryview, at: int, width: _Width) -> Iterator[Partition]:
    """Yield the partitions of the table at `at`; none may overlap the one before it."""
    (count,) = _unpacked(width.head, data, at)
    if not 1 <= count <= MOST_PARTITIONS:
        raise WireProblem(at, f"the partition table announces {count} entries")
    begin = at + width.head.size + count * width.entry.size
    end = begin
    for index in range(count):
        place = at + width.head.size + index * width.entry.size
        number, offset, size = _unpacked(width.entry, data, place)
        start, stop = begin + offset, begin + offset + size
        if start < end or stop > len(data):
            where = f"bytes {start} to {stop}, with {end} the first free one and {len(data)} in the file"
            raise WireProblem(place, f"partition {number} would take {where}")
        end = stop
        yield Partition(number, data, start, stop)


def _unpacked(layout: struct.Struct, data: memoryview, at: int) -> tuple[int, ...]:
    if at + layout.size > len(data):
        raise WireProblem(at, "the file ends inside a partition table")
    return layout.unpack_from(data, at)


def _renumbered(partitions: tuple[Partition, ...], header: Header) -> Iterator[Partition]:
    """CANN 5.20 writes MODEL_INOUT_INFO under the number that later means FLOW_MODEL."""
    early = header.version == SECOND and header.model_type != FLOW and not header.is_wide
    for part in partitions:
        yield replace(part, number=Kind.MODEL_INOUT_INFO) if early and part.number == Kind.FLOW_MODEL else part
