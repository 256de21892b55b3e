"""Products of matrices: with a constant they are inner products, of two blobs a MatMul."""

from __future__ import annotations

import numpy as np
import torch

from torch2om.ir.blob import Blob
from torch2om.ir.weight import Weight
from torch2om.layers import InnerProduct, LinearMap, MatMul
from torch2om.lowering.operands import as_blob, plus
from torch2om.lowering.registry import lowers
from torch2om.lowering.scope import Scope
from torch2om.lowering.views import permuted, reshaped

aten = torch.ops.aten


@lowers(aten.linear.default)
def linear(b: Scope, input: Blob | Weight, weight: Blob | Weight, bias: Blob | Weight | None) -> Blob:
    """y = input @ weight^T + bias, along the last dim."""
    x = as_blob(b, input)
    if isinstance(weight, Weight) and not isinstance(bias, Blob):
        return _inner(b, x, weight, bias)
    turned = permuted(b, as_blob(b, weight), (1, 0))
    y = reshaped(b, b.add(MatMul(), reshaped(b, x, (1,) * (2 - x.rank) + x.shape), turned), b.expected[0])
    return y if bias is None else plus(b, y, bias)


@lowers(aten.matmul.default)
def matmul(b: Scope, self: Blob | Weight, other: Blob | Weight) -> Blob:
    """y = self @ other: vectors are rows on the left and columns on the right, leading dims broadcast."""
    if isinstance(self, Blob) and isinstance(other, Weight) and len(other.shape) <= 2:
        return reshaped(b, _inner(b, self, _rows(other), None), b.expected[0])
    if isinstance(self, Weight) and isinstance(other, Blob) and len(self.shape) == 2:
        return b.add(LinearMap(max(other.rank - 2, 0)), other, weights=(self,))
    left, right = as_blob(b, self), as_blob(b, other)
    rows = reshaped(b, left, (1, *left.shape)) if left.rank == 1 else left
    columns = reshaped(b, right, (*right.shape, 1)) if right.rank == 1 else right
    return reshaped(b, b.add(MatMul(), rows, columns), b.expected[0])


@lowers(aten.bmm.default, aten.mm.default)
def mm(b: Scope, self: Blob | Weight, mat2: Blob | Weight) -> Blob:
    """y = self @ mat2."""
    return matmul(b, self, mat2)


@lowers(aten.bilinear.default)
def bilinear(b: Scope, input1: Blob, input2: Blob, weight: Weight, bias: Weight | None) -> Blob:
    """y[o] = sum over i, j of input1[i] * weight[o, i, j] * input2[j] + bias[o], along the last dim."""
    outputs, rows, columns = weight.shape
    turned = weight.map((outputs * columns, rows), lambda w: w.transpose(0, 2, 1).reshape(outputs * columns, rows))
    left = reshaped(b, _inner(b, input1, turned, None), (*input1.shape[:-1], outputs, columns))
    right = reshaped(b, input2, (*input2.shape[:-1], columns, 1))
    y = reshaped(b, b.add(MatMul(), left, right), b.expected[0])
    return y if bias is None else plus(b, y, bias)


def _inner(b: Scope, x: Blob, weight: Weight, bias: Weight | None) -> Blob:
    op = InnerProduct(weight.shape[0], bias is not None, axis=x.rank - 1)
    return b.add(op, x, weights=(weight,) if bias is None else (weight, bias))


def _rows(weight: Weight) -> Weight:
    """Return the constant with its columns as rows; a vector is one column."""
    depth, *columns = weight.shape
    return weight.map((*columns, depth) if columns else (1, depth), np.transpose)
