from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from agreement import assert_agrees, normal

from torch2om.ir.op import BadOp, Shape
from torch2om.layers import (
    Arithmetic,
    ArithmeticKind,
    Compare,
    CompareKind,
    LinearMap,
    MatMul,
    Where,
)

Function = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

ARITHMETIC: dict[ArithmeticKind, Function] = {
    ArithmeticKind.ADD: torch.add,
    ArithmeticKind.SUB: torch.sub,
    ArithmeticKind.MUL: torch.mul,
    ArithmeticKind.DIV: torch.div,
    ArithmeticKind.MAX: torch.maximum,
    ArithmeticKind.MIN: torch.minimum,
    ArithmeticKind.POW: torch.pow,
}
COMPARE: dict[CompareKind, Function] = {
    CompareKind.GT: torch.gt,
    CompareKind.GE: torch.ge,
    CompareKind.LT: torch.lt,
    CompareKind.LE: torch.le,
    CompareKind.EQ: torch.eq,
    CompareKind.NE: torch.ne,
}
SHAPES: tuple[tuple[Shape, Shape], ...] = (
    ((2, 3, 4, 5), (2, 3, 4, 5)),
    ((2, 3, 4, 5), (3, 1, 1)),
    ((3, 1), (2, 1, 5)),
    ((), (2, 3)),
    ((), ()),
)


@pytest.mark.parametrize("shapes", SHAPES)
@pytest.mark.parametrize("kind", ArithmeticKind)
def test_arithmetic_broadcasts_as_pytorch(kind: ArithmeticKind, shapes: tuple[Shape, Shape]) -> None:
    left, right = normal(*shapes[0]), normal(*shapes[1], seed=1)
    assert_agrees(Arithmetic(kind), [left, right], [ARITHMETIC[kind](left, right)])


@pytest.mark.parametrize("kind", ArithmeticKind)
def test_arithmetic_of_zeros_infinities_and_nan_is_pytorchs(kind: ArithmeticKind) -> None:
    special = torch.tensor([0.0, 1.0, -2.0, float("inf"), float("-inf"), float("nan")], dtype=torch.float64)
    left, right = special[:, None], special[None, :]
    assert_agrees(Arithmetic(kind), [left, right], [ARITHMETIC[kind](left, right)])


@pytest.mark.parametrize("kind", CompareKind)
def test_comparisons_give_ones_and_zeros(kind: CompareKind) -> None:
    left, right = normal(4, 1, 5).round(), normal(3, 1, seed=1).round()
    assert_agrees(Compare(kind), [left, right], [COMPARE[kind](left, right)])


def test_where_broadcasts_its_three_bottoms() -> None:
    condition, first, second = normal(4, 1).gt(0).double(), normal(3, 1, 1, seed=1), normal(5, seed=2)
    assert_agrees(Where(), [condition, first, second], [torch.where(condition.bool(), first, second)])


@pytest.mark.parametrize(
    ("left", "right"),
    [((3, 4), (4, 5)), ((2, 3, 4), (4, 5)), ((2, 1, 3, 4), (6, 4, 2)), ((4, 3, 1), (4, 1, 3))],
)
def test_matmul_broadcasts_its_batches_and_counts_its_products(left: Shape, right: Shape) -> None:
    a, b = normal(*left), normal(*right, seed=1)
    product = torch.matmul(a, b)
    assert_agrees(MatMul(), [a, b], [product])
    assert MatMul().macs([left, right], []) == product.numel() * left[-1]


@pytest.mark.parametrize("adj_x1", [False, True])
@pytest.mark.parametrize("adj_x2", [False, True])
def test_matmul_transposes_its_operands(adj_x1: bool, adj_x2: bool) -> None:
    a, b = normal(2, 3, 4), normal(5, 1, 4, 6, seed=1)
    left, right = (a.mT if adj_x1 else a), (b.mT if adj_x2 else b)
    assert_agrees(MatMul(adj_x1, adj_x2), [left, right], [a @ b])
    assert MatMul(adj_x1, adj_x2).macs([left.shape, right.shape], []) == (a @ b).numel() * 4


@pytest.mark.parametrize("axis", [0, 1, 2, 3, -1, -3])
def test_a_linear_map_multiplies_along_one_axis(axis: int) -> None:
    x, matrix = normal(2, 3, 4, 5), normal(7, (2, 3, 4, 5)[axis], seed=1)
    mapped = torch.movedim(torch.movedim(x, axis, -1) @ matrix.T, -1, axis)
    assert_agrees(LinearMap(axis), [x], [mapped], [matrix])
    assert LinearMap(axis).macs([tuple(x.shape)], [tuple(matrix.shape)]) == mapped.numel() * x.shape[axis]


def test_shapes_that_do_not_fit_are_refused_with_both_named() -> None:
    with pytest.raises(BadOp, match=r"\[2, 3\], \[4\] do not broadcast"):
        Arithmetic(ArithmeticKind.ADD).infer([(2, 3), (4,)], [])
    with pytest.raises(BadOp, match="4 columns do not meet 3 rows"):
        MatMul().infer([(2, 4), (3, 4)], [])
    with pytest.raises(BadOp, match="needs matrices"):
        MatMul().infer([(4,), (4, 4)], [])
    with pytest.raises(BadOp, match=r"the matrix \[5, 4\] does not meet 3 elements"):
        LinearMap(1).infer([(2, 3)], [(5, 4)])
    with pytest.raises(BadOp, match="must be a matrix"):
        LinearMap(1).infer([(2, 3)], [(3,)])
    with pytest.raises(BadOp, match="exactly 3 bottoms"):
        Where().infer([(2,), (2,)], [])
