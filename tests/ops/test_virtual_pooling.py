from __future__ import annotations

from itertools import product

import pytest
import torch
from agreement import assert_agrees, normal
from torch.nn import functional

from torch2om.ir.op import BadOp
from torch2om.layers import AdaptivePooling, WindowPooling
from torch2om.layers.pooling import Pair, PoolMethod

# kernel, stride, pad
WINDOWS: tuple[tuple[Pair, Pair, Pair], ...] = (
    ((2, 2), (2, 2), (0, 0)),
    ((3, 3), (2, 2), (1, 1)),
    ((3, 2), (1, 3), (1, 0)),
    ((1, 1), (2, 3), (0, 0)),
    ((5, 4), (3, 2), (2, 2)),
    ((2, 2), (5, 4), (1, 1)),
)
IMAGES: tuple[Pair, ...] = ((7, 9), (8, 8), (5, 6))


def max_pooled(op: WindowPooling, x: torch.Tensor) -> torch.Tensor:
    return functional.max_pool2d(x, op.kernel, op.stride, op.pad, op.dilation, op.ceil)


def averaged(op: WindowPooling, x: torch.Tensor) -> torch.Tensor:
    return functional.avg_pool2d(x, op.kernel, op.stride, op.pad, op.ceil, op.count_include_pad, op.divisor)


@pytest.mark.parametrize("ceil", [False, True])
@pytest.mark.parametrize(("kernel", "stride", "pad"), WINDOWS)
def test_maxima_are_pytorchs(kernel: Pair, stride: Pair, pad: Pair, ceil: bool) -> None:
    for image, dilation in product(IMAGES, ((1, 1), (2, 1))):
        x = normal(2, 3, *image)
        op = WindowPooling(PoolMethod.MAX, kernel, stride, pad, dilation, ceil=ceil)
        if all(n + 2 * p >= e for n, p, e in zip(image, pad, op.window.extent, strict=True)):
            assert_agrees(op, [x], [max_pooled(op, x)])


@pytest.mark.parametrize("divisor", [None, 5, -2])
@pytest.mark.parametrize("include", [False, True])
@pytest.mark.parametrize("ceil", [False, True])
@pytest.mark.parametrize(("kernel", "stride", "pad"), WINDOWS)
def test_averages_are_pytorchs(
    kernel: Pair, stride: Pair, pad: Pair, ceil: bool, include: bool, divisor: int | None
) -> None:
    for image in IMAGES:
        x = normal(2, 3, *image)
        op = WindowPooling(PoolMethod.AVE, kernel, stride, pad, ceil=ceil, count_include_pad=include, divisor=divisor)
        assert_agrees(op, [x], [averaged(op, x)])


def test_a_last_window_that_would_begin_in_the_right_pad_is_dropped() -> None:
    op = WindowPooling(PoolMethod.MAX, (1, 1), (2, 2), ceil=True)
    assert op.infer([(1, 1, 4, 4)], []) == ((1, 1, 2, 2),)
    padded = WindowPooling(PoolMethod.MAX, (2, 2), (3, 3), (1, 1), ceil=True)
    assert padded.infer([(1, 1, 5, 5)], []) == (tuple(max_pooled(padded, normal(1, 1, 5, 5)).shape),)


def test_an_unbatched_image_is_pooled_too_and_nan_is_handed_on() -> None:
    x = normal(3, 6, 6)
    x[1, 2, 3] = torch.nan
    op = WindowPooling(PoolMethod.MAX, (3, 3), (2, 2))
    assert_agrees(op, [x], [max_pooled(op, x)])


@pytest.mark.parametrize("size", [(1, 1), (3, 3), (7, 9), (4, 5), (10, 2)])
@pytest.mark.parametrize("image", IMAGES)
def test_adaptive_windows_divide_any_image_into_any_size(image: Pair, size: Pair) -> None:
    x = normal(2, 3, *image)
    assert_agrees(AdaptivePooling(PoolMethod.AVE, size), [x], [functional.adaptive_avg_pool2d(x, size)])
    assert_agrees(AdaptivePooling(PoolMethod.MAX, size), [x], [functional.adaptive_max_pool2d(x, size)])


def test_windows_that_pytorch_has_not_are_refused() -> None:
    with pytest.raises(BadOp, match="PyTorch has no STOCHASTIC pooling"):
        WindowPooling(PoolMethod.STOCHASTIC, (2, 2), (2, 2))
    with pytest.raises(BadOp, match="an average has no dilation"):
        WindowPooling(PoolMethod.AVE, (2, 2), (2, 2), dilation=(2, 2))
    with pytest.raises(BadOp, match="passes half of the kernel's extent"):
        WindowPooling(PoolMethod.MAX, (2, 2), (2, 2), (2, 2))
    with pytest.raises(BadOp, match="divisor must not be 0"):
        WindowPooling(PoolMethod.AVE, (2, 2), (2, 2), divisor=0)
    with pytest.raises(BadOp, match="a kernel of extent 3 is larger than 2 padded by 0"):
        WindowPooling(PoolMethod.MAX, (3, 3), (1, 1)).infer([(1, 1, 2, 5)], [])
    with pytest.raises(BadOp, match="needs height and width"):
        AdaptivePooling(PoolMethod.AVE, (1, 1)).infer([(5,)], [])
    with pytest.raises(BadOp, match="must hold 2 positive numbers"):
        AdaptivePooling(PoolMethod.AVE, (0, 1))
