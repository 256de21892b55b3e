"""The judge says what ATC's real front end said of 1704 files: accepted or refused, where it stopped, which dims."""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from torch2om.caffe.blobs import StoredBlob
from torch2om.caffe.caffemodel import StoredLayer, StoredNet, parse_caffemodel
from torch2om.caffe.schema import CaffeMessage, schema
from torch2om.caffe.tokens import SyntaxProblem, decode_text
from torch2om.frontend import Judgement, Unreadable, judge

DATA = Path(__file__).parents[1] / "data" / "golden"
Record = dict[str, Any]  # Any: a line of JSON


@cache
def records(name: str) -> tuple[Record, ...]:
    lines = (DATA / "atc" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(json.loads(line) for line in lines)


@cache
def judged(name: str) -> tuple[tuple[Record, Judgement], ...]:
    return tuple((record, judge(record["prototxt"], caffemodel(record))) for record in records(name))


def caffemodel(record: Record) -> StoredNet | Unreadable:
    """The caffemodel of a verdict: every layer with its blobs, all values 0.1."""
    try:
        net = schema("ascend").parse_text(record["prototxt"], unknown="ignore")
    except SyntaxProblem:
        return Unreadable("the prototxt that names its layers cannot be read")
    return StoredNet("", tuple(stored_layer(layer, record["weights"].get(layer.name, [])) for layer in net.layer))


def stored_layer(layer: CaffeMessage, shapes: list[list[int]]) -> StoredLayer:
    blobs = tuple(stored_blob(tuple(shape)) for shape in shapes)
    bias = layer.convolution_param.bias_term and layer.inner_product_param.bias_term
    return StoredLayer(2, layer.name, layer.type, tuple(layer.bottom), tuple(layer.top), blobs, bias, 0)


def stored_blob(shape: tuple[int, ...]) -> StoredBlob:
    return StoredBlob(shape, np.broadcast_to(np.float32(0.1), (math.prod(shape),)), "data", 0)


def difference(judgement: Judgement, verdict: Record) -> str:
    """What of the verdict the judgement does not reproduce."""
    ours = {
        "accepted": judgement.accepted,
        "stage": None if judgement.stage is None else str(judgement.stage),
        "codes": sorted(judgement.codes),
        "outputs": {name: list(shape) for name, shape in judgement.outputs.items()},
    }
    theirs = {**verdict, "codes": sorted(verdict["codes"])}
    wrong = [f"{key}: {value}, ATC {theirs[key]}" for key, value in ours.items() if theirs.get(key, value) != value]
    return "; ".join(wrong)


@pytest.mark.parametrize("name", ["verdicts", "pairs"])
def test_every_verdict_on_made_nets_is_reproduced(name: str) -> None:
    wrong = {record["name"]: difference(judgement, record["verdict"]) for record, judgement in judged(name)}
    assert len(wrong) == {"verdicts": 1200, "pairs": 400}[name]
    assert {key: text for key, text in wrong.items() if text} == {}


def foreign() -> Iterator[tuple[str, str, StoredNet, Record]]:
    with zipfile.ZipFile(DATA / "foreign.zip") as archive:
        for name in sorted(archive.namelist()):
            stem, _, suffix = name.rpartition(".")
            if suffix == "json":
                text = decode_text(archive.read(f"{stem}.prototxt"))
                yield stem, text, parse_caffemodel(archive.read(f"{stem}.caffemodel")), json.loads(archive.read(name))


def test_every_verdict_on_files_of_other_tools_is_reproduced() -> None:
    wrong = {stem: difference(judge(text, stored), verdict) for stem, text, stored, verdict in foreign()}
    assert len(wrong) == 104
    assert {stem: text for stem, text in wrong.items() if text} == {}


@pytest.mark.parametrize("name", ["verdicts", "pairs"])
def test_every_refusal_names_its_source(name: str) -> None:
    for record, judgement in judged(name):
        errors = [finding for finding in judgement.findings if finding.severity == "error"]
        assert bool(errors) is not judgement.accepted, record["name"]
        assert all(finding.source and finding.message for finding in errors), record["name"]
