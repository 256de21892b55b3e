"""What `inputs` wrote: inputs.json beside the files, with the size and the digest of each."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

from torch2om.errors import Diagnostic, UsageError
from torch2om.ir.op import Shape, elements
from torch2om.manifest import FileRecord
from torch2om.records import json_text, typed

RECORD = "inputs.json"
FORMAT = 1
SUFFIXES = ("bin", "npy")
CHUNK = 1 << 20  # bytes read at a time


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of the om: its place in the order, its blob, and what a file for it holds."""

    index: int
    name: str
    dtype: str
    shape: Shape
    bytes: int

    @property
    def folder(self) -> str:
        """A name for the input's folder that every runner can read: the index first, then letters, digits, _ and -."""
        return f"{self.index}_{plain(self.name)}"

    @property
    def count(self) -> int:
        """How many numbers it has."""
        return elements(self.shape)


def plain(name: str) -> str:
    """Return a blob's name with _ for all but letters, digits, _ and -: runners cut names at dots and commas."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """One file, its path from the folder of inputs.json on."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Expectation:
    """Who computed the golden outputs in golden/KEY, and whether the verdict on a device run counts on them."""

    key: str
    title: str
    decides: bool


@dataclass(frozen=True)
class DeviceRecord:
    """inputs.json: of which conversion, which samples, inputs, outputs and golden outputs, and every file."""

    net: str
    target: str
    conversion: tuple[FileRecord, ...]
    samples: tuple[str, ...]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    expectations: tuple[Expectation, ...]
    files: tuple[WrittenFile, ...]
    format: int = FORMAT

    def to_json(self) -> str:
        """Return the record as JSON text."""
        return json_text(self)


def input_path(port: Port, sample: str, suffix: str) -> str:
    """Return where an input's file lies: one folder per input, one file per sample, as runners take them."""
    return f"{suffix}/{port.folder}/{sample}.{suffix}"


def golden_path(key: str, port: Port, sample: str, suffix: str) -> str:
    """Return where a golden output lies; the file's name is the one that ais_bench gives the device's."""
    return f"golden/{key}/{sample}_{port.index}.{suffix}"


def written_file(folder: Path, path: str) -> WrittenFile:
    """Return a file's size and SHA-256; raises OSError."""
    digest, size = hashlib.sha256(), 0
    with (folder / path).open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return WrittenFile(path, size, digest.hexdigest())


def read_record(folder: Path, conversion: tuple[FileRecord, ...]) -> DeviceRecord:
    """Return the record in a folder; its golden outputs are as they were written, for files of this conversion.

    Raises `UsageError` (D852).
    """
    record = _parsed(folder / RECORD)
    if record.conversion != conversion:
        text = f"{folder} was written for another conversion than the files beside the manifest"
        raise UsageError(Diagnostic("D852", text, hint=HINT))
    golden = [file for file in record.files if file.path.startswith("golden/")]
    wrong = [file.path for file in golden if not _is_same(folder, file)]
    if wrong:
        text = f"{', '.join(wrong[:3])} in {folder} is missing or not as it was written"
        raise UsageError(Diagnostic("D852", text, hint=HINT))
    return record


HINT = "write the inputs again with torch2om inputs DIR, and run them on the board again"


def _parsed(path: Path) -> DeviceRecord:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        record: DeviceRecord = typed(DeviceRecord, data)
    except OSError as error:
        raise UsageError(Diagnostic("D852", f"{path}: {error.strerror}", hint=HINT)) from error
    except (ValueError, TypeError, RecursionError) as error:  # json's own parser recurses
        raise UsageError(Diagnostic("D852", f"{path} cannot be read: {error}", hint=HINT)) from error
    if record.format != FORMAT or not _is_whole(record):
        raise UsageError(Diagnostic("D852", f"{path} is none of this version's", hint=HINT))
    return record


def _is_whole(record: DeviceRecord) -> bool:
    """Whether the record lists the golden file of every output of every sample, and no file outside its folder."""
    paths = {file.path for file in record.files}
    count = len(record.expectations) * len(record.outputs) * len(record.samples)
    if not 0 < count <= len(record.files):  # so that a short record cannot ask for billions of files
        return False
    golden = (
        golden_path(each.key, port, sample, "npy")
        for each in record.expectations
        for port in record.outputs
        for sample in record.samples
    )
    numbered = [port.index for port in record.outputs] == list(range(len(record.outputs)))
    inside = not any(path.startswith("/") or ".." in path.split("/") for path in paths)
    return numbered and inside and paths.issuperset(golden)


def _is_same(folder: Path, file: WrittenFile) -> bool:
    try:
        return (folder / file.path).stat().st_size == file.bytes and written_file(folder, file.path) == file
    except OSError:
        return False
