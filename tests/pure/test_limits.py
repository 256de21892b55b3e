"""Limits as data: what each kind of row accepts, and what a target makes of its rows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from torch2om.ir.net import Input, Layer, Net, Output
from torch2om.ir.op import Op, Shape
from torch2om.ir.weight import constant
from torch2om.layers import Concat, InnerProduct, Pooling, PoolMethod, Power, ReLU, Reshape, Scale, Softmax
from torch2om.targets.limits import Bottoms, Formula, Limit, OneOf, Range, Rank, Site, Target, with_least_dims

IMAGE = (1, 3, 8, 8)


def site(op: Op, *bottoms: Shape) -> Site:
    names = tuple(f"x{index}" for index in range(len(bottoms)))
    return Site.of(Layer("layer", op, names, ("y",)), bottoms)


def target(accepts: dict[type[Op], tuple[Limit, ...]], **fields: object) -> Target:
    return Target("small", "A small target", "caffe", accepts, "its manual", **fields)  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize(
    ("kernel", "fits"), [((1, 1), False), ((2, 2), True), ((7, 7), True), ((2, 8), False), ((8, 7), False)]
)
def test_a_range_bounds_each_number_of_a_tuple(kernel: tuple[int, int], fits: bool) -> None:
    limit = Range("kernel", 2, 7, "row 6")
    assert (limit.broken(site(Pooling(PoolMethod.MAX, kernel), IMAGE)) == "") == fits
    assert limit.sentence == "kernel is 2 to 7"


def test_a_range_tells_the_value_that_is_outside() -> None:
    assert Range("kernel", 2, 7).broken(site(Pooling(PoolMethod.MAX, (1, 3)), IMAGE)) == "kernel is 1x3"


def test_one_of_lists_what_is_accepted() -> None:
    limit = OneOf("pool", (PoolMethod.MAX,))
    assert limit.sentence == "pool is MAX"
    assert limit.broken(site(Pooling(PoolMethod.MAX, (2, 2)), IMAGE)) == ""
    assert limit.broken(site(Pooling(PoolMethod.AVE, (2, 2)), IMAGE)) == "pool is AVE"


def test_rank_and_bottoms_count() -> None:
    assert Rank(4, 4).sentence == "bottoms have 4 dims"
    assert Rank(2, 4).sentence == "bottoms have 2 to 4 dims"
    assert Rank(2, 4).broken(site(ReLU(), (3,))) == "a bottom has 1 dims: [3]"
    assert Bottoms(1, 2).sentence == "1 to 2 bottoms"
    assert Bottoms(2, 2).sentence == "2 bottoms"
    assert Bottoms(1, 2).broken(site(Concat(0), (1,), (1,), (1,))) == "it has 3 bottoms"


def test_a_violation_says_each_thing_once() -> None:
    formula = Formula("x is a vector", lambda s: len(s.bottoms[0]) == 1, "a page")
    layer = Layer("layer", ReLU(), ("x",), ("y",))
    (plain,) = target({ReLU: (formula,)}).violations(layer, (IMAGE,))
    assert (plain.text, plain.source) == ("ReLU() reads 1x3x8x8, but x is a vector", "a page")
    (ranked,) = target({ReLU: (Rank(1, 1),)}).violations(layer, (IMAGE,))
    assert ranked.text == "a bottom has 4 dims: [1, 3, 8, 8], but bottoms have 1 dims"


def test_a_type_that_is_not_listed_is_refused_with_the_targets_source() -> None:
    (violation,) = target({}).violations(Layer("layer", Power(2.0), ("x",), ("y",)), (IMAGE,))
    assert violation.text == "small has no layer Power"
    assert violation.source == "its manual"


def test_general_limits_hold_for_every_layer() -> None:
    limits = (Rank(4, 4, "everywhere"),)
    (violation,) = target({ReLU: ()}, general=limits).violations(Layer("layer", ReLU(), ("x",), ("y",)), ((3,),))
    assert violation.source == "everywhere"


def test_a_row_about_a_field_that_does_not_exist_is_a_defect_of_the_table() -> None:
    with pytest.raises(ValueError, match="Pooling has no field"):
        target({Pooling: (Range("kernel_size", 1, 3),)})


def vector_net(op: Op) -> Net:
    """Return a net of an InnerProduct at batch 1 and `op` behind it."""
    weights = (constant([[1.0] * 4] * 5),)
    product = Layer("product", InnerProduct(5, bias_term=False), ("x",), ("y",), weights)
    return Net("net", (Input("x", (1, 4)),), (product, Layer("last", op, ("y",), ("z",))), (Output("z"),))


def lifted(s: Site) -> tuple[Shape, ...]:
    return ((*s.tops[0], 1, 1),)


def test_limits_are_checked_with_the_shapes_that_the_target_infers() -> None:
    known = target({InnerProduct: (), Softmax: (Rank(2, 2, "softmax"),)}, shapes={InnerProduct: lifted})
    assert [layer.name for layer, _ in known.check(vector_net(Softmax(1)))] == ["last"]
    assert known.infer_all(vector_net(Softmax(1)))["z"] == (1, 5, 1, 1)


def test_a_layer_that_cannot_read_the_targets_shapes_breaks_them() -> None:
    known = target({InnerProduct: (), Reshape: ()}, shapes={InnerProduct: lifted})
    assert known.check(vector_net(Reshape((5, 1)))) == []
    product, last = vector_net(ReLU()).layers
    both = replace(last, bottoms=("x", "y"), op=Concat(1))
    (found,) = target({InnerProduct: (), Concat: ()}, shapes={InnerProduct: lifted}).check(
        replace(vector_net(ReLU()), layers=(product, both))
    )
    assert found[1][0].text.startswith("with the shapes that small infers: bottoms [1, 4] and [1, 5, 1, 1] differ")


def test_blobs_get_the_dims_that_every_blob_of_the_target_has() -> None:
    assert with_least_dims((3,), 2) == (3, 1)
    assert with_least_dims((3, 4), 2) == (3, 4)
    net = Net("net", (Input("x", (3,)),), (Layer("scale", Scale(0), ("x", "x"), ("y",)),), (Output("y"),))
    assert target({Scale: ()}, least_dims=2).infer_all(net) == {"x": (3, 1), "y": (3, 1)}
