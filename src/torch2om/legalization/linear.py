"""Convolutions and inner products in the dims and types that a target takes."""

from __future__ import annotations

from dataclasses import fields, replace
from math import prod

from torch2om.errors import Refuse
from torch2om.ir.blob import Blob
from torch2om.ir.op import axis_of
from torch2om.layers import Convolution, Deconvolution, DepthwiseConvolution, InnerProduct
from torch2om.legalization.rules import RuleBuilder, legalizes


@legalizes(InnerProduct)
def multiply_rows(b: RuleBuilder, op: InnerProduct, x: Blob) -> Blob:
    """W x[..., k] = reshape(W (x as a matrix)).

    Exact.
    """
    axis = axis_of(op.axis, x.rank)
    rows = b.reshape(x, (prod(x.shape[:axis]), prod(x.shape[axis:])))
    if rows is x and op.axis == 1:
        raise Refuse("x is a matrix already")
    y = b.add(replace(op, axis=1), rows, weights=b.weights)
    return b.reshape(y, (*x.shape[:axis], op.num_output))


@legalizes(Convolution, DepthwiseConvolution, Deconvolution)
def convolve_line_as_image(b: RuleBuilder, op: Convolution | Deconvolution, x: Blob) -> Blob:
    """a Convolution of [N, C, L] = the Convolution of [N, C, 1, L] with kernels of height 1.

    Exact.
    """
    if len(op.kernel) != 1:
        raise Refuse(f"it has {len(op.kernel)} spatial axes")
    image = replace(op, kernel=(1, *op.kernel), stride=(1, *op.stride), pad=(0, *op.pad), dilation=(1, *op.dilation))
    filters, *bias = b.weights
    outputs, inputs, taps = filters.shape
    lifted = filters.map((outputs, inputs, 1, taps), lambda w: w.reshape(outputs, inputs, 1, taps))
    y = b.add(image, b.reshape(x, (*x.shape[:2], 1, x.shape[2])), weights=(lifted, *bias))
    return b.reshape(y, (*y.shape[:2], y.shape[3]))


@legalizes(DepthwiseConvolution)
def depthwise_as_convolution(b: RuleBuilder, op: DepthwiseConvolution, x: Blob) -> Blob:
    """DepthwiseConvolution(x) = Convolution(x) with the same parameters.

    Exact.
    """
    return b.add(Convolution(**{field.name: getattr(op, field.name) for field in fields(op)}), x, weights=b.weights)
