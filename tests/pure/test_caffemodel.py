from __future__ import annotations

import io
import resource
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from torch2om.caffe.blobs import StoredBlob
from torch2om.caffe.caffemodel import (
    OutgoingLayer,
    StoredLayer,
    StoredNet,
    file_size,
    parse_caffemodel,
    read_caffemodel,
    write_caffemodel,
)
from torch2om.caffe.schema import schema
from torch2om.wire import WireProblem, head, varint
from torch2om.wire import field as wire_field

RANDOM = np.random.default_rng(7)
KERNEL = RANDOM.standard_normal((4, 3, 2, 2)).astype(np.float32)
BIAS = RANDOM.standard_normal(4).astype(np.float32)


@dataclass(frozen=True)
class Given:
    """A weight that notes when it is asked for."""

    values: npt.NDArray[Any]  # Any: some are of a wrong dtype
    announced: tuple[int, ...] | None = None
    asked: list[str] = field(default_factory=list)
    label: str = ""

    @property
    def shape(self) -> tuple[int, ...]:
        return self.values.shape if self.announced is None else self.announced

    def pieces(self, dtype: npt.DTypeLike) -> Iterator[npt.NDArray[Any]]:  # noqa: ARG002 - its values are what they are; Any: as above
        self.asked.append(self.label)
        yield self.values


LAYERS = (
    OutgoingLayer("data", "Input", (), ("data",), ()),
    OutgoingLayer("conv1", "Convolution", ("data",), ("conv1",), (Given(KERNEL), Given(BIAS))),
    OutgoingLayer("mean", "BatchNorm", ("conv1",), ("mean",), (Given(np.full((), 2.5, np.float32)), Given(BIAS[:0]))),
    OutgoingLayer("sum", "Eltwise", ("mean", "conv1"), ("sum", "second"), ()),
)


def written(layers: tuple[OutgoingLayer, ...] = LAYERS, name: str = "tiny") -> bytes:
    file = io.BytesIO()
    assert file_size(name, layers) == write_caffemodel(file, name, layers) == len(file.getvalue())
    return file.getvalue()


def as_protobuf(layers: tuple[OutgoingLayer, ...] = LAYERS) -> Any:  # Any: a message class made at run time
    net = schema("caffe").NetParameter(name="tiny")
    for layer in layers:
        made = net.layer.add(name=layer.name, type=layer.type, bottom=layer.bottoms, top=layer.tops)
        for blob in layer.blobs:
            made.blobs.add(shape={"dim": blob.shape}, data=cast("Given", blob).values.reshape(-1).tolist())
    return net


def one_blob(content: bytes) -> StoredBlob:
    """The blob of a V2 layer whose BlobProto is `content`."""
    (layer,) = parse_caffemodel(wire_field(100, wire_field(1, b"l") + wire_field(7, content))).layers
    (blob,) = layer.blobs
    return blob


def blob(**values: object) -> bytes:
    data: bytes = schema("caffe").BlobProto(**values).SerializeToString()
    return data


def outline(layer: StoredLayer) -> tuple[object, ...]:
    return layer.version, layer.name, layer.type, layer.bottoms, layer.tops, [b.shape for b in layer.blobs]


def test_the_bytes_are_those_that_protobuf_writes() -> None:
    assert written() == as_protobuf().SerializeToString()


def test_what_is_written_reads_back() -> None:
    net = parse_caffemodel(written())
    assert net.name == "tiny"
    assert [outline(layer) for layer in net.layers] == [
        (2, "data", "Input", (), ("data",), []),
        (2, "conv1", "Convolution", ("data",), ("conv1",), [(4, 3, 2, 2), (4,)]),
        (2, "mean", "BatchNorm", ("conv1",), ("mean",), [(), (0,)]),
        (2, "sum", "Eltwise", ("mean", "conv1"), ("sum", "second"), []),
    ]
    kernel, bias = (blob.array() for blob in net.layers[1].blobs)
    np.testing.assert_array_equal(kernel, KERNEL)
    np.testing.assert_array_equal(bias, BIAS)
    assert net.layers[2].blobs[0].array() == 2.5


def test_arrays_are_read_only_views_of_the_file() -> None:
    content = bytearray(written())
    values = parse_caffemodel(content).layers[1].blobs[0].array()
    assert values.dtype == np.float32
    assert np.shares_memory(values, np.frombuffer(content, np.uint8))
    with pytest.raises(ValueError, match="read-only"):
        values[0, 0, 0, 0] = 0


def test_a_file_is_read_from_disk(tmp_path: Path) -> None:
    (tmp_path / "net.caffemodel").write_bytes(written())
    assert read_caffemodel(tmp_path / "net.caffemodel").name == "tiny"
    with pytest.raises(FileNotFoundError):
        read_caffemodel(tmp_path / "other.caffemodel")


class Watched(io.BufferedIOBase):
    """A file that notes the arrays written to it."""

    def __init__(self, events: list[str]) -> None:
        self.events = events

    def write(self, data: Any, /) -> int:  # Any: whatever has bytes; collections.abc.Buffer is newer than Python 3.11
        if bytes(data) == BIAS.tobytes():
            self.events.append("written")
        return memoryview(data).nbytes


def test_each_array_is_asked_for_when_the_one_before_is_written() -> None:
    events: list[str] = []
    weights = tuple(Given(BIAS, asked=events, label=label) for label in ("first", "second"))
    layers = [OutgoingLayer(name, "Scale", ("x",), (name,), weights) for name in ("a", "b")]
    write_caffemodel(cast("BinaryIO", Watched(events)), "n", layers)
    assert events == ["first", "written", "second", "written"] * 2


def test_a_disk_without_room_is_found_before_any_array_is_asked_for(tmp_path: Path) -> None:
    weight = Given(np.zeros(1000, np.float32))
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    with (tmp_path / "net.caffemodel").open("wb") as file:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limit[1]))
        try:
            with pytest.raises(OSError, match="File too large"):
                write_caffemodel(file, "n", (OutgoingLayer("l", "Scale", (), (), (weight,)),))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert weight.asked == []
    assert (tmp_path / "net.caffemodel").stat().st_size == 0


@pytest.mark.parametrize(
    ("weight", "found"),
    [
        (Given(BIAS, (2, 2)), r"float32 \(2, 2\) and came as float32 \(4,\)"),
        (Given(BIAS.astype(np.float64)), r"came as float64 \(4,\)"),
        (Given(KERNEL[:, :, ::2]), r"came as float32 \(4, 3, 1, 2\), not contiguous"),
    ],
)
def test_an_array_that_is_not_what_was_announced_stops_the_writing(weight: Given, found: str) -> None:
    with pytest.raises(WireProblem, match=rf"layer l, blob 0 was announced as .*{found}"):
        written((OutgoingLayer("l", "Scale", (), (), (weight,)),))


def test_an_array_of_which_rows_are_missing_stops_the_writing() -> None:
    with pytest.raises(WireProblem, match=r"layer l, blob 0 was announced as float32 \(6,\) and came as 4 numbers"):
        written((OutgoingLayer("l", "Scale", (), (), (Given(BIAS, (6,)),)),))


def test_a_file_that_nobody_could_read_is_not_written() -> None:
    huge = Given(BIAS, (2**15, 2**14))
    file = io.BytesIO()
    with pytest.raises(WireProblem, match="the file would have 2147483"):
        write_caffemodel(file, "n", (OutgoingLayer("l", "InnerProduct", (), (), (huge,)),))
    assert (huge.asked, file.getvalue()) == ([], b"")


def test_a_file_larger_than_caffe_reads_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(2**31)
    with pytest.raises(WireProblem, match="the file has 2147483648 bytes"):
        read_caffemodel(tmp_path / "large")


def test_v1_layers_are_read_with_their_own_numbers() -> None:
    net = schema("ascend").NetParameter()
    kernel = {"num": 1, "channels": 2, "height": 1, "width": 2, "data": [1, 2, 3, 4]}
    net.layers.add(name="c", type=4, bottom=["x"], top=["y"], blobs=[kernel])
    net.layers.add(name="d", type=208, blobs_lr=[1.0], convolution_param={"bias_term": False})
    conv, quant = parse_caffemodel(net.SerializeToString()).layers
    assert outline(conv) == (1, "c", "CONVOLUTION", ("x",), ("y",), [(1, 2, 1, 2)])
    np.testing.assert_array_equal(conv.blobs[0].array(), [[[[1, 2]], [[3, 4]]]])
    assert outline(quant) == (1, "d", "208", (), (), [])


def test_v0_layers_are_read_inside_v1_layers() -> None:
    net = schema("caffe").NetParameter()
    net.layers.add(bottom=["x"], top=["y"], layer={"name": "c", "type": "conv", "blobs": [{"data": [1.0]}]})
    (conv,) = parse_caffemodel(net.SerializeToString()).layers
    assert outline(conv) == (0, "c", "conv", ("x",), ("y",), [()])


def test_bias_term_is_that_of_the_two_layers_that_atc_looks_at() -> None:
    net = schema("caffe").NetParameter()
    net.layer.add(name="a", convolution_param={"num_output": 2})
    net.layer.add(name="b", convolution_param={"bias_term": False})
    net.layer.add(name="c", inner_product_param={"bias_term": False})
    net.layer.add(name="d", embed_param={"bias_term": False})
    assert [layer.bias_term for layer in parse_caffemodel(net.SerializeToString()).layers] == [True, False, False, True]


def test_old_dimensions_win_over_the_shape_and_default_to_zero() -> None:
    stored = one_blob(blob(num=2, shape={"dim": [2]}, data=[1, 2]))
    assert stored.shape == (2, 0, 0, 0)
    with pytest.raises(WireProblem, match=r"a blob of shape \(2, 0, 0, 0\) holds 2 values"):
        stored.array()
    assert one_blob(blob(num=-1)).shape == (-1, 0, 0, 0)


def test_a_shape_that_does_not_fit_the_values_is_a_problem_of_the_array() -> None:
    for shape in ([3], [-1, -2], [2**62, 2**62]):
        with pytest.raises(WireProblem, match="holds 2 values"):
            one_blob(blob(shape={"dim": shape}, data=[1, 2])).array()


FLOATS = np.arange(100, dtype="<f4")
REST = FLOATS[31:].tobytes()
SOURCES = [
    ("data", b"".join(b"\x2d" + value.tobytes() for value in FLOATS), FLOATS),
    ("data", wire_field(5, FLOATS[:30].tobytes()) + b"\x2d" + FLOATS[30].tobytes() + wire_field(5, REST), FLOATS),
    ("data", b"\x2d" + FLOATS[0].tobytes() + b"\x08\x01\x2d" + FLOATS[1].tobytes(), FLOATS[:2]),
    ("data", b"\xad\x00" + FLOATS[0].tobytes() + b"\x2d" + FLOATS[1].tobytes(), FLOATS[:2]),
    ("data", wire_field(6, FLOATS.tobytes()), FLOATS[:0]),
    ("double_data", wire_field(8, FLOATS.astype("<f8").tobytes()) + wire_field(5, b"abcd"), FLOATS.astype("f8")),
    ("double_data", b"".join(b"\x41" + value.astype("<f8").tobytes() for value in FLOATS), FLOATS.astype("f8")),
    ("int8_data", wire_field(10, b"\x01\xff") + wire_field(5, FLOATS.tobytes()), np.array([1, -1], np.int8)),
    ("int32_data", wire_field(11, b"".join(map(varint, [3, -1, 2**31 - 1]))), np.array([3, -1, 2**31 - 1], np.int32)),
    ("int32_data", b"\x58\x03" + wire_field(11, varint(-5)), np.array([3, -5], np.int32)),
    ("uint64_data", wire_field(12, varint(2**64 - 1) + varint(7)), np.array([2**64 - 1, 7], np.uint64)),
    ("raw_data", b"\x50\x02" + wire_field(12, FLOATS.astype("<f2").tobytes()), FLOATS.astype("f2")),
    ("raw_data", wire_field(12, FLOATS.tobytes()) + b"\x50\x01", FLOATS),
]  # fmt: skip


@pytest.mark.parametrize(("source", "content", "values"), SOURCES)
def test_values_are_found_wherever_they_are_stored(source: str, content: bytes, values: npt.NDArray[Any]) -> None:
    stored = one_blob(content)
    assert (stored.source, stored.values.dtype) == (source, values.dtype)
    np.testing.assert_array_equal(stored.values, values)
    assert not stored.values.flags.writeable


def test_packed_numbers_across_many_blocks_are_those_of_protobuf() -> None:
    values = RANDOM.integers(-(2**31), 2**31, 40_000, np.int64) >> RANDOM.integers(0, 31, 40_000)
    message = schema("ascend").BlobProto(int32_data=values.tolist())
    np.testing.assert_array_equal(one_blob(message.SerializeToString()).values, values.astype(np.int32))


def test_a_shape_may_come_unpacked_and_in_pieces() -> None:
    pieces = wire_field(7, b"\x08\x02" + wire_field(1, b"\x03\x04")) + wire_field(7, b"\x08\x05\x10\x07")
    assert one_blob(pieces).shape == (2, 3, 4, 5)


DAMAGED = [
    (b"", "byte 0: there is no layer in it"),
    (wire_field(1, b"name only"), "byte 0: there is no layer in it"),
    (b"PK\x03\x04" + bytes(60), "byte 2: no field begins with the tag 3"),
    (b"\x89HDF\r\n\x1a\n" + bytes(60), "no field begins with the tag"),
    (b"\x80\x02}q\x00", "no field begins with the tag 256|bytes are announced"),
    (wire_field(100, b"\x0a\x7fabc"), "byte 5: 127 bytes are announced, 3 are left"),
    (head(100, 2**40), f"{2**40} bytes are announced, 0 are left"),
    (wire_field(100, b"\x0a" + b"\xff" * 9 + b"\x01"), "18446744073709551615 bytes are announced, 0 are left"),
    (b"\xff" * 20, "byte 0: a number has no end"),
    (b"\x80" * 5, "byte 0: the file ends inside a number"),
    (wire_field(100, wire_field(1, b"\xff")), "byte 5: a name is not UTF-8"),
    (wire_field(100, wire_field(7, wire_field(5, b"abc"))), "3 bytes are no whole number of 4-byte floats"),
    (wire_field(100, wire_field(7, b"\x50\x03" + wire_field(12, b"abc"))), "raw_data of type 3 and 3 bytes"),
    (wire_field(100, wire_field(7, wire_field(11, b"\xff" * 9))), "a packed number has no end"),
    (wire_field(100, wire_field(7, wire_field(11, b"\xff" * 10 + b"\x01"))), "has more than 10 bytes"),
    (wire_field(100, wire_field(7, wire_field(7, wire_field(1, b"\x01" * 33)))), "more than 32 axes"),
    (wire_field(100, wire_field(7, wire_field(7, b"\x08\x01" * 33))), "more than 32 axes"),
    (b"\x0b" * 200, "groups nest more than 100 deep"),
    (b"\x0b\x08", "the file ends inside a number"),
    (b"\x0c", "no field begins with the tag 12"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "words"), DAMAGED)
def test_a_foreign_or_damaged_file_is_refused_with_its_place(content: bytes, words: str) -> None:
    with pytest.raises(WireProblem, match=words):
        parse_caffemodel(content)


def test_unknown_fields_and_groups_are_passed_over() -> None:
    group = b"\x0b\x10\x01\x13\x14" + wire_field(3, b"x") + b"\x0c"
    content = group + b"\x15abcd" + b"\x19abcdefgh" + wire_field(77, b"y") + written()
    assert [layer.name for layer in parse_caffemodel(content).layers] == ["data", "conv1", "mean", "sum"]


def test_a_file_cut_anywhere_is_refused_or_ends_before_a_layer() -> None:
    content = written()
    boundaries = {len(written(LAYERS[:count])) for count in range(len(LAYERS) + 1)}
    for length in range(len(content)):
        if length in boundaries - {len(written(()))}:
            assert parse_caffemodel(content[:length]).layers
        else:
            with pytest.raises(WireProblem):
                parse_caffemodel(content[:length])


def survives(content: bytes) -> StoredNet | None:
    try:
        net = parse_caffemodel(content)
        for layer in net.layers:
            for stored in layer.blobs:
                stored.array()
    except WireProblem:
        return None
    return net


@given(st.integers(0, len(written()) - 1), st.integers(0, 255))
def test_a_changed_byte_is_a_wire_problem_at_worst(place: int, value: int) -> None:
    content = bytearray(written())
    content[place] = value
    survives(bytes(content))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_wire_problem_at_worst(content: bytes) -> None:
    survives(content)
    survives(wire_field(100, wire_field(7, content)))
    survives(wire_field(2, wire_field(1, content)))
