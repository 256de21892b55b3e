"""What goes to another machine: the script and its files, under names that no shell and no copier can misread."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from torch2om.toolchain.runner.host import Bundle
from torch2om.toolchain.runner.local import PREFIX


@contextmanager
def parcel(bundle: Bundle) -> Iterator[Path]:
    """Yield a folder that holds the script and its files under their plain names."""
    with tempfile.TemporaryDirectory(prefix=PREFIX) as room:
        folder = Path(room) / "job"
        folder.mkdir()
        for name, plain in ((bundle.script, bundle.script), *bundle.files):
            _put(bundle.folder / name, folder / plain)
        yield folder


def _put(source: Path, target: Path) -> None:
    """Give the file a second name, or copy it where the file system has no hard links between them."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def unpack(room: Path, bundle: Bundle) -> None:
    """Move the om that came back into the bundle's folder."""
    made = room / bundle.result
    if made.is_file():
        shutil.move(made, bundle.into / bundle.result)
