"""Layers that work on each value by itself, on several blobs of one size, or fold dims away."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from torch2om.frontend.row import Row, described, elementwise, ir_inputs, same_as_first
from torch2om.frontend.site import CANN, UNKNOWN_DIM, Site, demand, dim, rank_of, with_dim
from torch2om.ir.op import Shape

_ARG_MAX = f"{CANN} op_proto/elewise_calculation_ops.cc"
_REDUCTION = f"{CANN} op_proto/reduction_ops.cc:35"
_ALL_VALUES = 10000  # the axis that the plugin sets where the file names none (arg_max_with_k_plugin.cc)


def _eltwise(site: Site) -> tuple[Shape, ...]:
    """`y = x0`: the other shapes are not compared (op_proto elewise_calculation_ops.cc:2650).

    With an unknown dim among them the largest dims count.
    """
    shapes = [site.shape_at(index) for index in range(len(site.layer.bottom))]
    if not any(UNKNOWN_DIM in shape for shape in shapes):
        return (shapes[0] if shapes else (),)
    known = [shape for shape in shapes if shape]
    merged = known[0]
    for shape in known[1:]:
        merged = tuple(max(a, dim(shape, index)) for index, a in enumerate(merged))
    return (merged,)


def _reduction(site: Site) -> tuple[Shape, ...]:
    """`y = x[:axis]`, and [1] for axis 0."""
    x, axis = site.shape("x"), site.layer.reduction_param.axis
    rank = rank_of(x)
    demand(-rank <= axis < rank, f"axis {axis} does not fit dims {list(x)}", "E89999", _REDUCTION)
    return (x[: axis % rank] or (1,),)


def _arg_max(site: Site) -> tuple[Shape, ...]:
    """Indices and values: `[N, top_k]` without axis, otherwise x with top_k at the axis (x itself if it is outside)."""
    x, param = site.shape("x"), site.layer.argmax_param
    demand(param.top_k >= 1, "top_k is 0", "E70007", f"{_ARG_MAX}:3725")
    axis = param.axis if param.HasField("axis") else _ALL_VALUES
    if axis == _ALL_VALUES:
        return ((dim(x, 0), param.top_k),) * 2
    return (with_dim(x, axis + rank_of(x) if axis < 0 else axis, param.top_k),) * 2


def _arg_max_types(site: Site) -> tuple[str, ...]:
    """The first top holds int32 indices, or with axis and out_max_val values."""
    param = site.layer.argmax_param
    values = param.out_max_val and param.HasField("axis") and param.axis != _ALL_VALUES
    x = site.dtype("x")
    return (x if values else "int32"), x


def _int8(_: Site) -> tuple[str, ...]:
    return ("int8",)


def _int16(_: Site) -> tuple[str, ...]:
    return ("int16",)


def _float32(_: Site) -> tuple[str, ...]:
    return ("float32",)


_X = ir_inputs("x")

ROWS: Mapping[str, Row] = MappingProxyType(
    {
        "AbsVal": described("Abs"),
        "BNLL": elementwise("BNLL"),
        "ELU": described("Elu"),
        "Elu": described("Elu"),
        "Exp": described("Exp"),
        "Log": described("Log"),
        "Mish": elementwise("Mish"),
        "Power": described("Power"),
        "ReLU": described("LeakyRelu"),
        "RReLU": described("LeakyRelu"),
        "LeakyReLU": described("LeakyRelu"),
        "ReLU6": described("Relu6"),
        "Sigmoid": described("Sigmoid"),
        "TanH": described("Tanh"),
        "Threshold": elementwise("Threshold"),
        "Dropout": Row("Dropout", _X, 1, same_as_first, takes_weights=False),
        "Eltwise": Row("Eltwise", ir_inputs("x*"), 1, _eltwise, keeps=True),
        "Reduction": Row("Reduction", _X, 1, _reduction),
        "ArgMax": Row("ArgMaxWithK", _X, 2, _arg_max, types=_arg_max_types),
        "Quant": described("AscendQuant", types=_int8),
        "AntiQuant": described("AscendAntiQuant", types=_float32),
        "DeQuant": described("AscendDequant", "x deq_scale", _float32),
        "DequantS16": described("AscendDequantS16", "x0 deq_scale x1?", _int16),
        "Requant": described("AscendRequant", "x req_scale", _int8),
        "RequantS16": Row("AscendRequantS16", ir_inputs("x0 req_scale x1?"), 2, same_as_first, types=_int8, keeps=True),
    }
)
