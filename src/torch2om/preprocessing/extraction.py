"""Takes the normalization with which a net begins out of the net, so that AIPP can do it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from torch2om.errors import Diagnostic, PreprocessingError
from torch2om.ir.net import Layer, Net
from torch2om.ir.op import Shape
from torch2om.layers import Bias, Power, Scale
from torch2om.preprocessing.normalization import Normalization

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AffineLayer:
    """A layer that computes scale * x + shift, with a number per channel or one for all."""

    layer: Layer
    scale: Numbers
    shift: Numbers


def take_out_normalization(net: Net, source: str) -> tuple[Net, Normalization]:
    """net(x) = rest(n(x)): the layers behind the input that scale and shift channels, as n, and the rest of the net.

    The input keeps its name and shape, and mirrors what the last layer taken out mirrored: its value is now n(x). A
    layer goes only if nothing else reads what it reads, and if what it makes is no output. Raises
    `PreprocessingError`: P821 if the net begins with another layer, P812 if a channel is multiplied by 0.
    """
    taken = tuple(leading_affine_layers(net, source))
    if not taken:
        raise PreprocessingError(_no_normalization(net, source))
    last = taken[-1].layer.tops[0]
    gone = {found.layer.tops[0] for found in taken}
    layers = tuple(
        replace(layer, bottoms=tuple(source if bottom == last else bottom for bottom in layer.bottoms))
        for layer in net.layers
        if layer.tops[0] not in gone
    )
    mirrors = {blob: call for blob, call in net.mirrors.items() if blob not in gone and blob != source}
    if last in net.mirrors:
        mirrors[source] = net.mirrors[last]
    return Net(net.name, net.inputs, layers, net.outputs, mirrors), _composed(taken)


def leading_affine_layers(net: Net, source: str) -> Iterator[AffineLayer]:
    """Yield the chain of layers behind an input that only scale and shift its channels."""
    blob = source
    while (found := _affine(net, blob)) is not None:
        yield found
        blob = found.layer.tops[0]


def _affine(net: Net, blob: str) -> AffineLayer | None:
    """Return the one layer that reads the blob if it scales and shifts channels and its top may disappear."""
    users = net.users[blob]
    if len(users) != 1 or len(users[0].bottoms) != 1 or {blob, users[0].tops[0]} & set(net.output_blobs):
        return None
    layer, shape = users[0], net.shapes[blob]
    match layer.op:
        case Power(power=1, scale=scale, shift=shift):
            return AffineLayer(layer, np.array([scale], np.float64), np.array([shift], np.float64))
        case Scale(axis=axis) | Bias(axis=axis):
            numbers = [_per_channel(weight.array(), axis, shape) for weight in layer.weights]
            return _affine_of(layer, [given for given in numbers if given is not None])
    return None


def _per_channel(values: npt.NDArray[np.floating], axis: int, shape: Shape) -> Numbers | None:
    """Return one number per channel, or one for all; None if they differ along another axis."""
    first = axis % len(shape) if values.ndim else 0
    aligned = values.reshape((1,) * first + values.shape + (1,) * (len(shape) - first - values.ndim))
    along = [axis for axis, size in enumerate(aligned.shape) if size != 1]
    return aligned.astype(np.float64).ravel() if along in ([], [1]) else None


def _affine_of(layer: Layer, numbers: list[Numbers]) -> AffineLayer | None:
    if len(numbers) != len(layer.weights):
        return None
    if isinstance(layer.op, Bias):
        return AffineLayer(layer, np.ones(1), numbers[0])
    return AffineLayer(layer, numbers[0], numbers[1] if len(numbers) == 2 else np.zeros(1))


def _composed(taken: tuple[AffineLayer, ...]) -> Normalization:
    """a x + b = (x - m) / s with s = 1 / a and m = -b / a."""
    scale, shift = np.ones(1), np.zeros(1)
    for found in taken:
        scale, shift = scale * found.scale, shift * found.scale + found.shift
    if not scale.all():
        text = "the net begins with a layer that multiplies a channel by 0, which is no normalization"
        raise PreprocessingError(Diagnostic("P812", text, origin=taken[0].layer.origin, layer=taken[0].layer.name))
    return Normalization(tuple((0 - shift / scale).tolist()), tuple((1 / scale).tolist()), divisor=1.0)


def _no_normalization(net: Net, source: str) -> Diagnostic:
    users = net.users[source]
    if len(users) != 1:
        text = f"{len(users)} layers read the input {source}, so that none of them can be taken out"
        return Diagnostic("P821", text)
    layer = users[0]
    text = f"the first layer that reads {source} is a {type(layer.op).__name__}: no scaling and shifting of channels"
    if isinstance(layer.op, Power | Scale | Bias):
        text = f"the first layer that reads {source} has other numbers than one per channel, or its result is an output"
    return Diagnostic("P821", text, origin=layer.origin, layer=layer.name)
