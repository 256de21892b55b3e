"""Puts finished files in their place: all of them or none, the old ones intact until then."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from torch2om.errors import Diagnostic, EmitError


@contextmanager
def reported(folder: Path) -> Iterator[None]:
    """Turn the system's errors into diagnostics that say what was not changed."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        text = f"{folder}: {error.strerror}; the files that stood there are as they were"
        raise EmitError(Diagnostic("E602" if full else "E601", text)) from error


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """Yield a new hidden folder inside the output folder (the same file system), gone at the end in any case.

    Folders that were made for it go too, if nothing was published into them.
    """
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "it is a file, not a folder")
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".torch2om-", dir=folder))
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        for each in made:
            if not any(each.iterdir()):
                each.rmdir()


def require_place(folder: Path) -> None:
    """Raise `EmitError` if no file can be written into the folder: better before a long run than at its end."""
    with reported(folder), staged(folder):
        pass


def publish(staging: Path, folder: Path, names: tuple[str, ...]) -> None:
    """Move the new files over the old ones; if one move fails, the old files are put back.

    Three renames cannot be one, so signals wait until they are done; the manifest's digests tell a mixture apart if
    the machine dies in between.
    """
    with _signals_held():
        kept = {name: staging / f"old-{name}" for name in names if (folder / name).exists()}
        for name, copy in kept.items():
            _keep(folder / name, copy)
        try:
            for name in names:
                (staging / name).replace(folder / name)
        except OSError:
            for name in names:
                if name in kept:
                    kept[name].replace(folder / name)
                else:
                    (folder / name).unlink(missing_ok=True)
            raise


def _keep(path: Path, copy: Path) -> None:
    """Give the old file a second name, or a copy where the file system has no hard links."""
    try:
        os.link(path, copy)
    except OSError:
        shutil.copy2(path, copy)


@contextmanager
def _signals_held() -> Iterator[None]:
    """Hold back Ctrl-C and termination for the moves (only the main thread can, elsewhere signals do not arrive)."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda received, _: held.append(received)) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    for received in held:
        signal.raise_signal(received)
