"""Weights of the dims that a layer's parameters name, where no caffemodel is given."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

from torch2om.caffe.schema import CaffeMessage
from torch2om.frontend.graph import Node
from torch2om.frontend.site import Site, Tensor, demand, dim
from torch2om.ir.op import Shape

Blobs = Callable[[CaffeMessage, Shape], tuple[Shape, ...]]
"""The dims of a layer's weights for x of these dims, in the order of the inputs that lack one."""

_UNKNOWN: Shape = (1,)


def assume_weights(node: Node, site: Site) -> None:
    """Link a weight to every input that must be linked and is not; a blob whose dims nobody reads gets [1].

    Raises `Rejected` where the parameters do not name the dims.
    """
    missing = [slot for slot in node.slots if not slot.optional and slot.link is None]
    blobs = _BLOBS.get(node.layer.type, _nothing_known)(node.layer, site.shape_at(0))
    for index, slot in enumerate(missing):
        slot.link = Tensor(blobs[index] if index < len(blobs) else _UNKNOWN)


def _nothing_known(_: CaffeMessage, __: Shape) -> tuple[Shape, ...]:
    return ()


def _kernel(layer: CaffeMessage) -> Shape:
    param = layer.convolution_param
    sizes = list(param.kernel_size) or [param.kernel_h, param.kernel_w]
    given = param.num_output > 0 and min(sizes) > 0
    demand(given, "without a caffemodel its num_output and kernel must be given", "", "the blob decides")
    return sizes[0], sizes[-1]


def _convolution(layer: CaffeMessage, x: Shape) -> tuple[Shape, ...]:
    param = layer.convolution_param
    return ((param.num_output, dim(x, 1) // max(param.group, 1), *_kernel(layer)),)


def _deconvolution(layer: CaffeMessage, x: Shape) -> tuple[Shape, ...]:
    param = layer.convolution_param
    return ((dim(x, 1), param.num_output // max(param.group, 1), *_kernel(layer)),)


def _inner_product(layer: CaffeMessage, x: Shape) -> tuple[Shape, ...]:
    param = layer.inner_product_param
    inner = math.prod(x[param.axis :])
    return ((inner, param.num_output) if param.transpose else (param.num_output, inner),)


def _spanned(param: CaffeMessage, x: Shape) -> tuple[Shape, ...]:
    covered = x[param.axis :]
    return (covered if param.num_axes == -1 else covered[: max(param.num_axes, 0)],)


def _scale(layer: CaffeMessage, x: Shape) -> tuple[Shape, ...]:
    return _spanned(layer.scale_param, x)


def _bias(layer: CaffeMessage, x: Shape) -> tuple[Shape, ...]:
    return _spanned(layer.bias_param, x)


def _lstm(layer: CaffeMessage, x: Shape) -> tuple[Shape, ...]:
    outputs = layer.recurrent_param.num_output
    return (4 * outputs, math.prod(x[2:])), (4 * outputs,), (4 * outputs, outputs)


_BLOBS: Mapping[str, Blobs] = MappingProxyType(
    {
        "Convolution": _convolution,
        "DepthwiseConvolution": _convolution,
        "Deconvolution": _deconvolution,
        "InnerProduct": _inner_product,
        "Scale": _scale,
        "Bias": _bias,
        "LSTM": _lstm,
    }
)
