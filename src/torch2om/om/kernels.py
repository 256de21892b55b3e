"""The programs inside an om: kernels for the chip's cores, shared objects for its CPUs."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from torch2om.om.container import Kind, Partition, Parts
from torch2om.om.cursor import Cursor
from torch2om.wire import WireProblem

_KERNEL = 0x5D776EFD  # GE base/common/tbe_handle_store/kernel_store.cc
_CUSTOM_OP = 0x4B43534B  # "KSCK" on disk
_SHARED_OBJECT = struct.Struct("<IHHII")  # magic, name, kind, vendor, binary; GE base/common/op_so_store


@dataclass(frozen=True, slots=True)
class Kernel:
    """A program: its name, its bytes' number, and the partition that holds it."""

    name: str
    bytes: int
    partition: str


def read_kernels(parts: Parts) -> tuple[Kernel, ...]:
    """Return every program of a model; raises WireProblem."""
    stored = (
        (Kind.TBE_KERNELS, _KERNEL),
        (Kind.CUST_AICPU_KERNELS, _KERNEL),
        (Kind.CUSTOM_OPS, _CUSTOM_OP),
    )
    found = [kernel for kind, magic in stored if (part := parts.of(kind)) for kernel in _kernels(part, magic)]
    objects = parts.of(Kind.SO_BINS)
    return (*found, *(_shared_objects(objects) if objects else ()))


def _kernels(partition: Partition, magic: int) -> Iterator[Kernel]:
    """Yield {magic, length of the name, length of the binary, name, binary} until the partition ends."""
    cursor = Cursor(partition.data, partition.start)
    while cursor.left:
        _expect(cursor, magic)
        name, binary = cursor.u32(), cursor.u32()
        kernel = Kernel(cursor.text(name), binary, Kind(partition.number).name)
        cursor.take(binary)
        yield kernel


def _shared_objects(partition: Partition) -> Iterator[Kernel]:
    cursor = Cursor(partition.data, partition.start)
    for _ in range(cursor.u32()):
        place = cursor.place
        magic, name, _, vendor, binary = cursor.fields(_SHARED_OBJECT)
        if magic != _KERNEL:
            raise WireProblem(place, f"a shared object begins with {magic:#x}, not {_KERNEL:#x}")
        kernel = Kernel(cursor.text(name), binary, Kind.SO_BINS.name)
        cursor.take(vendor)
        cursor.take(binary)
        yield kernel


def _expect(cursor: Cursor, magic: int) -> None:
    place, found = cursor.place, cursor.u32()
    if found != magic:
        raise WireProblem(place, f"a program begins with {found:#x}, not {magic:#x}")
