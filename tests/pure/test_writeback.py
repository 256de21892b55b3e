"""A file written stretch by stretch: the bytes are the same, and the system hears of each stretch."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from torch2om.caffe.writeback import Writeback

PARTS = (b"head", b"", bytes(range(100)), b"x" * 7, bytes(range(30)))
WHOLE = b"".join(PARTS)


def test_a_file_in_memory_holds_the_parts_in_order() -> None:
    file = io.BytesIO()
    stream = Writeback(file, len(WHOLE), stretch=10)
    for part in PARTS:
        stream.write(part)
    assert file.getvalue() == WHOLE


def advised(path: Path, stretch: int, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Return what the system was told while the parts were written: from where, and how many bytes."""
    told: list[tuple[int, int]] = []

    def advise(_: int, start: int, length: int, advice: int) -> None:
        assert advice == os.POSIX_FADV_DONTNEED
        assert path.read_bytes()[start : start + length] == WHOLE[start : start + length]
        told.append((start, length))

    monkeypatch.setattr(os, "posix_fadvise", advise)
    with path.open("wb") as file:
        stream = Writeback(file, len(WHOLE), stretch)
        for part in PARTS:
            stream.write(part)
    assert path.read_bytes() == WHOLE
    return told


def test_what_the_system_may_let_go_of_has_left_the_buffer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert advised(tmp_path / "file", 40, monkeypatch) == [(0, 40), (0, 80), (0, 120)]


def test_a_file_shorter_than_a_stretch_is_written_plainly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert advised(tmp_path / "file", 1000, monkeypatch) == []


def test_the_files_room_is_taken_before_its_first_byte(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        Writeback(file, 5000)
        assert os.fstat(file.fileno()).st_size == 5000
