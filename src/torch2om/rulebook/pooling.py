"""Poolings: where each rule applies, and where it says why not."""

from __future__ import annotations

from torch2om.layers import AdaptivePooling, Pooling, PoolMethod, WindowPooling
from torch2om.rulebook.case import Case, Entry

S = ((2, 3, 4, 5),)
LARGEST, AVERAGE = PoolMethod.MAX, PoolMethod.AVE


def _pool(**fields: object) -> Case:
    return Case(WindowPooling(**{"pool": LARGEST, "kernel": (3, 3), "stride": (2, 2), **fields}), ((2, 3, 9, 10),))  # type: ignore[arg-type]  # fields by name


ENTRIES: dict[str, Entry] = {
    "pool_then_correct": Entry(
        _pool(pool=AVERAGE, pad=(1, 1), count_include_pad=False), _pool(kernel=(1, 1), stride=(4, 4), dilation=(2, 2))
    ),
    "pool_enlarged_image": Entry(
        _pool(pool=AVERAGE, kernel=(2, 2), stride=(5, 3), ceil=True, divisor=3), _pool(dilation=(2, 1))
    ),
    "pool_gathered_windows": Entry(_pool(dilation=(2, 1), pad=(1, 1)), _pool(pool=AVERAGE)),
    "pool_dilated_axis": Entry(
        _pool(kernel=(3, 1), stride=(2, 1), pad=(1, 0), dilation=(2, 1)), _pool(dilation=(2, 2))
    ),
    "pool_with_fitting_kernel": Entry(
        Case(Pooling(AVERAGE, (6, 9), (3, 3), (0, 1)), S), Case(Pooling(AVERAGE, (2, 2), (1, 1)), S)
    ),
    "pool_axes_in_turn": Entry(_pool(dilation=(2, 2), pad=(1, 1)), _pool()),
    "pool_to_own_size": Entry(Case(AdaptivePooling(AVERAGE, (4, 5)), S), Case(AdaptivePooling(AVERAGE, (4, 4)), S)),
    "adapt_by_global_pooling": Entry(
        Case(AdaptivePooling(AVERAGE, (1, 1)), ((3, 4, 5),)), Case(AdaptivePooling(AVERAGE, (2, 1)), S)
    ),
    "adapt_by_pooling": Entry(Case(AdaptivePooling(LARGEST, (2, 4)), S), Case(AdaptivePooling(AVERAGE, (3, 3)), S)),
    "adapt_axes_in_turn": Entry(Case(AdaptivePooling(LARGEST, (3, 3)), S), Case(AdaptivePooling(AVERAGE, (4, 3)), S)),
    "adapt_average_by_map": Entry(Case(AdaptivePooling(AVERAGE, (4, 3)), S), Case(AdaptivePooling(LARGEST, (4, 3)), S)),
    "adapt_maximum_by_gathering": Entry(
        Case(AdaptivePooling(LARGEST, (3, 7)), S), Case(AdaptivePooling(AVERAGE, (3, 7)), S)
    ),
}
