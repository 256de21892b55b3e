"""Heads and partition tables of every generation, and what is wrong with a file that is cut, stretched or lies."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from samples import LANDMARKS
from writing import FIRST, SECOND, Op, container, model, om, record, table, tensor_info, tensors

from torch2om.errors import OmFileError, UsageError
from torch2om.om.container import Kind
from torch2om.om.reader import parse_om, read_om

MODEL = model([Op("data", "Data")])
SMALL = ((0, MODEL), (1, b"weights"))


def refusal(content: bytes) -> str:
    """The code and the text with which a file is refused."""
    with pytest.raises(OmFileError) as error:
        parse_om(content)
    (found,) = error.value.diagnostics
    return f"{found.code} {found.message}"


@pytest.mark.parametrize(("version", "wide"), [(FIRST, False), (SECOND, False), (SECOND, True)])
def test_both_versions_and_both_widths_are_read(version: int, wide: bool) -> None:
    found = parse_om(om(SMALL, wide=wide, version=version))
    assert (found.header.version, found.header.is_wide, found.header.platform) == (version, wide, "1.11.z.0")
    assert [(part.number, bytes(part.data)) for part in found.root.parts.partitions] == list(SMALL)
    assert found.root.definition.main.ops[0].type == "Data"


def test_a_kirin_graph_has_a_narrow_table_though_its_type_is_that_of_a_flow_model() -> None:
    assert parse_om(om(SMALL, kind=3)).header.is_wide is False


def test_a_dynamic_file_holds_several_models_the_root_first() -> None:
    second = ((0, model([Op("inner", "Data")])),)
    found = parse_om(om(SMALL, second, wide=True, version=SECOND))
    assert [each.definition.main.ops[0].name for each in found.models] == ["data", "inner"]
    assert found.root is found.models[0]


def test_partitions_may_be_aligned() -> None:
    parts = struct.pack("<IIIIIII", 2, 0, 0, len(MODEL), 1, 512, 4) + MODEL.ljust(512, b"\0") + b"data"
    found = parse_om(container(parts))
    assert [part.start - 284 for part in found.root.parts.partitions] == [0, 512]


def test_an_early_second_version_has_its_inputs_and_outputs_under_another_number() -> None:
    ports = tensors(0, tensor_info("x", (1, 3), 2, 0)) + record(77, b"unknown")
    found = parse_om(om(((6, ports), *SMALL), version=SECOND))
    assert found.root.parts.of(Kind.MODEL_INOUT_INFO) is not None
    assert [port.name for port in found.root.ports.inputs] == ["x"]
    assert found.root.provenance.generation == "CANN 5 or 6"


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (b"", "O801", "is empty"),
        (b"hello, world", "O801", "68 65 6c 6c"),
        (b"<!DOCTYPE html><html>", "O801", "HTML page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n", "O802", "git-lfs pointer"),
        (b"IMOD", "O803", "the file has 4 bytes"),
        (om(SMALL)[:-1], "O803", "bytes behind the head are there"),
        (om(SMALL, wide=True, version=SECOND)[:-1], "O803", "bytes behind the head are there"),
        (b"PICO" + bytes(300), "O805", "SVP_NNN"),
        (b"PK\x03\x04" + bytes(300), "O806", "OM2"),
        (om(SMALL, version=SECOND, kind=5), "O807", "bundle"),
        (om(SMALL) + b"more", "O808", "announces"),
        (b"IMOD" + bytes(300), "O808", "0 bytes and version"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_is_no_om_is_told_what_it_is(content: bytes, code: str, said: str) -> None:
    found = refusal(content)
    assert found.startswith(code)
    assert said in found


def test_an_encrypted_file_is_told_so() -> None:
    content = bytearray(om(SMALL))
    content[80] = 1
    assert refusal(bytes(content)).startswith("O804")


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (b"\1\0", "ends inside a partition table"),
        (struct.pack("<I", 0), "announces 0 entries"),
        (struct.pack("<I", 0xFFFFFFFF), "announces 4294967295 entries"),
        (struct.pack("<I", 1) + bytes(11), "ends inside a partition table"),
        (struct.pack("<IIII", 1, 0, 0, 5) + b"abcd", "would take bytes 272 to 277"),
        (struct.pack("<IIII", 1, 0, 0xFFFFFFFF, 0xFFFFFFFF), "would take bytes"),
        (struct.pack("<IIIIIII", 2, 0, 0, 4, 1, 2, 2) + b"abcd", "partition 1 would take"),
        (struct.pack("<IIII", 1, 0, 0, 3) + b"\0\0\0more", "follow the last partition"),
        (table([(1, b"weights")], wide=False), "no model definition"),
        (table([(0, b"\xff\xff")], wide=False), "ends inside a number"),
    ],
    ids=range(10),
)
def test_a_table_that_lies_is_refused_at_its_place(payload: bytes, said: str) -> None:
    found = refusal(container(payload))
    assert found.startswith("O808 byte")
    assert said in found


def test_a_head_that_announces_millions_of_models_is_refused() -> None:
    content = bytearray(om(SMALL, wide=True, version=SECOND))
    struct.pack_into("<I", content, 156, 0xFFFFFFF0)
    assert "announces 4294967280 models" in refusal(bytes(content))


def test_every_beginning_of_a_real_file_is_refused() -> None:
    content = LANDMARKS.read_bytes()
    for size in (*range(300), *range(300, len(content), 9973)):
        assert refusal(content[:size])[:4] in {"O801", "O803"}


def test_the_message_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "cut.om"
    path.write_bytes(om(SMALL)[:-1])
    with pytest.raises(OmFileError, match=r"cut\.om"):
        read_om(path)
    path.write_bytes(b"")
    with pytest.raises(OmFileError, match="is empty"):
        read_om(path)


@pytest.mark.parametrize("name", ["missing.om", "."])
def test_a_file_that_cannot_be_opened_is_a_usage_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError) as error:
        read_om(tmp_path / name)
    assert error.value.diagnostics[0].code == "U133"
