"""Inputs, outputs and dynamic gears of a model: from the partition made for it, or from the graph.

The partition (CANN 5 and later) is a stream of records: number, length, value (GE base/common/model/
model_introduction.cc). Older files have only the graph, whose `Data` operators are the inputs and whose `NetOutput`
reads the outputs.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from torch2om.om.container import Partition
from torch2om.om.cursor import Cursor
from torch2om.om.datatypes import cpp_format, cpp_type, item_size
from torch2om.om.definition import Definition, Op, TensorDesc, integer, integers, texts

_TENSOR = struct.Struct("<QiiIIII")  # bytes, format, type, and the lengths of name, dims, dims of the model, ranges
_INPUTS = frozenset(("Data", "AippData", "AnnData", "AippConfig"))
_GEAR_KINDS: Mapping[int, str] = {1: "batch", 2: "image size", 3: "dims"}

Gears = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Port:
    """An input or an output as the caller sees it.

    `bytes` is what the caller gives or gets; 0 where a dim is -1, not known before. `model_shape` is the shape behind
    AIPP, where that is another one. Of an output, `layer` and `top` are the layer that makes it and what that layer
    calls it, where the file tells.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    layout: str
    bytes: int
    model_shape: tuple[int, ...] = ()
    layer: str = ""
    top: str = ""


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything about calling a model: `gears` are the batches, image sizes or dims that a dynamic one takes.

    `order` names the inputs as the gears count them; `output_shapes` are the outputs' shapes gear by gear.
    """

    inputs: tuple[Port, ...] = ()
    outputs: tuple[Port, ...] = ()
    gears: Mapping[str, Gears] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    output_shapes: tuple[str, ...] = ()


def read_ports(partition: Partition | None, definition: Definition) -> Ports:
    """Return how the model is called; raises WireProblem."""
    from_graph = _graph_ports(definition)
    if partition is None:
        return from_graph
    found = Ports()
    cursor = Cursor(partition.data, partition.start)
    while cursor.left:
        number, size = cursor.u32(), cursor.u32()
        found = _with_record(found, number, cursor.inner(size))
    layers = {port.name: port.layer for port in from_graph.outputs}
    named = (replace(port, layer=port.layer or layers.get(port.name, "")) for port in found.outputs)
    return replace(found, outputs=tuple(named))


def _with_record(found: Ports, number: int, value: Cursor) -> Ports:
    """Add one record; numbers that nobody knows are passed over, as the runtime does."""
    match number:
        case 0:
            found = replace(found, inputs=tuple(_ports(value)))
        case 1:
            found = replace(found, outputs=tuple(map(_placed, _ports(value))))
        case 2:
            batches = value.numbers(8 * value.u32(), "<u8")
            found = replace(found, gears={**found.gears, "batch": tuple((batch,) for batch in batches)})
        case 3 | 4:
            found = replace(found, gears={**found.gears, _GEAR_KINDS[number - 1]: tuple(_gears(value))})
        case 5:
            found = replace(found, output_shapes=tuple(_texts(value)))
        case 6:
            found = replace(found, order=tuple(_texts(value)))
    return found


def _ports(value: Cursor) -> Iterator[Port]:
    for _ in range(value.u32()):
        size, layout, dtype, name, dims, model_dims, ranges = value.fields(_TENSOR)
        text, shape, model = value.text(name), value.numbers(dims, "<i8"), value.numbers(model_dims, "<i8")
        value.take(ranges)
        behind = model if model != shape else ()
        yield Port(text, cpp_type(dtype), shape, cpp_format(layout), size, behind)


def _gears(value: Cursor) -> Iterator[tuple[int, ...]]:
    """Yield each gear: first stand the lengths of all of them, then their numbers."""
    for length in value.numbers(4 * value.u32(), "<u4"):
        yield value.numbers(8 * length, "<u8")


def _texts(value: Cursor) -> Iterator[str]:
    for length in value.numbers(4 * value.u32(), "<u4"):
        yield value.text(length)


def _graph_ports(definition: Definition) -> Ports:
    graph = definition.main
    data = [op for op in graph.ops if op.type in _INPUTS]
    data.sort(key=lambda op: integer(op.attributes.get("index")))
    last = next((op for op in graph.ops if op.type == "NetOutput"), None)
    names = texts(definition.attributes.get("attr_model_out_nodes_name"))
    case = next((op for op in graph.ops if op.type == "Case"), None)
    return Ports(
        inputs=tuple(_input(op) for op in data if op.input_descs or op.output_descs),
        outputs=() if last is None else tuple(_outputs(last, names)),
        gears={} if case is None else _case_gears(case),
        order=() if case is None else texts(case.attributes.get("user_designate_shape_order")),
    )


def _input(op: Op) -> Port:
    desc = (*op.input_descs, *op.output_descs)[0]
    port = _port(op.name, desc)
    behind = integers(op.attributes.get("input_dims")) or ()
    return port if behind == port.shape else replace(port, model_shape=behind)


def _outputs(op: Op, names: tuple[str, ...]) -> Iterator[Port]:
    """Yield what NetOutput reads. What it makes is what the caller sees, where the file says so (before CANN 20.x)."""
    descs = op.output_descs if len(op.output_descs) == len(op.input_descs) else op.input_descs
    named = len(names) == len(descs)
    for index, desc in enumerate(descs):
        source = op.sources[index] if index < len(op.sources) else ""
        number = op.source_indices[index] if index < len(op.source_indices) else 0
        if named:
            yield _placed(_port(names[index], desc))
        else:
            yield replace(_port(f"output_{index}_{source}_{number}", desc), layer=source)


def _port(name: str, desc: TensorDesc) -> Port:
    size = 0 if min(desc.shape, default=1) < 0 else math.prod(desc.shape) * item_size(desc.dtype)
    return Port(name, desc.dtype, desc.shape, desc.layout, size or desc.size)


def _placed(port: Port) -> Port:
    """Read `layer:index:top` or `layer:index`, as ATC names outputs."""
    parts = port.name.split(":")
    if len(parts) >= 3 and parts[-2].isdigit():
        return replace(port, layer=":".join(parts[:-2]), top=parts[-1])
    if len(parts) == 2 and parts[-1].isdigit():
        return replace(port, layer=parts[0])
    return port


def _case_gears(case: Op) -> Mapping[str, Gears]:
    """Return the gears that the operator `Case` chooses among: one list of numbers for each."""
    kind = _GEAR_KINDS.get(integer(case.attributes.get("mbatch_dynamic_type")), "dims")
    found = (integers(case.attributes.get(f"_pred_value_{index}")) for index in range(len(case.subgraphs)))
    return {kind: tuple(gear for gear in found if gear is not None)}
