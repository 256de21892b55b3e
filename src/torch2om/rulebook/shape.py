"""Shapes and orders of dims: where each rule applies, and where it says why not."""

from __future__ import annotations

import numpy as np

from torch2om.layers import (
    Concat,
    Crop,
    Expand,
    LinearMap,
    Permute,
    Power,
    Reorg,
    Reshape,
    Reverse,
    ShuffleChannel,
    Slice,
    Split,
    StridedSlice,
    Tile,
)
from torch2om.rulebook.case import ALWAYS, Case, Entry, line

S = ((2, 3, 4, 5),)


ENTRIES: dict[str, Entry] = {
    "reverse_in_two_dims": Entry(line(LinearMap(1), 12, np.eye(12)[::-1]), line(LinearMap(1), 7, np.eye(7)[::-1])),
    "permute_by_im2col": Entry(Case(Permute((3, 0, 2, 1)), S), ALWAYS),
    "permute_all_dims": Entry(Case(Permute((2, 0)), S), Case(Permute((3, 2, 1, 0)), S)),
    "reshape_all_dims": Entry(Case(Reshape((0, -1), axis=1), S), Case(Reshape((6, 20)), S)),
    "split_by_sharing": Entry(Case(Split(2), S), ALWAYS),
    "slice_at_points": Entry(Case(Slice(1, (), 3), S), Case(Slice(1, (1,)), S)),
    "scalar_by_reduction": Entry(Case(Reshape(()), ((1, 1),)), Case(Reshape((1,)), ((1, 1),))),
    "expand_by_tiles": Entry(Case(Expand((2, 3, 4, 5, 6)), ((3, 1, 5, 1),)), ALWAYS),
    "map_as_matrix": Entry(Case(Power(2.0, 3.0, 1.0), ((6,),)), Case(Power(2.0), ((2, 3),))),
    "join_rows": Entry(Case(Concat(0), ((2,), (3,))), Case(Concat(0), S * 2)),
    "cut_row": Entry(Case(Slice(0, (1, 3), 3), ((6,),)), Case(Slice(1, (1,)), S)),
    "tile_by_concat": Entry(Case(Tile(1, 3), S), Case(Tile(1, 65), S)),
    "tile_by_convolution": Entry(Case(Tile(2, 3), S), ALWAYS),
    "crop_by_slices": Entry(Case(Crop(2, (1, 2)), (*S, (1, 1, 3, 2))), ALWAYS),
    "slice_neighbours": Entry(Case(StridedSlice(2, 1, 3), S), Case(StridedSlice(2, 0, 3, 2), S)),
    "slice_steps": Entry(Case(StridedSlice(1, 1, 8, 3), ((2, 9, 4),)), Case(StridedSlice(1, 1, 8), ((2, 9, 4),))),
    "reverse_by_gather": Entry(Case(Reverse((1, 3)), S), ALWAYS),
    "shuffle_by_permute": Entry(Case(ShuffleChannel(2), ((2, 6, 4, 5),)), ALWAYS),
    "reorg_by_permute": Entry(Case(Reorg(2, reverse=True), ((2, 8, 4, 5),)), ALWAYS),
    "join_in_groups": Entry(Case(Concat(0), S * 5), Case(Concat(0), S * 2)),
}
