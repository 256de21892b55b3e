"""What ATC does not read: unknown fields, rules of other phases."""

from __future__ import annotations

import re
from collections.abc import Iterable

from torch2om.caffe.schema import CaffeMessage
from torch2om.caffe.text_reader import UnknownField
from torch2om.frontend.site import GE
from torch2om.frontend.verdict import Findings

_PARSER = f"{GE} caffe/caffe_parser.cc"
_TRAIN, _TEST = 0, 1
_PLACE = re.compile(r"layer\[(\d+)\]\.(.*)")
_MEANT = {
    "batched_matmul_param": "batch_matmul_param",
    "batch_matmul_param.adj_x": "adj_x1",
    "batch_matmul_param.adj_y": "adj_x2",
    "normalize_param": "norm_param",
}


def is_dropped(layer: CaffeMessage) -> bool:
    """Whether an `include` names TRAIN, or no phase at all: TRAIN is what the field is then (caffe_parser.cc:1170)."""
    return any(rule.phase == _TRAIN for rule in layer.include)


def warn_of_unknown_fields(
    fields: Iterable[UnknownField], net: CaffeMessage, findings: Findings, reader: str = "ATC"
) -> None:
    """Name each field that the reader's caffe.proto does not have: it is passed over without a word."""
    for unknown in fields:
        place = _PLACE.fullmatch(unknown.path)
        layer = net.layer[int(place[1])].name if place and int(place[1]) < len(net.layer) else ""
        name = place[2] if place else unknown.path
        meant = _MEANT.get(name, "")
        hint = f"{reader}'s name for it is {meant}" if meant else ""
        said = f"line {unknown.line}: {reader} does not know {name}"
        findings.warn("F509", said, f"{_PARSER}:503-527", layer=layer, hint=hint)


def warn_of_phases(net: CaffeMessage, findings: Findings) -> None:
    """Name each layer that ATC drops and Caffe keeps in its TEST phase, and each that it keeps and Caffe drops."""
    for layer in net.layer:
        if is_dropped(layer) and any(_holds(rule) for rule in layer.include):
            text = "ATC drops it: an include without phase counts as TRAIN"
            hint = "write include { phase: TEST } alone, or no include"
            findings.warn("T403", text, f"{_PARSER}:1170", layer=layer.name, hint=hint)
        if not is_dropped(layer) and any(_holds(rule) for rule in layer.exclude):
            text = "Caffe leaves it out of the TEST phase, ATC keeps it: exclude is not read"
            findings.warn("T403", text, f"{_PARSER}:1170", layer=layer.name, hint="take the layer out")


def _holds(rule: CaffeMessage) -> bool:
    """Whether Caffe's rule may hold in the TEST phase; stages and levels are the caller's choice."""
    return not rule.HasField("phase") or rule.phase == _TEST
