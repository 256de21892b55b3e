"""The judge says what ATC's real front end said of 1704 files: accepted or refused, where it stopped, which dims."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from atc_nets import caffemodel_for

from torch2om.caffe.caffemodel import StoredNet, parse_caffemodel
from torch2om.caffe.tokens import decode_text
from torch2om.frontend import Judgement, judge

DATA = Path(__file__).parents[1] / "data" / "golden"
Record = dict[str, Any]  # Any: a line of JSON


@cache
def records(name: str) -> tuple[Record, ...]:
    lines = (DATA / "atc" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(json.loads(line) for line in lines)


@cache
def judged(name: str) -> tuple[tuple[Record, Judgement], ...]:
    return tuple(
        (record, judge(record["prototxt"], caffemodel_for(record["prototxt"], record["weights"])))
        for record in records(name)
    )


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
