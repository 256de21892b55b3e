"""Every real file that is here is read completely, and as protobuf itself reads it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from oracle import parse
from packing import Values, fractal_nz, fractal_z, fractal_z_c04, nc1hwc0
from samples import SUMS, sample_paths

from torch2om.om.container import Kind
from torch2om.om.definition import Graph, NamedAttributes, Op, Tensor, TensorDesc, Value
from torch2om.om.layouts import PLAIN, Packed
from torch2om.om.reader import OmModel, read_om
from torch2om.om.weights import Weight

PATHS = sample_paths()
CPP_TYPES = ("float32", "float16", "int8", "int32")  # as GE inc/external/graph/types.h numbers them
NOT_UNPACKED = {"FRACTAL_DECONV"}  # Kirin's own layout of transposed convolutions

each_file = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


@cache
def root(path: Path) -> OmModel:
    return read_om(path).root


@cache
def expected(path: Path) -> Any:  # Any: a class made at run time
    """The model definition that protobuf reads."""
    part = root(path).parts.of(Kind.MODEL_DEF)
    assert part is not None
    return parse("ModelDef", bytes(part.data))


@cache
def known_sums() -> dict[str, str]:
    """File name -> SHA-256, of every list of them that is here."""
    found = {}
    for sums in SUMS:
        for line in sums.read_text().splitlines() if sums.exists() else ():
            digest, name = re.search(r"\b[0-9a-f]{64}\b", line), re.search(r"[\w.-]+\.om\b", line)
            if digest and name:
                found[name[0]] = digest[0]
    return found


@each_file
def test_the_file_is_the_one_that_its_source_names(path: Path) -> None:
    assert hashlib.sha256(path.read_bytes()).hexdigest() == known_sums()[path.name]


@each_file
def test_the_partitions_fill_the_file(path: Path) -> None:
    om = read_om(path)
    partitions = om.root.parts.partitions
    table = 256 + 4 + 12 * len(partitions)
    assert table + sum(part.size for part in partitions) == om.size == path.stat().st_size
    assert om.header.ir_version == 2
    assert om.header.is_wide is False


@each_file
def test_the_definition_is_the_one_that_protobuf_reads(path: Path) -> None:
    found, wanted = root(path).definition, expected(path)
    assert (found.name, found.version, found.platform) == (wanted.name, wanted.version, wanted.custom_version)
    same_attributes(found.attributes, wanted.attr)
    assert len(found.graphs) == len(wanted.graph)
    for graph, original in zip(found.graphs, wanted.graph, strict=True):
        same_graph(graph, original)


def same_graph(found: Graph, wanted: Any) -> None:  # Any in these: messages of classes made at run time
    assert (found.name, list(found.inputs), list(found.outputs)) == (
        wanted.name,
        list(wanted.input),
        list(wanted.output),
    )
    same_attributes(found.attributes, wanted.attr)
    assert len(found.ops) == len(wanted.op)
    for op, original in zip(found.ops, wanted.op, strict=True):
        same_op(op, original)


def same_op(found: Op, wanted: Any) -> None:
    assert (found.name, found.type, list(found.inputs)) == (wanted.name, wanted.type, list(wanted.input))
    assert (found.id, found.stream) == (wanted.id, wanted.stream_id)
    assert (list(found.sources), list(found.source_indices)) == (list(wanted.src_name), list(wanted.src_index))
    same_attributes(found.attributes, wanted.attr)
    for descs, originals in ((found.input_descs, wanted.input_desc), (found.output_descs, wanted.output_desc)):
        assert len(descs) == len(originals)
        for desc, original in zip(descs, originals, strict=True):
            same_desc(desc, original)


def same_desc(found: TensorDesc, wanted: Any) -> None:
    assert (list(found.shape), found.layout) == (list(wanted.shape.dim), wanted.layout)
    assert (found.size, found.weight_size, found.data_offset) == (wanted.size, wanted.weight_size, wanted.data_offset)
    same_attributes(found.attributes, wanted.attr)


def same_attributes(found: Any, wanted: Any) -> None:
    assert set(found) == {entry.key for entry in wanted}
    for entry in wanted:
        same_value(found[entry.key], entry.value)


def same_value(found: Value, wanted: Any) -> None:
    match found:
        case bool():
            assert found == wanted.b
        case int():
            assert found == wanted.i
        case float():
            assert found == wanted.f
        case str():
            assert found.encode() == wanted.s or found == CPP_TYPES[wanted.dt]
        case memoryview():
            assert bytes(found) in (wanted.bt, wanted.s)
        case Tensor():
            same_desc(found.desc, wanted.t.desc)
            assert bytes(found.data) == wanted.t.data
        case NamedAttributes():
            same_attributes(found.attributes, wanted.func.attr)
        case Graph():
            same_graph(found, wanted.g)
        case tuple():
            same_list(found, wanted.list)
        case _:
            raise AssertionError(found)


def same_list(found: tuple[Value, ...], wanted: Any) -> None:
    given = [list(getattr(wanted, name)) for name in ("s", "i", "f", "b", "bt", "td", "t", "g", "na")]
    (items,) = [each for each in given if each] or [[]]
    assert len(found) == len(items)
    for item, original in zip(found, items, strict=True):
        match item:
            case str():
                assert item.encode() == original
            case memoryview():
                assert bytes(item) == original
            case NamedAttributes():
                same_attributes(item.attributes, original.attr)
            case _:
                assert item == original


@each_file
def test_every_weight_unpacks_and_packs_to_the_bytes_in_the_file(path: Path) -> None:
    for weight in root(path).weights:
        if weight.layout in NOT_UNPACKED:
            with pytest.raises(Packed, match="is not known"):
                weight.array()
        else:
            same_bytes(weight)


def same_bytes(weight: Weight) -> None:
    """What is padded with zeros must come back as zeros: a wrong order of axes would move them."""
    packed = repacked(weight)
    stored = np.frombuffer(weight.data, packed.dtype)
    assert stored.size - packed.size in (0, 16 if weight.layout == "NC1HWC0" else 0)
    np.testing.assert_array_equal(stored[: packed.size].view(np.uint8), packed.view(np.uint8))


def repacked(weight: Weight) -> Values:
    values = weight.array()
    assert values.shape == weight.shape
    if weight.layout in PLAIN:
        return values.ravel()
    if weight.layout == "FRACTAL_NZ":
        return fractal_nz(values)
    four = weight.filters() if values.ndim == 4 else values.reshape(1, -1, 1, 1)
    pack = {"FRACTAL_Z": fractal_z, "FRACTAL_Z_C04": fractal_z_c04, "NC1HWC0": nc1hwc0}
    return pack[weight.layout](four)


@each_file
def test_every_constant_is_a_weight_within_its_partition(path: Path) -> None:
    weights = root(path).weights
    assert [weight.name for weight in weights] == [name for graph in expected(path).graph for name in constants(graph)]
    inline = sum(len(weight.data) for weight in weights)
    part = root(path).parts.of(Kind.WEIGHTS_DATA)
    assert part is None or inline <= part.size


def constants(graph: Any) -> Iterator[str]:
    yield from (op.name for op in graph.op if op.type == "Const")
    for op in graph.op:
        for entry in op.attr:
            if entry.value.g.op:
                yield from constants(entry.value.g)


@each_file
def test_inputs_and_outputs_have_names_shapes_types_and_bytes(path: Path) -> None:
    ports = root(path).ports
    assert ports.inputs
    assert ports.outputs
    for port in (*ports.inputs, *ports.outputs):
        assert port.name
        assert port.dtype in {"float32", "uint8", "int32"}
        assert port.bytes == int(np.prod(port.shape)) * np.dtype(port.dtype).itemsize


@each_file
def test_tasks_are_those_that_protobuf_reads(path: Path) -> None:
    found, part = root(path).tasks, root(path).parts.of(Kind.TASK_INFO)
    if found.unread or part is None:
        assert found.tasks == ()
        return
    wanted = parse("ModelTaskDef", bytes(part.data))
    assert len(found.tasks) == len(wanted.task) > 0
    for task, original in zip(found.tasks, wanted.task, strict=True):
        assert task.stream == original.stream_id
        assert task.kernel == (original.kernel.kernel_name or original.kernel.stub_func)
        assert task.blocks == original.kernel.block_dim
        assert (task.type == "kernel") == bool(original.kernel.stub_func)
