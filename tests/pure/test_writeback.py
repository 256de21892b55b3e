"""A file written stretch by stretch: the bytes are the same, and what is let go of is on the disk."""

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


def test_each_stretch_is_on_the_disk_before_its_memory_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, let_go, synced = tmp_path / "file", [], [0]

    def sync(number: int) -> None:
        synced.append(os.fstat(number).st_size)

    def advise(_: int, start: int, length: int, advice: int) -> None:
        assert advice == os.POSIX_FADV_DONTNEED
        assert path.read_bytes()[start : start + length] == WHOLE[start : start + length]
        let_go.append((start, start + length, len(synced)))

    monkeypatch.setattr(os, "fdatasync", sync)
    monkeypatch.setattr(os, "posix_fadvise", advise)
    with path.open("wb") as file:
        stream = Writeback(file, len(WHOLE), stretch=40)
        for part in PARTS:
            stream.write(part)
    assert path.read_bytes() == WHOLE
    assert let_go == [(0, 40, 2), (40, 80, 3), (80, 120, 4)]


def test_a_file_shorter_than_a_stretch_does_not_wait_for_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", synced.append)
    with (tmp_path / "file").open("wb") as file:
        Writeback(file, len(WHOLE)).write(WHOLE)
    assert ((tmp_path / "file").read_bytes(), synced) == (WHOLE, [])


def test_the_files_room_is_taken_before_its_first_byte(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        Writeback(file, 5000)
        assert os.fstat(file.fileno()).st_size == 5000
