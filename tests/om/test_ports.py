"""Inputs, outputs and gears: from their own partition, and from the graph where there is none."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from test_container import refusal
from writing import Keys, Named, Op, desc, model, om, record, tensor_info, tensors

from torch2om.om.ports import Port, Ports
from torch2om.om.reader import OmModel, parse_om
from torch2om.wire import field as wire_field

MODEL = model([])


def ports(info: bytes) -> Ports:
    return parse_om(om(((8, info), (0, MODEL)))).root.ports


def of_graph(ops: list[Op], given: dict[str, Any] | None = None) -> OmModel:
    return parse_om(om(((0, model(ops, given)),))).root


def test_tensors_have_the_numbering_of_cpp() -> None:
    inputs = tensors(0, tensor_info("x", (1, 224, 224, 3), 1, 4, (1, 3, 224, 224)), tensor_info("y", (1, 5), 2, 1))
    found = ports(inputs + tensors(1, tensor_info("prob:0:prob", (1, 1000), 2, 0), tensor_info("a:b:1", (1,), 2, 3)))
    assert found.inputs == (
        Port("x", "uint8", (1, 224, 224, 3), "NHWC", 150528, (1, 3, 224, 224)),
        Port("y", "float16", (1, 5), "ND", 10),
    )
    assert found.outputs == (
        Port("prob:0:prob", "float32", (1, 1000), "ND", 4000, layer="prob", top="prob"),
        Port("a:b:1", "int32", (1,), "ND", 4),
    )


def test_a_packed_format_is_told_by_its_lowest_byte() -> None:
    (port,) = ports(tensors(0, tensor_info("x", (1, 16), 0x05000003, 1))).inputs
    assert port.layout == "NC1HWC0"


def test_numbers_that_nobody_knows_are_shown() -> None:
    (port,) = ports(tensors(0, tensor_info("x", (1,), 99, 77))).inputs
    assert (port.layout, port.dtype) == ("format 99", "type 77")


def test_gears_are_read() -> None:
    batches = record(2, struct.pack("<I3Q", 3, 1, 2, 4))
    sizes = record(3, struct.pack("<III4Q", 2, 2, 2, 224, 224, 448, 448))
    dims = record(4, struct.pack("<II3Q", 1, 3, 1, 2, 3))
    names = record(6, struct.pack("<II", 1, 4) + b"data")
    shapes = record(5, struct.pack("<II", 1, 7) + b"0:1,2,3")
    found = ports(batches + sizes + dims + names + shapes)
    assert found.gears == {"batch": ((1,), (2,), (4,)), "image size": ((224, 224), (448, 448)), "dims": ((1, 2, 3),)}
    assert (found.order, found.output_shapes) == (("data",), ("0:1,2,3",))


@pytest.mark.parametrize(
    "info",
    [
        struct.pack("<II", 0, 100),
        record(0, struct.pack("<I", 0xFFFFFFFF)),
        record(0, struct.pack("<I", 1) + struct.pack("<QiiIIII", 4, 0, 0, 1, 12, 8, 0) + b"x" + bytes(100)),
        record(2, struct.pack("<I", 0xFFFFFFFF)),
        record(4, struct.pack("<III", 2, 0xFFFFFFFF, 1)),
        record(6, struct.pack("<II", 1, 0xFFFFFFFF)),
        b"\0",
    ],
)
def test_lengths_that_lie_are_refused(info: bytes) -> None:
    assert refusal(om(((8, info), (0, MODEL)))).startswith("O808 byte")


def test_the_graph_tells_inputs_in_the_order_of_their_index() -> None:
    first = Op("a", "Data", attributes={"index": 1}, ins=(desc((1, 3), "ND", 1),))
    second = Op("b", "Data", attributes={"index": 0}, ins=(desc((1, 8), "ND", 4),))
    assert [port.name for port in of_graph([first, second]).ports.inputs] == ["b", "a"]


def test_static_aipp_is_told_by_input_and_settings() -> None:
    settings = {"aipp_mode": 1, "input_format": 3, "mean_chn_0": 104, "csc_switch": False, "var_reci_chn_0": 0.5}
    given = {"index": 0, "input_dims": [1, 3, 8, 8], "aipp": Named(settings), "_aipp_inputs": ["NHWC:DT_UINT8:x"]}
    found = of_graph([Op("x", "Data", attributes=given, ins=(desc((1, 8, 8, 3), "NHWC", 4),))])
    (port,) = found.ports.inputs
    assert (port.dtype, port.shape, port.model_shape, port.bytes) == ("uint8", (1, 8, 8, 3), (1, 3, 8, 8), 192)
    (aipp,) = found.aipp
    assert (aipp.mode, aipp.input_format, aipp.inputs) == ("static", "RGB888_U8", ("NHWC:DT_UINT8:x",))
    assert aipp.settings == {"mean_chn_0": 104, "var_reci_chn_0": 0.5}


def test_dynamic_aipp_is_told_by_its_own_input() -> None:
    given = {"index": 0, "_data_related_aipp_mode": "dynamic_aipp"}
    data = Op("x", "Data", attributes=given, ins=(desc((1, 3, 8, 8), "NCHW", 4),))
    extra = Op("ascend_dynamic_aipp_data", "AippData", attributes={"index": 1}, ins=(desc((160,), "ND", 4),))
    found = of_graph([data, extra])
    assert [port.name for port in found.ports.inputs] == ["x", "ascend_dynamic_aipp_data"]
    assert [aipp.mode for aipp in found.aipp] == ["dynamic"]


def test_outputs_have_the_names_that_the_compiler_gave() -> None:
    last = Op("Node_Output", "NetOutput", ("fc:0", "conv:1"), ins=(desc((1, 9), "ND", 1), desc((1, 4), "ND", 2)))
    named = of_graph([last], {"attr_model_out_nodes_name": ["fc:0:prob", "conv:1:score"]}).ports.outputs
    assert [(port.name, port.layer, port.top, port.bytes) for port in named] == [
        ("fc:0:prob", "fc", "prob", 36),
        ("conv:1:score", "conv", "score", 8),
    ]
    unnamed = of_graph([last], {"attr_model_out_nodes_name": ["one"]}).ports.outputs
    assert [port.name for port in unnamed] == ["output_0_fc_0", "output_1_conv_1"]


def test_an_output_of_unknown_size_takes_no_bytes_that_are_known() -> None:
    last = Op("Node_Output", "NetOutput", ("fc:0",), ins=(desc((-1, 4), "ND", 1),))
    (port,) = of_graph([last]).ports.outputs
    assert (port.shape, port.bytes) == ((-1, 4), 0)


def test_the_graph_tells_the_layer_of_an_output_that_the_compiler_named() -> None:
    last = Op("Node_Output", "NetOutput", ("fc:0",), ins=(desc((4,), "ND", 1),))
    info = tensors(1, tensor_info("output_0_fc_0", (4,), 2, 0))
    (port,) = parse_om(om(((8, info), (0, model([last]))))).root.ports.outputs
    assert (port.name, port.layer) == ("output_0_fc_0", "fc")


def test_the_gears_of_a_graph_are_those_that_its_case_chooses_among() -> None:
    given = {
        "mbatch_dynamic_type": 2,
        "user_designate_shape_order": ["x"],
        "_pred_value_0": [1, 2],
        "_pred_value_1": [3, 4],
    }
    case = Op("case", "Case", attributes=given)
    found = parse_om(om(((0, model_with_subgraphs(case, 2)),))).root.ports
    assert (found.gears, found.order) == ({"image size": ((1, 2), (3, 4))}, ("x",))


def model_with_subgraphs(op: Op, count: int) -> bytes:
    names = b"".join(wire_field(35, f"gear{index}".encode()) for index in range(count))
    return wire_field(7, wire_field(6, op.encoded(Keys()) + names))
