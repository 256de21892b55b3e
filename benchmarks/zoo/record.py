"""What a folder of the zoo knows beside its rows: the entries asked for, the commands, versions, the machine."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from benchmarks.zoo.entry import Entry

from torch2om.records import json_text, typed
from torch2om.version import __version__

RECORD = "zoo.json"
PACKAGES = ("torch", "torchvision", "timm", "numpy")


@dataclass(frozen=True)
class Record:
    """The entries of all runs into the folder, their commands, and with what and where the last one ran."""

    entries: tuple[Entry, ...]
    commands: tuple[str, ...]
    versions: tuple[str, ...]
    machine: str

    @classmethod
    def now(cls, entries: tuple[Entry, ...], command: str) -> Record:
        """Return the record of a run that begins here."""
        packages = (f"{package} {version(package)}" for package in PACKAGES)
        versions = (f"torch2om {__version__}", *packages, f"Python {platform.python_version()}")
        return cls(entries, (f"python -m benchmarks.zoo {command}",), versions, machine())


def write_record(record: Record, folder: Path) -> None:
    """Add a run to what the folder knows."""
    if (folder / RECORD).exists():
        before = read_record(folder)
        entries = tuple(dict.fromkeys((*before.entries, *record.entries)))
        record = replace(record, entries=entries, commands=tuple(dict.fromkeys((*before.commands, *record.commands))))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RECORD).write_text(json_text(record), encoding="utf-8")


def read_record(folder: Path) -> Record:
    """Return what the folder knows."""
    record: Record = typed(Record, json.loads((folder / RECORD).read_text(encoding="utf-8")))
    return record


def machine() -> str:
    """Return `2 processors (MODEL), 24 GiB of memory`."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = {line.partition(":")[2].strip() for line in lines if line.startswith("model name")}
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} processors ({', '.join(sorted(names)) or platform.machine()}), {memory:.0f} GiB of memory"
