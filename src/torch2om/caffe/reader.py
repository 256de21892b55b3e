"""Reads Caffe files, ours and other people's, into a net: every problem found is reported, with its place.

In-place layers become layers of their own (each version of a blob has its own name), old spellings become today's,
layers of the TRAIN phase are left out, and weights come from the caffemodel or from constant fillers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from torch2om.caffe.caffemodel import StoredLayer, read_caffemodel
from torch2om.caffe.dialect import Dialect, lineage
from torch2om.caffe.entries import LayerEntry, entries, layer_lines
from torch2om.caffe.inputs import is_input, layer_inputs, net_inputs
from torch2om.caffe.overwritten import DYNAMIC, read_dynamic, with_dynamic
from torch2om.caffe.parameters import read_op
from torch2om.caffe.python_layers import as_proposal
from torch2om.caffe.schema import CaffeMessage, schema
from torch2om.caffe.stored import Weights
from torch2om.caffe.tokens import SyntaxProblem, decode_text
from torch2om.caffe.unknown import unknown_type_hint
from torch2om.caffe.versions import Versions
from torch2om.errors import CaffeFileError, Diagnostic, Problems, UsageError
from torch2om.ir.net import Input, Layer, Net, Output
from torch2om.ir.op import BadOp, Op, Shape, Shapes
from torch2om.ir.weight import Weight
from torch2om.layers import CAFFE_TYPES
from torch2om.wire import WireProblem


def read_net(prototxt: Path, caffemodel: Path | None = None, dialect: Dialect = "any") -> Net:
    """Return the net that the files describe; without a caffemodel only constant fillers give weights numbers.

    The outputs are the blobs that no layer reads, in the order of their layers, named as the file names them.
    Raises `CaffeFileError` with every problem found, and `UsageError` for files that cannot be read at all.
    """
    text = _text(prototxt)
    stored = None if caffemodel is None else _stored(caffemodel)
    return parse_net(text, stored, dialect, str(prototxt))


def parse_net(text: str, stored: Mapping[str, StoredLayer] | None, dialect: Dialect = "any", file: str = "") -> Net:
    """Return the net that a prototxt's text describes, with weights from the layers of a caffemodel."""
    try:
        message = schema(dialect).parse_text(text, unknown="ignore" if "ascend" in lineage(dialect) else "refuse")
    except SyntaxProblem as problem:
        raise CaffeFileError(Diagnostic("F501", f"{file}:{problem}")) from problem
    problems = Problems()
    given = with_dynamic(list(entries(message, layer_lines(text), file, problems)), dialect, problems)
    reading = _Reading(given, Weights(stored), dialect, problems)
    reading.start(message)
    for entry in given:
        reading.take(entry)
    problems.raise_as(CaffeFileError)
    return reading.net(message.name)


def _text(path: Path) -> str:
    try:
        return decode_text(path.read_bytes())
    except OSError as error:
        raise UsageError(Diagnostic("U133", f"{path}: {error.strerror}")) from error


def _stored(path: Path) -> Mapping[str, StoredLayer]:
    try:
        return {layer.name: layer for layer in read_caffemodel(path).layers}
    except OSError as error:
        raise UsageError(Diagnostic("U133", f"{path}: {error.strerror}")) from error
    except WireProblem as problem:
        raise CaffeFileError(Diagnostic("F505", f"{path}: {problem}")) from problem


class _Reading:
    """The net as far as it was read: inputs and layers placed, the version of each blob, shapes known so far."""

    def __init__(self, given: list[LayerEntry], weights: Weights, dialect: Dialect, problems: Problems) -> None:
        self._given = given
        self._weights = weights
        self._dialect: Dialect = dialect
        self._problems = problems
        self._versions = Versions(given)
        self._inputs: list[Input] = []
        self._layers: list[Layer] = []
        self._shapes: dict[str, Shape] = {}
        self._broken: set[str] = set()

    def start(self, message: CaffeMessage) -> None:
        """Place the inputs that the net's own fields declare."""
        for source in net_inputs(message, self._problems):
            self._place_input(source)

    def take(self, entry: LayerEntry) -> None:
        """Place one layer, or note why it cannot be read."""
        if is_input(entry):
            for source in layer_inputs(entry, self._problems):
                self._place_input(source)
            return
        try:
            self._place(entry)
        except BadOp as problem:
            self._refuse(entry, "F507", f"{entry.type}: {problem}")
        except WireProblem as problem:
            self._refuse(entry, "F505", str(problem))

    def net(self, name: str) -> Net:
        """Return the net; its outputs are the blobs that nobody reads, under the file's names."""
        read = {bottom for layer in self._layers for bottom in layer.bottoms}
        tops = [top for layer in self._layers for top in layer.tops if top not in read]
        outputs = tuple(Output(top, name=self._versions.name_in_file(top)) for top in tops)
        return Net(name or "net", tuple(self._inputs), tuple(self._layers), outputs)

    def _place_input(self, source: Input) -> None:
        self._versions.define(source.name, "")
        self._shapes[source.name] = source.shape
        self._inputs.append(source)

    def _place(self, entry: LayerEntry) -> None:
        bottoms = [self._bottom(entry, bottom) for bottom in entry.bottoms]
        proposal = as_proposal(entry.message)
        if proposal is not None:
            entry = replace(entry, type="Proposal", message=proposal)
        op_class = CAFFE_TYPES.get(_ALIASES.get(entry.type, entry.type))
        if op_class is None and entry.type != DYNAMIC:
            self._refuse(entry, "F502", f"no layer type {entry.type!r} is known", unknown_type_hint(entry.type))
            return
        known = tuple(bottom for bottom in bottoms if bottom is not None)
        if len(known) != len(bottoms):
            self._give_up(entry)
            return
        shapes = tuple(self._shapes[bottom] for bottom in known)
        op, weights = self._read(op_class, entry, shapes)
        found = op.infer(shapes, tuple(weight.shape for weight in weights))
        if len(found) != len(entry.tops):
            raise BadOp(f"it has {len(entry.tops)} tops, {len(found)} are needed")
        tops = tuple(self._top(entry, top) for top in entry.tops)
        self._shapes.update(zip(tops, found, strict=True))
        origin = replace(entry.origin, call=entry.name, module=entry.name, leaf=True)
        self._layers.append(Layer(entry.name, op, known, tops, weights, origin))

    def _read(self, op_class: type[Op] | None, entry: LayerEntry, bottoms: Shapes) -> tuple[Op, tuple[Weight, ...]]:
        """Return the op and its weights; without a class, a convolution by a blob, which has none."""
        if op_class is None:
            return read_dynamic(entry, self._dialect, bottoms), ()
        op = read_op(op_class, entry.message, self._dialect, shapes=bottoms, tops=len(entry.tops))
        return op, self._weights.of(entry, op, bottoms)

    def _bottom(self, entry: LayerEntry, blob: str) -> str | None:
        """Return the version of the blob that the layer reads; None if it has none, which is reported once."""
        version = self._versions.current(blob)
        if version is None and blob not in self._broken:
            code, why = self._why_dangling(entry, blob)
            self._refuse(entry, code, why)
        return version

    def _why_dangling(self, entry: LayerEntry, blob: str) -> tuple[str, str]:
        later = next((other for other in self._given if blob in other.tops), None)
        if later is None:
            return "F503", f"it reads {blob!r}, which no layer produces"
        if self._leads(entry, later):
            return "F504", f"it reads {blob!r} of {later.name!r}, which itself depends on it"
        return "F503", f"it reads {blob!r} before {later.name!r} produces it"

    def _leads(self, start: LayerEntry, goal: LayerEntry) -> bool:
        """Whether a chain of blobs leads from one layer to another."""
        reached, todo = {start.name}, [start]
        while todo:
            tops = todo.pop().tops
            for other in self._given:
                if other.name not in reached and any(bottom in tops for bottom in other.bottoms):
                    reached.add(other.name)
                    todo.append(other)
        return goal.name in reached

    def _top(self, entry: LayerEntry, top: str) -> str:
        if self._versions.current(top) is not None and top not in entry.bottoms:
            raise BadOp(f"its top {top!r} is already made by another layer")
        return self._versions.define(top, entry.name)

    def _refuse(self, entry: LayerEntry, code: str, text: str, hint: str = "") -> None:
        self._problems.add(Diagnostic(code, text, origin=entry.origin, layer=entry.name, hint=hint))
        self._give_up(entry)

    def _give_up(self, entry: LayerEntry) -> None:
        """What depends on a layer that cannot be read is not reported again."""
        self._broken.update(entry.tops)


# Types that mean a layer of another name: caffe_plugin of ATC registers them so (atc-frontend.md section 3), HiLens
# writes the last in capitals (#42).
_ALIASES: Mapping[str, str] = {
    "Elu": "ELU",
    "RReLU": "ReLU",
    "LeakyReLU": "ReLU",
    "YOLODetectionOutput": "YoloDetectionOutput",
}
