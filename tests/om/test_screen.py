"""What people see of files that have what the two real ones lack: gears, AIPP, several models, unread parts."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from writing import SECOND, Const, Named, Op, desc, model, om, record, tensor_info, tensors

from torch2om.cli import main

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def unwrapped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let lines be as long as they are."""
    monkeypatch.delenv("COLUMNS", raising=False)


def inspected(capsys: Capture, path: Path, content: bytes, *options: str | Path) -> str:
    """What `inspect` prints of a file with this content."""
    path.write_bytes(content)
    with pytest.raises(SystemExit) as end:
        main(["inspect", str(path), *map(str, options)])
    out, err = capsys.readouterr()
    assert (end.value.code, err) == (0, "")
    return out


def test_gears_aipp_and_provenance_are_shown(capsys: Capture, tmp_path: Path) -> None:
    ports = tensors(0, tensor_info("x", (1, 224, 224, 3), 1, 4, (1, 3, 224, 224))) + tensors(
        1, tensor_info("y", (1,), 2, 0)
    )
    gears = record(2, struct.pack("<I2Q", 2, 1, 8)) + record(6, struct.pack("<II", 1, 1) + b"x")
    settings = Named({"aipp_mode": 1, "input_format": 3, "mean_chn_0": 104, "var_reci_chn_0": 0.5})
    ops = [Op("x", "Data", attributes={"aipp": settings}, outs=(desc((1, 3), "ND"), desc((2,), "ND")))]
    given = {"soc_version": "Ascend310P3", "atc_cmdline": "atc --model=net.prototxt", "framework_type": 0}
    content = om(((8, ports + gears), (0, model(ops, given))), version=SECOND, wide=True)
    out = inspected(capsys, tmp_path / "net.om", content)
    for said in (
        "net: model of CANN 7 or later",
        "chip       Ascend310P3",
        "framework  Caffe",
        "command    atc --model=net.prototxt",
        "1x224x224x3 (behind AIPP 1x3x224x224)",
        "batch   1, 8",
        "order   x",
        "AIPP of x: static, RGB888_U8\n  mean_chn_0 104, var_reci_chn_0 0.5",
    ):
        assert said in out


def test_every_model_of_a_dynamic_file_is_shown(capsys: Capture, tmp_path: Path) -> None:
    first, second = ((0, model([Op(name, "Data")])) for name in ("outer", "inner"))
    out = inspected(capsys, tmp_path / "net.om", om((first,), (second,), version=SECOND, wide=True))
    assert out.index("model 1 of 2") < out.index("outer") < out.index("model 2 of 2") < out.index("inner")


def test_what_is_not_read_is_said(capsys: Capture, tmp_path: Path) -> None:
    strange = Const((2, 2), "FRACTAL_DECONV", data=bytes(8))
    short = Const((3,), "ND", data=bytes(4))
    odd = Const((1,), "ND", data=bytes(3))
    ops = [Op("strange", "Const", attributes={"value": strange}), Op("file", "FileConstant")]
    ops += [Op("short", "Const", attributes={"value": short}), Op("odd", "Const", attributes={"value": odd})]
    content = om(((0, model(ops, {"target_type": "LITE"})), (2, b"\xcd\xab\xcd\xab")))
    out = inspected(capsys, tmp_path / "net.om", content)
    assert "not read: Kirin's compiler writes them in a format of its own" in out
    assert "weights in files beside the om: file" in out
    assert "warning O809 [strange]: float16 in FRACTAL_DECONV is not unpacked\n" in out
    written = inspected(capsys, tmp_path / "net.om", content, "--weights", tmp_path / "w.npz")
    assert "warning O809 [short]: it holds 2 numbers, its shape and layout need 3\n" in written
    assert "warning O809 [odd]: 3 bytes are no whole number of float16\n" in written
    with np.load(tmp_path / "w.npz") as found:
        assert found.files == []


def test_long_values_are_cut(capsys: Capture, tmp_path: Path) -> None:
    content = om(((0, model([Op("op", "Relu", attributes={"long": "x" * 500})])),))
    out = inspected(capsys, tmp_path / "net.om", content, "--attributes")
    assert f"  long = {'x' * 200}...\n" in out
