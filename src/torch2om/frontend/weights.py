"""The caffemodel as ATC reads it: layers found by name, blobs linked to the inputs behind the bottoms."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from torch2om.caffe.blobs import StoredBlob
from torch2om.caffe.caffemodel import StoredLayer, StoredNet
from torch2om.frontend.graph import Graph, Node, Slot
from torch2om.frontend.site import GE, Tensor
from torch2om.frontend.table import TABLE
from torch2om.frontend.verdict import Findings
from torch2om.ir.op import Shape

_PARSER = f"{GE} caffe/caffe_parser.cc"
_OP_PARSER = f"{GE} caffe/caffe_op_parser.cc"
_MOST_VALUES = 2**31 - 1
_LEGACY_RANK = 4

# Layers of these types are passed over in the caffemodel (caffe_parser.cc:261).
_SKIPPED = ("Split", "SoftmaxWithLoss", "Accuracy", "Data", "Dropout", "MultiLabelLMDB", "Python", "AnnotatedData")

# The numbers' type by the field that holds them; double_data is cut to float32 (caffe_op_parser.cc:108).
_TYPES: Mapping[str, str] = {"int8_data": "int8", "int32_data": "int32", "uint64_data": "uint64"}


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A weights file that is no caffemodel, and why."""

    reason: str


def attach_weights(graph: Graph, stored: StoredNet | Unreadable, findings: Findings) -> None:
    """Link the stored blobs to the nodes of their layers' names, then look whether each required input is linked."""
    if isinstance(stored, Unreadable):
        findings.refuse("F505", stored.reason, f"{GE} common/acl_graph_parser_util.cc", atc="E19999")
        return
    layers = [layer for layer in stored.layers if layer.version == 2]
    if not layers:
        text = "the caffemodel has old `layers` (V1) only" if stored.layers else "the caffemodel has no layer"
        findings.refuse("T413", text, f"{_PARSER}:2137", atc="E11023" if stored.layers else "E11024")
        return
    seen: dict[str, int] = {}
    for layer in layers:
        if layer.type not in _SKIPPED:
            _attach(graph, layer, seen, findings)
        if findings.refused:
            return
    _check_links(graph, seen, findings)


def _attach(graph: Graph, layer: StoredLayer, seen: dict[str, int], findings: Findings) -> None:
    """Give the blobs to the layer of that name, and to those that share its parameters; a name counts once."""
    group = next((names for names in graph.shared if layer.name in names), (layer.name,))
    for name in group:
        wanted = name
        if name in seen:
            wanted = f"{name}_same_{seen[name]}"
            seen[name] += 1
        seen.setdefault(wanted, 1)
        node = graph.nodes.get(wanted)
        row = TABLE.get(layer.type)
        if node is None:
            continue
        if row is None:
            _warn_of_type(node, layer, findings)
        elif row.takes_weights:
            _link_blobs(node, layer, findings)


def _warn_of_type(node: Node, layer: StoredLayer, findings: Findings) -> None:
    if layer.blobs:
        text = f"the caffemodel gives its type as {layer.type!r}, so its {len(layer.blobs)} weights are passed over"
        hint = f"write the type {node.layer.type!r} in the caffemodel too"
        findings.warn("T403", text, f"{_PARSER}:2192", layer=node.name, hint=hint)


def _link_blobs(node: Node, layer: StoredLayer, findings: Findings) -> None:
    """Link blob i to the input behind the caffemodel layer's own bottoms (caffe_custom_parser_adapter.cc:104-150)."""
    straight = len(node.slots) == len(layer.bottoms) + len(layer.blobs)
    for index, blob in enumerate(layer.blobs):
        shape = _checked(blob, node, index, findings)
        if shape is None:
            return
        tensor = Tensor(_mended(shape, layer, index), _TYPES.get(blob.source, "float32"))
        place = len(layer.bottoms) + index
        slot = None if straight else node.valid_slot(place)
        if slot is None:
            slot = _slot_at(node, place)
        if slot.link is None:
            slot.link = tensor


def _slot_at(node: Node, place: int) -> Slot:
    """Return the input at that place; behind the last one another is added."""
    if place >= len(node.slots):
        node.slots.append(Slot(f"__input{len(node.slots)}"))
        return node.slots[-1]
    return node.slots[place]


def _checked(blob: StoredBlob, node: Node, index: int, findings: Findings) -> Shape | None:
    """Return the blob's dims if they are positive and as many values are there, None after saying what is wrong."""
    shape, count = blob.shape, 0 if blob.source == "raw_data" else blob.values.size
    what = f"blob {index} of dims {list(shape)}"
    if min(shape, default=1) <= 0:
        findings.refuse("T413", f"{what} has a dim below 1", f"{_OP_PARSER}:73", layer=node.name, atc="E19999")
    elif math.prod(shape) >= _MOST_VALUES:
        findings.refuse("T413", f"{what} is too large", f"{_OP_PARSER}:80", layer=node.name, atc="E19999")
    elif math.prod(shape) != count:
        text = f"{what} holds {count} values"
        findings.refuse("T413", text, f"{_OP_PARSER}:93", layer=node.name, atc="E11033")
    else:
        return shape
    return None


def _mended(shape: Shape, layer: StoredLayer, index: int) -> Shape:
    """Return [1, 1, 1, N] as [N] for a bias, [1, 1, N, K] as [N, K] for the weight of an InnerProduct."""
    if len(shape) != _LEGACY_RANK:
        return shape
    has_bias = layer.type in ("Convolution", "InnerProduct") and layer.bias_term and index >= 1
    if has_bias and shape[:3] == (1, 1, 1):
        return shape[3:]
    if layer.type == "InnerProduct" and index == 0 and shape[:2] == (1, 1):
        return shape[2:]
    return shape


def _check_links(graph: Graph, seen: Mapping[str, int], findings: Findings) -> None:
    """Every input that is not optional is linked (caffe_parser.cc:2221, CheckNodes)."""
    for node in graph.nodes.values():
        missing = [slot.name for slot in node.slots if slot.valid and slot.link is None]
        if not missing or node.row.ir == "Data":
            continue
        text = f"{node.row.ir} needs {', '.join(missing)}: "
        if node.name in seen:
            text += "neither a bottom nor a blob of the caffemodel gives it"
            findings.refuse("T413", text, f"{_PARSER}:2241", layer=node.name, atc="E19999")
        else:
            text += "the caffemodel has no layer of this name"
            findings.refuse("T413", text, f"{_PARSER}:2234", layer=node.name, atc="E11029")
