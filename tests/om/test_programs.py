"""Kernels, shared objects and tasks."""

from __future__ import annotations

import struct

import pytest
from test_container import refusal
from writing import kernel, model, number, om, task

from torch2om.om.kernels import Kernel
from torch2om.om.reader import OmModel, parse_om
from torch2om.om.tasks import KIRIN_TASKS, Task
from torch2om.wire import field as wire_field

MODEL = model([])


def read(kind: int, content: bytes) -> OmModel:
    return parse_om(om(((0, MODEL), (kind, content)))).root


def test_kernels_have_names_and_sizes() -> None:
    found = read(3, kernel("conv", b"ELF1") + kernel("relu", b"ELF")).kernels
    assert found == (Kernel("conv", 4, "TBE_KERNELS"), Kernel("relu", 3, "TBE_KERNELS"))
    assert read(4, kernel("sort", b"so")).kernels == (Kernel("sort", 2, "CUST_AICPU_KERNELS"),)
    assert read(26, kernel("own", b"x", 0x4B43534B)).kernels == (Kernel("own", 1, "CUSTOM_OPS"),)


def test_shared_objects_have_names_and_sizes() -> None:
    content = struct.pack("<I", 1) + struct.pack("<IHHII", 0x5D776EFD, 6, 0, 4, 3) + b"lib.sovendELF"
    assert read(5, content).kernels == (Kernel("lib.so", 3, "SO_BINS"),)


@pytest.mark.parametrize(
    ("kind", "content", "said"),
    [
        (3, kernel("conv", b"ELF", magic=7), "a program begins with 0x7"),
        (3, kernel("conv", b"ELF")[:-1], "3 bytes are announced, 2 are left"),
        (3, struct.pack("<III", 0x5D776EFD, 0xFFFFFFFF, 0), "are announced"),
        (3, b"\xfd", "are announced"),
        (5, struct.pack("<I", 0xFFFFFFFF), "are announced"),
        (5, struct.pack("<I", 1) + bytes(16), "a shared object begins with 0x0"),
    ],
)
def test_programs_that_are_none_are_damage(kind: int, content: bytes, said: str) -> None:
    assert said in refusal(om(((0, MODEL), (kind, content))))


def test_tasks_have_types_streams_and_kernels() -> None:
    context = wire_field(1, number(1, 6) + number(4, 12))
    launched = context + wire_field(10, b"stub") + number(11, 8) + wire_field(17, b"te_conv__kernel0")
    found = read(2, task(0, 1, launched) + task(5, 2) + task(31, 0) + task(99, 0)).tasks
    assert found.tasks == (
        Task("kernel", 1, "te_conv__kernel0", 8, "AI CPU", 12),
        Task("kernel_ex", 2),
        Task("cmo", 0),
        Task("type 99", 0),
    )
    assert found.types == {"kernel": 1, "kernel_ex": 1, "cmo": 1, "type 99": 1}
    assert found.on_ai_cpu == 2


def test_tasks_of_a_phone_are_said_to_be_unread() -> None:
    phone = model([], {"target_type": "LITE"})
    found = parse_om(om(((0, phone), (2, b"\xcd\xab\xcd\xab")), kind=4)).root
    assert (found.tasks.tasks, found.tasks.unread) == ((), KIRIN_TASKS)
    assert found.provenance.generation == "HiAI DDK (Kirin)"
    assert found.provenance.kind == "partitioned model"


def test_damaged_tasks_are_refused() -> None:
    assert refusal(om(((0, MODEL), (2, b"\x07"))))
