"""The driver and the registry of lowerings: what is bound, refused, mirrored and left out."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from cases.case import Called, Holding, OfOne, OfTwo, Shape
from torch import nn
from torch.nn import functional as F  # noqa: N812 - everybody's name for it

from torch2om.errors import LoweringError
from torch2om.ir.blob import Blob
from torch2om.ir.net import Net
from torch2om.ir.op import Array, Op
from torch2om.ir.weight import Weight
from torch2om.layers import (
    Eltwise,
    Pooling,
    PoolMethod,
    Power,
    ReLU,
    ReLU6,
    Reshape,
    Rounding,
    Scale,
    Slice,
    Threshold,
    Upsample,
)
from torch2om.lowering import Scope, lower
from torch2om.lowering.registry import Function, Lowered, Overload, lowers
from torch2om.program import Program, canonicalize, capture

aten = torch.ops.aten
Lowerings = dict[Overload, Function]


def program_of(model: nn.Module, *shapes: Shape) -> Program:
    return canonicalize(capture(model.eval(), dict(zip("xyz", shapes, strict=False))))


def lowered(function: Callable[..., Any], *shapes: Shape, lowerings: Lowerings | None = None) -> Net:
    return lower(program_of(OfOne(function) if len(shapes) == 1 else OfTwo(function), *shapes), lowerings)


def kinds(net: Net) -> list[str]:
    return [type(layer.op).__name__ for layer in net.layers]


def test_an_unknown_operator_is_named_with_the_users_line_and_the_way_out() -> None:
    with pytest.raises(LoweringError) as caught:
        lowered(torch.special.i0, (2, 3))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "L301"
    assert "i0" in diagnostic.message
    assert diagnostic.origin.file.endswith(".py")
    assert "adding-an-operator" in diagnostic.hint


def test_one_run_lists_everything_that_is_refused() -> None:
    with pytest.raises(LoweringError) as caught:
        lowered(lambda x: torch.special.i0(x // 2).mode(-1)[0] + 1, (2, 3))
    assert [diagnostic.code for diagnostic in caught.value.diagnostics] == ["L302", "L301", "L302"]


def test_a_users_lowering_replaces_the_built_in_one() -> None:
    def doubled(b: Scope, self: Blob) -> Blob:
        return b.add(Power(scale=2.0), self)

    net = lowered(torch.relu, (2, 3), lowerings={aten.relu.default: doubled})
    assert kinds(net) == ["Power"]


def test_a_lowering_with_other_parameters_than_the_schema_is_refused_at_once() -> None:
    def misnamed(b: Scope, x: Blob) -> Blob:
        return x

    with pytest.raises(TypeError, match=re.escape("takes ['x'], the schema says ['self']")):
        lower(program_of(OfOne(torch.relu), (2, 3)), {aten.relu.default: misnamed})


def test_an_operator_has_one_built_in_lowering() -> None:
    def again(b: Scope, self: Blob) -> Blob:
        return self

    with pytest.raises(ValueError, match="two lowerings"):
        lowers(aten.relu.default)(again)


def test_a_lowering_to_another_shape_is_called_wrong() -> None:
    def cut(b: Scope, self: Blob) -> Blob:
        return Blob(self.name, (1,))

    with pytest.raises(LoweringError, match="L303"):
        lowered(torch.relu, (2, 3), lowerings={aten.relu.default: cut})


def test_a_constant_is_refused_where_it_must_be_one_and_is_computed() -> None:
    with pytest.raises(LoweringError, match="weight is computed from the input"):
        lowered(F.conv_transpose2d, (1, 2, 5, 5), (2, 3, 3, 3))


def test_a_result_that_lowering_does_not_make_is_refused_where_it_is_used() -> None:
    with pytest.raises(LoweringError, match=re.escape("result 1 of aten.adaptive_max_pool2d.default")):
        lowered(lambda x: F.adaptive_max_pool2d(x, 1, return_indices=True), (1, 2, 5, 5))


def test_results_that_nobody_reads_leave_no_layers() -> None:
    net = lower(program_of(OfOne(lambda x: x.max(1)[0]), (2, 3)))
    assert kinds(net) == ["Reduce"]
    (recurrence,) = lower(program_of(Called(nn.GRU(4, 5)), (3, 2, 4))).layers[:1]
    assert type(recurrence.op).__name__ == "Recurrence"


def test_every_call_and_every_used_result_is_mirrored() -> None:
    program = program_of(OfOne(lambda x: [part * 2 for part in x.split(2, 1)]), (2, 4))
    net = lower(program)
    calls = {node.name for node in program.calls() if not isinstance(node.meta["val"], list | tuple)}
    assert set(net.mirrors.values()) == {*calls, *(source.node for source in program.inputs)}


def test_an_output_that_is_constant_becomes_a_constant_layer() -> None:
    net = lower(program_of(Holding(lambda x, c: (x + 1, c * 2), torch.ones(3)), (2, 3)))
    assert sorted(kinds(net)) == ["Constant", "Power"]


def test_an_output_that_is_the_input_needs_no_layer() -> None:
    net = lowered(lambda x: (x, x.relu()), (2, 3))
    assert net.outputs[0].blob == net.inputs[0].name
    assert kinds(net) == ["ReLU"]


def test_no_weight_is_computed_while_lowering(monkeypatch: pytest.MonkeyPatch) -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.PReLU(4), nn.Flatten(), nn.Linear(36, 5))
    program = program_of(Called(model), (1, 3, 5, 5))

    def never(weight: Weight, *_: object) -> Array:
        raise AssertionError(f"the weight {weight.shape} was computed")

    monkeypatch.setattr(Weight, "array", never)
    lower(program)


def test_a_blob_keeps_the_kind_of_pytorchs_value() -> None:
    seen: list[str] = []

    def noted(b: Scope, self: Blob, other: Blob) -> Lowered:
        seen.extend((self.kind, other.kind))
        return b.add(Power(), self)

    lowered(lambda x: x * (x > 0), (2, 3), lowerings={aten.mul.Tensor: noted})
    assert seen == ["float", "bool"]


@pytest.mark.parametrize(
    ("function", "op"),
    [
        (lambda x: F.max_pool2d(x, 2), Pooling(kernel=(2, 2), stride=(2, 2))),
        (lambda x: F.max_pool2d(x, 3, 2), Pooling(kernel=(3, 3), stride=(2, 2), rounding=Rounding.FLOOR)),
        (lambda x: F.max_pool2d(x, 3, 2, ceil_mode=True), Pooling(kernel=(3, 3), stride=(2, 2))),
        (lambda x: F.adaptive_avg_pool2d(x, 1), Pooling(PoolMethod.AVE, global_pooling=True)),
        (lambda x: F.adaptive_avg_pool2d(x, (4, 2)), Pooling(PoolMethod.AVE, kernel=(2, 4), stride=(2, 4))),
        (lambda x: F.interpolate(x, scale_factor=2), Upsample(2)),
        (lambda x: x.clamp(min=0), ReLU()),
        (lambda x: x.clamp(0, 6), ReLU6()),
        (lambda x: x.flatten(1), Reshape((1, 128))),
        (lambda x: x.chunk(2, 1), Slice(slice_point=(1,))),
        (lambda x: 1 - x, Power(scale=-1, shift=1)),
        (lambda x: x + x, Eltwise()),
        (lambda x: x - x, Eltwise(coeff=(1, -1))),
        (lambda x: x > 2, Threshold(2)),
    ],
)
def test_caffes_own_layer_is_chosen_where_it_means_the_same(function: Callable[..., Any], op: Op) -> None:
    net = lowered(function, (1, 2, 8, 8))
    assert [layer.op for layer in net.layers] == [op]


@pytest.mark.parametrize(
    ("shape", "axis", "held"),
    [
        ((2, 1, 1), 1, (2,)),
        ((1, 2, 1, 1), 1, (2,)),
        ((8,), 3, (8,)),
        ((8, 1), 2, (8,)),
        ((2, 1, 8), 1, (2, 8, 8)),
        ((3, 2, 8, 8), 0, (3, 2, 8, 8)),
        ((3, 1, 1, 1), 0, (3,)),
    ],
)
def test_a_constant_is_held_over_the_dims_along_which_it_varies(shape: Shape, axis: int, held: Shape) -> None:
    net = lower(program_of(Holding(lambda x, c: x * c, torch.randn(shape)), (3, 2, 8, 8)))
    (layer,) = net.layers
    assert layer.op == Scale(axis, len(held))
    assert layer.weight_shapes == (held,)
