"""Products of two blobs as matrices: ATC's BatchedMatMul, and what computes the same from layers of all targets."""

from __future__ import annotations

from math import prod

from torch2om.ir.blob import Blob
from torch2om.ir.op import Shape
from torch2om.layers import BatchedMatMul, DynamicConvolution, Expand, Im2col, MatMul, Reduce, ReduceKind, Scale
from torch2om.legalization.permutation import permute
from torch2om.legalization.rules import RuleBuilder, legalizes


@legalizes(MatMul)
def matmul_by_batched_matmul(b: RuleBuilder, op: MatMul, x: Blob, y: Blob) -> Blob:
    """x @ y = BatchedMatMul(x, y) of matrices, or of as many matrices on both sides.

    Exact. A single y multiplies the rows of all matrices of x at once.
    """
    (top,) = op.infer([x.shape, y.shape], [])
    batch = top[:-2]
    if x.shape[:-2] != y.shape[:-2] and prod(y.shape[:-2]) == 1 and (prod(batch) == 1 or not op.adj_x1):
        left = b.reshape(x, (prod(x.shape[:-1]), x.shape[-1]))
        right = b.reshape(y, y.shape[-2:])
    else:
        left, right = _repeated(b, x, batch), _repeated(b, y, batch)
    return b.reshape(b.add(BatchedMatMul(op.adj_x1, op.adj_x2), left, right), top)


def _repeated(b: RuleBuilder, x: Blob, batch: Shape) -> Blob:
    """Return x with one matrix for each place of `batch`."""
    shape = (*batch, *x.shape[-2:])
    return b.reshape(x, shape) if prod(x.shape[:-2]) == prod(batch) else b.add(Expand(shape), x)


@legalizes(BatchedMatMul)
def batched_matmul_by_sums(b: RuleBuilder, op: BatchedMatMul, x: Blob, y: Blob) -> Blob:
    """y[n, i, j] = sum over k of x[n, i, k] * y[n, k, j]: y once per row i, times x as a Scale, summed over k.

    Exact. It moves four blobs of rows * depth * columns elements for each matrix and takes no multiply-accumulates.
    """
    (top,) = op.infer([x.shape, y.shape], [])
    left, right = _straight(b, x, transposed=op.adj_x1), _straight(b, y, transposed=op.adj_x2)
    count, rows, depth = left.shape
    columns = right.shape[2]
    repeated = b.add(Expand((count, rows, depth, columns)), b.reshape(right, (count, 1, depth, columns)))
    products = b.add(Scale(0), repeated, left)
    return b.reshape(b.add(Reduce(ReduceKind.SUM, (2,)), products), top)


def _straight(b: RuleBuilder, x: Blob, *, transposed: bool) -> Blob:
    """Return the matrices as [count, rows, columns], turned if `transposed`."""
    matrices = b.reshape(x, (prod(x.shape[:-2]), *x.shape[-2:]))
    return permute(b, matrices, (0, 2, 1)) if transposed else matrices


@legalizes(DynamicConvolution)
def filter_by_matmul(b: RuleBuilder, op: DynamicConvolution, x: Blob, filters: Blob) -> Blob:
    """conv(x, w) = (w as [outputs, channels * taps]) @ (im2col(x) as [channels * taps, places]), group by group.

    Exact.
    """
    (top,) = op.infer([x.shape, filters.shape], [])
    outputs, depth = filters.shape[0] // op.group, prod(filters.shape[1:])
    columns = b.add(Im2col(filters.shape[2:], op.stride, op.pad, op.dilation), x)
    left = b.reshape(filters, (1, op.group, outputs, depth))
    right = b.reshape(columns, (x.shape[0], op.group, depth, prod(top[2:])))
    return b.reshape(b.add(MatMul(), left, right), top)
