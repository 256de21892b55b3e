"""Pictures on the command line: convert --normalize and run --aipp, as a user meets them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from command import NET, Command
from PIL import Image

MODEL = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x):
        return self.conv(x)

class Own(Net):
    def forward(self, x):
        return self.conv(x / 127.5 - 1)

class Normalize:
    mean, std = [0.5, 0.5, 0.5], [0.25, 0.25, 0.25]

class Compose:
    transforms = [type("Resize", (), {"__str__": lambda self: "Resize(256)"})(), Normalize()]

def transform():
    return Compose()
"""
CONVERT = ("--input", "x=1x3x16x24", "--no-verify")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, which holds `net.py`, a picture, and a smaller one."""
    (tmp_path / "net.py").write_text(MODEL)
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "picture.png")
    Image.fromarray(pixels[:16, :24]).save(tmp_path / "small.png")
    np.save(tmp_path / "small.npy", pixels[:16, :24])
    (tmp_path / "small.bin").write_bytes(pixels[:16, :24].tobytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_convert_writes_aipp_beside_the_files_and_tells_the_difference(torch2om: Command, here: Path) -> None:
    ran = torch2om("convert", "net.py:Net", *CONVERT, "--normalize", "imagenet", "--picture", "picture.png")
    assert ran.code == 0, ran.err
    told = " ".join(ran.out.split())
    assert "x is fed as rgb888: uint8 1x16x24x3, 1152 bytes" in told
    assert "picture.png (resized from 30x20), AIPP against PyTorch's preprocessing: x differs by 0.00" in told
    assert "conv differs by" in told
    assert sorted(path.name for path in (here / "out").iterdir()) == [
        "manifest.json",
        "model.aipp.cfg",
        "model.caffemodel",
        "model.prototxt",
    ]
    (record,) = json.loads((here / "out" / "manifest.json").read_text())["pictures"]
    assert (record["file"], record["fed"]) == ("model.aipp.cfg", [1, 16, 24, 3])


def test_convert_takes_the_models_own_normalization_out_and_verify_agrees(torch2om: Command, here: Path) -> None:
    ran = torch2om("convert", "net.py:Own", "--input", "x=1x3x16x24", "--normalize", "from-model", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["verification"]["equal"]
    assert ran.json["aipp"]["taken_out"]["mean"] == pytest.approx([127.5])
    assert ran.json["layers"] == 1
    again = torch2om("verify", "out", "--json")
    assert again.code == 0
    assert again.json["runs"][0]["outputs"] == ran.json["verification"]["runs"][0]["outputs"]  # the same samples
    assert {found["blob"] for found in again.json["runs"][-1]["worst"]} == {"x", "conv"}


def test_convert_reads_a_transform_and_says_what_it_leaves_to_the_caller(torch2om: Command, here: Path) -> None:
    ran = torch2om("convert", "net.py:Net", *CONVERT, "--normalize", "net.py:transform", "--json")
    assert ran.json["aipp"]["normalization"] == {"mean": [0.5] * 3, "std": [0.25] * 3, "divisor": 1.0}
    assert [found["message"] for found in ran.json["findings"] if found["code"] == "P813"] == [
        "left to whoever feeds the device: Resize(256)"
    ]


@pytest.mark.parametrize(
    ("options", "code", "status"),
    [
        (("--resize", "8x8"), "P813", 1),
        (("--input-format", "nv12"), "P811", 2),
        (("--normalize", "nonsense"), "P811", 2),
        (("--normalize", "imagenet", "--input-format", "yuyv"), "P814", 2),
        (("--normalize", "imagenet", "--channels", "grb"), "P814", 2),
        (("--normalize", "imagenet", "--yuv", "bt2020"), "P814", 2),
        (("--normalize", "imagenet", "--frame", "30"), "P813", 2),
        (("--normalize", "imagenet", "--frame", "30x20"), "P813", 1),
        (("--normalize", "imagenet", "--crop", "1;2"), "P813", 2),
        (("--normalize", "imagenet", "--pad", "1,2,3"), "P813", 2),
        (("--normalize", "imagenet", "--pad", "1,2,3,4=black"), "P813", 2),
        (("--normalize", "imagenet", "--picture-input", "y"), "P804", 1),
        (("--normalize", "from-model"), "P821", 1),
        (("--normalize", "net.py:Net"), "P815", 2),
    ],
)
def test_convert_refuses_what_aipp_cannot_do(
    torch2om: Command, here: Path, options: tuple[str, ...], code: str, status: int
) -> None:
    ran = torch2om("convert", "net.py:Net", *CONVERT, *options, "--json")
    assert (ran.code, [found["code"] for found in ran.json["findings"]]) == (status, [code])
    assert not (here / "out").exists()


def test_a_frame_is_cut_and_padded(torch2om: Command, here: Path) -> None:
    sizes = ("--frame", "30x20", "--crop", "center", "--pad", "2,0,2,0=-1")
    ran = torch2om("convert", "net.py:Net", *CONVERT, "--normalize", "pixels", *sizes)
    assert ran.code == 0, ran.err
    text = (here / "out" / "model.aipp.cfg").read_text()
    assert "load_start_pos_w: 5\n    load_start_pos_h: 2\n    crop_size_w: 20\n    crop_size_h: 16\n" in text
    assert "padding_value: -1.0\n" in text


@pytest.fixture
def files(torch2om: Command, here: Path) -> tuple[str, str, str, str]:
    """Return what run needs: the files of a conversion, and the option of its AIPP."""
    assert torch2om("convert", "net.py:Net", *CONVERT, "--normalize", "imagenet").code == 0
    return "out/model.prototxt", "out/model.caffemodel", "--aipp", "out/model.aipp.cfg"


def test_run_feeds_pictures_through_aipp(torch2om: Command, here: Path, files: tuple[str, ...]) -> None:
    results = [
        torch2om("run", *files, "--input", f"x={name}", "--json").json["blobs"]
        for name in ("small.png", "small.npy", "small.bin")
    ]
    assert results[0] == results[1] == results[2]
    turned = torch2om("run", *files, "--input", "x=small.png", "--input-format", "bgr888", "--json").json["blobs"]
    assert turned != results[0]
    assert torch2om("run", *files, "--input", "x=picture.png").code == 0


def test_run_makes_yuv_of_a_picture_as_its_aipp_reads_it(torch2om: Command, here: Path) -> None:
    options = ("--normalize", "imagenet", "--input-format", "nv21", "--picture", "small.png", "--json")
    assert torch2om("convert", "net.py:Net", *CONVERT, *options).json["aipp"]["fed"] == [1, 24, 24]
    ran = torch2om(
        "run", "out/model.prototxt", "out/model.caffemodel", "--aipp", "out/model.aipp.cfg", "--input", "x=small.png"
    )
    assert ran.code == 0, ran.err


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("x", "U115"),
        ("x=none.png", "U133"),
        ("x=none.bin", "U133"),
        ("x=net.py", "P831"),
        ("x=wide.npy", "U115"),
        ("x=float.npy", "U115"),
    ],
)
def test_run_refuses_what_is_no_picture_of_the_size(
    torch2om: Command, here: Path, files: tuple[str, ...], given: str, code: str
) -> None:
    np.save("wide.npy", np.zeros((3, 16, 24), np.uint8))
    np.save("float.npy", np.zeros((16, 24, 3), np.float32))
    ran = torch2om("run", *files, "--input", given, "--json")
    assert (ran.code, [found["code"] for found in ran.json["findings"]]) == (2, [code])


def test_run_refuses_an_aipp_for_another_net(torch2om: Command, here: Path) -> None:
    (here / "tiny.prototxt").write_text(NET)
    (here / "other.cfg").write_text("aipp_op { aipp_mode: static input_format: RGB888_U8 related_input_rank: 3 }")
    ran = torch2om("run", "tiny.prototxt", "--aipp", "other.cfg", "--json")
    assert [found["message"] for found in ran.json["findings"]] == ["the AIPP is for input 3; the net's inputs are x"]
