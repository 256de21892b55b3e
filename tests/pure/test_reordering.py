"""The order that steps lead to is the one that was wanted, and no path is shorter."""

from __future__ import annotations

from collections import deque
from itertools import pairwise, permutations

import numpy as np
import pytest

from torch2om.legalization.permutation import Move, Swap, block_moves, shortest
from torch2om.legalization.reordering import Dims

RUNS = 4


def after_swap(swap: Swap) -> Dims:
    (down, across), (height, width) = swap.take, (swap.height, swap.width)
    return (*swap.fixed, *height[down], *width[across], *height[1 - down], *width[1 - across])


def after_move(move: Move) -> Dims:
    runs, places = move
    return tuple(dim for place in places for dim in runs[place])


def before_move(move: Move) -> Dims:
    return tuple(dim for run in move[0] for dim in run)


def before_swap(swap: Swap) -> Dims:
    return (*swap.fixed, *swap.height[0], *swap.height[1], *swap.width[0], *swap.width[1])


def orders(count: int) -> list[Dims]:
    """Return the orders of so many dims in which none follows the one before it."""
    every = permutations(range(count))
    return [order for order in every if all(second != first + 1 for first, second in pairwise(order))]


def reached(count: int, takes: tuple[tuple[int, ...], ...], cuts: int) -> dict[Dims, int]:
    """Return each order of so many dims -> how many steps lead to it, found breadth first over all cuts."""
    start = tuple(range(count))
    steps, pending = {start: 0}, deque([start])
    edges = [edge for edge in np.ndindex(*(count + 1,) * cuts) if list(edge) == sorted(edge)]
    while pending:
        dims = pending.popleft()
        for edge in edges:
            parts = [dims[a:b] for a, b in zip((0, *edge), (*edge, count), strict=True)]
            for take in takes:
                result = tuple(dim for place in take for dim in parts[place])
                if result not in steps:
                    steps[result] = steps[dims] + 1
                    pending.append(result)
    return steps


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_swaps_lead_to_the_order_and_are_the_fewest(count: int) -> None:
    takes = ((0, 1, 3, 2, 4), (0, 1, 4, 2, 3), (0, 2, 3, 1, 4), (0, 2, 4, 1, 3))
    fewest = reached(count, takes, 4)
    for wanted in orders(count):
        swaps = shortest(wanted)
        followed = [tuple(range(count)), *map(after_swap, swaps)]
        assert [before_swap(swap) for swap in swaps] == followed[:-1]
        assert (followed[-1], len(swaps)) == (wanted, fewest[wanted])


@pytest.mark.parametrize("count", [2, 3, 5, 6])
def test_moves_lead_to_the_order_and_are_the_fewest(count: int) -> None:
    fewest = reached(count, tuple(permutations(range(RUNS))), RUNS - 1)
    for wanted in orders(count):
        moves = block_moves(wanted, RUNS)
        followed = [tuple(range(count)), *map(after_move, moves)]
        assert [before_move(move) for move in moves] == followed[:-1]
        assert (followed[-1], len(moves)) == (wanted, fewest[wanted])
        assert all(len(runs) <= RUNS for runs, _ in moves)


def test_ten_dims_are_no_search_through_all_their_orders() -> None:
    wanted = (0, 3, 6, 1, 4, 7, 2, 5, 8, 9)  # three levels of units, as Hiera's masks unit its windows
    assert after_move(block_moves(wanted, RUNS)[-1]) == wanted
    assert len(block_moves(wanted, RUNS)) == 3  # of 9 runs, each move makes at most 3 follow as they shall
