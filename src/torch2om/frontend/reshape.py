"""Reshape and Flatten: how ATC reads the new dims."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from torch2om.caffe.schema import CaffeMessage
from torch2om.frontend.row import Row, ir_inputs
from torch2om.frontend.site import CANN, GE, UNKNOWN_DIM, UNKNOWN_RANK, Rejected, Site, collapsed, demand, quotient
from torch2om.ir.op import Shape

_PARSER = f"{GE} caffe/caffe_reshape_parser.cc:55"
_PROTO = f"{CANN} op_proto/array_ops.cc"
_FLATTEN = f"{CANN} op_proto/transformation_ops.cc:2760"
_GE_SHAPE = "E14001"
_WORD = 2**32


def _reshape_plugin(layer: CaffeMessage) -> None:
    given = layer.reshape_param.HasField("shape")
    demand(given, "reshape_param names no shape", "E19999", _PARSER)


def _reshape(site: Site) -> tuple[Shape, ...]:
    """Caffe's rule if axis or num_axes is not the default or a dim is 0, otherwise a plain reshape with one -1."""
    x, param = site.described("x"), site.layer.reshape_param
    dims = tuple(param.shape.dim)
    if param.axis != 0 or param.num_axes != -1 or 0 in dims:
        unknown = UNKNOWN_RANK in (x, dims)
        return (UNKNOWN_RANK if unknown else _caffe(collapsed(x), dims, param.axis, param.num_axes),)
    demand(len(dims) > 0, "it names no dims", _GE_SHAPE, f"{_PROTO}:938")
    return (_of_nothing(dims) if 0 in x else _plain(x, dims),)


def _plain(x: Shape, dims: Shape) -> Shape:
    """`y = dims` with -1 in at most one place for the rest; as many values as x has (op_proto array_ops.cc:1347)."""
    lesser = all(size >= UNKNOWN_DIM for size in dims)
    demand(lesser, f"the dims {list(dims)} hold a number below -1", _GE_SHAPE, f"{_PROTO}:938")
    _one_unknown(dims)
    product = math.prod(size for size in dims if size != UNKNOWN_DIM)
    given = _values(x)
    if given == 0 and product == 1:
        given = 1
    if UNKNOWN_DIM in dims:
        if given < 0:
            return dims
        text = f"{given} values of x are not a multiple of {product}"
        demand(given % product == 0, text, _GE_SHAPE, f"{_PROTO}:1410")
        dims = tuple(given // product if size == UNKNOWN_DIM else size for size in dims)
    wanted = math.prod(dims)
    fits = given == wanted or (wanted > 0 and (given <= 0 or x[-1:] == (UNKNOWN_DIM,)))
    demand(fits, f"x has {given} values, {list(dims)} has {wanted}", _GE_SHAPE, f"{_PROTO}:1440")
    return dims


def _one_unknown(dims: Shape) -> None:
    text = f"the dims {list(dims)} hold more than one -1"
    demand(dims.count(UNKNOWN_DIM) <= 1, text, _GE_SHAPE, f"{_PROTO}:945,1034")


def _values(x: Shape) -> int:
    """Return the number of values: 0 for no dims, -1 if it is unknown (metadef ge_tensor.cc:222)."""
    if not x:
        return 0
    return -1 if min(x) in (UNKNOWN_DIM, -2) else math.prod(x)


def _of_nothing(dims: Shape) -> Shape:
    """Return the dims for an x without values: the rule reads the 64-bit dims as 32-bit ones, low half first, and
    takes as many halves as there are dims (op_proto array_ops.cc:1182).
    """  # noqa: D205 - the sentence takes two lines
    halves = [half for size in dims for half in (size % _WORD, size // _WORD % _WORD)][: len(dims)]
    signed = [half - _WORD if half >= _WORD // 2 else half for half in halves]
    unknown = signed.count(UNKNOWN_DIM)
    read = tuple(0 if size == UNKNOWN_DIM else size for size in signed)
    fits = unknown == 1 or (unknown == 0 and math.prod(read) == 0)
    demand(fits, f"x has no values, {list(dims)} has some", "E19999", f"{_PROTO}:1195")
    return read


def _caffe(x: Shape, dims: Shape, axis: int, num_axes: int) -> Shape:
    """`y = x[:axis] + dims + x[axis + num_axes:]`, 0 copying x's dim and -1 standing for the rest, as in Caffe."""
    _one_unknown(dims)
    rank = len(x)
    start = axis if axis >= 0 else axis + rank + 1
    demand(0 <= start <= rank, f"axis {axis} is outside [-{rank + 1}, {rank}]", _GE_SHAPE, f"{_PROTO}:1055")
    demand(num_axes >= -1, f"num_axes is {num_axes}, not at least -1", _GE_SHAPE, f"{_PROTO}:1067")
    end = rank if num_axes == -1 else start + num_axes
    demand(end <= rank, f"axis {axis} and num_axes {num_axes} leave the {rank} dims of x", _GE_SHAPE, f"{_PROTO}:1076")
    fits = all(start + index < rank for index, size in enumerate(dims) if size == 0)
    demand(fits, f"a 0 of {list(dims)} has no dim of x to copy", _GE_SHAPE, f"{_PROTO}:1123")
    copied = tuple(x[start + index] if size == 0 else size for index, size in enumerate(dims))
    kept = (*x[:start], *x[end:])
    total = math.prod(x)
    if UNKNOWN_DIM in dims:
        rest = _rest(total, math.prod(size for size in (*kept, *copied) if size != UNKNOWN_DIM))
        copied = tuple(rest if size == UNKNOWN_DIM else size for size in copied)
    top = (*x[:start], *copied, *x[end:])
    demand(math.prod(top) == total, f"{list(x)} and {list(top)} differ in size", _GE_SHAPE, f"{_PROTO}:1153")
    return top


def _rest(total: int, product: int) -> int:
    if product == 0:
        raise Rejected("the rest of x's values would be divided by 0", "", f"{_PROTO}:1133 (the process ends)")
    demand(total % product == 0, f"{total} values are not a multiple of {product}", _GE_SHAPE, f"{_PROTO}:1133")
    return quotient(total, product)


def _flatten(site: Site) -> tuple[Shape, ...]:
    """`y = x` with the dims from axis to end_axis as one; 0 <= axis <= end_axis < rank after counting from behind."""
    x, param = site.shape("x"), site.layer.flatten_param
    rank = len(site.described("x"))
    demand(len(x) == rank, f"x has dims {list(site.described('x'))}: more are read than the rule has", "", _FLATTEN)
    axis, end = (value + rank if value < 0 else value for value in (param.axis, param.end_axis))
    inside = 0 <= axis <= end < rank
    demand(inside, f"axes {param.axis} to {param.end_axis} do not fit dims {list(x)}", "", _FLATTEN)
    return ((*x[:axis], math.prod(x[axis : end + 1]), *x[end + 1 :]),)


ROWS: Mapping[str, Row] = MappingProxyType(
    {
        "Reshape": Row("Reshape", ir_inputs("x shape"), 1, _reshape, _reshape_plugin, keeps=True, takes_weights=False),
        "Flatten": Row("FlattenV2", ir_inputs("x"), 1, _flatten),
    }
)
