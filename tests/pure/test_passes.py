"""Simplification: each rewrite on the smallest net that shows it, its result equal and its layers as expected."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from torch2om.executor import execute
from torch2om.ir.blob import Blob
from torch2om.ir.builder import Builder, Names
from torch2om.ir.net import Input, Net, Output
from torch2om.ir.op import Shape
from torch2om.ir.validator import validate
from torch2om.ir.weight import Weight, constant
from torch2om.layers import (
    BatchNorm,
    Bias,
    Concat,
    Convolution,
    Deconvolution,
    Dropout,
    Eltwise,
    EltwiseOperation,
    Flatten,
    Hardtanh,
    InnerProduct,
    MatMul,
    Pad,
    PadMode,
    Permute,
    Power,
    ReLU,
    ReLU6,
    Reshape,
    Scale,
    Sigmoid,
    Slice,
    Split,
    StridedSlice,
    Tile,
)
from torch2om.origin import Origin
from torch2om.passes import simplify

RANDOM = np.random.default_rng(7)


class Sketch(Builder):
    """A net in the making: `x` is its input."""

    def __init__(self, shape: Shape = (2, 6, 5, 4)) -> None:
        super().__init__(Names(("x",)), Origin(call="call", target="aten.test.default"))
        self.x = Blob("x", shape)

    def net(self, *outputs: Blob) -> Net:
        return validate(
            Net("net", (Input("x", self.x.shape),), tuple(self.layers), tuple(Output(blob.name) for blob in outputs))
        )


def weight(*shape: int) -> Weight:
    return constant(RANDOM.standard_normal(shape))


def simplified(net: Net) -> list[str]:
    """Simplify, check that the numbers stay, and return the types that are left."""
    result = validate(simplify(net))
    x = RANDOM.standard_normal(net.inputs[0].shape)
    before, after = execute(net, {"x": x}), execute(result, {"x": x})
    for old, new in zip(net.outputs, result.outputs, strict=True):
        expected = before[old.blob]
        np.testing.assert_allclose(after[new.blob], expected, rtol=0, atol=1e-12 * max(1.0, np.abs(expected).max()))
    return [type(layer.op).__name__ for layer in result.layers]


def test_batch_norm_and_scale_fold_into_the_convolution() -> None:
    b = Sketch()
    y = b.add(Convolution(4, (3, 3), bias_term=False), b.x, weights=(weight(4, 6, 3, 3),))
    norm = (weight(4), constant(RANDOM.random(4) + 0.5), constant(np.array([2.0])))
    y = b.add(BatchNorm(), y, weights=norm)
    y = b.add(Scale(bias_term=True), y, weights=(weight(4), weight(4)))
    assert simplified(b.net(y)) == ["Convolution"]


@pytest.mark.parametrize("group", [1, 2])
def test_a_scale_folds_into_a_deconvolution_group_by_group(group: int) -> None:
    b = Sketch()
    filters = weight(6, 4 // group, 3, 3)
    y = b.add(Deconvolution(4, (3, 3), group=group), b.x, weights=(filters, weight(4)))
    y = b.add(Scale(), y, weights=(weight(4),))
    assert simplified(b.net(y)) == ["Deconvolution"]


@pytest.mark.parametrize("transpose", [False, True])
def test_affine_maps_fold_into_an_inner_product(transpose: bool) -> None:
    b = Sketch((3, 8))
    y = b.add(
        InnerProduct(5, transpose=transpose), b.x, weights=(weight(*((8, 5) if transpose else (5, 8))), weight(5))
    )
    y = b.add(Scale(), y, weights=(weight(5),))
    y = b.add(Bias(), y, weights=(weight(5),))
    y = b.add(Power(1, 2, 3), y)
    assert simplified(b.net(y)) == ["InnerProduct"]


def test_a_scale_does_not_fold_into_a_convolution_that_others_read() -> None:
    b = Sketch()
    y = b.add(Convolution(4, (1, 1)), b.x, weights=(weight(4, 6, 1, 1), weight(4)))
    z = b.add(Scale(), y, weights=(weight(4),))
    assert simplified(b.net(y, z)) == ["Convolution", "Scale"]


def test_a_scale_along_another_axis_does_not_fold() -> None:
    b = Sketch((2, 6, 5, 5))
    y = b.add(Convolution(5, (1, 1)), b.x, weights=(weight(5, 6, 1, 1), weight(5)))
    y = b.add(Scale(axis=2), y, weights=(weight(5),))
    assert simplified(b.net(y)) == ["Convolution", "Scale"]


@pytest.mark.parametrize("op", [Scale(0), Bias(0)])
def test_a_factor_or_term_that_is_a_blob_does_not_fold(op: Scale | Bias) -> None:
    sketch = Sketch()
    y = sketch.add(Convolution(6, (1, 1)), sketch.x, weights=(weight(6, 6, 1, 1), weight(6)))
    z = sketch.add(op, y, sketch.x)
    assert simplified(sketch.net(z)) == ["Convolution", type(op).__name__]


def test_every_copy_is_the_blob_itself() -> None:
    sketch = Sketch()
    left, right = sketch.add_all(Split(2), sketch.x)
    assert simplified(sketch.net(sketch.add(Sigmoid(), left), sketch.add(Power(2), right))) == ["Sigmoid", "Power"]


def test_neighbouring_scales_and_affine_maps_merge() -> None:
    b = Sketch()
    y = b.add(Scale(bias_term=True), b.x, weights=(weight(6), weight(6)))
    y = b.add(Scale(), y, weights=(weight(6),))
    y = b.add(Power(1, 2, 1), y)
    y = b.add(Power(2, 3, 1), y)
    assert simplified(b.net(y)) == ["Scale", "Power"]


def test_what_does_nothing_disappears() -> None:
    b = Sketch()
    y = b.add(Dropout(), b.x)
    (y,) = b.add_all(Split(1), y)
    y = b.add(Reshape((2, 6, 5, 4)), y)
    y = b.add(Permute((0, 1, 2, 3)), y)
    y = b.add(Tile(tiles=1), y)
    y = b.add(Concat(), y)
    y = b.add(Power(), y)
    y = b.add(Hardtanh(-np.inf, np.inf), y)
    y = b.add(Pad(((0, 0),) * 4), y)
    y = b.add(ReLU(), y)
    y = b.add(ReLU(), y)
    assert simplified(b.net(y)) == ["ReLU"]


def test_reshapes_and_permutes_merge_and_cancel() -> None:
    b = Sketch()
    y = b.add(Permute((0, 2, 3, 1)), b.x)
    y = b.add(Permute((0, 3, 1, 2)), y)
    y = b.add(Reshape((2, 6, 20)), y)
    y = b.add(Flatten(), y)
    assert simplified(b.net(y)) == ["Reshape"]


def test_an_order_that_leaves_dims_out_is_read_as_the_whole_one() -> None:
    sketch = Sketch()
    once = sketch.add(Permute((1,)), sketch.x)
    net = simplify(sketch.net(sketch.add(Permute((1, 0)), once), sketch.add(Permute((0,)), sketch.x)))
    assert net.layers == ()
    assert net.output_blobs == ("x",)


def test_a_permute_that_moves_only_ones_is_a_reshape() -> None:
    b = Sketch((2, 6, 1, 1))
    assert simplified(b.net(b.add(Permute((0, 2, 3, 1)), b.x))) == ["Reshape"]


def test_an_inner_product_needs_no_flatten_before_it() -> None:
    b = Sketch()
    y = b.add(Flatten(), b.x)
    y = b.add(InnerProduct(3), y, weights=(weight(3, 120), weight(3)))
    assert simplified(b.net(y)) == ["InnerProduct"]


def test_a_concat_of_all_slices_is_the_blob_and_of_some_is_not() -> None:
    b = Sketch()
    first, second = b.add_all(Slice(slice_point=(2,)), b.x)
    assert simplified(b.net(b.add(ReLU(), b.add(Concat(), first, second)))) == ["ReLU"]
    assert simplified(b.net(b.add(Concat(), second, first))) == ["Slice", "Concat"]


@pytest.mark.parametrize(("order", "left"), [((0, 1, 2), ["Scale"]), ((0, 2, 1), None), ((0, 1), None)])
def test_channels_scaled_one_by_one_are_one_scale_if_all_are_there_in_order(
    order: tuple[int, ...], left: list[str] | None
) -> None:
    b = Sketch((2, 3, 4, 5))
    pieces = [b.add(StridedSlice(1, channel, channel + 1), b.x) for channel in order]
    lines = [b.add(Power(scale=index + 2, shift=-index - 1), piece) for index, piece in enumerate(pieces)]
    found = simplified(b.net(b.add(Concat(), *lines)))
    assert found == left if left else "Concat" in found


def test_zero_pads_merge_and_become_the_padding_of_the_convolution() -> None:
    b = Sketch()
    y = b.add(Pad(((0, 0), (0, 0), (0, 0), (1, 1))), b.x)
    y = b.add(Pad(((0, 0), (0, 0), (1, 1), (0, 0))), y)
    y = b.add(Convolution(4, (3, 3), pad=(1, 1)), y, weights=(weight(4, 6, 3, 3), weight(4)))
    assert simplified(b.net(y)) == ["Convolution"]


@pytest.mark.parametrize(
    "pad",
    [
        Pad(((0, 0), (0, 0), (0, 1), (0, 1))),
        Pad(((0, 0), (0, 0), (1, 1), (1, 1)), value=0.5),
        Pad(((0, 0), (0, 0), (1, 1), (1, 1)), mode=PadMode.REFLECT),
        Pad(((0, 0), (0, 0), (-1, -1), (0, 0))),
    ],
)
def test_other_pads_stay_before_the_convolution(pad: Pad) -> None:
    b = Sketch()
    y = b.add(pad, b.x)
    y = b.add(Convolution(4, (1, 1)), y, weights=(weight(4, 6, 1, 1), weight(4)))
    assert simplified(b.net(y)) == ["Pad", "Convolution"]


def test_channel_shuffle_is_recovered_from_its_reshapes() -> None:
    b = Sketch()
    y = b.add(Reshape((2, 3, 2, 5, 4)), b.x)
    y = b.add(Permute((0, 2, 1, 3, 4)), y)
    y = b.add(Reshape((2, 6, 5, 4)), y)
    assert simplified(b.net(y)) == ["ShuffleChannel"]


def test_swish_and_hard_swish_are_recovered_from_their_products() -> None:
    b = Sketch()
    y = b.add(Eltwise(EltwiseOperation.PROD), b.x, b.add(Sigmoid(), b.x))
    assert simplified(b.net(y)) == ["Swish"]
    b = Sketch()
    gate = b.add(Power(1, 1 / 6, 0), b.add(ReLU6(), b.add(Power(1, 1, 3), b.x)))
    assert simplified(b.net(b.add(Eltwise(EltwiseOperation.PROD), gate, b.x))) == ["HardSwish"]


def test_a_sigmoid_that_others_read_stays() -> None:
    b = Sketch()
    gate = b.add(Sigmoid(), b.x)
    y = b.add(Eltwise(EltwiseOperation.PROD), b.x, gate)
    assert simplified(b.net(y, gate)) == ["Sigmoid", "Eltwise"]


def test_layers_that_lead_to_no_output_disappear() -> None:
    b = Sketch()
    b.add(Sigmoid(), b.x)
    assert simplified(b.net(b.add(ReLU(), b.x))) == ["ReLU"]


def test_an_absorbing_convolution_keeps_its_own_origin_and_tells_the_rule() -> None:
    b = Sketch()
    b.origin = Origin(call="conv", module="conv1")
    y = b.add(Convolution(4, (1, 1)), b.x, weights=(weight(4, 6, 1, 1), weight(4)))
    b.origin = Origin(call="bn", module="bn1")
    y = b.add(Scale(), y, weights=(weight(4),))
    (layer,) = simplify(b.net(y)).layers
    assert (layer.origin.module, layer.origin.via) == ("conv1", ("scale_into_linear",))


def test_mirrors_follow_to_the_layer_that_absorbed_theirs() -> None:
    b = Sketch()
    y = b.add(Convolution(4, (1, 1)), b.x, weights=(weight(4, 6, 1, 1), weight(4)))
    z = b.add(Scale(), y, weights=(weight(4),))
    net = Net("net", (Input("x", b.x.shape),), tuple(b.layers), (Output(z.name),), {y.name: "conv", z.name: "bn"})
    result = simplify(net)
    assert dict(result.mirrors) == {result.outputs[0].blob: "bn"}


def test_parts_of_a_blob_that_do_not_overlap_are_tops_of_one_slice() -> None:
    b = Sketch((2, 6, 5, 4))
    parts = [b.add(StridedSlice(1, start, stop), b.x) for start, stop in ((4, 6), (0, 1), (-6, 1), (1, 3))]
    net = b.net(*[b.add(Power(power=2.0), part) for part in parts])
    assert simplified(net) == ["Slice", "Power", "Power", "Power"]
    (cut,) = [layer for layer in simplify(net).layers if isinstance(layer.op, Slice)]
    assert cut.op == Slice(1, (1, 3, 4), 4)


def test_parts_that_overlap_or_skip_elements_are_cut_out_one_by_one() -> None:
    b = Sketch((2, 6, 5, 4))
    parts = [b.add(StridedSlice(1, 0, 4), b.x), b.add(StridedSlice(1, 3, 6), b.x), b.add(StridedSlice(2, 0, 5, 2), b.x)]
    assert simplified(b.net(*parts)) == ["StridedSlice"] * 3


def test_parts_put_together_again_in_their_order_are_the_blob() -> None:
    b = Sketch((2, 6, 5, 4))
    parts = [b.add(StridedSlice(1, start, stop), b.x) for start, stop in ((0, 2), (2, 6))]
    assert simplified(b.net(b.add(ReLU(), b.add(Concat(), *parts)))) == ["ReLU"]


def test_equal_layers_of_the_same_blobs_are_one() -> None:
    b = Sketch((2, 6, 5, 4))
    first, second = (b.add_all(Slice(1, (2,)), b.x) for _ in range(2))
    rectified, again = (b.add(ReLU(), first[0]), b.add(ReLU(), second[0]))
    assert simplified(b.net(b.add(Concat(), rectified, again, second[1]))) == ["Slice", "ReLU", "Concat"]


def attention(b: Sketch, scale: float) -> tuple[Blob, tuple[Blob, ...]]:
    """Return the scaled scores of two heads, and queries, keys and values, all of one linear layer."""
    made = b.add(InnerProduct(12, axis=-1), b.x, weights=(weight(12, 4), weight(12)))
    heads = b.add(Permute((2, 0, 3, 1, 4)), b.add(Reshape((1, 5, 3, 2, 2)), made))
    parts = b.add_all(Slice(0, (1, 2), 3), heads)
    queries, keys, values = (b.add(Reshape((1, 2, 5, 2)), part) for part in parts)
    return b.add(Power(scale=scale), b.add(MatMul(adj_x2=True), queries, keys)), (queries, keys, values)


def test_the_scale_of_attention_goes_into_the_weights_of_the_queries() -> None:
    b = Sketch((1, 5, 4))
    scores, (queries, keys, values) = attention(b, 0.25)
    net = b.net(b.add(MatMul(), scores, values))
    net = replace(net, mirrors={layer.tops[0]: layer.tops[0] for layer in net.layers})
    assert "Power" not in simplified(net)
    kept = set(simplify(net).mirrors.values())
    assert {keys.name, values.name, scores.name} <= kept
    assert queries.name not in kept


def test_a_scale_goes_into_the_weights_before_a_cut_along_channels_alone() -> None:
    for axis, left in ((1, []), (2, ["Power"])):
        b = Sketch((1, 4, 6, 6))
        y = b.add(Convolution(6, (3, 3)), b.x, weights=(weight(6, 4, 3, 3), weight(6)))
        first, second = b.add_all(Slice(axis, (1,)), y)
        assert simplified(b.net(b.add(Power(scale=3.0), first), second)) == ["Convolution", "Slice", *left]


def test_a_scale_stays_where_others_read_what_it_scales() -> None:
    b = Sketch((1, 5, 4))
    scores, parts = attention(b, 0.25)
    assert "Power" in simplified(b.net(scores, *parts))


def test_a_scale_that_stays_multiplies_the_smaller_operand_of_a_product() -> None:
    b = Sketch((6, 2))
    turned = b.add(Reshape((2, 6)), b.x)
    net = b.net(b.add(Power(scale=3.0), b.add(MatMul(), b.x, b.add(ReLU(), turned))))
    assert simplified(net)[-2:] == ["Power", "MatMul"]
    small = b.net(b.add(Power(scale=3.0), b.add(MatMul(), turned, b.x)))
    assert simplified(small)[-2:] == ["MatMul", "Power"]


def test_a_scale_of_a_blob_times_itself_stays() -> None:
    b = Sketch((3, 4))
    y = b.add(InnerProduct(3), b.x, weights=(weight(3, 4), weight(3)))
    assert "Power" in simplified(b.net(b.add(Power(scale=2.0), b.add(MatMul(), y, y))))
