"""Where OpenCV computes something else than Caffe without saying so: our nets for it avoid each of these forms."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from test_opencv_reader import OPENCV, run_in_opencv

from torch2om.errors import LegalityError
from torch2om.executor import execute
from torch2om.ir.net import Input, Layer, Net, Output
from torch2om.ir.op import Op, Shape
from torch2om.ir.weight import constant
from torch2om.layers import (
    LRN,
    MVN,
    BatchNorm,
    Convolution,
    Deconvolution,
    Dropout,
    Eltwise,
    EltwiseOperation,
    InnerProduct,
    Pooling,
    PoolMethod,
    Power,
    PReLU,
    ReLU,
    Scale,
    Split,
)
from torch2om.passes import name_layers
from torch2om.pipeline import prepared
from torch2om.targets import check

cv2 = pytest.importorskip("cv2")

CUBE = (2, 4, 4, 4)  # every axis but the first has as many elements as there are channels
ROWS = (2, 4, 4)
POINTS = Convolution(4, (1, 1))
MASKED = Layer("pool", Pooling(PoolMethod.MAX, (2, 2), (2, 2), tops=2), ("x",), ("largest", "mask"))
LINE = Power(scale=-2.0, shift=0.5)


def chain(shape: Shape, *ops: Op) -> Net:
    """Return the net of these layers, each reading the one before it (an Eltwise twice), with random weights."""
    random = np.random.default_rng(5)
    source = Input("x", shape)
    layers: list[Layer] = []
    for op in ops:
        bottoms = (layers[-1].tops[0] if layers else "x",) * (1 + isinstance(op, Eltwise))
        weights = [random.uniform(0.5, 1.5, dims) for dims in op.expected_weights([shape] * len(bottoms))]
        name = f"y{len(layers)}"
        layers.append(Layer(name, op, bottoms, (name,), tuple(map(constant, weights))))
        shape = op.infer([shape] * len(bottoms), [weight.shape for weight in weights])[0]
    return Net("net", (source,), tuple(layers), (Output(layers[-1].tops[0]),))


def error_in_opencv(net: Net, folder: Path) -> float:
    """Return how far OpenCV is from Caffe, in the scale of the outputs; infinity where it refuses."""
    random = np.random.default_rng(3)
    values = {one.name: random.uniform(0.5, 2, one.shape).astype(np.float32) for one in net.inputs}
    wanted = execute(net, values)
    try:
        found = run_in_opencv(net, values, folder)
    except cv2.error:
        return np.inf
    pairs = [(wanted[output.blob].ravel(), y.ravel()) for output, y in zip(net.outputs, found, strict=True)]
    return max(float(np.abs(y - want).max() / np.abs(want).max()) for want, y in pairs)


def assert_a_trap_that_we_avoid(net: Net, folder: Path) -> None:
    assert error_in_opencv(name_layers(net), folder) > 1e-4
    made = prepared(net, OPENCV)
    check(made, OPENCV)
    assert error_in_opencv(made, folder) < 1e-5


FUSED = [
    (CUBE, POINTS, Scale(2)),
    (CUBE, POINTS, Scale(3, bias_term=True)),
    (CUBE, POINTS, Scale(1, -1)),
    (CUBE, POINTS, ReLU(), POINTS, BatchNorm(), LINE, Dropout(), Scale(2)),
    (CUBE, Deconvolution(4, (1, 1)), Scale(2)),
    (CUBE, BatchNorm(), Scale(2)),
    (CUBE, BatchNorm(), Scale(1), Scale(3)),
    (ROWS, LINE, InnerProduct(4, axis=2), PReLU()),
    (ROWS, InnerProduct(4, axis=2), BatchNorm()),
    (ROWS, LINE, Eltwise(EltwiseOperation.SUM), PReLU()),
    (ROWS, Eltwise(EltwiseOperation.PROD), BatchNorm()),
    (CUBE, MVN(normalize_variance=False), LINE),
    (CUBE, MVN(normalize_variance=False, across_channels=True), BatchNorm()),
    (CUBE, MVN(normalize_variance=False), BatchNorm()),
    (CUBE, Power(2.0), LINE),
    ((2, 1, 4, 4), Power(3.0), Scale(1), LINE),
    ((2, 1, 4, 4), Power(2.0), BatchNorm()),
]


@pytest.mark.parametrize("row", FUSED, ids=lambda row: "-".join(type(op).__name__ for op in row[1:]))
def test_layers_that_opencv_merges_wrongly_are_kept_apart(row: tuple[Shape, *tuple[Op, ...]], tmp_path: Path) -> None:
    assert_a_trap_that_we_avoid(chain(row[0], *row[1:]), tmp_path)


RIGHTLY = [
    (POINTS, BatchNorm(), Scale(1, bias_term=True), ReLU()),
    (POINTS, Power(scale=2.0, shift=1.0), ReLU()),
    (POINTS, PReLU()),
    (BatchNorm(), Scale(1), Power(scale=3.0)),
    (Eltwise(EltwiseOperation.SUM), PReLU()),
    (MVN(normalize_variance=False), Scale(1, bias_term=True)),
    (Power(2.0, shift=1.0), LINE),
    (LINE, LINE, Power(2.0)),
]


@pytest.mark.parametrize("ops", RIGHTLY, ids=lambda ops: "-".join(type(op).__name__ for op in ops))
def test_layers_that_opencv_merges_rightly_stay_as_they_are(ops: tuple[Op, ...], tmp_path: Path) -> None:
    net = chain(CUBE, *ops)
    made = prepared(net, OPENCV)
    assert [layer.op for layer in made.layers] == [layer.op for layer in net.layers]
    assert error_in_opencv(made, tmp_path) < 1e-5


def depthwise(stride: int, dilation: int, pad: int) -> Convolution:
    return Convolution(4, (3, 3), (stride,) * 2, (pad,) * 2, (dilation,) * 2, group=4)


WRONG = [
    ((2, 4, 7, 8), depthwise(1, 2, 1)),
    ((2, 4, 1, 6), depthwise(1, 1, 1)),
    ((2, 4, 6, 1), depthwise(2, 1, 1)),
    ((2, 4, 3, 9), Convolution(4, (3, 3), pad=(1, 0), dilation=(2, 1), group=4)),
    ((2, 4, 9), Convolution(4, (3,), (1,), (1,), (2,), group=4)),
    ((2, 4, 1), Convolution(4, (3,), (1,), (1,), (1,), group=4)),
]


@pytest.mark.parametrize(("shape", "op"), WRONG, ids=str)
def test_filters_of_single_channels_do_not_read_beyond_the_image(shape: Shape, op: Op, tmp_path: Path) -> None:
    assert_a_trap_that_we_avoid(chain(shape, op), tmp_path)


@pytest.mark.parametrize(("stride", "dilation", "pad"), list(product((1, 2), (1, 2), (0, 1, 2))))
def test_filters_of_single_channels_of_every_form_compute_what_caffe_does(
    stride: int, dilation: int, pad: int, tmp_path: Path
) -> None:
    op = depthwise(stride, dilation, pad)
    sizes = [size for size in (1, 2, 3, 4, 9) if size + 2 * pad > 2 * dilation]
    for height, width in product(sizes, sizes):
        made = prepared(chain((1, 4, height, width), op), OPENCV)
        assert error_in_opencv(made, tmp_path) < 1e-5


def test_a_window_larger_than_the_image_becomes_as_large_as_it(tmp_path: Path) -> None:
    assert_a_trap_that_we_avoid(chain((2, 4, 1, 5), Pooling(PoolMethod.AVE, (2, 2), (2, 2))), tmp_path)


def test_the_mask_of_a_pooling_is_refused() -> None:
    net = Net("net", (Input("x", CUBE),), (MASKED,), (Output("mask"),))
    with pytest.raises(LegalityError, match="tops is 2, but tops is 1"):
        prepared(net, OPENCV)


def test_values_far_from_zero_are_standardized_exactly(tmp_path: Path) -> None:
    assert_a_trap_that_we_avoid(chain((2, 4, 9, 9), Power(scale=0.06, shift=1.0), MVN()), tmp_path)


def test_a_scale_counts_its_axis_from_the_front(tmp_path: Path) -> None:
    net = prepared(chain((2, 3, 4, 5), Scale(-2, 2, bias_term=True)), OPENCV)
    assert [layer.op for layer in net.layers] == [Scale(2, 2, bias_term=True)]
    assert error_in_opencv(net, tmp_path) < 1e-5


@pytest.mark.parametrize("alpha", [1.0, 1e-4])
def test_the_alpha_of_an_lrn_is_written_because_opencv_has_another_default(alpha: float, tmp_path: Path) -> None:
    assert error_in_opencv(prepared(chain(CUBE, LRN(3, alpha)), OPENCV), tmp_path) < 1e-5


def test_a_split_of_which_a_top_is_not_read_computes_what_caffe_does(tmp_path: Path) -> None:
    split = Layer("s", Split(3), ("x",), ("a", "b", "c"))
    read = Layer("r", ReLU(), ("c",), ("r",))
    made = prepared(Net("net", (Input("x", CUBE),), (split, read), (Output("r"), Output("b"))), OPENCV)
    assert error_in_opencv(made, tmp_path) < 1e-5


def test_an_input_that_no_layer_reads_is_read_for_opencv(tmp_path: Path) -> None:
    net = chain(CUBE, ReLU())
    with_idle = Net("net", (Input("idle", (1, 2)), *net.inputs), net.layers, net.outputs)
    assert_a_trap_that_we_avoid(with_idle, tmp_path)


@pytest.mark.parametrize("ops", [(POINTS, BatchNorm(), Scale(1), ReLU()), (Power(2.0), LINE, Power(3.0))])
def test_outputs_amid_layers_that_are_merged_are_right(ops: tuple[Op, ...], tmp_path: Path) -> None:
    net = chain(CUBE, *ops)
    every = Net("net", net.inputs, net.layers, tuple(Output(layer.tops[0]) for layer in net.layers[1:]))
    assert_a_trap_that_we_avoid(every, tmp_path)
