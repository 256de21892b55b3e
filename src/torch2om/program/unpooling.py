"""A maximum pooling and its way back: every element stands where it was, without a place that is computed and written.

max_unpool2d writes values to places, which no Caffe layer does. If the places are those of a pooling whose windows do
not overlap, each window has one of them: the value times what is 1 at the window's first largest element.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import fx

aten = torch.ops.aten
Value = Any  # an argument of a call: node, number, list or None


def recover_unpoolings(graph: fx.Graph) -> None:
    """Replace every max_unpool2d whose indices come from a pooling of windows side by side."""
    for node in list(graph.nodes):
        if node.target is aten.max_unpool2d.default and (window := _window(node)) is not None:
            node.replace_all_uses_with(_Calls(graph, node).unpooled(*window))


def _window(unpool: fx.Node) -> tuple[Value, tuple[int, int]] | None:
    """Return the pooled image and the window; None if the windows overlap, or the places mean another image."""
    (values, indices, size), unpooled = _arguments(unpool), unpool.meta["val"]
    pool: Value = indices.args[0] if indices.args else None
    if not isinstance(pool, fx.Node) or pool.target is not aten.max_pool2d_with_indices.default:
        return None
    given: dict[str, Value] = dict(zip(("image", "kernel", "stride", "pad", "dilation"), pool.args, strict=False))
    image, window = given["image"], _pair(given["kernel"])
    counts, sizes = values.meta["val"].shape[-2:], image.meta["val"].shape[-2:]
    covered = tuple(count * side for count, side in zip(counts, window, strict=True))
    side_by_side = (
        _pair(given.get("stride") or window) == window
        and _pair(given.get("pad", 0)) == (0, 0)
        and _pair(given.get("dilation", 1)) == (1, 1)
        and all(most >= least for most, least in zip((*sizes, *size), (*covered, *covered), strict=True))
    )
    same = unpooled.shape[-1] == sizes[1] and pool.meta["val"][0].shape == values.meta["val"].shape
    return (image, window) if side_by_side and same else None


def _arguments(call: fx.Node) -> tuple[Value, ...]:
    return call.args


def _pair(number: Value) -> tuple[int, int]:
    both = (number, number) if isinstance(number, int) else tuple(number)
    return (both[0], both[-1])


class _Calls:
    """Puts calls in front of another one, with the record of where that one came from."""

    def __init__(self, graph: fx.Graph, old: fx.Node) -> None:
        self._graph = graph
        self._old = old

    def _call(self, target: Value, *args: Value) -> Value:
        with self._graph.inserting_before(self._old):
            node = self._graph.create_node("call_function", target, args)
        with self._old.meta["val"].fake_mode:
            value = target(*fx.node.map_arg(args, lambda source: source.meta["val"]))
        node.meta = {**self._old.meta, "val": value.contiguous()}
        return node

    def unpooled(self, image: Value, window: tuple[int, int]) -> Value:
        """Return [t is the first largest of the window] * value, laid out as the image was."""
        values, _, (height, width) = _arguments(self._old)
        *lead, rows, columns = values.meta["val"].shape
        high, wide = window
        whole = self._part(self._part(image, -2, rows * high), -1, columns * wide)
        view, permute = aten.view.default, aten.permute.default
        order = [*range(len(lead)), *(len(lead) + axis for axis in (0, 2, 1, 3))]
        apart = self._call(permute, self._call(view, whole, [*lead, rows, high, columns, wide]), order)
        taps = self._call(view, apart, [*lead, rows, columns, high * wide])
        first = self._call(aten.argmax.default, taps, -1, True)
        hit = self._call(aten.eq.Tensor, first, self._call(aten.arange.default, high * wide))
        placed = self._call(aten.mul.Tensor, hit, self._call(aten.unsqueeze.default, values, -1))
        back = self._call(permute, self._call(view, placed, [*lead, rows, columns, high, wide]), order)
        joined = self._call(view, back, [*lead, rows * high, columns * wide])
        rest = [0, width - columns * wide, 0, height - rows * high]
        return self._call(aten.pad.default, joined, rest) if any(rest) else joined

    def _part(self, x: Value, dim: int, size: int) -> Value:
        """Return the first elements along a dim."""
        return x if x.meta["val"].shape[dim] == size else self._call(aten.slice.Tensor, x, dim, 0, size)
