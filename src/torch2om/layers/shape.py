"""Layers that move, copy or rename elements and compute nothing."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from torch2om.ir.op import Array, Arrays, Op, Shape, Shapes, axis_of, elements, need
from torch2om.ir.spelling import Spelling, Unwritten, spelled
from torch2om.layers.arity import check_weights, exactly, sole
from torch2om.layers.dims import axes_of, with_dim


@dataclass(frozen=True)
class Reshape(Op):
    """y = x under new dims, in the same order of elements.

    `dims` replace the dims from `axis` on (`num_axes` of them, -1: all the rest); a dim 0 copies the bottom's dim at
    the same place after `axis`, one dim may be -1 and takes what is left. `axis` -1 means after the last dim
    (Caffe's reshape_layer).
    """

    caffe_type = "Reshape"
    message = "reshape_param"

    dims: tuple[int, ...] = spelled("shape.dim", default=())
    axis: int = 0
    num_axes: int = -1

    def __post_init__(self) -> None:
        need(all(dim >= -1 for dim in self.dims), f"dims {list(self.dims)} hold a number below -1")
        need(self.dims.count(-1) <= 1, f"dims {list(self.dims)} hold more than one -1")
        need(self.num_axes >= -1, f"num_axes {self.num_axes} is below -1")

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return the bottom's dims with the replaced range filled in; the number of elements must not change."""
        bottom = sole(bottoms, weights)
        start = self.axis if self.axis >= 0 else len(bottom) + self.axis + 1
        need(0 <= start <= len(bottom), f"axis {self.axis} is outside a blob of rank {len(bottom)}")
        end = len(bottom) if self.num_axes == -1 else start + self.num_axes
        need(end <= len(bottom), f"axis {self.axis} and num_axes {self.num_axes} pass a blob of rank {len(bottom)}")
        copied = (*bottom[:start], *self._copied(bottom[start:]), *bottom[end:])
        known = elements(tuple(dim for dim in copied if dim != -1))
        count = elements(bottom)
        if -1 in copied:
            need(known > 0 and count % known == 0, f"{count} elements do not divide into dims {list(copied)}")
        top = tuple(count // known if dim == -1 else dim for dim in copied)
        need(elements(top) == count, f"dims {list(top)} hold {elements(top)} elements, the bottom has {count}")
        return (top,)

    def _copied(self, bottom: Shape) -> Shape:
        """Return `dims` with every 0 replaced by the bottom's dim at the same place after `axis`."""
        zeros = [place for place, dim in enumerate(self.dims) if dim == 0]
        need(not zeros or zeros[-1] < len(bottom), f"dims {list(self.dims)} copy a dim that the bottom does not have")
        return tuple(dim or bottom[place] for place, dim in enumerate(self.dims))

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - has no weights
        """Return the bottom under its new dims."""
        (top,) = self.infer([bottoms[0].shape], [])
        return (bottoms[0].reshape(top),)


@dataclass(frozen=True)
class Flatten(Op):
    """y = x with the dims from `axis` through `end_axis` made one."""

    caffe_type = "Flatten"
    message = "flatten_param"

    axis: int = 1
    end_axis: int = -1

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return the bottom's dims with the range multiplied together."""
        bottom = sole(bottoms, weights)
        start, end = axis_of(self.axis, len(bottom)), axis_of(self.end_axis, len(bottom))
        need(start <= end, f"axis {self.axis} lies behind end_axis {self.end_axis} in a blob of rank {len(bottom)}")
        return ((*bottom[:start], elements(bottom[start : end + 1]), *bottom[end + 1 :]),)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - has no weights
        """Return the bottom under its new dims."""
        (top,) = self.infer([bottoms[0].shape], [])
        return (bottoms[0].reshape(top),)


@dataclass(frozen=True)
class Permute(Op):
    """y[i[order[0]], i[order[1]], ...] = x[i]: top dim k is bottom dim order[k].

    Dims that `order` does not name follow in ascending order (SSD's permute_layer; golden Permute/partial).
    """

    caffe_type = "Permute"
    message = "permute_param"

    order: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        need(len(set(self.order)) == len(self.order), f"order {list(self.order)} names a dim twice")

    def full_order(self, rank: int) -> tuple[int, ...]:
        """Return the order with the unnamed dims appended; raise `BadOp` for a dim outside `rank`."""
        need(all(0 <= dim < rank for dim in self.order), f"order {list(self.order)} leaves a blob of rank {rank}")
        return (*self.order, *(dim for dim in range(rank) if dim not in self.order))

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return the bottom's dims in the new order."""
        bottom = sole(bottoms, weights)
        return (tuple(bottom[dim] for dim in self.full_order(len(bottom))),)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - has no weights
        """Return the bottom with its dims in the new order."""
        return (bottoms[0].transpose(self.full_order(bottoms[0].ndim)),)


@dataclass(frozen=True)
class Concat(Op):
    """y = the bottoms one after the other along `axis`."""

    caffe_type = "Concat"
    message = "concat_param"

    axis: int = spelled(Spelling("axis", aliases=("concat_dim",)), default=1)

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return the first bottom's dims with the lengths along `axis` added up; all other dims must agree."""
        exactly(weights, 0, "weight")
        need(len(bottoms) >= 1, "needs at least 1 bottom")
        first = tuple(bottoms[0])
        axis = axis_of(self.axis, len(first))
        for bottom in bottoms[1:]:
            fits = len(bottom) == len(first) and with_dim(bottom, axis, 0) == with_dim(first, axis, 0)
            need(fits, f"bottoms {list(first)} and {list(bottom)} differ outside axis {self.axis}")
        return (with_dim(first, axis, sum(bottom[axis] for bottom in bottoms)),)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - has no weights
        """Return the bottoms one after the other."""
        return (np.concatenate(tuple(bottoms), axis=self.axis),)


@dataclass(frozen=True)
class Slice(Op):
    """y_k = x[slice_point[k-1] : slice_point[k]] along `axis`; without points, `tops` equal parts."""

    caffe_type = "Slice"
    message = "slice_param"

    axis: int = spelled(Spelling("axis", aliases=("slice_dim",)), default=1)
    slice_point: tuple[int, ...] = ()
    tops: int = spelled(Unwritten(""), default=2)

    def __post_init__(self) -> None:
        need(self.tops >= 1, f"needs at least 1 top, has {self.tops}")
        fits = not self.slice_point or len(self.slice_point) == self.tops - 1
        need(fits, f"{len(self.slice_point)} slice points do not make {self.tops} tops")

    def bounds(self, length: int) -> tuple[int, ...]:
        """Return where the parts of an axis of `length` begin and end, 0 first and `length` last."""
        if not self.slice_point:
            need(length % self.tops == 0, f"{length} does not divide into {self.tops} tops")
        points = self.slice_point or range(length // self.tops, length, length // self.tops)
        bounds = (0, *points, length)
        rising = all(low < high for low, high in pairwise(bounds))
        need(rising, f"slice points {list(points)} do not rise from 0 to {length}")
        return bounds

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return the dims of each part."""
        bottom = sole(bottoms, weights)
        axis = axis_of(self.axis, len(bottom))
        return tuple(with_dim(bottom, axis, high - low) for low, high in pairwise(self.bounds(bottom[axis])))

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - has no weights
        """Return the parts."""
        return tuple(np.split(bottoms[0], self.bounds(bottoms[0].shape[self.axis])[1:-1], axis=self.axis))


@dataclass(frozen=True)
class Split(Op):
    """y_k = x for each of the `tops`."""

    caffe_type = "Split"

    tops: int = spelled(Unwritten(""), default=2)

    def __post_init__(self) -> None:
        need(self.tops >= 1, f"needs at least 1 top, has {self.tops}")

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return the bottom's shape for every top."""
        return (sole(bottoms, weights),) * self.tops

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - has no weights
        """Return the bottom for every top."""
        return (bottoms[0],) * self.tops


@dataclass(frozen=True)
class Tile(Op):
    """y = `tiles` copies of x one after the other along `axis`.

    `tiles` is always written: ATC requires the attribute.
    """

    caffe_type = "Tile"
    message = "tile_param"

    axis: int = 1
    tiles: int = spelled(Spelling("tiles", always=True), default=0)

    def __post_init__(self) -> None:
        need(self.tiles >= 1, f"tiles must be at least 1, is {self.tiles}")

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return the bottom's dims with the length along `axis` multiplied by `tiles`."""
        bottom = sole(bottoms, weights)
        axis = axis_of(self.axis, len(bottom))
        return (with_dim(bottom, axis, bottom[axis] * self.tiles),)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - has no weights
        """Return the copies: a read-only view of the bottom where its length along `axis` is 1."""
        x = bottoms[0]
        (top,) = self.infer([x.shape], [])
        axis = axis_of(self.axis, x.ndim)
        copies = np.broadcast_to(np.expand_dims(x, axis), (*x.shape[:axis], self.tiles, *x.shape[axis:]))
        return (copies.reshape(top),)


@dataclass(frozen=True)
class Crop(Op):
    """y = x[..., offset : offset + length of the second bottom] along every dim from `axis` on.

    One offset serves all these dims; otherwise there is one per dim (Caffe's crop_layer).
    """

    caffe_type = "Crop"
    message = "crop_param"

    axis: int = 2
    offset: tuple[int, ...] = (0,)

    def __post_init__(self) -> None:
        need(len(self.offset) >= 1, "needs at least 1 offset")
        need(min(self.offset) >= 0, f"offsets {list(self.offset)} hold a negative number")

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return the first bottom's dims before `axis`, the second's from there on."""
        exactly(weights, 0, "weight")
        bottom, reference = exactly(bottoms, 2)
        axis = axis_of(self.axis, len(bottom))
        need(len(reference) >= len(bottom), f"the reference {list(reference)} has fewer dims than {list(bottom)}")
        top = (*bottom[:axis], *reference[axis : len(bottom)])
        for dim, offset in zip(range(axis, len(bottom)), self._offsets(len(bottom) - axis), strict=True):
            fits = offset + top[dim] <= bottom[dim]
            need(fits, f"offset {offset} and length {top[dim]} pass the end of dim {dim}, which has {bottom[dim]}")
        return (top,)

    def starts(self, rank: int) -> tuple[int, ...]:
        """Return where the window begins along each dim of a blob of this rank."""
        axis = axis_of(self.axis, rank)
        return (0,) * axis + self._offsets(rank - axis)

    def _offsets(self, count: int) -> tuple[int, ...]:
        """Return one offset per cropped dim."""
        need(len(self.offset) in {1, count}, f"{len(self.offset)} offsets for {count} cropped dims")
        return self.offset if len(self.offset) == count else self.offset * count

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - has no weights
        """Return the window that the second bottom's dims cut out."""
        (top,) = self.infer([bottom.shape for bottom in bottoms], [])
        window = zip(self.starts(len(top)), top, strict=True)
        return (bottoms[0][tuple(slice(start, start + length) for start, length in window)],)


@dataclass(frozen=True)
class Reverse(Op):
    """y = x with the order of elements turned round along every dim of `axis`.

    A file that names no axis means 0 to ATC, whose list is then empty, and 1 to omg (HiLens #40).
    """

    caffe_type = "Reverse"
    message = "reverse_param"

    axis: tuple[int, ...] = spelled(
        "axis",
        dialects={"ascend": Spelling("axis", absent=(0,)), "omg": Spelling("axis", absent=(1,))},
    )

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return the bottom's shape; every axis must lie in it, and none twice."""
        bottom = sole(bottoms, weights)
        axes_of(self.axis, len(bottom))
        return (bottom,)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - has no weights
        """Return the bottom turned round."""
        return (np.flip(bottoms[0], self.axis),)


@dataclass(frozen=True)
class Parameter(Op):
    """y = the layer's weight, of shape `dims`; there is no bottom."""

    caffe_type = "Parameter"
    message = "parameter_param"

    dims: tuple[int, ...] = spelled("shape.dim", default=())

    def expected_weights(self, bottoms: Shapes) -> tuple[Shape, ...]:
        """Return `dims`; there must be no bottom."""
        exactly(bottoms, 0)
        return (self.dims,)

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return `dims`, which the weight must have."""
        check_weights(weights, self.expected_weights(bottoms))
        return (self.dims,)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - has no bottoms
        """Return the weight."""
        return (weights[0],)


@dataclass(frozen=True)
class Silence(Op):
    """Reads its bottoms and produces nothing, so that they are no outputs of the net."""

    caffe_type = "Silence"

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return no shape."""
        exactly(weights, 0, "weight")
        need(len(bottoms) >= 1, "needs at least 1 bottom")
        return ()

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - computes nothing
        """Return nothing."""
        return ()
