"""Nets made legal for OpenCV, written in its dialect and run by OpenCV itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from test_legalization import CASES

from torch2om.caffe.writer import prototxt, write_caffemodel
from torch2om.executor import execute
from torch2om.ir.net import Net
from torch2om.ir.op import Array
from torch2om.pipeline import prepared
from torch2om.rulebook import Case
from torch2om.targets import TARGETS

cv2 = pytest.importorskip("cv2")

OPENCV = TARGETS["opencv"]
ROWS = [row for row, target in CASES if target == "opencv"]


def run_in_opencv(net: Net, values: dict[str, Array], folder: Path) -> list[Array]:
    """Return the net's outputs as OpenCV computes them from its files."""
    text, model = folder / "net.prototxt", folder / "net.caffemodel"
    text.write_text(prototxt(net, "opencv"), encoding="utf-8")
    with model.open("wb") as stream:
        write_caffemodel(net, stream)
    reader = cv2.dnn.readNetFromCaffe(str(text), str(model))
    reader.enableWinograd(False)  # it loses two digits
    for name, value in values.items():
        reader.setInput(value, name)
    return list(reader.forward([output.blob for output in net.outputs]))


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_opencv_computes_what_the_legal_net_does(row: Case, tmp_path: Path) -> None:
    net = prepared(row.net(), OPENCV)
    values = {name: value.astype(np.float32) for name, value in row.feed().items()}
    wanted = execute(net, values)
    for output, found in zip(net.outputs, run_in_opencv(net, values, tmp_path), strict=True):
        expected = wanted[output.blob]
        assert found.shape == OPENCV.seen(expected.shape)
        np.testing.assert_allclose(found.ravel(), expected.ravel(), rtol=0, atol=2e-5 * np.abs(expected).max())
