"""The stage emit: prototxt, caffemodel and manifest of a net."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from torch2om.caffe.writer import prototxt, write_caffemodel
from torch2om.errors import Diagnostic, EmitError
from torch2om.ir.net import Net
from torch2om.manifest import (
    Manifest,
    Source,
    file_record,
    input_records,
    layer_records,
    output_records,
    read_manifest,
    unread_tops,
)
from torch2om.publication import publish, reported, staged
from torch2om.targets.limits import Target
from torch2om.version import __version__
from torch2om.wire import WireProblem

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Artifact:
    """The written files."""

    folder: Path
    prototxt: Path
    caffemodel: Path
    manifest_path: Path
    manifest: Manifest

    @property
    def files(self) -> tuple[Path, Path, Path]:
        """The paths of all three."""
        return self.prototxt, self.caffemodel, self.manifest_path


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
    with reported(emission.folder), staged(emission.folder) as staging:
        return published(write(net, target, emission, staging), emission.folder)


def write(net: Net, target: Target, emission: Emission, folder: Path) -> Artifact:
    """Write the three files into `folder`, which is not their place yet; raises OSError, `EmitError` (E603)."""
    draft = _paths(folder, emission.stem)
    draft[0].write_text(prototxt(net, target.dialect), encoding="utf-8")
    try:
        with draft[1].open("wb", buffering=1 << 16) as stream:
            write_caffemodel(net, stream)
    except WireProblem as problem:
        raise EmitError(Diagnostic("E603", str(problem))) from problem
    manifest = _manifest(net, target, emission, draft[:2])
    draft[2].write_text(manifest.to_json(), encoding="utf-8")
    return Artifact(folder, *draft, manifest)


def published(draft: Artifact, folder: Path) -> Artifact:
    """Move a draft's files to their place and return them there; the old ones go when all new ones stand."""
    publish(draft.folder, folder, tuple(path.name for path in draft.files))
    return Artifact(folder, *_paths(folder, draft.prototxt.stem), draft.manifest)


def _paths(folder: Path, stem: str) -> tuple[Path, Path, Path]:
    return folder / f"{stem}.prototxt", folder / f"{stem}.caffemodel", folder / MANIFEST


def _manifest(net: Net, target: Target, emission: Emission, files: tuple[Path, ...]) -> Manifest:
    return Manifest(
        version=__version__,
        target=target.name,
        net=net.name,
        source=emission.source,
        files=tuple(file_record(path) for path in files),
        inputs=input_records(net),
        outputs=output_records(net),
        unread=unread_tops(net),
        layers=layer_records(net),
        mirrors=net.mirrors,
        notes=emission.notes,
    )


def artifact_in(folder: Path) -> Artifact:
    """Return the files of a conversion, after checking that they belong together; raises `UsageError` (U133, V704)."""
    manifest = read_manifest(folder)
    prototxt_path, caffemodel = (folder / record.name for record in manifest.files)
    return Artifact(folder, prototxt_path, caffemodel, folder / MANIFEST, manifest)
