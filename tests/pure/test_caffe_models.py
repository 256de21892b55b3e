"""Other people's Caffe files made legal for a target: equal to what they were, or refused at their line."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import replace
from itertools import cycle
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from torch2om.caffe.reader import parse_net, read_net
from torch2om.caffe.writer import write_caffemodel
from torch2om.caffe_models import CaffeModel, NetReference, convert_caffe
from torch2om.errors import CaffeFileError, Diagnostic, LegalityError, VerificationError
from torch2om.ir.net import Layer, Net
from torch2om.ir.weight import constant
from torch2om.pipeline import Conversion
from torch2om.targets import TARGETS
from torch2om.verification import verify

FOREIGN = Path(__file__).parents[1] / "data" / "golden" / "foreign.zip"
with zipfile.ZipFile(FOREIGN) as _archive:
    FILES = {name: _archive.read(name) for name in _archive.namelist()}
RUNS = sorted(name.removesuffix(".npz") for name in FILES if name.endswith(".npz"))
GOLDEN = Path(__file__).parents[1] / "data" / "golden" / "caffe"
SINGLES = sorted(path.relative_to(GOLDEN).with_suffix("").as_posix() for path in GOLDEN.rglob("*.prototxt"))
INPUT = 'layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 3 dim: 4 dim: 4 } } }\n'


def converted(folder: Path, layers: str, target: str) -> Conversion:
    (folder / "old.prototxt").write_text(INPUT + layers)
    return convert_caffe(folder / "old.prototxt", None, target, folder / "out")


@pytest.mark.parametrize(("name", "target"), list(zip(RUNS, cycle(TARGETS), strict=False)))
def test_a_file_of_another_converter_becomes_equal_files_for_a_target(name: str, target: str, tmp_path: Path) -> None:
    for suffix in (".prototxt", ".caffemodel"):
        (tmp_path / f"old{suffix}").write_bytes(FILES[name + suffix])
    found = convert_caffe(tmp_path / "old.prototxt", tmp_path / "old.caffemodel", target, tmp_path / "out")
    assert found.artifact is not None
    assert found.verification is not None
    assert {run.title for run in found.verification.runs} == {"meaning", "files"}
    assert all(run.outputs for run in found.verification.runs)


@pytest.mark.parametrize(("name", "target"), list(zip(SINGLES, cycle(TARGETS), strict=False)))
def test_each_of_caffes_own_layers_is_made_legal_or_refused_by_a_limit(name: str, target: str, tmp_path: Path) -> None:
    text = (GOLDEN / f"{name}.prototxt").read_text()
    arrays = dict(np.load(GOLDEN / f"{name}.npz"))
    given = {key.removeprefix("in:"): values for key, values in arrays.items() if key.startswith("in:")}
    (tmp_path / "old.prototxt").write_text(text)
    net = parse_net(text, None)
    weights = tmp_path / "old.caffemodel" if any(layer.weights for layer in net.layers) else None
    if weights is not None:
        write_weights(net, weights, arrays)
    refused: tuple[Diagnostic, ...] = ()
    try:
        convert_caffe(tmp_path / "old.prototxt", weights, target, tmp_path / "out", samples=[given])
    except LegalityError as refusal:
        refused = refusal.diagnostics
    assert all(each.code in ("T401", "T402") and each.source for each in refused)
    assert (tmp_path / "out").exists() == (not refused)


def write_weights(net: Net, path: Path, arrays: Mapping[str, npt.NDArray[np.float32]]) -> None:
    def loaded(layer: Layer) -> Layer:
        named = (arrays[f"weight:{layer.name}:{index}"] for index in range(len(layer.weights)))
        return replace(layer, weights=tuple(map(constant, named)))

    with path.open("wb") as stream:
        write_caffemodel(replace(net, layers=tuple(map(loaded, net.layers))), stream)


def test_every_blob_that_still_exists_is_compared_and_outputs_keep_their_names(tmp_path: Path) -> None:
    layers = (
        'layer { name: "a" type: "AbsVal" bottom: "x" top: "y" }\n'
        'layer { name: "r" type: "ReLU" bottom: "y" top: "y" }\n'
        'layer { name: "d" type: "Dropout" bottom: "y" top: "y" }\n'
        'layer { name: "s" type: "Sigmoid" bottom: "y" top: "prob" }\n'
    )
    found = converted(tmp_path, layers, "caffe")
    assert found.net is not None
    assert [(layer.name, layer.tops) for layer in found.net.layers] == [
        ("a", ("a",)),
        ("r", ("r",)),
        ("prob", ("prob",)),
    ]
    assert found.net.mirrors == {"x": "x", "a": "y/a", "r": "y/r", "prob": "prob"}


def test_layers_of_training_disappear(tmp_path: Path) -> None:
    layers = (
        'layer { name: "d" type: "Data" top: "x" include { phase: TRAIN } }\n'
        'layer { name: "a" type: "AbsVal" bottom: "x" top: "y" }\n'
        'layer { name: "l" type: "EuclideanLoss" bottom: "y" bottom: "x" top: "l" include { phase: TRAIN } }\n'
    )
    net = converted(tmp_path, layers, "ascend310").net
    assert net is not None
    assert [layer.name for layer in net.layers] == ["y"]


@pytest.mark.parametrize("target", TARGETS)
def test_a_batch_norm_of_the_batchs_own_statistics_is_made_legal(target: str, tmp_path: Path) -> None:
    layers = (
        'layer { name: "bn" type: "BatchNorm" bottom: "x" top: "y" batch_norm_param { use_global_stats: false } }\n'
    )
    (tmp_path / "old.prototxt").write_text(INPUT + layers)
    ones = {f"weight:bn:{index}": np.ones(shape, np.float32) for index, shape in enumerate([(3,), (3,), (1,)])}
    write_weights(read_net(tmp_path / "old.prototxt"), tmp_path / "old.caffemodel", ones)
    found = convert_caffe(tmp_path / "old.prototxt", tmp_path / "old.caffemodel", target, tmp_path / "out")
    assert found.verification is not None
    assert found.verification.equal


@pytest.mark.parametrize("kind", ["Yolov3DetectionOutput", "SoftmaxWithLoss", "Data", "Relu"])
def test_a_layer_that_cannot_be_executed_is_refused_with_what_to_do(kind: str, tmp_path: Path) -> None:
    with pytest.raises(CaffeFileError, match=kind) as raised:
        converted(tmp_path, f'layer {{ name: "l" type: "{kind}" bottom: "x" top: "y" }}\n', "caffe")
    assert raised.value.diagnostics[0].hint


def test_a_value_that_is_not_finite_is_the_old_files_own(tmp_path: Path) -> None:
    layers = 'layer { name: "l" type: "Log" bottom: "x" top: "y" log_param { scale: 0 } }\n'
    with pytest.raises(VerificationError, match=r"old\.prototxt computes values that are not finite, first in y"):
        converted(tmp_path, layers, "caffe")


def test_the_first_layer_that_differs_is_named_with_its_old_line(tmp_path: Path) -> None:
    layers = 'layer { name: "a" type: "AbsVal" bottom: "x" top: "a" }\nlayer { name: "p" type: "Power" bottom: "a" top: "p" power_param { scale: 2 } }\n'
    artifact = converted(tmp_path, layers, "caffe").artifact
    assert artifact is not None
    (tmp_path / "old.prototxt").write_text(INPUT + layers.replace('"AbsVal"', '"BNLL"'))
    reference = NetReference(CaffeModel(tmp_path / "old.prototxt").net(), "old.prototxt")
    found = verify(reference, artifact, [{"x": np.ones((2, 3, 4, 4))}]).diagnostics
    assert [(each.code, each.layer, each.origin.line) for each in found] == [("V702", "a", 2)]


def test_what_was_written_is_read_and_converted_to_the_same(tmp_path: Path) -> None:
    layers = 'layer { name: "p" type: "Power" bottom: "x" top: "y" power_param { scale: 3 } }\n'
    first = converted(tmp_path, layers, "caffe").artifact
    assert first is not None
    second = convert_caffe(first.prototxt, first.caffemodel, "caffe", tmp_path / "again").artifact
    assert second is not None
    assert second.prototxt.read_text() == first.prototxt.read_text()
    assert read_net(second.prototxt, second.caffemodel).layers[0].op == read_net(first.prototxt).layers[0].op
