"""The stage emit: prototxt, caffemodel, manifest and AIPP's configuration of a net."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from torch2om.caffe.overwritten import relies_on_memory
from torch2om.caffe.writer import prototxt, write_caffemodel
from torch2om.errors import Diagnostic, EmitError, UsageError
from torch2om.ir.net import Net
from torch2om.manifest import (
    Manifest,
    Source,
    file_record,
    input_records,
    layer_records,
    output_records,
    picture_record,
    read_manifest,
    unread_tops,
)
from torch2om.precision.constants import Magnitudes, beyond_half
from torch2om.preprocessing.plan import Plan
from torch2om.preprocessing.text import write_aipp
from torch2om.publication import publish, reported, staged
from torch2om.targets.limits import Target
from torch2om.version import __version__
from torch2om.wire import WireProblem

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Artifact:
    """The written files, and what was remarked of their numbers."""

    folder: Path
    prototxt: Path
    caffemodel: Path
    manifest_path: Path
    manifest: Manifest
    notes: tuple[Diagnostic, ...] = ()

    @property
    def aipp(self) -> Path | None:
        """AIPP's configuration, if an input is fed as a picture."""
        return next((self.folder / record.file for record in self.manifest.pictures), None)

    @property
    def files(self) -> tuple[Path, ...]:
        """The paths of all files."""
        configured = () if self.aipp is None else (self.aipp,)
        return self.prototxt, self.caffemodel, *configured, self.manifest_path


@dataclass(frozen=True)
class Emission:
    """What emit needs to know beside the net: where to, under which names, and what to say in the manifest.

    `plan` is the AIPP of an input that is fed as a picture.
    """

    folder: Path
    stem: str = "model"
    source: Source = field(default_factory=Source)
    notes: tuple[str, ...] = ()
    plan: Plan | None = None


def emit(net: Net, target: Target, emission: Emission) -> Artifact:
    """Write `STEM.prototxt`, `STEM.caffemodel`, `manifest.json` and for a picture `STEM.aipp.cfg`, atomically.

    The files are written complete into a hidden folder beside their place and then moved over the old ones; an error
    or an interruption before that leaves the old files as they were. Raises `EmitError`.
    """
    with reported(emission.folder), staged(emission.folder) as staging:
        return published(write(net, target, emission, staging), emission.folder)


def write(net: Net, target: Target, emission: Emission, folder: Path) -> Artifact:
    """Write the files into `folder`, which is not their place yet; raises OSError, `EmitError` (E603)."""
    draft, magnitudes = _paths(folder, emission.stem), Magnitudes()
    draft[0].write_text(prototxt(net, target.dialect), encoding="utf-8")
    try:
        with draft[1].open("wb", buffering=1 << 16) as stream:
            write_caffemodel(net, stream, magnitudes.note)
    except WireProblem as problem:
        raise EmitError(Diagnostic("E603", str(problem))) from problem
    configured = () if emission.plan is None else (_aipp(emission.plan, folder / f"{emission.stem}.aipp.cfg"),)
    notes = (*relies_on_memory(net), *(beyond_half(net, magnitudes) if target.compiler else ()))
    noted = replace(emission, notes=(*emission.notes, *map(str, notes)))
    manifest = _manifest(net, target, noted, (*draft[:2], *configured))
    draft[2].write_text(manifest.to_json(), encoding="utf-8")
    return Artifact(folder, *draft, manifest, notes)


def _aipp(plan: Plan, path: Path) -> Path:
    """Write AIPP's configuration and return its path."""
    path.write_text(write_aipp([plan.config], plan.remarks), encoding="utf-8")
    return path


def published(draft: Artifact, folder: Path) -> Artifact:
    """Move a draft's files to their place and return them there; the old ones go when all new ones stand."""
    publish(draft.folder, folder, tuple(path.name for path in draft.files))
    return Artifact(folder, *_paths(folder, draft.prototxt.stem), draft.manifest, draft.notes)


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
        pictures=() if emission.plan is None else (picture_record(emission.plan, files[-1].name),),
    )


def artifact_in(folder: Path) -> Artifact:
    """Return the files of a conversion, after checking that they belong together; raises `UsageError` (U133, V704)."""
    manifest = read_manifest(folder)
    names = [record.name for record in manifest.files]
    if len(names) < 2 or not {record.file for record in manifest.pictures} <= set(names[2:]):
        raise UsageError(Diagnostic("V704", f"the manifest in {folder} does not list the files that it speaks of"))
    prototxt_path, caffemodel = (folder / name for name in names[:2])
    return Artifact(folder, prototxt_path, caffemodel, folder / MANIFEST, manifest)
