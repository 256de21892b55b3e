from __future__ import annotations

from dataclasses import replace
from math import prod

import pytest
from legality import ALL, applied, assert_same, kinds, legal, net_of, normal, refusal, without

from torch2om.analysis import analyze
from torch2om.ir.op import Shape
from torch2om.layers import BatchedMatMul, DynamicConvolution, Eltwise, MatMul, Reshape, Scale, Softmax
from torch2om.legalization import matmul
from torch2om.targets import TARGETS
from torch2om.targets.limits import OneOf, Rank, Target

SUMS = without("caffe", DynamicConvolution)
PRODUCTS: tuple[tuple[Shape, Shape], ...] = (
    ((3, 4), (4, 5)),
    ((1, 4), (4, 1)),
    ((3, 1), (1, 5)),
    ((2, 3, 4), (4, 5)),
    ((2, 3, 4), (1, 4, 5)),
    ((3, 4), (2, 4, 5)),
    ((2, 3, 4), (2, 4, 5)),
    ((2, 3, 4, 5), (2, 3, 5, 6)),
    ((2, 1, 3, 4), (5, 4, 6)),
    ((6, 1, 4), (6, 4, 1)),
)


@pytest.mark.parametrize("target", ALL)
@pytest.mark.parametrize(("left", "right"), PRODUCTS, ids=str)
def test_a_product_of_two_blobs_is_computed_on_every_target(left: Shape, right: Shape, target: str) -> None:
    net = net_of(MatMul(), (left, right))
    made = assert_same(net, target, (normal(*left), normal(*right, seed=1)))
    forms = {"caffe": "batched_matmul_by_filters", "ascend310": "matmul_by_batched_matmul"}
    assert forms.get(target, "batched_matmul_by_sums") in applied(made)
    assert ("batched_matmul_by_sums" in applied(made)) == (target not in forms)


@pytest.mark.parametrize("target", ["caffe", SUMS], ids=["filters", "sums"])
@pytest.mark.parametrize("adj_x1", [False, True])
@pytest.mark.parametrize("adj_x2", [False, True])
def test_transposed_operands_are_turned_where_batched_matmul_is_written_out(
    adj_x1: bool, adj_x2: bool, target: str | Target
) -> None:
    left, right = ((2, 4, 3) if adj_x1 else (2, 3, 4)), ((2, 5, 4) if adj_x2 else (2, 4, 5))
    net = net_of(BatchedMatMul(adj_x1, adj_x2), (left, right))
    assert_same(net, target, (normal(*left), normal(*right, seed=1)))


def test_products_of_many_matrices_are_one_convolution_on_caffe() -> None:
    net = net_of(MatMul(), ((5, 3, 4, 6), (5, 3, 6, 2)))
    made = legal(net, "caffe")
    (product,) = [layer for layer in made.layers if not isinstance(layer.op, Reshape)]
    assert product.op == DynamicConvolution(group=15)
    assert analyze(made).macs == analyze(net).macs == 15 * 4 * 6 * 2


def test_one_matrix_on_the_right_multiplies_all_rows_at_once_instead_of_being_repeated() -> None:
    made = legal(net_of(MatMul(), ((7, 3, 4), (4, 5))), "ascend310")
    assert "Tile" not in kinds(made)
    (product,) = [layer for layer in made.layers if isinstance(layer.op, BatchedMatMul)]
    assert made.bottom_shapes(product) == ((21, 4), (4, 5))


def test_a_product_is_refused_where_neither_form_of_it_is_legal() -> None:
    net = net_of(MatMul(), ((2, 3, 4), (2, 4, 5)))
    text = refusal(net, without("caffe", DynamicConvolution, Scale, Eltwise))
    assert "matmul_by_batched_matmul: needs BatchedMatMul()" in text


def test_a_product_whose_terms_fill_more_than_a_blob_may_hold_takes_some_rows_at_a_time() -> None:
    made = legal(net_of(MatMul(), ((2**11, 2**10), (2**10, 2**11))), SUMS)
    assert kinds(made).count("Slice") == 1
    assert kinds(made).count("Scale") == 32
    assert kinds(made).count("Tile") == 1
    assert max(prod(shape) for shape in made.shapes.values()) <= matmul.MOST_PRODUCTS


@pytest.mark.parametrize("most", [1, 100, 200])
def test_some_rows_at_a_time_make_the_same_product(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matmul, "MOST_PRODUCTS", most)
    net = net_of(BatchedMatMul(), ((2, 7, 4), (2, 4, 5)))
    made = assert_same(net, SUMS, (normal(2, 7, 4), normal(2, 4, 5, seed=1)))
    assert kinds(made).count("Concat") == 1


@pytest.mark.parametrize("axis", [0, 1, 2, 3])
def test_softmax_of_any_dim_is_a_softmax_of_channels(axis: int) -> None:
    channels = without("caffe", limited={Softmax: (OneOf("axis", (1,)), Rank(4, 4))})
    made = assert_same(net_of(Softmax(axis), ((2, 3, 4, 5),)), channels, (5 * normal(2, 3, 4, 5),))
    assert kinds(made).count("Softmax") == 1


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_softmax_of_any_dim_is_a_softmax_of_rows(axis: int) -> None:
    rows = without("ascend310", limited={Softmax: (OneOf("axis", (1,)), Rank(2, 2))})
    made = assert_same(net_of(Softmax(axis), ((2, 3, 4),)), rows, (5 * normal(2, 3, 4),))
    assert kinds(made).count("Softmax") == 1
    assert ("softmax_after_permuting" in applied(made)) == (axis in {0, 1})


@pytest.mark.parametrize("target", ALL)
def test_softmax_is_written_out_only_where_there_is_none_even_of_values_far_apart(target: str) -> None:
    net = net_of(Softmax(1), ((2, 3, 4),))
    made = assert_same(net, without(target, Softmax), (300 * normal(2, 3, 4),))
    assert "softmax_by_exponentials" in applied(made)
    limited = without(target, limited={Softmax: (Rank(4, 4),)})
    assert "softmax_by_exponentials" not in applied(legal(net, limited))


def test_softmax_is_refused_with_what_each_form_lacks() -> None:
    nothing = replace(TARGETS["caffe"], accepts={})
    text = refusal(net_of(Softmax(1), ((2, 3),)), nothing)
    assert "softmax_by_exponentials: needs" in text
    assert "softmax_of_rows: axis 1 of [2, 3] is not the last, or x is a matrix already" in text
