"""The manifest: what a conversion's files are, where each blob comes from in PyTorch, and how to call the net."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch2om.errors import Diagnostic, UsageError
from torch2om.ir.net import Net
from torch2om.ir.op import Shape
from torch2om.origin import Origin
from torch2om.preprocessing.normalization import NOTHING, Normalization
from torch2om.preprocessing.plan import Plan
from torch2om.records import json_text, typed

FORMAT = 1
SLICE = 4096  # bytes of each slice that the digest of a large file takes
STEP = 1 << 20  # one slice per so many bytes


@dataclass(frozen=True, slots=True)
class InputRecord:
    """A net input: its blob name, its shape, and the argument of forward() that feeds it."""

    name: str
    shape: Shape
    argument: str


@dataclass(frozen=True, slots=True)
class PictureRecord:
    """An input that the device is fed as the bytes of a picture: `file` configures the AIPP that makes the blob of it.

    `fed` is the shape of the bytes (uint8, `pixels` says in which format). `normalization` is all that AIPP does to
    pixel values; `taken_out` is the part of it that the model does itself and the net in the files does not.
    """

    input: str
    file: str
    pixels: str
    fed: Shape
    bytes: int
    normalization: Normalization
    taken_out: Normalization


@dataclass(frozen=True, slots=True)
class OutputRecord:
    """A net output: its blob, its shape, and where PyTorch's result holds it (`['out']`, `[0]`, empty: the result)."""

    blob: str
    shape: Shape
    place: str


@dataclass(frozen=True, slots=True)
class LayerRecord:
    """A layer: its Caffe type, the exported call it comes from, the user's line, and the rules that made it."""

    name: str
    type: str
    call: str
    operator: str
    module: str
    file: str
    line: int
    code: str
    via: tuple[str, ...]

    @property
    def origin(self) -> Origin:
        """The record as an origin."""
        return Origin(
            self.call, self.operator, self.module, file=self.file, line=self.line, code=self.code, via=self.via
        )


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One written file: name, size, and a digest that tells files of another conversion apart."""

    name: str
    bytes: int
    digest: str


@dataclass(frozen=True, slots=True)
class Source:
    """The model that was converted: how MODEL and --weights were given (empty when they came as objects)."""

    model: str = ""
    weights: str = ""
    seed: int = 0


@dataclass(frozen=True)
class Manifest:
    """Everything that the files alone do not say.

    `unread` are tops that no layer reads and forward() does not return: a reader lists them as further outputs.
    `mirrors` maps a blob to the exported call whose value it equals. `pictures` are the inputs behind an AIPP.
    """

    version: str
    target: str
    net: str
    source: Source
    files: tuple[FileRecord, ...]
    inputs: tuple[InputRecord, ...]
    outputs: tuple[OutputRecord, ...]
    unread: tuple[str, ...]
    layers: tuple[LayerRecord, ...]
    mirrors: Mapping[str, str]
    notes: tuple[str, ...] = ()
    pictures: tuple[PictureRecord, ...] = ()
    format: int = FORMAT

    @property
    def taken_out(self) -> Mapping[str, Normalization]:
        """Input -> what the model does to it first and the net does not."""
        return {record.input: record.taken_out for record in self.pictures if record.taken_out != NOTHING}

    @property
    def rules(self) -> Mapping[str, int]:
        """How many layers each rule made."""
        return Counter(rule for layer in self.layers for rule in dict.fromkeys(layer.via))

    def to_json(self) -> str:
        """Return the manifest as JSON text: a line for each field, and for each item of a field's list."""
        return json_text(self)

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Return the manifest that the text holds; raises `UsageError` (V704) if it is none of ours."""
        try:
            return _manifest(json.loads(text))
        except (ValueError, TypeError, RecursionError) as error:  # json's own parser recurses
            raise UsageError(Diagnostic("V704", f"the manifest cannot be read: {error}")) from error


def _manifest(data: object) -> Manifest:
    """Return the manifest of parsed JSON; ValueError or TypeError for a field that is not what its type says."""
    given = data.get("format") if isinstance(data, dict) else None
    if given != FORMAT:
        raise ValueError(f"format {given}, this version reads {FORMAT}")
    read: Manifest = typed(Manifest, data)
    return read


def input_records(net: Net) -> tuple[InputRecord, ...]:
    """Return one record per input of the net."""
    return tuple(InputRecord(source.name, source.shape, source.name) for source in net.inputs)


def picture_record(plan: Plan, file: str) -> PictureRecord:
    """Return what a plan decided, as the manifest keeps it."""
    source, pixels = plan.input.name, str(plan.wish.pixels)
    return PictureRecord(source, file, pixels, plan.fed, plan.bytes, plan.normalization, plan.taken_out)


def output_records(net: Net) -> tuple[OutputRecord, ...]:
    """Return one record per output of the net, in the user's order."""
    return tuple(OutputRecord(output.blob, net.shapes[output.blob], output.place) for output in net.outputs)


def layer_records(net: Net) -> tuple[LayerRecord, ...]:
    """Return one record per layer of the net."""
    found = []
    for layer in net.layers:
        origin, kind = layer.origin, layer.op.caffe_type or type(layer.op).__name__
        place = (origin.call, origin.target, origin.module, origin.file, origin.line, origin.code, origin.via)
        found.append(LayerRecord(layer.name, kind, *place))
    return tuple(found)


def unread_tops(net: Net) -> tuple[str, ...]:
    """Return the tops that no layer reads and that are not outputs."""
    read = set(net.output_blobs) | {bottom for layer in net.layers for bottom in layer.bottoms}
    return tuple(top for layer in net.layers for top in layer.tops if top not in read)


def file_record(path: Path) -> FileRecord:
    """Return a file's record. The digest takes a slice of every megabyte: it tells files apart, it is no seal."""
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as stream:
        for start in range(0, size, STEP):
            stream.seek(start)
            digest.update(stream.read(SLICE))
        stream.seek(max(size - SLICE, 0))
        digest.update(stream.read(SLICE))
    return FileRecord(path.name, size, digest.hexdigest())


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a folder, after checking that the files beside it are its own.

    Raises `UsageError`: U133 without a manifest, V704 when a file is missing or of another conversion.
    """
    path = folder / "manifest.json"
    try:
        manifest = Manifest.from_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(Diagnostic("U133", f"{path}: {error.strerror}")) from error
    wrong = [record.name for record in manifest.files if not _is_same(folder / record.name, record)]
    if wrong:
        raise UsageError(Diagnostic("V704", f"{', '.join(wrong)} in {folder} is not what the manifest describes"))
    return manifest


def _is_same(path: Path, record: FileRecord) -> bool:
    try:
        return file_record(path) == record
    except OSError:
        return False
