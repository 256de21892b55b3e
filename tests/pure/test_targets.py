"""The targets' tables: names, sources, boundaries, and the findings of a check."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from torch2om.errors import LegalityError, Severity, UsageError
from torch2om.ir.net import Input, Layer, Net, Output
from torch2om.ir.op import Op, Shape
from torch2om.ir.weight import constant
from torch2om.layers import (
    CAFFE_TYPES,
    MVN,
    ArgMax,
    BatchedMatMul,
    Clip,
    Convolution,
    Crop,
    Deconvolution,
    DynamicConvolution,
    Eltwise,
    Hardtanh,
    InnerProduct,
    Permute,
    Pooling,
    PoolMethod,
    PReLU,
    Reduction,
    ReLU,
    Reshape,
    Rounding,
    Scale,
    Softmax,
    Swish,
    Upsample,
)
from torch2om.targets import TARGETS, check, examine, target
from torch2om.targets.chips import target_of
from torch2om.targets.limits import Limit, Target

ROWS = [(known, op, limit) for known in TARGETS.values() for op, limits in known.accepts.items() for limit in limits]
IMAGE = (1, 3, 8, 8)


def net_of(op: Op, *shapes: Shape, weights: tuple[Shape, ...] = ()) -> Net:
    names = tuple(f"x{index}" for index in range(len(shapes)))
    inputs = tuple(Input(name, shape) for name, shape in zip(names, shapes, strict=True))
    zeros = tuple(constant(np.zeros(shape)) for shape in weights)
    return Net("net", inputs, (Layer("layer", op, names, ("y",), zeros),), (Output("y"),))


def accepts(name: str, op: Op, *shapes: Shape, weights: tuple[Shape, ...] = ()) -> bool:
    return not TARGETS[name].check(net_of(op, *shapes, weights=weights))


def test_a_target_is_found_by_its_name() -> None:
    assert {target(name).name for name in TARGETS} == {
        "caffe",
        "ascend310",
        "ascend310p",
        "ascend310b",
        "hilens",
        "opencv",
    }


def test_a_name_that_is_nearly_right_is_guessed() -> None:
    with pytest.raises(UsageError, match="did you mean ascend310") as error:
        target("Ascend31O")
    assert error.value.diagnostics[0].code == "U131"


def test_a_name_like_none_lists_all() -> None:
    with pytest.raises(UsageError, match="targets are caffe, ascend310, ascend310p"):
        target("tensorrt")


@pytest.mark.parametrize(
    "name", ["ascend910b", "Ascend910B4", "910b", "ascend910_93", "ascend-a3", "ascend950", "035", "Atlas 800I A2"]
)
def test_chips_whose_compiler_dropped_caffe_are_told_so(name: str) -> None:
    with pytest.raises(UsageError, match="no Caffe files") as error:
        target(name)
    assert error.value.diagnostics[0].code == "T404"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Ascend310P3", "ascend310p"),
        ("Ascend310B4", "ascend310b"),
        ("Atlas 200I DK A2", "ascend310b"),
        ("Atlas 500 A2", "ascend310b"),
        ("OrangePi AIpro", "ascend310b"),
        ("Atlas 300I Pro", "ascend310p"),
        ("Atlas 300I Duo", "ascend310p"),
        ("Atlas 200 DK", "ascend310"),
        ("Atlas 300 (3010)", "ascend310"),
        ("Ascend310", "ascend310"),
        ("HiLens Kit", "hilens"),
    ],
)
def test_chips_and_boards_are_told_their_target(name: str, meant: str) -> None:
    with pytest.raises(UsageError, match=rf"did you mean {meant} \("):
        target(name)


def test_every_soc_of_a_target_leads_to_it() -> None:
    assert {(known.name, target_of(soc)) for known in TARGETS.values() for soc in known.socs} == {
        ("ascend310", "ascend310"),
        ("ascend310p", "ascend310p"),
        ("ascend310b", "ascend310b"),
        ("hilens", "ascend310"),
    }


@pytest.mark.parametrize("name", ["Ascend910A", "ascend910", "Ascend910ProA"])
def test_a_chip_that_takes_caffe_but_has_no_table_is_told_so(name: str) -> None:
    with pytest.raises(UsageError, match="takes Caffe files, but its limits are not known") as error:
        target(name)
    assert error.value.diagnostics[0].code == "U131"


def test_the_three_targets_of_atc_have_one_table() -> None:
    assert TARGETS["ascend310"].accepts == TARGETS["ascend310p"].accepts == TARGETS["ascend310b"].accepts


@pytest.mark.parametrize(("known", "op", "limit"), ROWS, ids=lambda value: getattr(value, "name", str(value))[:40])
def test_every_limit_has_its_source_and_its_sentence(known: Target, op: type[Op], limit: Limit) -> None:
    assert limit.source
    assert limit.sentence


@pytest.mark.parametrize("known", TARGETS.values(), ids=TARGETS)
def test_targets_accept_layers_of_caffe_alone(known: Target) -> None:
    layers_of_several = {DynamicConvolution} if known.dialect == "caffe" else set()
    assert set(known.accepts) <= set(CAFFE_TYPES.values()) | layers_of_several


@pytest.mark.parametrize("name", TARGETS)
def test_a_pooling_window_outside_the_image_is_illegal_everywhere(name: str) -> None:
    assert not accepts(name, Pooling(PoolMethod.MAX, (1, 1), (2, 2)), (1, 1, 4, 4))
    assert accepts(name, Pooling(PoolMethod.MAX, (1, 1), (2, 2), rounding=Rounding.FLOOR), (1, 1, 4, 4))
    assert accepts(name, Pooling(PoolMethod.MAX, (2, 2), (2, 2), (1, 1)), (1, 1, 4, 4))


def test_types_that_only_some_targets_have() -> None:
    atc = ["ascend310", "ascend310p", "ascend310b"]
    assert [name for name in TARGETS if accepts(name, Permute((0, 2, 3, 1)), IMAGE)] == [*atc, "hilens", "opencv"]
    assert [name for name in TARGETS if accepts(name, Reduction(axis=2), (2, 3, 4))] == ["caffe", *atc]
    assert [name for name in TARGETS if accepts(name, Clip(0, 6), IMAGE)] == ["caffe"]
    assert [name for name in TARGETS if accepts(name, Swish(), IMAGE)] == ["caffe"]
    assert [name for name in TARGETS if accepts(name, Upsample(2), IMAGE)] == [*atc, "hilens"]
    assert not any(accepts(name, Hardtanh(), IMAGE) for name in TARGETS)


def test_a_deconvolution_of_a_line_is_refused_by_omg() -> None:
    line = Deconvolution(2, (3,), (1,), (0,), (1,), bias_term=False)
    assert not accepts("hilens", line, (1, 3, 9), weights=((3, 2, 3),))


def test_a_blob_of_too_many_dims_is_said_once_by_omg() -> None:
    ((_, broken),) = TARGETS["hilens"].check(net_of(Softmax(4), (2, 3, 4, 5, 6)))
    assert ["1 to 4 dims" in found.text for found in broken] == [True]


def test_a_factor_for_the_only_dim_is_refused_by_omg() -> None:
    assert not accepts("hilens", Scale(0, 1), (3,), weights=((3,),))


def test_limits_of_bvlc() -> None:
    assert accepts("caffe", ArgMax(axis=1), IMAGE)
    assert accepts("caffe", ArgMax(axis=-1), IMAGE)  # golden ArgMax/axis-1-val
    assert not accepts("caffe", ArgMax(axis=1, first_of_equals=True), IMAGE)
    assert accepts("caffe", ReLU(), (1,) * 32)
    assert not accepts("caffe", ReLU(), (1,) * 33)
    assert not accepts("caffe", ReLU(), (2**16, 2**15))
    assert accepts("caffe", PReLU(), IMAGE, weights=((IMAGE[1],),))
    assert not accepts("caffe", PReLU(), (*IMAGE, 2), weights=((IMAGE[1],),))


def test_limits_of_atc() -> None:
    assert accepts("ascend310", Eltwise(), *(IMAGE,) * 32)
    assert not accepts("ascend310", Eltwise(), *(IMAGE,) * 33)
    assert accepts("ascend310", Reduction(axis=1), (2, 3, 4))
    assert not accepts("ascend310", Reduction(axis=1), IMAGE)
    assert not accepts("ascend310", ArgMax(top_k=2, axis=1, first_of_equals=True), IMAGE)
    assert not accepts("ascend310", ArgMax(out_max_val=True, first_of_equals=True), IMAGE)
    assert accepts("ascend310", ArgMax(out_max_val=True, axis=1, first_of_equals=True), IMAGE)
    assert not accepts("ascend310", ArgMax(axis=1), IMAGE)
    assert not accepts("ascend310", Reshape(()), (1,))
    assert not accepts("ascend310", MVN(), (2, 3, 4))
    assert accepts("ascend310", Crop(2), IMAGE, (1, 3, 4, 4))
    assert not accepts("ascend310", Crop(2), IMAGE, (1, 2, 4, 4))
    assert accepts("ascend310", BatchedMatMul(), (2, 3, 4), (2, 4, 5))
    assert not accepts("ascend310", Pooling(PoolMethod.STOCHASTIC, (2, 2)), IMAGE)


def test_a_convolution_larger_than_its_image_is_refused_by_atc() -> None:
    op = Convolution(1, (3, 3), (2, 2), bias_term=False)
    assert accepts("caffe", op, (1, 1, 2, 2), weights=((1, 1, 3, 3),))
    assert not accepts("ascend310", op, (1, 1, 2, 2), weights=((1, 1, 3, 3),))


def test_check_returns_the_net_or_raises_with_everything() -> None:
    net = net_of(ReLU(), IMAGE)
    assert check(net, TARGETS["caffe"]) is net
    layers = (Layer("a", Clip(0, 6), ("x0",), ("a",)), Layer("b", Swish(), ("a",), ("y",)))
    with pytest.raises(LegalityError) as error:
        check(replace(net, layers=layers), TARGETS["ascend310"])
    assert [(one.code, one.layer) for one in error.value.diagnostics] == [("T401", "a"), ("T401", "b")]


def test_examine_warns_of_a_layer_that_reads_other_dims_than_caffe_meant() -> None:
    product = Layer("fc", InnerProduct(5, bias_term=False), ("x",), ("y",), (constant([[0.0] * 4] * 5),))
    softmax = Layer("softmax", Softmax(-1), ("y",), ("z",))
    net = Net("net", (Input("x", (1, 4)),), (product, softmax), (Output("z"),))
    (warning,) = examine(net, TARGETS["ascend310"])
    assert (warning.code, warning.layer, warning.severity) == ("T403", "softmax", Severity.WARNING)
    assert "[[1, 5, 1, 1]]" in warning.message
    assert examine(net, TARGETS["caffe"]) == ()
    assert examine(replace(net, layers=(product, replace(softmax, op=Softmax(1)))), TARGETS["ascend310"]) == ()
