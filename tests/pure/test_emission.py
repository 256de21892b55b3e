"""Emission: what is written reads back as the same net, and a failure leaves the old files as they were."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest

from torch2om import emission
from torch2om.caffe.reader import read_net
from torch2om.emission import Emission, emit, write
from torch2om.errors import EmitError, UsageError
from torch2om.ir.net import Input, Layer, Net, Output
from torch2om.ir.weight import Weight, constant
from torch2om.layers import Convolution, InnerProduct, Pooling, ReLU, Rounding, Slice
from torch2om.manifest import read_manifest
from torch2om.origin import Origin
from torch2om.publication import staged
from torch2om.targets.limits import Target

TARGET = Target("test", "a target of tests", "caffe", {}, source="test")


def net(value: float = 1.0) -> Net:
    origin = Origin("conv2d", "aten.conv2d.default", "stem.conv", file="model.py", line=12, code="x = self.conv(x)")
    filters = constant(np.full((2, 3, 1, 3), value, np.float32))
    layers = (
        Layer(
            "stem.conv", Convolution(2, (1, 3), pad=(0, 1), bias_term=False), ("x",), ("stem.conv",), (filters,), origin
        ),
        Layer("pool", Pooling(kernel=(2, 2), stride=(2, 2), rounding=Rounding.FLOOR), ("stem.conv",), ("pool",)),
        Layer("cut", Slice(slice_point=(1,)), ("pool",), ("cut", "cut.1")),
        Layer("relu", ReLU(0.1), ("cut",), ("relu",)),
    )
    return Net("net", (Input("x", (1, 3, 5, 6)),), layers, (Output("relu", "['y']"),), {"stem.conv": "conv2d"})


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_written_files_read_back_as_the_same_net(tmp_path: Path) -> None:
    written = net()
    artifact = emit(written, TARGET, Emission(tmp_path / "deep" / "out"))
    found = read_net(artifact.prototxt, artifact.caffemodel, "caffe")
    assert [(layer.name, layer.bottoms, layer.tops) for layer in found] == [
        (layer.name, layer.bottoms, layer.tops) for layer in written
    ]
    assert [layer.op for layer in found] == [
        written.layers[0].op,
        written.layers[1].op,
        written.layers[2].op,
        ReLU(float(np.float32(0.1))),
    ]
    np.testing.assert_array_equal(found.layers[0].weights[0].array(), written.layers[0].weights[0].array())


def test_the_manifest_says_where_everything_comes_from(tmp_path: Path) -> None:
    emit(net(), TARGET, Emission(tmp_path, "tiny"))
    manifest = read_manifest(tmp_path)
    assert [record.name for record in manifest.files] == ["tiny.prototxt", "tiny.caffemodel"]
    assert [(output.blob, output.place, output.shape) for output in manifest.outputs] == [
        ("relu", "['y']", (1, 1, 2, 3))
    ]
    assert manifest.unread == ("cut.1",)
    assert manifest.layers[0].origin.place == "model.py:12 (module stem.conv)"
    assert manifest.mirrors == {"stem.conv": "conv2d"}


def test_a_mixture_of_two_conversions_is_told_apart(tmp_path: Path) -> None:
    emit(net(), TARGET, Emission(tmp_path / "a"))
    emit(net(2.0), TARGET, Emission(tmp_path / "b"))
    (tmp_path / "b" / "model.caffemodel").replace(tmp_path / "a" / "model.caffemodel")
    with pytest.raises(UsageError, match=r"V704.*model\.caffemodel"):
        read_manifest(tmp_path / "a")


def test_a_folder_without_manifest_and_a_foreign_manifest_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="U133"):
        read_manifest(tmp_path)
    for text in ("{}", "[1]", '{"format": 99}', "no json"):
        (tmp_path / "manifest.json").write_text(text)
        with pytest.raises(UsageError, match="V704"):
            read_manifest(tmp_path)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("net", 5),
        ("source", []),
        ("files", {"name": "x"}),
        ("inputs", [{"name": "x", "shape": [1, "2"], "argument": "x"}]),
        ("layers", [{"name": "x", "via": [[]]}]),
        ("mirrors", {"x": None}),
        ("unread", [True]),
        ("another", 1),
    ],
)
def test_a_manifest_with_a_value_of_another_type_is_refused(tmp_path: Path, field: str, value: object) -> None:
    path = emit(net(), TARGET, Emission(tmp_path)).manifest_path
    path.write_text(json.dumps({**json.loads(path.read_text()), field: value}))
    with pytest.raises(UsageError, match="V704"):
        read_manifest(tmp_path)


def test_a_manifest_that_nests_too_deep_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"a":' * 100_000)
    with pytest.raises(UsageError, match="V704"):
        read_manifest(tmp_path)


def test_a_full_disk_leaves_the_old_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    emit(net(), TARGET, Emission(tmp_path))
    before = files(tmp_path)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(emission, "write_caffemodel", full)
    with pytest.raises(EmitError, match="E602"):
        emit(net(2.0), TARGET, Emission(tmp_path))
    assert files(tmp_path) == before


def test_a_failing_move_puts_the_old_files_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    emit(net(), TARGET, Emission(tmp_path))
    before = files(tmp_path)
    move = Path.replace

    def refuse(self: Path, target: Path) -> Path:
        if self.name == "model.caffemodel":
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
        return move(self, target)

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(EmitError, match="E601"):
        emit(net(2.0), TARGET, Emission(tmp_path))
    monkeypatch.undo()
    assert files(tmp_path) == before


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(EmitError, match="E601"):
        emit(net(), TARGET, Emission(tmp_path / "out"))


def test_a_draft_that_is_not_published_leaves_nothing(tmp_path: Path) -> None:
    with staged(tmp_path / "out") as staging:
        draft = write(net(), TARGET, Emission(tmp_path / "out"), staging)
        assert draft.caffemodel.exists()
    assert not (tmp_path / "out").exists()


def test_ctrl_c_during_the_moves_waits_until_they_are_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    move = Path.replace

    def interrupted(self: Path, target: Path) -> Path:
        signal.raise_signal(signal.SIGINT)
        return move(self, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        emit(net(), TARGET, Emission(tmp_path))
    monkeypatch.undo()
    assert sorted(files(tmp_path)) == ["manifest.json", "model.caffemodel", "model.prototxt"]
    assert read_manifest(tmp_path).net == "net"


SLOW_WRITER = """
import sys, time
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_emission import TARGET, net
from torch2om import emission
def slow(net, stream, watch, write=emission.write_caffemodel):
    write(net, stream)
    print("writing", flush=True)
    time.sleep(60)
emission.write_caffemodel = slow
emission.emit(net(2.0), TARGET, emission.Emission(Path({folder!r})))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_kill_while_writing_leaves_the_old_files(tmp_path: Path, number: signal.Signals) -> None:
    emit(net(), TARGET, Emission(tmp_path))
    before = files(tmp_path)
    script = SLOW_WRITER.format(tests=str(Path(__file__).parent), folder=str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"writing\n"
        process.send_signal(number)
        process.wait(timeout=20)
    assert {name: data for name, data in before.items() if (tmp_path / name).read_bytes() != data} == {}
    assert read_manifest(tmp_path).net == "net"


def test_weights_are_computed_one_at_a_time_and_forgotten(tmp_path: Path) -> None:
    alive: list[weakref.ref[object]] = []

    def numbers(_: object) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        assert not any(reference() is not None for reference in alive)
        array = np.zeros((1000, 1000), np.float32)
        alive.append(weakref.ref(array))
        return array

    weights = tuple(Weight((1000, 1000), numbers) for _ in range(3))
    layers = tuple(
        Layer(
            f"fc{index}",
            InnerProduct(1000, bias_term=False),
            (f"fc{index - 1}" if index else "x",),
            (f"fc{index}",),
            (one,),
        )
        for index, one in enumerate(weights)
    )
    emit(Net("net", (Input("x", (1, 1000)),), layers, (Output("fc2"),)), TARGET, Emission(tmp_path))
    assert len(alive) == 3
