"""Products of two blobs as matrices: ATC's BatchedMatMul, and what computes the same from layers of all targets."""

from __future__ import annotations

from math import prod

from torch2om.ir.blob import Blob
from torch2om.ir.op import Shape
from torch2om.layers import (
    BatchedMatMul,
    Concat,
    DynamicConvolution,
    Expand,
    Im2col,
    MatMul,
    Reduce,
    ReduceKind,
    Scale,
    Slice,
)
from torch2om.legalization.permutation import permute
from torch2om.legalization.rules import RuleBuilder, legalizes

# The most elements of a blob of products. Our own number, no reader's limit: a Caffe blob may hold 2^31 - 1 (BVLC
# blob.cpp). It protects the memory of whoever runs the net, since two such blobs are alive at once, the repeated matrix
# and its products: 2 GiB in verify's float64, and 512 MiB of half precision on a board, of the 4 or 8 GiB that one has.
MOST_PRODUCTS = 2**27


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


@legalizes(BatchedMatMul, dialects=("caffe",))
def batched_matmul_by_filters(b: RuleBuilder, op: BatchedMatMul, x: Blob, y: Blob) -> Blob:
    """x @ y = a 1 x 1 convolution of y's rows as channels by x's rows as filters, one group for each matrix.

    Exact.
    """
    (top,) = op.infer([x.shape, y.shape], [])
    left, right = _straight(b, x, transposed=op.adj_x1), _straight(b, y, transposed=op.adj_x2)
    count, rows, depth = left.shape
    filters = b.reshape(left, (count * rows, depth, 1, 1))
    image = b.reshape(right, (1, count * depth, right.shape[2], 1))
    return b.reshape(b.add(DynamicConvolution(group=count), image, filters), top)


@legalizes(BatchedMatMul)
def batched_matmul_by_sums(b: RuleBuilder, op: BatchedMatMul, x: Blob, y: Blob) -> Blob:
    """y[n, i, j] = sum over k of x[n, i, k] * y[n, k, j]: y once per row i, times x as a Scale, summed over k.

    Exact. It moves four blobs of rows * depth * columns elements for each matrix and takes no multiply-accumulates;
    where that is more than MOST_PRODUCTS, some rows at a time.
    """
    (top,) = op.infer([x.shape, y.shape], [])
    left, right = _straight(b, x, transposed=op.adj_x1), _straight(b, y, transposed=op.adj_x2)
    rows, at_once = left.shape[1], max(1, MOST_PRODUCTS // prod(right.shape))
    points = tuple(range(at_once, rows, at_once))
    parts = b.add_all(Slice(1, points, len(points) + 1), left) if points else (left,)
    repeated = {count: _repeated_rows(b, right, count) for count in dict.fromkeys(part.shape[1] for part in parts)}
    sums = [_sum_of_products(b, repeated[part.shape[1]], part) for part in parts]
    return b.reshape(sums[0] if len(sums) == 1 else b.add(Concat(1), *sums), top)


def _repeated_rows(b: RuleBuilder, matrices: Blob, rows: int) -> Blob:
    """Return [count, depth, columns] as [count, rows, depth, columns]."""
    count, depth, columns = matrices.shape
    return b.add(Expand((count, rows, depth, columns)), b.reshape(matrices, (count, 1, depth, columns)))


def _sum_of_products(b: RuleBuilder, repeated: Blob, left: Blob) -> Blob:
    """Return the sums over depth, [count, rows, columns], of what `repeated` holds times `left`."""
    sums = b.add(Reduce(ReduceKind.SUM, (2,)), b.add(Scale(0), repeated, left))
    return b.reshape(sums, (*left.shape[:2], repeated.shape[3]))


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
