"""The layers' numbers against a real Caffe's: BVLC Caffe 1.0 and, for the types it lacks, public forks.

Each file is a net of one layer (`caffe/`) or of two or three (`caffe-pairs.zip`); the .npz beside it holds
`in:<blob>`, `weight:<layer>:<i>` and `out:<top>` as float32.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from torch2om.caffe.reader import parse_net
from torch2om.executor import execute
from torch2om.ir.net import Layer, Net
from torch2om.ir.op import Array
from torch2om.ir.weight import constant
from torch2om.layers import CAFFE_TYPES

GOLDEN = Path(__file__).parents[1] / "data" / "golden"
TOLERANCE = 2e-6  # of the largest finite number of the blob: Caffe sums in float32, in an order of its own
FLT_MAX = np.finfo(np.float32).max
NOT_COMPUTED = {"BatchedMatMul", "DepthwiseConvolution", "Mish", "Parameter", "PriorBox", "Reorg", "Reverse", "Silence"}
JUDGED = {name for name, kind in CAFFE_TYPES.items() if not kind.computed}

Arrays = Mapping[str, npt.NDArray[np.float32]]
SINGLES = sorted(path.relative_to(GOLDEN / "caffe").with_suffix("").as_posix() for path in GOLDEN.rglob("*.prototxt"))
with zipfile.ZipFile(GOLDEN / "caffe-pairs.zip") as _archive:
    PAIRS = {name: _archive.read(name) for name in sorted(_archive.namelist())}
PAIR_NAMES = [name.removesuffix(".prototxt") for name in PAIRS if name.endswith(".prototxt")]


def with_weights(net: Net, arrays: Arrays) -> Net:
    def loaded(layer: Layer) -> Layer:
        weights = tuple(constant(arrays[f"weight:{layer.name}:{index}"]) for index in range(len(layer.weights)))
        return replace(layer, weights=weights)

    return replace(net, layers=tuple(map(loaded, net.layers)))


def assert_reproduced(text: str, arrays: Arrays, dtype: npt.DTypeLike) -> None:
    net = with_weights(parse_net(text, None), arrays)
    found = execute(net, {source.name: arrays[f"in:{source.name}"] for source in net.inputs}, dtype)
    tops = {output.name: output.blob for output in net.outputs}
    assert tops.keys() == {name.removeprefix("out:") for name in arrays if name.startswith("out:")}
    for name, blob in tops.items():
        assert_close(found[blob], arrays[f"out:{name}"])


def assert_close(found: Array, expected: npt.NDArray[np.float32]) -> None:
    assert found.shape == expected.shape
    ordinary = np.isfinite(expected) & (np.abs(expected) < FLT_MAX)
    np.testing.assert_array_equal(found[~ordinary].astype(np.float32), expected[~ordinary])
    scale = np.abs(expected[ordinary]).max(initial=0.0)
    assert np.abs(found[ordinary].astype(np.float64) - expected[ordinary]).max(initial=0.0) <= TOLERANCE * scale


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", SINGLES)
def test_a_layer_gives_caffes_numbers(name: str, dtype: npt.DTypeLike) -> None:
    path = GOLDEN / "caffe" / f"{name}.prototxt"
    with np.load(path.with_suffix(".npz")) as arrays:
        assert_reproduced(path.read_text(), dict(arrays), dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", PAIR_NAMES)
def test_layers_in_a_row_give_caffes_numbers(name: str, dtype: npt.DTypeLike) -> None:
    with np.load(io.BytesIO(PAIRS[f"{name}.npz"])) as arrays:
        assert_reproduced(PAIRS[f"{name}.prototxt"].decode(), dict(arrays), dtype)


def test_all_golden_files_are_there() -> None:
    assert (len(SINGLES), len(PAIR_NAMES)) == (245, 111)


def test_every_caffe_type_is_measured_or_known_not_to_be() -> None:
    assert {name.split("/")[0] for name in SINGLES} == CAFFE_TYPES.keys() - NOT_COMPUTED - JUDGED
