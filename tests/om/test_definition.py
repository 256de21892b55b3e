"""Attributes of every kind, names that are numbers, and definitions made to exhaust their reader."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packing import fractal_z
from test_container import refusal
from writing import Const, Keys, Named, Op, attributes, desc, integers, model, number, om

from torch2om.om.definition import Definition, Graph, NamedAttributes
from torch2om.om.definition import integers as whole_numbers
from torch2om.om.message import MOST_VALUES, Allowance, Message
from torch2om.om.reader import OmModel, parse_om
from torch2om.wire import WireProblem
from torch2om.wire import field as wire_field

ATTRIBUTES: dict[str, Any] = {
    "whole": -3,
    "real": 0.5,
    "flag": True,
    "text": "hello",
    "raw": b"\xff\xfe",
    "wholes": [1, -2, 2**40],
    "reals": [0.25, -1.0],
    "flags": [True, False],
    "texts": ["a", "", "c"],
    "none": [],
}


def read(ops: list[Op], given: dict[str, Any] | None = None, key: Keys | None = None) -> OmModel:
    return parse_om(om(((0, model(ops, given, key or Keys())),))).root


def definition(content: bytes) -> Definition:
    return parse_om(om(((0, content),))).root.definition


@pytest.mark.parametrize("compressed", [False, True])
def test_attributes_of_every_kind_are_read(compressed: bool) -> None:
    descs = (desc((1, 2), "ND", 1, {"origin_shape": [2], "origin_format": "ND"}, key := Keys(compressed)),)
    found = read([Op("op", "Relu", ("x:0",), ATTRIBUTES, descs, descs)], key=key).definition
    (op,) = found.main.ops
    assert found.is_compressed is compressed
    expected = {name: tuple(item) if isinstance(item, list) else item for name, item in ATTRIBUTES.items()}
    expected["texts"] = ("a", "", "c")
    assert {
        name: bytes(item) if isinstance(item, memoryview) else item for name, item in op.attributes.items()
    } == expected
    assert (op.input_descs[0].dtype, op.input_descs[0].shape) == ("float32", (1, 2))
    assert (op.input_descs[0].origin_shape, op.input_descs[0].origin_format) == ((2,), "ND")


@pytest.mark.parametrize("compressed", [False, True])
def test_constants_and_groups_keep_their_inner_attributes(compressed: bool) -> None:
    weights = np.arange(1, 19, dtype=np.float16).reshape(2, 1, 3, 3)
    packed = fractal_z(weights).tobytes()
    const = Const(
        (9, 1, 16, 16), "FRACTAL_Z", data=packed, attributes={"origin_shape": [2, 1, 3, 3], "origin_format": "NCHW"}
    )
    ops = [
        Op("w", "Const", attributes={"value": const}),
        Op("x", "Data", attributes={"aipp": Named({"mean_chn_0": 104})}),
    ]
    found = read(ops, key=Keys(compressed))
    np.testing.assert_array_equal(found.weights[0].array(), weights)
    group = found.definition.main.ops[1].attributes["aipp"]
    assert isinstance(group, NamedAttributes)
    assert group.attributes == {"mean_chn_0": 104}


def test_many_names_take_several_digits() -> None:
    many = {f"name{index}": index for index in range(300)}
    assert (
        read([Op("op", "Relu", attributes=many)], key=Keys(compressed=True)).definition.main.ops[0].attributes == many
    )


def test_names_that_are_written_out_stay_in_a_compressed_model() -> None:
    key = Keys(compressed=True)
    plain = attributes(10, {"_input_name_key": ["x"]})
    op = Op("op", "Relu", attributes={"a": 1})
    content = model([op], key=key)
    graph = wire_field(7, wire_field(6, op.encoded(key) + plain))
    found = definition(content + graph).graphs[1].ops[0]
    assert found.attributes == {"a": 1, "_input_name_key": ("x",)}


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("\0\x05", 1, "number 4, the table has 2"),
        ("\0", 1, "no number"),
        ("\0\x01\x01\x01\x01\x01\x01", 1, "no number"),
        ("\0\x02", 9, "not the number of one of 1 texts"),
        ("\0\x02", -1, "not the number of one of 1 texts"),
        ("\0\x02", [0, 9], "not the number of one of 1 texts"),
        ("\0\x02", 0.5, "not the number of one of 1 texts"),
    ],
)
def test_a_number_without_a_name_is_damage(name: str, given: Any, said: str) -> None:
    tables = {
        "om_compress_version": 1,
        "attr_name_enum": ["a", "b"],
        "attr_value_enum": ["text"],
        "attrs_use_string_value": [False, True],
    }
    assert said in refusal(om(((0, model([Op("op", "Relu", attributes={name: given})], tables)),)))


def test_an_attribute_may_be_a_graph_and_a_list_of_anything() -> None:
    inner = wire_field(1, b"inner") + wire_field(
        6, Op("deep", "Const", attributes={"value": Const((1,), "ND", data=b"\0<")}).encoded(Keys())
    )
    entries = {"g": wire_field(13, inner), "gs": wire_field(1, wire_field(10, inner)), "d": number(15, 3)}
    entries["rows"] = wire_field(14, wire_field(1, integers(1, [1, 2])) + wire_field(1, integers(1, [3])))
    entries["unknown"] = wire_field(99, b"new")
    given = b"".join(
        wire_field(10, wire_field(1, name.encode()) + wire_field(2, item)) for name, item in entries.items()
    )
    content = wire_field(7, wire_field(6, wire_field(1, b"op") + given))
    found = definition(content)
    (op,) = found.main.ops
    assert isinstance(op.attributes["g"], Graph)
    assert op.attributes["d"] == "int32"
    assert op.attributes["rows"] == ((1, 2), (3,))
    unknown = op.attributes["unknown"]
    assert isinstance(unknown, memoryview)
    assert bytes(unknown) == b"new"
    assert [each.name for each in found.all_graphs()] == ["", "inner"]
    assert [weight.array().item() for weight in parse_om(om(((0, content),))).root.weights] == [1.0]


def test_text_that_is_not_utf8_is_shown_as_escapes() -> None:
    found = definition(wire_field(1, b"caf\xe9") + wire_field(7, wire_field(1, b"g")))
    assert found.name == "caf\\xe9"


def test_fields_of_another_wire_type_are_not_there() -> None:
    found = definition(number(1, 5) + wire_field(2, b"x") + wire_field(7, b""))
    assert (found.name, found.version, found.main.ops) == ("", 0, ())


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1))
def test_whole_numbers_are_read_packed_and_one_by_one(values: list[int]) -> None:
    packed = wire_field(1, integers(3, values))
    single = wire_field(1, b"".join(number(3, each) for each in values))
    for encoded in (packed, single):
        entry = wire_field(11, wire_field(1, b"a") + wire_field(2, encoded))
        assert whole_numbers(definition(entry).attributes["a"]) == tuple(values)


def nested(depth: int) -> bytes:
    """A graph in an attribute of an operator in a graph, and so on."""
    content = b""
    for _ in range(depth):
        content = wire_field(6, wire_field(10, wire_field(1, b"g") + wire_field(2, wire_field(13, content))))
    return wire_field(7, content)


def test_nesting_ends_before_the_interpreter_does() -> None:
    assert definition(nested(20)).main.ops
    assert "nest more than" in refusal(om(((0, nested(30)),)))
    assert "nest more than" in refusal(om(((0, nested(3000)),)))
    assert sys.getrecursionlimit() <= 3000


@pytest.mark.parametrize(
    "content",
    [
        wire_field(7, wire_field(6, integers(31, [0] * (MOST_VALUES + 1)))),
        wire_field(11, wire_field(1, b"a") + wire_field(2, wire_field(1, wire_field(4, bytes(4 * MOST_VALUES + 4))))),
    ],
    ids=["whole", "real"],
)
def test_more_numbers_than_any_model_has_are_refused(content: bytes) -> None:
    assert "more values in it than any real model has" in refusal(om(((0, content),)))


@pytest.mark.parametrize(("count", "enough"), [(190, True), (200, False)])
def test_messages_and_their_fields_are_counted(count: int, enough: bool) -> None:
    """A message counts 5, so does each of those in it, and a field 1."""
    content = memoryview(wire_field(6, b"") * count)
    message = Message(content, 0, len(content), allowance := Allowance(count * 6 + 5 if enough else count * 6 + 4))
    if enough:
        assert len(list(message.inners(6))) == count
        assert allowance.left == 0
    else:
        with pytest.raises(WireProblem, match="more values"):
            list(message.inners(6))


@pytest.mark.parametrize(
    ("const", "said"),
    [
        (Const((1,), "ND", offset=2, size=8), "would take bytes 2 to 10 of 8"),
        (Const((1,), "ND", offset=-1, size=4), "would take bytes -1 to 3"),
        (Const((1,), "ND", size=2**63 - 1), "would take bytes"),
        (Const((1,), "ND", size=2, attributes={"merged_offset": 7}), "would take bytes 7 to 9"),
    ],
)
def test_a_constant_outside_its_partition_is_damage(const: Const, said: str) -> None:
    content = model([Op("w", "Const", attributes={"value": const})])
    assert said in refusal(om(((0, content), (1, bytes(8)))))


def test_a_merged_offset_comes_before_the_other_one() -> None:
    const = Const((1,), "ND", offset=0, size=2, attributes={"merged_offset": 2})
    content = model([Op("w", "Const", attributes={"value": const})])
    found = parse_om(om(((0, content), (1, b"\0\0\0<")))).root
    assert found.weights[0].array().tolist() == [1.0]


@pytest.mark.parametrize(
    ("dtype", "data", "expected"),
    [
        (27, b"\x80\x3f\x00\xc0", [1.0, -2.0]),
        (3, b"\xff\x02", [-1, 2]),
        (8, bytes(16), [0, 0]),
        (1, b"\0\0\x80\x3f" * 2, [1.0, 1.0]),
    ],
)
def test_numbers_of_each_type_are_read(dtype: int, data: bytes, expected: list[float]) -> None:
    content = model([Op("w", "Constant", attributes={"value": Const((2,), "ND", dtype, data=data)})])
    assert parse_om(om(((0, content),))).root.weights[0].array().tolist() == expected


def test_a_weight_in_a_file_of_its_own_is_named() -> None:
    assert read([Op("w", "FileConstant")]).external_weights == ("w",)
