"""The layers of a parsed prototxt in one form: today's `layer` and the old `layers` (V1), TEST phase only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from torch2om.caffe.schema import CaffeMessage
from torch2om.errors import Diagnostic, Problems
from torch2om.origin import Origin

# V1 types whose modern name is not the CamelCase of the old one: BVLC upgrade_proto.cpp, UpgradeV1LayerType.
_V1_TYPES = {
    "ABSVAL": "AbsVal",
    "ARGMAX": "ArgMax",
    "BNLL": "BNLL",
    "HDF5_DATA": "HDF5Data",
    "HDF5_OUTPUT": "HDF5Output",
    "IM2COL": "Im2col",
    "LRN": "LRN",
    "MVN": "MVN",
    "RELU": "ReLU",
    "RELU6": "ReLU6",
    "SOFTMAX_LOSS": "SoftmaxWithLoss",
    "TANH": "TanH",
}


@dataclass(frozen=True)
class LayerEntry:
    """One layer as the file has it: `message` holds its parameters, under the same names in both versions."""

    name: str
    type: str
    bottoms: tuple[str, ...]
    tops: tuple[str, ...]
    shared: tuple[str, ...]
    message: CaffeMessage
    origin: Origin


def entries(net: CaffeMessage, lines: tuple[int, ...], file: str, problems: Problems) -> Iterator[LayerEntry]:
    """Yield the layers that a deployed net has (TEST phase, level 0, no stages), in the file's order.

    `lines` are the lines that the layers begin at.
    """
    modern = [(layer, layer.type, [param.name for param in layer.param]) for layer in net.layer]
    old = [(layer, _v1_type(layer), list(layer.param)) for layer in net.layers]
    for index, (layer, kind, shared) in enumerate(modern or old):
        line = lines[index] if index < len(lines) else 0
        origin = Origin(target=kind, file=file, line=line)
        if layer.include and layer.exclude:
            text = "it has both include and exclude rules"
            problems.add(Diagnostic("F507", text, origin=origin, layer=layer.name))
        elif _is_deployed(layer):
            yield LayerEntry(layer.name, kind, tuple(layer.bottom), tuple(layer.top), tuple(shared), layer, origin)


def layer_lines(text: str) -> tuple[int, ...]:
    """Return the line of each layer's opening, comments and strings passed over."""
    line, seen, found = 1, 0, []
    for name, offset in _net_fields(text):
        if name in ("layer", "layers"):
            line += text.count("\n", seen, offset)
            seen = offset
            found.append(line)
    return tuple(found)


def inputs_stand_together(text: str, count: int) -> bool:
    """Whether two of the net's `count` inputs are named in a row, with no dims between them."""
    order = [name for name, _ in _net_fields(text) if name.startswith("input")]
    return order.count("input") < count or any(pair == ("input", "input") for pair in pairwise(order))


def _net_fields(text: str) -> Iterator[tuple[str, int]]:
    """Yield each layer and each field of inputs that the net itself has, and where it stands."""
    depth = 0
    for match in _MARKS.finditer(text):
        mark = match.group()
        if depth == 0 and match.lastgroup:
            yield mark, match.start()
        depth += _DEPTHS.get(mark, 0)


_MARKS = re.compile(
    r"""#[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|[{}<>]|\b(?P<field>layers?|input(?:_shape|_dim)?)\b"""
)
_DEPTHS = {"{": 1, "<": 1, "}": -1, ">": -1}


def _v1_type(layer: CaffeMessage) -> str:
    name: str = layer.DESCRIPTOR.fields_by_name["type"].enum_type.values_by_number[layer.type].name
    return _V1_TYPES.get(name, name.title().replace("_", ""))


def _is_deployed(layer: CaffeMessage) -> bool:
    """BVLC's Net::FilterNet for the state {phase: TEST, level: 0}."""
    if layer.include:
        return any(_holds(rule) for rule in layer.include)
    return not any(_holds(rule) for rule in layer.exclude)


def _holds(rule: CaffeMessage) -> bool:
    """BVLC's Net::StateMeetsRule for the same state."""
    phase = rule.DESCRIPTOR.fields_by_name["phase"].enum_type.values_by_number[rule.phase].name
    if rule.HasField("phase") and phase != "TEST":
        return False
    if (rule.HasField("min_level") and rule.min_level > 0) or (rule.HasField("max_level") and rule.max_level < 0):
        return False
    return not rule.stage
