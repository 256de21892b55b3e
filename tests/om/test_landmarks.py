"""The file that omg made from Caffe for a HiLens Kit: graph, shapes, weights and calling, each as the net has it."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from samples import LANDMARKS, PONG

from torch2om.om.container import Kind
from torch2om.om.header import FIRST
from torch2om.om.ports import Port
from torch2om.om.reader import OmFile, read_om


@cache
def landmarks() -> OmFile:
    return read_om(LANDMARKS)


@cache
def pong() -> OmFile:
    return read_om(PONG)


# The layers of the net CNNFacepoint, each with its type and the shape that it makes.
LAYERS = [
    ("Conv1", "Convolution", (1, 16, 40, 40)),
    ("ActivationTangH1", "Activation", (1, 16, 40, 40)),
    ("ActivationAbs1", "Activation", (1, 16, 40, 40)),
    ("Pool1", "Pooling", (1, 16, 20, 20)),
    ("Conv2", "Convolution", (1, 48, 20, 20)),
    ("ActivationTangH2", "Activation", (1, 48, 20, 20)),
    ("ActivationAbs2", "Activation", (1, 48, 20, 20)),
    ("Pool2", "Pooling", (1, 48, 10, 10)),
    ("Conv3", "Convolution", (1, 64, 8, 8)),
    ("ActivationTangH3", "Activation", (1, 64, 8, 8)),
    ("ActivationAbs3", "Activation", (1, 64, 8, 8)),
    ("Pool3", "Pooling", (1, 64, 4, 4)),
    ("Conv4", "Convolution", (1, 64, 3, 3)),
    ("ActivationTangH4", "Activation", (1, 64, 3, 3)),
    ("ActivationAbs4", "Activation", (1, 64, 3, 3)),
    ("Dense1", "FullConnection", (1, 100, 1, 1)),
    ("ActivationTangH5", "Activation", (1, 100, 1, 1)),
    ("ActivationAbs5", "Activation", (1, 100, 1, 1)),
    ("Dense2", "FullConnection", (1, 136, 1, 1)),
]
# Each layer's filters: their shape, where they begin in the partition of weights, and how many bytes they take.
FILTERS = {
    "Conv1": ((16, 1, 5, 5), 512, 12800),
    "Conv2": ((48, 16, 3, 3), 13824, 13824),
    "Conv3": ((64, 48, 3, 3), 28160, 55296),
    "Conv4": ((64, 64, 2, 2), 83968, 32768),
    "Dense1": ((100, 576, 1, 1), 117248, 129024),
    "Dense2": ((136, 100, 1, 1), 246784, 32256),
}


def test_the_head_is_of_the_first_version() -> None:
    header = landmarks().header
    assert (header.version, header.name, header.platform) == (FIRST, "CNNFacepoint", "1.11.z.0")
    assert (header.model_type, header.ir_version, header.is_encrypted, header.is_wide) == (0, 2, False, False)


def test_the_table_is_narrow_and_has_definition_weights_and_tasks() -> None:
    kinds = [Kind(part.number) for part in landmarks().root.parts.partitions]
    assert kinds == [Kind.MODEL_DEF, Kind.WEIGHTS_DATA, Kind.TASK_INFO]


def test_the_generation_is_told() -> None:
    found = landmarks().root.provenance
    assert (found.generation, found.target, found.soc, found.command) == ("omg (DDK 1.x, HiLens)", "MINI", "", "")
    memory = landmarks().root.memory
    assert (memory.work, memory.weights, memory.streams, memory.events) == (108032, 279552, 1, 0)


def test_the_operators_are_the_layers_of_the_caffe_net() -> None:
    graph = landmarks().root.definition.main
    assert graph.name == "CNNFacepoint"
    made = {"Data", "TransData", "Const", "NetOutput"}
    found = [(op.name, op.type, op.output_descs[0].shape) for op in graph.ops if op.type not in made]
    assert found == LAYERS
    assert sum(op.type in made for op in graph.ops) == 15


def test_every_operator_reads_the_one_before_it_and_its_constants() -> None:
    ops = [op for op in landmarks().root.definition.main.ops if op.type != "Const"]
    for before, op in pairwise(ops):
        constants = (f"{op.name}_const_1:0", f"{op.name}_const_2:0") if op.name in FILTERS else ()
        assert op.inputs == (f"{before.name}:0", *constants)


def test_attributes_are_those_of_the_layer() -> None:
    conv = next(op for op in landmarks().root.definition.main.ops if op.name == "Conv1")
    assert conv.attributes["kernel"] == (5, 5)
    assert conv.attributes["pad"] == (2, 2, 2, 2)
    assert conv.attributes["num_output"] == 16
    assert conv.attributes["bias_term"] is True
    assert conv.attributes["alpha"] == 1.0
    assert conv.attributes["before_pad"] == ()


def test_the_input_is_one_grey_picture_in_float32() -> None:
    assert landmarks().root.ports.inputs == (Port("data", "float32", (1, 1, 40, 40), "NCHW", 6400),)


def test_the_output_is_68_points_in_float32() -> None:
    expected = Port("output_0_Dense2_0", "float32", (1, 136, 1, 1), "NCHW", 544, layer="Dense2")
    assert landmarks().root.ports.outputs == (expected,)


@pytest.mark.parametrize(("layer", "expected"), FILTERS.items())
def test_filters_stand_at_their_offset_in_fractal_z(layer: str, expected: tuple[tuple[int, ...], int, int]) -> None:
    shape, offset, size = expected
    weight = next(each for each in landmarks().root.weights if each.name == f"{layer}_const_1")
    part = landmarks().root.parts.of(Kind.WEIGHTS_DATA)
    assert part is not None
    assert (weight.shape, weight.layout, weight.dtype, weight.axes) == (shape, "FRACTAL_Z", "float16", "NCHW")
    assert weight.data == part.data[offset : offset + size]
    outputs, inputs, height, width = shape
    assert size == 2 * -(-inputs // 16) * height * width * -(-outputs // 16) * 16 * 16


@pytest.mark.parametrize("layer", FILTERS)
def test_unpacked_filters_are_those_of_a_trained_net(layer: str) -> None:
    filters = next(each for each in landmarks().root.weights if each.name == f"{layer}_const_1").array()
    assert filters.shape == FILTERS[layer][0]
    assert np.isfinite(filters).all()
    assert np.count_nonzero(filters) > 0.99 * filters.size
    assert 1e-3 < filters.astype(np.float64).std() < 1


def test_the_inputs_of_a_fully_connected_layer_stand_in_blocks_of_16_channels() -> None:
    """Weights of neighbouring places of one channel are alike in a trained net, and here only in that order."""
    weight = next(each for each in landmarks().root.weights if each.name == "Dense1_const_1")
    rows = weight.array().astype(np.float64).reshape(100, 576)
    by_channel = rows.reshape(100, 64, 3, 3)
    by_block = rows.reshape(100, 4, 3, 3, 16).transpose(0, 1, 4, 2, 3).reshape(100, 64, 3, 3)
    chance = 1 / np.sqrt(by_block[..., 1:].size)
    assert likeness(by_block) > 10 * chance
    assert abs(likeness(by_channel)) < 3 * chance


def likeness(filters: npt.NDArray[np.float64]) -> float:
    """The correlation of horizontal neighbours."""
    return float(np.corrcoef(filters[..., :-1].ravel(), filters[..., 1:].ravel())[0, 1])


@pytest.mark.parametrize("layer", FILTERS)
def test_biases_are_vectors_in_nc1hwc0_with_32_spare_bytes(layer: str) -> None:
    outputs = FILTERS[layer][0][0]
    bias = next(each for each in landmarks().root.weights if each.name == f"{layer}_const_2")
    assert (bias.layout, bias.shape) == ("NC1HWC0", (1, outputs, 1, 1))
    assert len(bias.data) == -(-outputs // 16) * 16 * 2 + 32
    assert np.isfinite(bias.array()).all()
    assert np.count_nonzero(bias.array()) == outputs


def test_the_tasks_run_every_operator_once_on_the_ai_core() -> None:
    root = landmarks().root
    kernels = [task for task in root.tasks.tasks if task.type == "kernel"]
    computing = [op.id for op in root.definition.main.ops if op.type not in {"Data", "Const"}]
    assert [task.op_id for task in kernels] == computing
    assert {task.core for task in kernels} == {"AI Core (built in)"}
    assert root.tasks.on_ai_cpu == 0
    assert root.kernels == ()


def test_the_file_of_the_next_generation_brings_its_kernels() -> None:
    root = pong().root
    assert root.provenance.generation == "CANN 20.x (ATC 1.7x)"
    assert root.provenance.compiler_version == "1.75.22.0.220"
    assert len(root.kernels) == 12
    assert {kernel.name for kernel in root.kernels} <= {op.name for op in root.definition.main.ops}
    assert sum(12 + len(each.name) + each.bytes for each in root.kernels) == 20918


def test_fused_operators_name_the_layers_that_they_compute() -> None:
    fused = {op.name: op.original_names for op in pong().root.definition.main.ops if len(op.original_names) > 1}
    names = ("W_0/conv1/Conv2D", "W_0/conv1/BiasAdd", "W_0/conv1/Relu")
    assert fused["W_0/conv1/Conv2DW_0/conv1/Relu"] == names
    assert len(fused) == 6


def test_a_matrix_in_fractal_nz_has_its_logical_shape() -> None:
    matrix = next(each for each in pong().root.weights if each.layout == "FRACTAL_NZ" and each.shape == (512, 256))
    assert matrix.axes == "ND"
    assert matrix.array().shape == (512, 256)


def test_filters_of_tensorflow_keep_their_order_of_axes() -> None:
    weight = pong().root.weights[0]
    assert (weight.axes, weight.shape, weight.array().shape) == ("HWCN", (3, 3, 1, 32), (3, 3, 1, 32))
    assert weight.filters().shape == (32, 1, 3, 3)


def test_outputs_bear_the_names_that_atc_gave() -> None:
    assert pong().root.ports.outputs == (Port("out_a:0", "int32", (1,), "NHWC", 4, layer="out_a"),)
