"""Arrays on the command line: .npy and .npz files in, .npz files out."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from torch2om.errors import Diagnostic, UsageError
from torch2om.publication import reported, staged

Numbers = npt.NDArray[Any]  # Any: files hold whatever real numbers the user saved


def named_arrays(given: Iterable[str], archive: Path | None) -> dict[str, Numbers]:
    """Return blob name -> array of `NAME=FILE.npy` options and of an .npz; raises `UsageError` (U115)."""
    found = {} if archive is None else read_archive(archive)
    for text in given:
        name, sign, file = text.partition("=")
        if not (name and sign and file):
            raise UsageError(Diagnostic("U115", f"--input {text} is not NAME=FILE.npy"))
        found[name] = read_array(Path(file))
    return found


def read_array(path: Path) -> Numbers:
    """Return the array of an .npy file; raises `UsageError` (U133, U115)."""
    loaded = _load(path)
    if not isinstance(loaded, np.ndarray):
        raise UsageError(Diagnostic("U115", f"{path} is an archive of arrays, an .npy file is needed"))
    return loaded


def read_archive(path: Path) -> dict[str, Numbers]:
    """Return name -> array of an .npz file; raises `UsageError` (U133, U115)."""
    loaded = _load(path)
    if isinstance(loaded, np.ndarray):
        raise UsageError(Diagnostic("U115", f"{path} is a single array, an .npz file is needed"))
    return loaded


def _load(path: Path) -> Numbers | dict[str, Numbers]:
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded
        with loaded:
            return {name: loaded[name] for name in loaded.files}
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        if "pickle" in str(error):
            text = f"{path} holds no numbers that numpy.save wrote: it is a pickle, or another kind of file"
            raise UsageError(Diagnostic("U115", text)) from error
        raise UsageError(Diagnostic("U115", f"{path} is no readable .npy or .npz: {error}")) from error
    except OSError as error:
        raise UsageError(Diagnostic("U133", f"{path}: {error.strerror or error}")) from error


def write_archive(path: Path, arrays: Mapping[str, Numbers]) -> None:
    """Write an .npz, complete or not at all; raises `EmitError` (E601, E602)."""
    with reported(path.parent), staged(path.parent) as folder:
        _write(folder / path.name, arrays)
        (folder / path.name).replace(path)


def _write(path: Path, arrays: Mapping[str, Numbers]) -> None:
    """numpy.savez, which has no room for blobs named `file`."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
