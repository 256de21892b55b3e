"""What is fuzzed: readers of files that strangers may have made, each with inputs to begin with.

A target takes any bytes. It may refuse them with one of torch2om's own errors; everything else that it raises, and every
call that takes long, is a finding. A reader gets a row in `TARGETS`; the replay in this folder's tests and the
coverage-guided driver then take it.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from samples import LANDMARKS, OWN
from writing import (
    SECOND,
    Const,
    Keys,
    Named,
    Op,
    container,
    desc,
    kernel,
    model,
    number,
    om,
    record,
    table,
    task,
    tensor_info,
    tensors,
)

from torch2om.caffe.tokens import decode_text
from torch2om.errors import Torch2omError
from torch2om.manifest import FileRecord, InputRecord, LayerRecord, Manifest, OutputRecord, Source
from torch2om.om.container import Kind
from torch2om.om.description import describe
from torch2om.om.difference import differences
from torch2om.om.layouts import Packed
from torch2om.om.reader import OmFile, parse_om, read_om
from torch2om.preprocessing import read_aipp, write_aipp
from torch2om.wire import field as wire_field

_LENGTH = struct.Struct("<I")
_LONG_LENGTH = struct.Struct("<Q")


@dataclass(frozen=True)
class Target:
    """A reader: what it does with any bytes, and inputs that reach far into it."""

    name: str
    read: Callable[[bytes], object]
    seeds: Callable[[], list[bytes]]

    def try_on(self, content: bytes) -> None:
        """Read the bytes; being refused is no finding."""
        try:
            self.read(content)
        except Torch2omError as error:
            str(error)


def _read_om(content: bytes) -> None:
    """Read a file whose head says how long it is: else nearly every mutation would end at the head."""
    data = bytearray(content)
    if len(data) >= 256:
        wide = data[8:12] == SECOND.to_bytes(4, "little") and any(data[184:192])
        layout, place = (_LONG_LENGTH, 184) if wide else (_LENGTH, 76)
        layout.pack_into(data, place, len(data) - 256)
    _use(parse_om(bytes(data)))


def _read_part(content: bytes) -> None:
    """Read a file of which the first byte chooses one partition, and the rest is its content."""
    kind = content[0] % 32 if content else 0
    parts = [(kind, content[1:])] + ([(0, model([]))] if kind else []) + ([(1, bytes(64))] if kind == 0 else [])
    _use(parse_om(container(table(parts, wide=False))))


def _use(found: OmFile) -> None:
    """Ask for everything that a file holds, as the verbs do."""
    for each in found.models:
        for weight in each.weights:
            try:
                weight.array()
            except Packed:
                continue
    describe(found)
    assert differences(found, found) == ()


def _om_seeds() -> list[bytes]:
    return [
        om(_small_parts()),
        om(_small_parts(), version=SECOND),
        om(_small_parts(), ((0, model([])),), version=SECOND, wide=True),
        om(((0, model([], {"target_type": "LITE"})), (2, b"\xcd\xab\xcd\xab")), kind=4),
        b"version https://git-lfs.github.com/spec/v1\n",
    ]


def _small_parts() -> tuple[tuple[int, bytes], ...]:
    return (
        (8, _ports()),
        (0, _definition(compressed=True)),
        (1, bytes(range(256)) * 8),
        (3, kernel("te_conv", b"\x7fELF") + kernel("te_relu", b"\x7fELF")),
        (2, _tasks()),
    )


def _definition(*, compressed: bool) -> bytes:
    given = {"origin_shape": [3, 1, 2, 2], "origin_format": "NCHW"}
    filters = Const((4, 1, 16, 16), "FRACTAL_Z", size=2048, attributes=given)
    bias = Const((1, 3, 1, 1), "NC1HWC0", data=bytes(64))
    plain = desc((1, 3, 4, 4), "NCHW", 1)
    settings = Named({"aipp_mode": 1, "input_format": 3, "mean_chn_0": 104, "var_reci_chn_0": 0.5})
    ops = [
        Op("x", "Data", attributes={"index": 0, "aipp": settings}, ins=(plain,), outs=(plain,)),
        Op("w", "Const", attributes={"value": filters}, id=1),
        Op("b", "Const", attributes={"value": bias}, id=2),
        Op(
            "conv",
            "Conv2D",
            ("x:0", "w:0", "b:0"),
            {"pads": [1, 1], "_datadump_original_op_names": ["conv", "relu"]},
            id=3,
        ),
        Op("out", "NetOutput", ("conv:0",), ins=(plain,)),
    ]
    return model(ops, {"soc_version": "Ascend310", "memory_size": 4096, "om_info_list": [1, 2]}, Keys(compressed))


def _ports() -> bytes:
    both = tensors(0, tensor_info("x", (1, 4, 4, 3), 1, 4, (1, 3, 4, 4))) + tensors(
        1, tensor_info("conv:0:y", (1, 3), 2, 0)
    )
    gears = record(2, struct.pack("<I2Q", 2, 1, 2)) + record(3, struct.pack("<II2Q", 1, 2, 8, 8))
    return both + gears + record(6, struct.pack("<II", 1, 1) + b"x")


def _tasks() -> bytes:
    launched = wire_field(1, number(1, 4) + number(4, 3)) + number(11, 8) + wire_field(17, b"te_conv__kernel0")
    return task(0, 1, launched) + task(31, 0)


def _part_seeds() -> list[bytes]:
    landmarks = read_om(LANDMARKS).root.parts.of(Kind.MODEL_DEF)
    assert landmarks is not None
    plain = b"\0" + _definition(compressed=False)
    parts = [bytes([kind]) + content for kind, content in _small_parts()]
    nested = wire_field(7, wire_field(6, wire_field(10, wire_field(1, b"g") + wire_field(2, wire_field(13, b"")))))
    objects = b"\5" + struct.pack("<IIHHII", 1, 0x5D776EFD, 1, 0, 1, 1) + b"abc"
    return [*parts, plain, b"\0" + nested, objects, b"\0" + bytes(landmarks.data[:4096])]


def _read_aipp(content: bytes) -> None:
    """Read an AIPP file; what it says is still the same after it was written."""
    configs = read_aipp(decode_text(content))
    assert read_aipp(write_aipp(configs)) == configs


def _aipp_seeds() -> list[bytes]:
    return [path.read_bytes() for path in sorted((OWN.parent / "aipp").glob("*.cfg"))]


def _read_manifest(content: bytes) -> None:
    manifest = Manifest.from_json(content.decode("utf-8", "surrogateescape"))
    assert sum(manifest.rules.values()) >= 0
    assert Manifest.from_json(manifest.to_json()) == manifest


_VALUES = ("null", "true", "-1", "1e308", '"x"', '""', "[]", "{}", "[[]]", "[{}]", '{"a": 1}', "[1]", "[null]")


def _read_edited_manifest(content: bytes) -> None:
    """Read a manifest of which each pair of bytes replaces one value: bytes alone seldom make JSON of the right form."""
    data: Any = json.loads(_manifest_seeds()[0])  # Any: parsed JSON
    for place, choice in pairwise(content[:64]):
        values = list(_values(data)) or [(data, "format")]
        holder, key = values[place % len(values)]
        holder[key] = json.loads(_VALUES[choice % len(_VALUES)])
    _read_manifest(json.dumps(data).encode())


def _values(data: Any) -> Iterator[tuple[Any, Any]]:  # Any: as above
    """Yield each value in parsed JSON as what holds it, and its key there."""
    items = data.items() if isinstance(data, dict) else enumerate(data)
    for key, item in list(items):
        yield data, key
        if isinstance(item, dict | list):
            yield from _values(item)


def _manifest_seeds() -> list[bytes]:
    manifest = Manifest(
        version="0.1.0",
        target="ascend310",
        net="net",
        source=Source("module:Model", "w.pth", 1),
        files=(FileRecord("model.prototxt", 100, "00ff"),),
        inputs=(InputRecord("x", (1, 3, 8, 8), "x"),),
        outputs=(OutputRecord("y", (1, 10), "['out']"),),
        unread=("z",),
        layers=(LayerRecord("conv", "Convolution", "conv2d", "aten.conv2d", "m", "f.py", 3, "x = conv(x)", ("rule",)),),
        mirrors={"y": "add"},
        notes=("note",),
    )
    return [manifest.to_json().encode(), b"{}", b"[]", b'{"a":' * 2000]


TARGETS = {
    target.name: target
    for target in (
        Target("om", _read_om, _om_seeds),
        Target("om_part", _read_part, _part_seeds),
        Target("aipp", _read_aipp, _aipp_seeds),
        Target("manifest", _read_manifest, _manifest_seeds),
        Target("manifest_edits", _read_edited_manifest, lambda: [b"", bytes(range(0, 64, 3))]),
    )
}
