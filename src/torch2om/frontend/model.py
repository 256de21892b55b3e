"""The prototxt as ATC's parser takes it: text, names and types, inputs, then a node for each layer."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch2om.caffe.entries import layer_lines
from torch2om.caffe.schema import CaffeMessage, schema
from torch2om.caffe.tokens import SyntaxProblem
from torch2om.frontend.edges import connect
from torch2om.frontend.graph import Graph, Node, Slot
from torch2om.frontend.ignored import is_dropped, warn_of_phases, warn_of_unknown_fields
from torch2om.frontend.row import Row
from torch2om.frontend.site import GE, Rejected, Tensor
from torch2om.frontend.table import TABLE, given_dims
from torch2om.frontend.verdict import Findings

_PARSER = f"{GE} caffe/caffe_parser.cc"
_CHECKER = f"{GE} common/pre_checker.cc"
_NAME = re.compile(r"[A-Za-z0-9./_-]+")
_LEGACY_RANK = 4
_DATA = ("Input", "DummyData")


def read_model(text: str, findings: Findings) -> Graph | None:
    """Return the graph that the prototxt makes; None if the parser refuses it, with all that it refuses."""
    net = _parsed(text, findings)
    if net is None or not _has_layers(net, findings):
        return None
    _check_names(net, findings)
    if findings.refused:
        return None
    _declare_inputs(net, findings)
    graph = _assembled(net, findings)
    if findings.refused:
        return None
    connect(graph, findings)
    return None if findings.refused else graph


def _parsed(text: str, findings: Findings) -> CaffeMessage | None:
    try:
        net, unknown = schema("ascend").parse_and_note(text)
    except SyntaxProblem as problem:
        findings.refuse("F501", str(problem), f"{_PARSER}:520", atc="E13005")
        return None
    findings.lines = _lines(text, net)
    warn_of_unknown_fields(unknown, net, findings)
    warn_of_phases(net, findings)
    return net


def _lines(text: str, net: CaffeMessage) -> Mapping[str, int]:
    """Return the line that each layer begins at; none for a file that holds old `layers` too."""
    lines = layer_lines(text)
    if len(lines) != len(net.layer):
        return {}
    return {layer.name: line for layer, line in zip(net.layer, lines, strict=True)}


def _has_layers(net: CaffeMessage, findings: Findings) -> bool:
    if net.layer:
        return True
    if net.layers:
        findings.refuse("T411", "it has old `layers` (V1) only", f"{_PARSER}:1443", atc="E11021")
    else:
        findings.refuse("T411", "it has no layer", f"{_PARSER}:1450", atc="E11022")
    return False


def _check_names(net: CaffeMessage, findings: Findings) -> None:
    """Names of letters, digits, `.`, `/`, `_`, `-`, each once; types that are known. Python layers are looked at
    later, and layers of the TRAIN phase never.
    """  # noqa: D205 - the sentence takes two lines
    seen: set[str] = set()
    for layer in net.layer:
        if is_dropped(layer) or layer.type == "Python":
            continue
        name = layer.name
        if not _NAME.fullmatch(name):
            text = f"the name {name!r} may hold letters, digits and ./_- only" if name else "the layer has no name"
            findings.refuse("T411", text, f"{_PARSER}:1218", layer=name, atc="E11018")
        if name in seen:
            text = f"two layers have the name {name!r}"
            findings.refuse("T411", text, f"{_CHECKER} (CheckName)", layer=name, atc="E13009")
        seen.add(name)
        if layer.type not in TABLE:
            findings.refuse("T401", _unknown(layer), f"{_CHECKER} (CheckTypeSupported)", layer=name, atc="E13010")


def _unknown(layer: CaffeMessage) -> str:
    """Say that ATC has no such type; DetectionOutput stands for one of two that it has (caffe_parser.cc:814)."""
    meant = ": write SSDDetectionOutput or FSRDetectionOutput" if layer.type == "DetectionOutput" else ""
    return f"ATC has no layer type {layer.type!r}{meant}"


def _declare_inputs(net: CaffeMessage, findings: Findings) -> None:
    """`input:` with input_dim or input_shape becomes Input layers behind all others (caffe_parser.cc:266)."""
    if not net.input:
        return
    shapes = _declared(net, findings)
    for name, dims in zip(net.input, shapes, strict=False):
        layer = net.layer.add(name=name, type="Input", top=[name])
        layer.input_param.shape.add(dim=dims)


def _declared(net: CaffeMessage, findings: Findings) -> list[list[int]]:
    count, dims = len(net.input), list(net.input_dim)
    if dims and net.input_shape:
        findings.refuse("F508", "both input_dim and input_shape are given", f"{_PARSER}:275", atc="E11001")
    elif dims and len(dims) != _LEGACY_RANK * count:
        text = f"there are {len(dims)} input_dim for {count} inputs, not 4 each"
        findings.refuse("F508", text, f"{_PARSER}:284", atc="E11003")
    elif dims:
        return [dims[start : start + _LEGACY_RANK] for start in range(0, len(dims), _LEGACY_RANK)]
    elif net.input_shape and len(net.input_shape) != count:
        text = f"there are {len(net.input_shape)} input_shape for {count} inputs"
        findings.refuse("F508", text, f"{_PARSER}:312", atc="E11004")
    elif net.input_shape:
        return [list(shape.dim) for shape in net.input_shape]
    else:
        text = f"the inputs {', '.join(net.input)} have no dims"
        findings.refuse("F508", text, f"{_PARSER}:346", atc="E11005")
    return []


def _assembled(net: CaffeMessage, findings: Findings) -> Graph:
    """Return the nodes, each judged by its plugin; a name that is there already gets a number behind it."""
    graph = Graph()
    counts: dict[str, int] = {}
    data_tops: set[str] = set()
    for layer in net.layer:
        if is_dropped(layer):
            continue
        _rename(layer, counts)
        node = _node(layer, findings)
        if node is not None:
            graph.nodes[node.name] = node
            _check_tops(layer, data_tops, findings)
    graph.shared = _shared(graph)
    return graph


def _rename(layer: CaffeMessage, counts: dict[str, int]) -> None:
    """Only an input can have a layer's name here: it is added after the names are checked (caffe_parser.cc:1543)."""
    if layer.name in counts:
        counts[layer.name] += 1
        layer.name = f"{layer.name}_same_{counts[layer.name] - 1}"
    counts.setdefault(layer.name, 1)


def _node(layer: CaffeMessage, findings: Findings) -> Node | None:
    row = TABLE.get(layer.type)
    if row is None:
        findings.refuse("T401", _unknown(layer), f"{_PARSER}:820", layer=layer.name, atc="E11009")
        return None
    try:
        if row.plugin is not None:
            row.plugin(layer)
    except Rejected as rejected:
        findings.refuse("T412", rejected.reason, rejected.source, layer=layer.name, atc=rejected.atc)
        return None
    return Node(layer.name, layer, row, _slots(layer, row), _outputs(layer, row))


def _slots(layer: CaffeMessage, row: Row) -> list[Slot]:
    if layer.type in _DATA:
        return [Slot(f"x{index or ''}") for index, _ in enumerate(given_dims(layer))]
    slots: list[Slot] = []
    for given in row.inputs:
        if given.dynamic:
            slots += [Slot(f"{given.name}{index}") for index, _ in enumerate(layer.bottom)]
        else:
            slots.append(Slot(given.name, given.optional))
    if row.ir == "Reshape":  # the parser makes a constant of the dims (caffe_reshape_parser.cc, AddConstInput)
        slots[1].link = Tensor((len(layer.reshape_param.shape.dim),), "int64")
    return slots


def _outputs(layer: CaffeMessage, row: Row) -> list[Tensor]:
    if layer.type in _DATA:
        return [Tensor(dims) for dims in given_dims(layer)]
    return [Tensor(()) for _ in range(row.outputs or len(layer.top))]


def _check_tops(layer: CaffeMessage, data_tops: set[str], findings: Findings) -> None:
    """Every layer has a top, an input exactly one that no other input has."""
    if not layer.top:
        findings.refuse("T411", "it has no top", f"{_PARSER}:668", layer=layer.name, atc="E11037")
    if layer.type not in _DATA:
        return
    if len(layer.top) > 1:
        text = f"an input has one top, this one {len(layer.top)}"
        findings.refuse("T411", text, f"{_PARSER}:1421", layer=layer.name, atc="E11035")
    for top in layer.top:
        if top in data_tops:
            text = f"two inputs have the top {top!r}"
            findings.refuse("T411", text, f"{_PARSER}:1430", layer=layer.name, atc="E11036")
        data_tops.add(top)


def _shared(graph: Graph) -> list[tuple[str, ...]]:
    """Return the groups of layers whose lists of parameter names are equal (caffe_parser.cc:1590)."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for node in graph.nodes.values():
        names = tuple(param.name for param in node.layer.param if param.HasField("name"))
        if names:
            groups.setdefault(names, []).append(node.name)
    return [tuple(sorted(group)) for group in groups.values() if len(group) > 1]
