"""InnerProduct, BatchedMatMul, MatrixInverse and Correlation: sums of products without a moving window."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from torch2om.caffe.schema import CaffeMessage
from torch2om.frontend.convolution import widened
from torch2om.frontend.row import Row, ir_inputs
from torch2om.frontend.site import CANN, UNKNOWN_DIM, UNKNOWN_RANK, Rejected, Site, demand
from torch2om.ir.op import Shape

_PLUGIN = f"{CANN} framework/caffe_plugin/inner_product_plugin.cc"
_PROTO = f"{CANN} op_proto/matrix_calculation_ops.cc"
_CORRELATION = f"{CANN} op_proto/correlation.cc:42"
_INVERSE = f"{CANN} op_proto/linalg_ops.cc:201"
_INNER, _CUBE, _SHAPE = "E89999", "E69999", "E70009"


def _inner_product(layer: CaffeMessage) -> None:
    """num_output must be written; its value is not compared with the blob."""
    written = layer.inner_product_param.HasField("num_output")
    demand(written, "num_output is not given", "E70005", f"{_PLUGIN}:44")


def _fully_connection(site: Site) -> tuple[Shape, ...]:
    """`y = [N, outputs]`, at batch 1 `[1, outputs, 1, 1]`; with axis 2 `[N, T, outputs]`.

    The weight has 2 dims, and the product of x's dims from the axis is its second (its first if transposed).
    """
    x, weight, param = site.shape("x"), site.shape("w"), site.layer.inner_product_param
    axis = param.axis + len(x) if param.axis < 0 else param.axis
    demand(axis in (1, 2), f"axis is {param.axis}, not 1 or 2", _INNER, f"{_PROTO}:134")
    demand(len(weight) == 2, f"the weight has dims {list(weight)}, not 2 of them", _INNER, f"{_PROTO}:134")
    taken = weight[0] if param.transpose else weight[1]
    given = math.prod(x[axis:])
    demand(given == taken, f"x {list(x)} has {given} values from axis {axis}, the weight takes {taken}", _INNER, _PROTO)
    outputs = weight[1] if param.transpose else weight[0]
    if axis == 2:
        demand(len(x) >= 3, f"x has dims {list(x)}: axis 2 needs 3 of them", _CUBE, f"{_PROTO}:195")
        return ((*x[:2], outputs),)
    demand(len(x) >= 1, "x has no dims", _INNER, f"{_PROTO}:195")
    return ((x[0], outputs, 1, 1) if x[0] == 1 else (x[0], outputs),)


def _batch_mat_mul(site: Site) -> tuple[Shape, ...]:
    """`y = x1 x2` over the last two dims, the dims before them broadcast; a vector is a row on the left, a column on
    the right.
    """  # noqa: D205 - the equation takes a line and a half
    x1, x2, param = site.shape("x1"), site.shape("x2"), site.layer.batch_matmul_param
    rank = max(len(site.described("x1")), len(site.described("x2")))
    demand(1 <= rank <= 8, f"the inputs have up to {rank} dims, not 1 to 8", _CUBE, f"{_PROTO}:1708")
    if UNKNOWN_RANK in (x1, x2):
        return (UNKNOWN_RANK,)
    left = (1, *x1) if len(x1) == 1 and x1[0] > 0 else x1
    right = (*x2, 1) if len(x2) == 1 and x2[0] > 0 else x2
    positive = all(size > 0 or size == UNKNOWN_DIM for size in (*left, *right))
    demand(positive, f"there is a dim of 0 in {list(x1)}, {list(x2)}", _SHAPE, f"{_PROTO}:857")
    rank = max(2, len(left), len(right))
    left, right = (0,) * (rank - len(left)) + left, (0,) * (rank - len(right)) + right
    rows, inner = _turned(left[-2:], param.adj_x1)
    other, columns = _turned(right[-2:], param.adj_x2)
    fits = min(inner, other) <= 0 or inner == other
    demand(fits, f"the inner dims of {list(x1)} and {list(x2)} are {inner} and {other}", _SHAPE, f"{_PROTO}:912")
    batch = (_broadcast(*dims) for dims in zip(left[:-2], right[:-2], strict=True))
    return ((*batch, rows, columns),)


def _turned(dims: Shape, transposed: bool) -> tuple[int, int]:
    first, second = dims
    return (second, first) if transposed else (first, second)


def _broadcast(a: int, b: int) -> int:
    """Return the common dim: one that is missing (0) or 1 gives way (op_proto matrix_calculation_ops.cc:625)."""
    if a in (0, 1):
        return b
    if b in (0, 1):
        return a
    if a > 1 and b > 1 and a != b:
        raise Rejected(f"the batch dims {a} and {b} differ", _CUBE, f"{_PROTO}:625")
    return max(a, b)


def _matrix_inverse(site: Site) -> tuple[Shape, ...]:
    """`y = x`, whose last two dims are equal."""
    x = site.shape("x")
    demand(len(x) >= 2, f"x has dims {list(x)}, not at least 2 of them", _INNER, _INVERSE)
    square = x[-1] == x[-2] or UNKNOWN_DIM in x[-2:]
    demand(square, f"its last dims {x[-2]} and {x[-1]} differ", "", _INVERSE)
    return ((*x[:-2], max(x[-2:]), max(x[-2:])),)


def _correlation(site: Site) -> tuple[Shape, ...]:
    """`y = [N, 1, H - h + 1, W - w + 1]`: the first bottom is the filter, the second the image."""
    x, kernel = site.shape("x"), site.shape("filter")
    four = len(x) == len(kernel) == 4
    demand(four, f"the dims are {list(kernel)} and {list(x)}, not 4 each", "", _CORRELATION)
    demand(x[:2] == kernel[:2], f"batch and channels of {list(kernel)} and {list(x)} differ", "", _CORRELATION)
    same = site.dtype("x") == site.dtype("filter")
    demand(same, f"the types are {site.dtype('filter')} and {site.dtype('x')}", "", _CORRELATION)
    return ((x[0], 1, *(size - k + 1 for size, k in zip(x[2:], kernel[2:], strict=True))),)


ROWS: Mapping[str, Row] = MappingProxyType(
    {
        "InnerProduct": Row(
            "FullyConnection", ir_inputs("x w b? offset_w?"), 1, _fully_connection, _inner_product, types=widened
        ),
        "BatchedMatMul": Row("BatchMatMul", ir_inputs("x1 x2"), 1, _batch_mat_mul, types=widened, keeps=True),
        "MatrixInverse": Row("MatrixInverse", ir_inputs("x"), 1, _matrix_inverse),
        "Correlation": Row("Correlation", ir_inputs("filter x"), 1, _correlation, types=widened),
    }
)
