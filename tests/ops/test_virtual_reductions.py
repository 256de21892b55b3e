from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from agreement import assert_agrees, normal
from torch.nn import functional

from torch2om.ir.op import BadOp
from torch2om.layers import ArgReduce, Reduce, ReduceKind, Standardize

Axes = tuple[int, ...]
Function = Callable[[torch.Tensor, Axes, bool], torch.Tensor]


def product(x: torch.Tensor, axes: Axes, keepdim: bool) -> torch.Tensor:
    for axis in axes:
        x = x.prod(axis, keepdim=True)
    return x if keepdim else x.squeeze(axes)


REDUCE: dict[ReduceKind, Function] = {
    ReduceKind.SUM: lambda x, axes, keepdim: x.sum(axes, keepdim),
    ReduceKind.MEAN: lambda x, axes, keepdim: x.mean(axes, keepdim),
    ReduceKind.MAX: lambda x, axes, keepdim: x.amax(axes, keepdim),
    ReduceKind.MIN: lambda x, axes, keepdim: x.amin(axes, keepdim),
    ReduceKind.PROD: product,
}


@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize("axes", [(0,), (1,), (-1,), (2, 3), (0, 2), (1, -1), (0, 1, 2, 3)])
@pytest.mark.parametrize("kind", ReduceKind)
def test_reductions_run_over_any_axes(kind: ReduceKind, axes: Axes, keepdim: bool) -> None:
    x = normal(2, 3, 4, 5)
    assert_agrees(Reduce(kind, axes, keepdim), [x], [REDUCE[kind](x, axes, keepdim)])


@pytest.mark.parametrize("kind", ReduceKind)
def test_a_nan_spreads_to_the_results_it_enters(kind: ReduceKind) -> None:
    x = normal(3, 4)
    x[1, 2] = torch.nan
    assert_agrees(Reduce(kind, (1,)), [x], [REDUCE[kind](x, (1,), False)])


@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_indices_of_extremes_are_those_of_the_first_of_equals(axis: int, keepdim: bool) -> None:
    x = normal(3, 7, 6).mul(1.5).round()
    assert_agrees(ArgReduce(ReduceKind.MAX, axis, keepdim), [x], [x.argmax(axis, keepdim)])
    assert_agrees(ArgReduce(ReduceKind.MIN, axis, keepdim), [x], [x.argmin(axis, keepdim)])


@pytest.mark.parametrize("axes", [(-1,), (2, 3), (1, 2, 3)])
def test_standardizing_is_layer_norm_without_its_affine_part(axes: Axes) -> None:
    x = 3 * normal(2, 3, 4, 5) + 7
    shape = x.shape[4 - len(axes) :]
    assert_agrees(Standardize(axes, 1e-5), [x], [functional.layer_norm(x, shape, eps=1e-5)])
    assert_agrees(Standardize(axes, 1e-6, center=False), [x], [functional.rms_norm(x, shape, eps=1e-6)])


def test_standardizing_over_the_plane_is_instance_norm() -> None:
    x = normal(2, 3, 4, 5) * 0.01
    assert_agrees(Standardize((2, 3), 1e-3), [x], [functional.instance_norm(x, eps=1e-3)])


def test_axes_outside_the_blob_named_twice_or_missing_are_refused() -> None:
    with pytest.raises(BadOp, match="axis 2 is outside"):
        Reduce(ReduceKind.SUM, (2,)).infer([(3, 4)], [])
    with pytest.raises(BadOp, match="name a dim twice"):
        Reduce(ReduceKind.SUM, (1, -1)).infer([(3, 4)], [])
    with pytest.raises(BadOp, match="at least 1 axis"):
        Reduce(ReduceKind.SUM, ())
    with pytest.raises(BadOp, match="at least 1 axis"):
        Standardize((), 1e-5)
    with pytest.raises(BadOp, match="eps must not be negative"):
        Standardize((1,), -1e-5)
    with pytest.raises(BadOp, match="kind must be MAX or MIN"):
        ArgReduce(ReduceKind.SUM, 0)
