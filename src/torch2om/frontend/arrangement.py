"""Permute, Concat, Slice, Crop, Tile, Reorg and their like: layers that move elements or copy them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from types import MappingProxyType

from torch2om.caffe.schema import CaffeMessage
from torch2om.frontend.row import Row, elementwise, ir_inputs
from torch2om.frontend.site import (
    CANN,
    UNKNOWN_DIM,
    UNKNOWN_RANK,
    Site,
    as_int32,
    collapsed,
    demand,
    dim,
    quotient,
    rank_of,
    with_dim,
)
from torch2om.ir.op import Shape

_PLUGINS = f"{CANN} framework/caffe_plugin"
_SELECTION = f"{CANN} op_proto/selection_ops.cc"
_SPLIT = f"{CANN} op_proto/split_combination_ops.cc"
_TRANSFORMATION = f"{CANN} op_proto/transformation_ops.cc"
_INNER, _SHAPE, _VALUE = "E89999", "E70009", "E70007"
_WORD = 2**32

# Reorg reads 4 dims whatever x has. Behind 3 of them, 24 bytes in a heap block of 32, glibc keeps the size of the next
# block: 48 bytes and the mark that this one is in use, 49 as a dim. Behind fewer there is nothing that can be foretold.
_BEHIND_THREE = 49


def _permute_plugin(layer: CaffeMessage) -> None:
    order = list(layer.permute_param.order)
    once = len(set(order)) == len(order)
    demand(once, f"order {order} names an axis twice", _VALUE, f"{_PLUGINS}/caffe_permute_plugin.cc:49")


def _permute(site: Site) -> tuple[Shape, ...]:
    """`y[i] = x[order[i]]`; axes that order leaves out follow in their order, and none given is the identity."""
    x = site.described("x")
    given = list(site.layer.permute_param.order) or [0]
    order = [*given, *(axis for axis in range(len(collapsed(x))) if axis not in given)]
    if x == UNKNOWN_RANK:
        x = (UNKNOWN_DIM,) * len(order)
    inside = all(axis < len(x) for axis in order)
    demand(inside, f"order {given} does not fit dims {list(x)}", _INNER, f"{_TRANSFORMATION}:913")
    return (tuple(x[axis] for axis in order),)


def _concat(site: Site) -> tuple[Shape, ...]:
    """`y[axis] = the sum of the inputs' dims`, all other dims equal; axis, else concat_dim, else 1."""
    param = site.layer.concat_param
    axis = param.axis if param.HasField("axis") or not param.HasField("concat_dim") else param.concat_dim
    axis = as_int32(axis)
    shapes = [site.described_at(index) for index in range(len(site.layer.bottom))]
    demand(len(shapes) > 0, "it has no bottoms", _INNER, f"{_SPLIT}:632")
    if set(shapes) == {UNKNOWN_RANK}:
        return (UNKNOWN_RANK,)
    rank = max(map(rank_of, shapes))
    demand(-rank <= axis < rank, f"axis {axis} is outside [-{rank}, {rank})", _INNER, f"{_SPLIT}:686")
    axis %= rank
    joined: Shape = ()
    for shape in shapes:
        joined = _join(joined, shape, axis)
    sizes = [UNKNOWN_DIM if shape == UNKNOWN_RANK else dim(shape, axis) for shape in shapes]
    return (with_dim(joined, axis, UNKNOWN_DIM if UNKNOWN_DIM in sizes else sum(sizes)),)


def _join(joined: Shape, shape: Shape, axis: int) -> Shape:
    """Return the dims common to both; they may differ at the axis, and an unknown one gives way."""
    if joined in ((), UNKNOWN_RANK, shape):
        return shape
    if shape == UNKNOWN_RANK:
        return joined
    both = list(zip(joined, shape, strict=False))
    alike = len(joined) == len(shape) and all(
        a == b or UNKNOWN_DIM in (a, b) for index, (a, b) in enumerate(both) if index != axis
    )
    demand(alike, f"the inputs {list(joined)} and {list(shape)} differ beside axis {axis}", _INNER, f"{_SPLIT}:701")
    return tuple(a if b == UNKNOWN_DIM else b for a, b in both)


def _slice_plugin(layer: CaffeMessage) -> None:
    param = layer.slice_param
    both = param.HasField("axis") and param.HasField("slice_dim")
    demand(not both, "both axis and slice_dim are given", _SHAPE, f"{_PLUGINS}/slice_plugin.cc:42")


def _slice(site: Site) -> tuple[Shape, ...]:
    """x cut along the axis at the points, or into equal parts.

    With one point fewer than tops the last top takes the rest; if nothing is left it stays without dims. With as many
    points as tops or more the first differences are the sizes. With fewer points sizes are read past the end of the
    list (split_combination_ops.cc:529): they are not known.
    """
    x, param, count = site.shape("x"), site.layer.slice_param, len(site.layer.top)
    axis = param.slice_dim if param.HasField("slice_dim") else param.axis
    axis = as_int32(axis)
    rank = rank_of(x)
    demand(-rank <= axis < rank, f"axis {axis} does not fit dims {list(x)}", _INNER, f"{_SPLIT}:467")
    axis %= rank
    sizes = _sizes(x[axis], list(param.slice_point), count)
    return tuple(() if size is None else with_dim(x, axis, size) for size in sizes)


def _sizes(whole: int, points: list[int], count: int) -> list[int | None]:
    """Return the tops' sizes along the axis; None for one that is left without dims."""
    if not points:
        text = f"{whole} does not divide into {count} tops"
        demand(whole % count == 0, text, _INNER, f"{_SPLIT}:484")
        return [quotient(whole, count)] * count
    steps = [points[0], *((b - a) % _WORD for a, b in pairwise(points))]
    if len(steps) + 1 == count:
        rest = whole - sum(steps)
        return [*steps, rest if rest > 0 else None]
    if len(steps) < count:
        steps += [UNKNOWN_DIM] * (count - len(steps))
    return list(steps[:count])


def _crop(site: Site) -> tuple[Shape, ...]:
    """`y = x[:axis] + size[axis:]` with the rank of size; offsets are looked at by the kernel only."""
    x, size, axis = site.shape("x"), site.shape("size"), site.layer.crop_param.axis
    rank = rank_of(x)
    demand(-rank <= axis < rank, f"axis {axis} does not fit dims {list(x)}", _INNER, f"{_SELECTION}:3457")
    axis %= rank
    return ((*x[: min(axis, len(size))], *size[axis:]),)


def _tile(site: Site) -> tuple[Shape, ...]:
    """`y[axis] = tiles * x[axis]`, tiles at least 1."""
    x, param = site.shape("x"), site.layer.tile_param
    source = f"{_SELECTION}:3588"
    inside = -len(x) <= param.axis < len(x)
    demand(inside, f"axis {param.axis} does not fit dims {list(x)}", "", source)
    demand(param.tiles > 0, f"tiles is {param.tiles}, not at least 1", "", source)
    axis = param.axis % len(x)
    return (with_dim(x, axis, x[axis] if x[axis] == UNKNOWN_DIM else x[axis] * param.tiles),)


def _reorg(site: Site) -> tuple[Shape, ...]:
    """Blocks of stride x stride pixels become channels; reversed, channels become blocks."""
    x, param = site.shape("x"), site.layer.reorg_param
    source = f"{_SELECTION}:3386"
    demand(param.stride >= 1, "stride is 0", _INNER, source)
    demand(len(x) >= 3, f"x has dims {list(x)}: the rule reads 4 of them, past the end of the list", "", source)
    if len(x) == 3:
        x = (*x, _BEHIND_THREE)
    side, area = param.stride, param.stride**2
    if param.reverse:
        demand(x[1] % area == 0, f"{x[1]} channels are not a multiple of {area}", _INNER, source)
        return ((x[0], quotient(x[1], area), x[2] * side, x[3] * side),)
    whole = x[2] % side == 0 and x[3] % side == 0
    demand(whole, f"the image of {x[2]} x {x[3]} does not divide by {side}", _INNER, source)
    return ((x[0], x[1] * area, quotient(x[2], side), quotient(x[3], side)),)


def _copy(site: Site) -> tuple[Shape, ...]:
    """Every top is x."""
    return (site.shape("x"),) * len(site.layer.top)


def _spatial_transformer(site: Site) -> tuple[Shape, ...]:
    """`y = [N, C, output_H, output_W]`, x's size where one is -1 or missing."""
    x, param = site.shape("x"), site.layer.st_param
    height = param.output_H if param.HasField("output_H") else -1
    width = param.output_W if param.HasField("output_W") else -1
    sizes = (dim(x, 2) if height == -1 else height, dim(x, 3) if width == -1 else width)
    return ((dim(x, 0), dim(x, 1), *sizes),)


def _warp(site: Site) -> tuple[Shape, ...]:
    """`y = [N, C, out_height, out_width]` of an x with 4 dims."""
    x, param = site.shape("x"), site.layer.warp_perspective_param
    source = f"{CANN} op_proto/warp_perspective_ops.cc:30"
    demand(len(x) == 4, f"x has dims {list(x)}, not 4 of them", "E70015", source)
    return ((*x[:2], param.out_height, param.out_width),)


def _warp_plugin(layer: CaffeMessage) -> None:
    source = f"{_PLUGINS}/caffe_warp_perspective_plugin.cc:42,50"
    for name in ("out_height", "out_width"):
        demand(layer.warp_perspective_param.HasField(name), f"{name} is not given", "E70018", source)


def _conditional(site: Site) -> tuple[Shape, ...]:
    """Data and index have the dims of data, the count has 1."""
    return site.shape_at(0), site.shape_at(0), (1,)


def _condition_types(_: Site) -> tuple[str, ...]:
    return "float32", "int32", "int32"


_X = ir_inputs("x")

ROWS: Mapping[str, Row] = MappingProxyType(
    {
        "Permute": Row("Permute", _X, 1, _permute, _permute_plugin, keeps=True),
        "Concat": Row("ConcatD", ir_inputs("x*"), 1, _concat, keeps=True),
        "Slice": Row("SplitVD", _X, 0, _slice, _slice_plugin),
        "Split": Row("Copy", _X, 0, _copy),
        "Crop": Row("Crop", ir_inputs("x size"), 1, _crop),
        "Tile": Row("TileWithAxis", _X, 1, _tile, required=("tile_param.tiles",)),
        "Reorg": Row("PassThrough", _X, 1, _reorg),
        "Reverse": elementwise("ReverseV2D"),
        "ShuffleChannel": elementwise("ShuffleChannel"),
        "SpatialTransformer": Row("SpatialTransformerD", ir_inputs("x theta?"), 1, _spatial_transformer),
        "WarpPerspective": Row("WarpPerspective", ir_inputs("x matrix"), 1, _warp, _warp_plugin),
        "CondTake": Row("CondTake", ir_inputs("data mask"), 3, _conditional, types=_condition_types),
    }
)
