"""Maxima over windows larger than omg takes, padded by up to a window: legal, exact, and by poolings where these do."""

from __future__ import annotations

import tracemalloc

import pytest
from legality import assert_same, kinds, legal, net_of, normal

from torch2om.layers import Im2col, Pooling, PoolMethod, Rounding

CEIL, FLOOR = Rounding.CEIL, Rounding.FLOOR

# kernel, stride, pad, rounding, image
BY_POOLINGS = [
    ((33, 33), (1, 1), (32, 32), CEIL, (40, 36)),
    ((64, 3), (3, 1), (40, 2), FLOOR, (30, 12)),
    ((100, 35), (5, 7), (99, 34), FLOOR, (32, 38)),
    ((67, 40), (1, 2), (66, 20), FLOOR, (40, 4)),  # four in a row: windows of 34 are split again
]
OTHERWISE = [
    ((34, 9), (13, 2), (16, 4), CEIL, (33, 24)),  # the last window passes the padded image
    ((19, 44), (4, 32), (17, 5), FLOOR, (20, 44)),  # windows of windows would be one more
    ((53, 15), (33, 16), (23, 0), FLOOR, (36, 40)),
]


@pytest.mark.parametrize(("kernel", "stride", "pad", "rounding", "image"), [*BY_POOLINGS, *OTHERWISE])
def test_a_padded_maximum_over_a_large_window_is_exact_on_hilens(
    kernel: tuple[int, int], stride: tuple[int, int], pad: tuple[int, int], rounding: Rounding, image: tuple[int, int]
) -> None:
    op = Pooling(PoolMethod.MAX, kernel, stride, pad, rounding)
    shape = (1, 2, *image)
    made = assert_same(net_of(op, [shape]), "hilens", [-abs(normal(*shape))], bound=0.0)
    by_poolings = (kernel, stride, pad, rounding, image) in BY_POOLINGS
    assert (set(kinds(made)) == {"Pooling"}) == by_poolings


def test_a_window_of_the_whole_image_costs_no_filters_until_they_are_written() -> None:
    net = net_of(Im2col((64, 64)), ((1, 8, 64, 64),))
    tracemalloc.start()
    made = legal(net, "hilens")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    (filters,) = (layer.weights[0] for layer in made.layers if layer.weights)
    assert filters.size == 8 * 4096 * 4096
    assert peak < filters.size
