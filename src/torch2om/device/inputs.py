"""Writes inputs and golden outputs as ais_bench and msame take them: raw, little-endian, in C order, tight."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from torch2om.device.golden import Golden
from torch2om.device.pictures import Fed
from torch2om.device.record import (
    RECORD,
    SUFFIXES,
    DeviceRecord,
    Expectation,
    Port,
    golden_path,
    input_path,
    written_file,
)
from torch2om.errors import Diagnostic, UsageError
from torch2om.ir.op import Shape, elements
from torch2om.manifest import Manifest
from torch2om.metrics import Numbers
from torch2om.publication import reported, staged

Dtype = np.dtype[Any]  # Any: float32, or uint8 of a picture
FLOAT32: Dtype = np.dtype(np.float32)  # of an om made from Caffe files, unless the compiler was told otherwise
PARTS = ("bin", "npy", "golden")


def write_inputs(manifest: Manifest, samples: Sequence[Fed], golden: Sequence[Golden], folder: Path) -> DeviceRecord:
    """Write bin/, npy/, golden/ and inputs.json into the folder, over what an earlier call wrote there.

    Raises `UsageError` (D853) if something else stands in the folder, `EmitError`.
    """
    _check_folder(folder)
    names = tuple(f"sample_{index}" for index in range(len(samples)))
    first = samples[0] if samples else {}
    inputs = _ports((name.name, first[name.name].shape, first[name.name].dtype) for name in manifest.inputs)
    shapes = {record.blob: record.shape for record in manifest.outputs}
    outputs = _ports((blob, shape, FLOAT32) for blob, shape in shapes.items())
    with reported(folder), staged(folder) as staging:
        arrays = _input_arrays(names, inputs, samples) | _golden_arrays(names, outputs, golden)
        for path, values in arrays.items():
            _write(staging / path, values)
        record = DeviceRecord(
            net=manifest.net,
            target=manifest.target,
            conversion=manifest.files,
            samples=names,
            inputs=inputs,
            outputs=outputs,
            expectations=tuple(Expectation(each.key, each.title, each.decides) for each in golden),
            files=tuple(written_file(staging, path) for path in arrays),
        )
        (staging / RECORD).write_text(record.to_json(), encoding="utf-8")
        _place(staging, folder)
    return record


def _check_folder(folder: Path) -> None:
    if folder.is_dir() and any(folder.iterdir()) and not (folder / RECORD).exists():
        text = f"{folder} holds other things than inputs of an earlier call"
        raise UsageError(Diagnostic("D853", text, hint="name an empty or a new folder with -o"))
    if "," in str(folder):
        raise UsageError(Diagnostic("D853", f"{folder}: the runners take a comma for the end of a path"))


def _ports(named: Iterable[tuple[str, Shape, Dtype]]) -> tuple[Port, ...]:
    return tuple(
        Port(index, name, dtype.name, shape, elements(shape) * dtype.itemsize)
        for index, (name, shape, dtype) in enumerate(named)
    )


def _input_arrays(names: Sequence[str], ports: Sequence[Port], samples: Sequence[Fed]) -> dict[str, Numbers]:
    return {
        input_path(port, name, suffix): sample[port.name]
        for name, sample in zip(names, samples, strict=True)
        for port in ports
        for suffix in SUFFIXES
    }


def _golden_arrays(names: Sequence[str], ports: Sequence[Port], golden: Sequence[Golden]) -> dict[str, Numbers]:
    return {
        golden_path(each.key, port, name, suffix): values
        for each in golden
        for name, outputs in zip(names, each.outputs, strict=True)
        for port, values in zip(ports, outputs, strict=True)
        for suffix in SUFFIXES
    }


def _write(path: Path, values: Numbers) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    array = np.ascontiguousarray(values).reshape(values.shape)
    array = array.astype(array.dtype.newbyteorder("<"), copy=False)
    if path.suffix == ".bin":
        path.write_bytes(array.tobytes())
    else:
        np.save(path, array, allow_pickle=False)


def _place(staging: Path, folder: Path) -> None:
    """Move the new parts over the old ones; inputs.json goes first and comes last, and its digests tell a mixture."""
    (folder / RECORD).unlink(missing_ok=True)
    for name in PARTS:
        if (folder / name).exists():
            (folder / name).rename(staging / f"old-{name}")
        (staging / name).rename(folder / name)
    (staging / RECORD).rename(folder / RECORD)


def ais_bench(record: DeviceRecord, folder: Path, om: str, out: Path) -> str:
    """Return ais_bench's command line: one folder per input, NPY outputs in OUT itself."""
    command = ["python3", "-m", "ais_bench", "--model", om, "--input", _folders(record, folder)]
    return shlex.join([*command, "--output", str(out.parent), "--output_dirname", out.name, "--outfmt", "NPY"])


def msame(record: DeviceRecord, folder: Path, om: str, out: Path) -> str:
    """Return msame's command line: one folder per input, raw outputs in a folder of OUT that bears the time."""
    command = ["./msame", "--model", om, "--input", _folders(record, folder)]
    return shlex.join([*command, "--output", str(out), "--outfmt", "BIN"])


def _folders(record: DeviceRecord, folder: Path) -> str:
    return ",".join(str(folder / "bin" / port.folder) for port in record.inputs)
