"""A large file is read without being copied: benchmarks/om_reading.py measures 300 MB, this suite a tenth."""

from __future__ import annotations

import mmap
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from samples import LANDMARKS
from writing import SECOND, Const, Keys, Op, model, om

import torch2om
from torch2om.om.reader import read_om

LAYERS, BLOCKS = 30, 2000
EACH = BLOCKS * 16 * 16 * 2  # bytes of one layer's filters: a million


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    given = {"origin_shape": [16, 16 * BLOCKS, 1, 1], "origin_format": "NCHW"}
    attributes = {f"attribute{index}": index for index in range(30)}
    ops = []
    for index in range(LAYERS):
        filters = Const((BLOCKS, 1, 16, 16), "FRACTAL_Z", offset=index * EACH, size=EACH, attributes=given)
        ops.append(Op(f"w{index}", "Const", attributes={"value": filters}))
        ops.append(Op(f"conv{index}", "Conv2D", (f"w{index}:0",), attributes))
    weights = np.arange(LAYERS * EACH // 2, dtype=np.uint16).tobytes()
    path = tmp_path_factory.mktemp("large") / "large.om"
    path.write_bytes(om(((0, model(ops, key=Keys(compressed=True))), (1, weights)), wide=True, version=SECOND))
    return path


def peak(action: Callable[[], object]) -> int:
    """The most bytes that Python and numpy hold at once during an action; a mapped file is not among them."""
    tracemalloc.start()
    action()
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found


def test_the_weights_of_a_file_are_views_of_it() -> None:
    assert all(isinstance(weight.data.obj, mmap.mmap) for weight in read_om(LANDMARKS).root.weights)
    with pytest.raises(TypeError, match="read-only"):
        read_om(LANDMARKS).root.weights[0].data[0] = 0


def test_reading_copies_no_weights(large: Path) -> None:
    assert large.stat().st_size > LAYERS * EACH
    assert peak(lambda: read_om(large)) < 0.2 * large.stat().st_size


def test_weights_are_unpacked_one_at_a_time(large: Path) -> None:
    def unpack() -> None:
        for weight in read_om(large).root.weights:
            assert weight.array().shape == (16, 16 * BLOCKS, 1, 1)

    assert peak(unpack) < 0.3 * large.stat().st_size


def test_reading_and_unpacking_take_little_time(large: Path) -> None:
    begin = time.process_time()
    total = sum(weight.array().size for weight in read_om(large).root.weights)
    assert total == LAYERS * EACH // 2
    assert time.process_time() - begin < 2


def test_the_reader_is_among_the_public_names() -> None:
    weights = torch2om.read_om(LANDMARKS).root.weights
    assert weights[-1].array().shape == (16, 1, 5, 5)
