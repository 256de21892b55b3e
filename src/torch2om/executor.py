"""Runs a net in numpy: in float64 by default, in float32 on request, in float16 as a device rounds.

In float16 (float32) the inputs, the weights and every layer's result are rounded to float16 (float32), and each layer
computes in float32 (float64): so what a comparison finds is the rounding of what the files hold, not the order in which
numpy adds. In float32 alone that order was three quarters of the error of a ResNet-50. What that cannot change is
left out, and layers of independent parts run on some of them at a time (`layers.selection`).
Float16 numbers are held as float32 that float16 has: numpy's casts between the two would take longer than the layers.
Blobs are read-only and are forgotten as soon as their last reader has run. Products that are only summed, which is how
Caffe multiplies two blobs as matrices, are not held at all: a blob of them may have 10^9 numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice, pairwise, product
from math import prod
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from torch2om.errors import CaffeFileError, Diagnostic, Problems, UsageError
from torch2om.ir.net import Input, Layer, Net
from torch2om.ir.op import Array, BadOp, Op, Shape
from torch2om.ir.weight import PIECE
from torch2om.layers import InnerProduct, Pooling, Reshape, Scale
from torch2om.layers.precision import halved
from torch2om.layers.selection import in_parts, rounds_once, selects

Numbers = Mapping[str, npt.NDArray[Any]]  # Any: whatever real numbers the user feeds
NOTHING: Numbers = MappingProxyType({})

Dtype = np.dtype[np.floating[Any]]  # Any: one of three

BLOCK = 1 << 18  # numbers that are widened at a time where a layer has parts: they stay in a core's cache
FEW = 32  # rows that a large matrix is multiplied with some of its own rows at a time

_DOUBLE: Dtype = np.dtype(np.float64)
_SINGLE: Dtype = np.dtype(np.float32)
_HALF: Dtype = np.dtype(np.float16)


@dataclass(frozen=True, slots=True)
class Width:
    """The precision of a run: what blobs and weights are rounded to, what holds them, and what layers compute in."""

    dtype: Dtype
    held: Dtype
    computing: Dtype

    def round(self, values: npt.ArrayLike) -> Array:
        """Return the values rounded to the width, as the executor holds them; the numbers may be shared."""
        return self.hold(halved(np.asarray(values, self.held)) if self.dtype == _HALF else values)

    def hold(self, values: npt.ArrayLike) -> Array:
        """Return a read-only view of values that the width has, in the dtype that holds them."""
        blob = np.asarray(values, self.held).view()
        blob.flags.writeable = False
        return blob

    def weights(self, layer: Layer) -> list[Array]:
        """Return the layer's weights rounded to the width. Those of files are float32, and are rounded from there."""
        return [self.widened(weight.array(self.held)) for weight in layer.weights]

    def widened(self, numbers: Array) -> Array:
        """Return numbers of a weight rounded to the width, in the one that layers compute in."""
        return self.round(numbers).astype(self.computing, copy=False)


DOUBLE = Width(_DOUBLE, held=_DOUBLE, computing=_DOUBLE)
SINGLE = Width(_SINGLE, held=_SINGLE, computing=_DOUBLE)
HALF = Width(_HALF, held=_SINGLE, computing=_SINGLE)
WIDTHS = (DOUBLE, SINGLE, HALF)


def execute(
    net: Net,
    inputs: Numbers,
    dtype: npt.DTypeLike = np.float64,
    keep: Collection[str] | Literal["all"] | None = None,
) -> Mapping[str, Array]:
    """Return blobs of one run: the net's outputs, or those named in `keep`, or all of them.

    Raises `UsageError` if `inputs`, `dtype` or `keep` do not fit the net.
    """
    wanted, width = _wanted(net, keep), width_of(dtype)
    held = fed(net, inputs, width)
    kept = {name: blob for name, blob in held.items() if name in wanted}
    kept.update((top, blob) for _, top, blob in _steps(net, held, width, wanted))
    return MappingProxyType({name: _shown(kept[name], width) for name in wanted})


def blobs(
    net: Net,
    inputs: Numbers,
    wanted: Collection[str],
    dtype: npt.DTypeLike = np.float64,
    instead: Numbers = NOTHING,
) -> Iterator[tuple[Layer, str, Array]]:
    """Yield (layer, top, values) of the wanted tops in the net's order, each as soon as its layer has run.

    Layers that read a blob named in `instead` get the values there, of the blob's shape; the blob's own are yielded.
    Raises `UsageError`, before anything runs, if `inputs` or `dtype` do not fit the net.
    """
    width = width_of(dtype)
    held = fed(net, inputs, width)
    return ((layer, top, _shown(blob, width)) for layer, top, blob in _steps(net, held, width, wanted, instead))


def _steps(
    net: Net, held: dict[str, Array], width: Width, wanted: Collection[str], instead: Numbers = NOTHING
) -> Iterator[tuple[Layer, str, Array]]:
    """Run the layers on the blobs in `held`, which gains the tops and loses what nobody reads any more."""
    dying = iter(last_read(net))
    for group in _groups(net, {*wanted, *instead}):
        tops = _run_group(group, [held[bottom] for bottom in group[0].bottoms], width)
        held.update(tops)
        yield from ((group[-1], top, blob) for top, blob in tops.items() if top in wanted)
        held.update((top, width.round(instead[top])) for top in tops if top in instead)
        for blob in chain.from_iterable(islice(dying, len(group))):
            held.pop(blob, None)  # what passes between the layers of a group was never held


def _groups(net: Net, kept: Collection[str]) -> Iterator[tuple[Layer, ...]]:
    """Yield the layers in their order, each alone or with those that alone read what it makes (`_sums_products`)."""
    readings = Counter(bottom for layer in net.layers for bottom in layer.bottoms)
    start = 0
    while start < len(net.layers):
        candidates = (net.layers[start : start + length] for length in (3, 2))
        alone = net.layers[start : start + 1]
        group = next((found for found in candidates if _sums_products(found, readings, kept)), alone)
        yield group
        start += len(group)


def _sums_products(layers: tuple[Layer, ...], readings: Mapping[str, int], kept: Collection[str]) -> bool:
    """Whether the layers are a product of two blobs and a Pooling that alone reads it, under the same or other dims."""
    match [layer.op for layer in layers]:
        case [Scale(axis=0) as scale, Pooling(tops=1)] | [Scale(axis=0) as scale, Reshape(), Pooling(tops=1)]:
            passed = all(reader.bottoms == layer.tops for layer, reader in pairwise(layers))
            unseen = all(readings[top] == 1 and top not in kept for layer in layers[:-1] for top in layer.tops)
            return rounds_once(scale, len(layers[0].bottoms)) and passed and unseen
        case _:
            return False


def _run_group(group: tuple[Layer, ...], bottoms: Sequence[Array], width: Width) -> dict[str, Array]:
    """Return the tops of the last layer; of a product that is summed without holding it, if its rows are images."""
    if len(group) > 1 and (depth := _rows_of_images(group, bottoms)):
        with np.errstate(all="ignore"):
            return {group[-1].tops[0]: _summed_products(group, depth, bottoms, width)}
    tops = run_layer(group[0], bottoms, width)
    for layer in group[1:]:
        tops = run_layer(layer, list(tops.values()), width)
    return tops


def _rows_of_images(group: tuple[Layer, ...], bottoms: Sequence[Array]) -> int:
    """Return how many of the product's first dims number the images that are pooled; 0 if none do, or do not fit."""
    x, gamma = (blob.shape for blob in bottoms)
    try:
        group[0].op.infer([x, gamma], ())
        images = _images(group, x)
        group[-1].op.infer([images], ())
    except BadOp:
        return 0
    return next((depth for depth in range(1, len(gamma) + 1) if prod(x[:depth]) == prod(images[:2])), 0)


def _images(group: tuple[Layer, ...], shape: Shape) -> Shape:
    """Return the shape under which a group's Pooling reads products of this shape."""
    for layer in group[1:-1]:
        (shape,) = layer.op.infer([shape], ())
    return shape


def _summed_products(group: tuple[Layer, ...], depth: int, bottoms: Sequence[Array], width: Width) -> Array:
    """Return pool(x * gamma), about BLOCK products at a time."""
    x, gamma = bottoms
    scale, pooling = group[0].op, group[-1].op
    images = _images(group, x.shape)
    (shape,) = pooling.infer([images], ())
    top = np.empty((*x.shape[:depth], *shape[2:]), width.held)
    starts = range(0, x.shape[depth - 1], max(1, BLOCK // prod(images[2:])))
    for outer, start in product(np.ndindex(*x.shape[: depth - 1]), starts):
        block = (*outer, slice(start, start + starts.step))
        (products,) = scale.run([x[block], gamma[block]], ())
        rounded = width.round(products).reshape(1, -1, *images[2:])
        (pooled,) = pooling.run([rounded.astype(width.computing, copy=False)], ())
        top[block] = width.round(pooled[0])
    return width.hold(top.reshape(shape))


def require_numbers(net: Net) -> None:
    """Raise `CaffeFileError` (F510) with every layer that is judged alone, and so has no numbers."""
    hint = "end the net before it: take it, and what reads it, out of the prototxt"
    problems = Problems()
    for layer in net.layers:
        if not layer.op.computed:
            text = f"{layer.op.caffe_type} is judged by `check` alone: its numbers are not known"
            problems.add(Diagnostic("F510", text, origin=layer.origin, layer=layer.name, hint=hint))
    problems.raise_as(CaffeFileError)


def last_read(net: Net) -> list[list[str]]:
    """Return, for each layer, the blobs that nobody reads after it."""
    last = {blob: index for index, layer in enumerate(net.layers) for blob in (*layer.tops, *layer.bottoms)}
    dying: list[list[str]] = [[] for _ in net.layers]
    for blob, index in last.items():
        dying[index].append(blob)
    return dying


def run_layer(
    layer: Layer, bottoms: Sequence[Array], width: Width, weights: Sequence[Array] | None = None
) -> dict[str, Array]:
    """Return the tops of one layer, rounded to `width`; an error says which layer it was.

    `weights` are `width.weights(layer)`, for whoever runs a layer more than once.
    """
    try:
        shapes = layer.op.infer([blob.shape for blob in bottoms], layer.weight_shapes)
        if weights is None and _is_thin(layer, bottoms):
            results = [_row_by_row(layer, bottoms[0], width)]
        else:
            results = _results(layer, bottoms, width, width.weights(layer) if weights is None else weights)
    except BadOp as error:
        raise CaffeFileError(Diagnostic("F507", str(error), origin=layer.origin, layer=layer.name)) from error
    except Exception as error:
        error.add_note(f"in layer {layer.name} ({layer.op})")
        raise
    found = [blob.shape for blob in results]
    if found != list(shapes):
        raise AssertionError(f"layer {layer.name} ({layer.op}) made {found} instead of {list(shapes)}")
    return dict(zip(layer.tops, results, strict=True))


def _results(layer: Layer, bottoms: Sequence[Array], width: Width, weights: Sequence[Array]) -> list[Array]:
    """Run the op in the wider width and round what it gives, or as it is if it computes no new numbers.

    Infinities and NaN are results like any other.
    """
    with np.errstate(all="ignore"):
        if selects(layer.op):
            return [width.hold(top) for top in layer.op.run(bottoms, weights)]
        if rounds_once(layer.op, len(bottoms)):
            return [width.round(top) for top in layer.op.run(bottoms, weights)]
        widens = width.held != width.computing
        if widens and bottoms and (parts := in_parts(layer.op, bottoms[0])) is not None:
            (shape,) = layer.op.infer([bottoms[0].shape], ())
            return [_part_by_part(layer.op, parts, width).reshape(shape)]
        tops = layer.op.run([blob.astype(width.computing, copy=False) for blob in bottoms], weights)
        return [width.round(top) for top in tops]


def _is_thin(layer: Layer, bottoms: Sequence[Array]) -> bool:
    """Whether few rows meet a large matrix, so that to widen the whole of it would cost more than the products."""
    if not isinstance(layer.op, InnerProduct) or layer.op.transpose:
        return False
    matrix = layer.weights[0]
    return matrix.size > PIECE and bottoms[0].size <= FEW * matrix.shape[1]


def _row_by_row(layer: Layer, x: Array, width: Width) -> Array:
    """Return W x + c, some rows of W at a time."""
    assert isinstance(layer.op, InnerProduct)
    matrix, *bias = layer.weights
    (shape,) = layer.op.infer([x.shape], layer.weight_shapes)
    top, row = np.empty(shape, width.held), 0
    wide, terms = x.astype(width.computing, copy=False), [width.widened(term.array(width.held)) for term in bias]
    with np.errstate(all="ignore"):
        for piece in matrix.pieces(width.held):
            rows = slice(row, row := row + len(piece))
            some = replace(layer.op, num_output=len(piece))
            (values,) = some.run([wide], [width.widened(piece), *(term[rows] for term in terms)])
            top[..., rows] = width.round(values)
    return width.hold(top)


def _part_by_part(op: Op, parts: Array, width: Width) -> Array:
    """Run the op on about BLOCK numbers at a time, and so widen no whole blob."""
    (shape,) = op.infer([parts.shape], ())
    top = np.empty(shape, width.held)
    step = max(1, BLOCK * parts.shape[1] // max(1, parts.size))
    for start in range(0, parts.shape[1], step):
        block = slice(start, start + step)
        (values,) = op.run([parts[:, block].astype(width.computing, copy=False)], ())
        top[:, block] = width.round(values)
    return width.hold(top)


def _shown(blob: Array, width: Width) -> Array:
    """Return a held blob in the dtype that the run has for whoever asked for it."""
    values = blob.astype(width.dtype, copy=False).view()
    values.flags.writeable = False
    return values


def width_of(dtype: npt.DTypeLike) -> Width:
    """Return the width with that dtype."""
    for width in WIDTHS:
        if width.dtype == dtype:
            return width
    names = ", ".join(width.dtype.name for width in WIDTHS)
    raise UsageError(Diagnostic("U115", f"a net runs in {names}, not in {np.dtype(dtype).name}"))


def _wanted(net: Net, keep: Collection[str] | None) -> tuple[str, ...]:
    """Return the names of the blobs to keep, each once."""
    if keep is None:
        return net.output_blobs
    known = (*(source.name for source in net.inputs), *(top for layer in net.layers for top in layer.tops))
    if keep == "all":
        return known
    unknown = [name for name in keep if name not in set(known)]
    if unknown:
        raise UsageError(Diagnostic("U132", f"the net has no blob {name!r}") for name in unknown)
    return tuple(dict.fromkeys(keep))


def fed(net: Net, inputs: Numbers, width: Width) -> dict[str, Array]:
    """Return the input blobs in `width`; raise with everything that does not fit, or with layers without numbers."""
    require_numbers(net)
    problems = Problems()
    for text in _misfits(net.inputs, inputs):
        problems.add(Diagnostic("U115", text, hint=f"the net's inputs are {_sentence(net.inputs)}"))
    problems.raise_as(UsageError)
    with np.errstate(all="ignore"):
        return {source.name: width.round(inputs[source.name]) for source in net.inputs}


def _misfits(sources: Iterable[Input], inputs: Numbers) -> Iterator[str]:
    """Yield what is missing, unknown, of another shape or not a real number."""
    shapes = {source.name: source.shape for source in sources}
    yield from (f"input {name!r} has no value" for name in shapes if name not in inputs)
    yield from (f"the net has no input {name!r}" for name in inputs if name not in shapes)
    for name in (name for name in shapes if name in inputs):
        values = np.asarray(inputs[name])
        if values.shape != shapes[name]:
            yield f"input {name!r} has shape {list(values.shape)}, needs {list(shapes[name])}"
        if values.dtype.kind not in "fiub":
            yield f"input {name!r} holds {values.dtype.name}, which are no real numbers"


def _sentence(sources: Iterable[Input]) -> str:
    return ", ".join(f"{source.name} {list(source.shape)}" for source in sources)
