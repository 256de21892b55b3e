"""An om as plain data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from samples import sample_paths
from writing import Const, Named, Op, model, om

from torch2om.om.description import describe
from torch2om.om.reader import parse_om, read_om


@pytest.mark.parametrize("path", sample_paths(), ids=lambda path: path.stem)
def test_every_file_becomes_json(path: Path) -> None:
    assert json.loads(json.dumps(describe(read_om(path))))["models"][0]["graphs"]


def test_bytes_and_tensors_are_told_by_their_size() -> None:
    settings = Named({"mean_chn_0": 104, "blob": b"\xff\xfe\xfd"})
    given = {"value": Const((2,), "ND", data=b"abcd"), "raw": b"\xff", "aipp": settings}
    found: Any = describe(parse_om(om(((0, model([Op("x", "Data", attributes=given)])),))))  # Any: plain data
    (found,) = found["models"]
    (op,) = found["graphs"][0]["operators"]
    assert op["attributes"]["raw"] == {"bytes": 1}
    assert op["attributes"]["value"] == {"dtype": "float16", "shape": (2,), "layout": "ND", "size": 0, "bytes": 4}
    assert op["attributes"]["aipp"] == {"blob": {"bytes": 3}, "mean_chn_0": 104}
    assert found["aipp"][0]["settings"] == {"blob": {"bytes": 3}, "mean_chn_0": 104}
