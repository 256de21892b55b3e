"""Parts of a blob, each cut out on its own, as the tops of one Slice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise

from torch2om.ir.assembly import Assembly
from torch2om.ir.blob import Blob
from torch2om.ir.net import Layer, Net
from torch2om.layers import Slice, StridedSlice

RULE = "join_slices"
_Parts = Mapping[str, tuple[int, int]]
"""Layer -> the first element of its part and the one behind the last."""


def join_slices(net: Net) -> Net:
    """x[a:b], x[b:c], ... = slice(x): parts of one blob along one axis that do not overlap are cut out by one layer."""
    groups = _groups(net)
    assembly = Assembly(net)
    cut: dict[tuple[str, int, int], Blob] = {}
    for old in net.layers:
        layer = assembly.resolve(old)
        parts = groups.get(old.name)
        if parts is None:
            assembly.keep(layer)
            continue
        start, stop = parts[old.name]
        if (old.bottoms[0], start, stop) in cut:
            assembly.put(layer, (), (cut[old.bottoms[0], start, stop],))
            continue
        (source,) = assembly.bottoms(layer)
        builder = assembly.builder(layer.origin.through(RULE))
        edges = _edges(parts, source.shape[_axis(old, source.rank)])
        op = Slice(_axis(old, source.rank), tuple(edges[1:-1]), len(edges) - 1)
        pieces = builder.add_all(op, source)
        cut.update({(old.bottoms[0], *ends): piece for ends, piece in zip(pairwise(edges), pieces, strict=True)})
        assembly.put(layer, builder.layers, (cut[old.bottoms[0], start, stop],))
    return assembly.finish()


def _groups(net: Net) -> dict[str, _Parts]:
    """Return for each layer that is one of several such parts all parts of its blob."""
    found: defaultdict[tuple[str, int], dict[str, tuple[int, int]]] = defaultdict(dict)
    for layer in net.layers:
        if isinstance(layer.op, StridedSlice):
            (shape,) = net.bottom_shapes(layer)
            axis = _axis(layer, len(shape))
            taken = layer.op.bounds(shape[axis])
            if taken.step == 1 or len(taken) == 1:
                found[layer.bottoms[0], axis][layer.name] = (taken[0], taken[-1] + 1)
    apart = (parts for parts in found.values() if len(set(parts.values())) > 1 and _are_apart(parts))
    return {name: parts for parts in apart for name in parts}


def _are_apart(parts: _Parts) -> bool:
    return all(before[1] <= after[0] for before, after in pairwise(sorted(set(parts.values()))))


def _edges(parts: _Parts, length: int) -> Sequence[int]:
    """Return where the blob is cut, its own ends included."""
    return sorted({0, length, *(edge for part in parts.values() for edge in part)})


def _axis(layer: Layer, rank: int) -> int:
    assert isinstance(layer.op, StridedSlice)
    return layer.op.axis % rank
