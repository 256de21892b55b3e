"""The stage emit: prototxt, caffemodel and manifest, all of them or none, the old ones intact until then."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from torch2om.caffe.writer import prototxt, write_caffemodel
from torch2om.errors import Diagnostic, EmitError
from torch2om.ir.net import Net
from torch2om.manifest import (
    InputRecord,
    Manifest,
    OutputRecord,
    Source,
    file_record,
    layer_records,
    read_manifest,
    unread_tops,
)
from torch2om.targets.limits import Target
from torch2om.version import __version__

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Artifact:
    """The written files."""

    folder: Path
    prototxt: Path
    caffemodel: Path
    manifest_path: Path
    manifest: Manifest


@dataclass(frozen=True)
class Emission:
    """What emit needs to know beside the net: where to, under which names, and what to say in the manifest."""

    folder: Path
    stem: str = "model"
    source: Source = field(default_factory=Source)
    notes: tuple[str, ...] = ()


def emit(net: Net, target: Target, emission: Emission) -> Artifact:
    """Write `STEM.prototxt`, `STEM.caffemodel` and `manifest.json` into the folder, atomically.

    The files are written complete into a hidden folder beside their place and then moved over the old ones; an error
    or an interruption before that leaves the old files as they were. Raises `EmitError`.
    """
    names = (f"{emission.stem}.prototxt", f"{emission.stem}.caffemodel", MANIFEST)
    with reported(emission.folder), staged(emission.folder) as staging:
        text = prototxt(net, target.dialect)
        (staging / names[0]).write_text(text, encoding="utf-8")
        with (staging / names[1]).open("wb", buffering=1 << 16) as stream:
            write_caffemodel(net, stream)
        manifest = _manifest(net, target, emission, tuple(staging / name for name in names[:2]))
        (staging / MANIFEST).write_text(manifest.to_json(), encoding="utf-8")
        _publish(staging, emission.folder, names)
    paths = tuple(emission.folder / name for name in names)
    return Artifact(emission.folder, paths[0], paths[1], paths[2], manifest)


def _manifest(net: Net, target: Target, emission: Emission, files: tuple[Path, ...]) -> Manifest:
    return Manifest(
        version=__version__,
        target=target.name,
        net=net.name,
        source=emission.source,
        files=tuple(file_record(path) for path in files),
        inputs=tuple(InputRecord(source.name, source.shape, source.name) for source in net.inputs),
        outputs=tuple(OutputRecord(output.blob, net.shapes[output.blob], output.place) for output in net.outputs),
        unread=unread_tops(net),
        layers=layer_records(net),
        mirrors=net.mirrors,
        notes=emission.notes,
    )


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
    """Yield a new hidden folder inside the output folder (the same file system), gone at the end in any case."""
    folder.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".torch2om-", dir=folder))
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _publish(staging: Path, folder: Path, names: tuple[str, ...]) -> None:
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
    for number in held:
        signal.raise_signal(number)


def artifact_in(folder: Path) -> Artifact:
    """Return the files of a conversion, after checking that they belong together; raises `UsageError` (U133, V704)."""
    manifest = read_manifest(folder)
    prototxt_path, caffemodel = (folder / record.name for record in manifest.files)
    return Artifact(folder, prototxt_path, caffemodel, folder / MANIFEST, manifest)
