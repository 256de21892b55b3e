"""The files that a runner left: which output of which sample each is, and its numbers.

ais_bench writes SAMPLE_INDEX.bin, .npy or .txt into OUTPUT/DATE or OUTPUT/DIRNAME, msame SAMPLE_output_INDEX.bin or
.txt into OUTPUT/DATE; SAMPLE is the name of the first input's file (Ascend/tools: ais_bench/infer/io_oprations.py,
msame/src/model_process.cpp). Given one file per input, msame writes the om's name instead.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np

from torch2om.device.fitting import dtype_of, guesses
from torch2om.device.record import DeviceRecord, Port, plain
from torch2om.errors import DeviceError, Diagnostic, Problems
from torch2om.metrics import Numbers

SUFFIXES = (".bin", ".npy", ".txt")
PURE = "pure_infer_data"  # what ais_bench names the outputs of a run without --input
TEXT_BYTES = 64  # the most that a number in a text file takes

_RUNNERS = (re.compile(r"(?P<sample>.+)_output_(?P<index>\d+)"), re.compile(r"(?P<sample>.+)_(?P<index>\d+)"))


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A file that holds one output of one sample."""

    path: Path
    sample: str
    port: Port

    def numbers(self) -> Numbers:
        """Return the numbers in the output's shape; raises `DeviceError` (D856) if there are more or fewer."""
        match self.path.suffix:
            case ".npy":
                found = _read_npy(self.path)
            case ".txt":
                found = _read_text(self.path, self.port.count)
            case _:
                return self._raw()
        if found.size != self.port.count:
            text = f"{self.path.name} has {found.size} numbers {list(found.shape)}; {self._wanted()}"
            raise DeviceError(Diagnostic("D856", text))
        return found.reshape(self.port.shape)

    def _raw(self) -> Numbers:
        size = self.path.stat().st_size
        dtype = dtype_of(size, self.port)
        if dtype is None:
            raise DeviceError(Diagnostic("D856", f"{self.path.name} has {size} bytes; {self._wanted()}"))
        return np.fromfile(self.path, dtype).reshape(self.port.shape)

    def _wanted(self) -> str:
        port = self.port
        return f"output {port.index} ({port.name}) has {port.count} numbers {list(port.shape)}"


def _read_npy(path: Path) -> Numbers:
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)  # mapped: a wrong head allocates nothing
    except (ValueError, EOFError) as error:
        raise DeviceError(Diagnostic("D856", f"{path.name} is no readable .npy: {error}")) from error
    if not isinstance(found, np.ndarray) or found.dtype.kind not in "fiu":
        raise DeviceError(Diagnostic("D856", f"{path.name} holds no real numbers"))
    return found


def _read_text(path: Path, count: int) -> Numbers:
    size = path.stat().st_size
    if size > TEXT_BYTES * (count + 1):
        raise DeviceError(Diagnostic("D856", f"{path.name} has {size} bytes, too many for {count} numbers"))
    try:
        return np.array(path.read_text(encoding="ascii").split(), np.float64)
    except ValueError as error:
        raise DeviceError(Diagnostic("D856", f"{path.name} holds something else than numbers: {error}")) from error


def find_outputs(record: DeviceRecord, folder: Path) -> tuple[OutputFile, ...]:
    """Return the file of every output of every sample, in that order.

    Raises `DeviceError` with everything that is wrong: no run or several (D854), a file that is no output, an output
    without a file or with two (D855), a file of another size (D856).
    """
    run = _run_in(folder)
    problems = Problems()
    found: dict[tuple[str, int], OutputFile] = {}
    for path in _results(run):
        file = _identified(record, path)
        if file is None:
            problems.add(_stranger(record, path))
        elif (before := found.setdefault((file.sample, file.port.index), file)) is not file:
            problems.add(Diagnostic("D855", f"{before.path.name} and {path.name} are both {_what(file)}"))
    for sample, port in product(record.samples, record.outputs):
        if (sample, port.index) not in found:
            missing = _what(OutputFile(run, sample, port))
            problems.add(Diagnostic("D855", f"{run} has no file for {missing}", hint=HINT))
    for misfit in map(partial(_misfit, record), found.values()):
        if misfit is not None:
            problems.add(misfit)
    problems.raise_as(DeviceError)
    return tuple(found[sample, port.index] for sample, port in product(record.samples, record.outputs))


HINT = "run the command lines that torch2om inputs printed, and copy the whole output folder back"


def _run_in(folder: Path) -> Path:
    """Return the folder with the result files: the one that was named, or the one subfolder that has some."""
    if not folder.is_dir():
        raise DeviceError(Diagnostic("D854", f"{folder} is no folder", hint=HINT))
    if _results(folder):
        return folder
    runs = [path for path in sorted(folder.iterdir()) if path.is_dir() and _results(path)]
    if len(runs) > 1:
        text = f"{folder} holds several runs: {', '.join(path.name for path in runs)}"
        raise DeviceError(Diagnostic("D854", text, hint=f"name one of them, as --outputs {runs[-1]}"))
    if not runs:
        text = f"there is no file *{', *'.join(SUFFIXES)} in {folder} nor in its subfolders"
        raise DeviceError(Diagnostic("D854", text, hint=HINT))
    return runs[0]


def _results(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if path.suffix in SUFFIXES and path.is_file()]


def _identified(record: DeviceRecord, path: Path) -> OutputFile | None:
    """Return what a file is by its name: SAMPLE_output_INDEX, SAMPLE_INDEX, SAMPLE_BLOB or, of one sample, BLOB."""
    for pattern in _RUNNERS:
        match = pattern.fullmatch(path.stem)
        if match and (sample := _sample(record, match["sample"])) and int(match["index"]) < len(record.outputs):
            return OutputFile(path, sample, record.outputs[int(match["index"])])
    named = {f"{sample}_{plain(port.name)}": (sample, port) for sample in record.samples for port in record.outputs}
    if len(record.samples) == 1:
        named |= {plain(port.name): (record.samples[0], port) for port in record.outputs}
    return OutputFile(path, *named[path.stem]) if path.stem in named else None


def _sample(record: DeviceRecord, name: str) -> str | None:
    """Return the sample that a runner's name stands for; of one sample alone msame's name is the om's."""
    if name in record.samples:
        return name
    return record.samples[0] if len(record.samples) == 1 and name != PURE else None


def _stranger(record: DeviceRecord, path: Path) -> Diagnostic:
    if path.stem.startswith(PURE):
        return Diagnostic("D855", f"{path.name}: the runner was given no --input and made inputs of its own", hint=HINT)
    expected = f"{record.samples[0]}_{record.outputs[0].index}{path.suffix}"
    return Diagnostic("D855", f"{path.name} is no output by its name; expected were names like {expected}", hint=HINT)


def _what(file: OutputFile) -> str:
    return f"output {file.port.index} ({file.port.name}) of {file.sample}"


def _misfit(record: DeviceRecord, file: OutputFile) -> Diagnostic | None:
    """Return what is wrong with a file's content."""
    try:
        file.numbers()
    except DeviceError as error:
        (found,) = error.diagnostics
        fits = tuple(guesses(file.path.stat().st_size, file.port, record.outputs)) if file.path.suffix == ".bin" else ()
        return replace(found, details=tuple(f"it would fit {guess}" for guess in fits))
    except OSError as error:
        return Diagnostic("D856", f"{file.path}: {error.strerror}")
    return None
