"""LSTM, RNN and BasicRNNCell: sequences, [T, N, ...] first."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from torch2om.frontend.row import Row, ir_inputs
from torch2om.frontend.site import CANN, Site, as_int32, demand, dim
from torch2om.ir.op import Shape

_RNN = f"{CANN} op_proto/rnn.cc"
_INNER = "E89999"


def _lstm(site: Site) -> tuple[Shape, ...]:
    """`h = [T, N, outputs]`; outputs is a dim of the input that holds w_h (op_proto nn_calculation_ops.cc:81).

    Which input that is follows from how many are linked: 9 with a static input and states, 7 with one of the two,
    otherwise 5. With expose_hidden the states have the dims of the inputs that hold h_0 and c_0.
    """
    x, exposed = site.shape_at(0), site.layer.recurrent_param.expose_hidden
    match site.linked, exposed:
        case 9, _:
            outputs = dim(site.shape_at(3), 2)
        case 7, True:
            outputs = dim(site.shape_at(2), 2)
        case 7, False:
            outputs = dim(site.shape_at(6), 1)
        case _:
            outputs = dim(site.shape_at(4), 1)
    hidden = (dim(x, 0), dim(x, 1), outputs)
    if not exposed:
        return (hidden,)
    first = 3 if site.linked == 9 else 2
    return hidden, site.shape_at(first), site.shape_at(first + 1)


def _rnn(site: Site) -> tuple[Shape, ...]:
    """`o = [T, N, num_output]`, `h_t = [1, N, num_output]`."""
    x, outputs = site.shape("x"), as_int32(site.layer.recurrent_param.num_output)
    demand(len(x) == 3, f"x has dims {list(x)}, not 3 of them", _INNER, f"{_RNN}:677")
    return (x[0], x[1], outputs), (1, x[1], outputs)


def _cell(site: Site) -> tuple[Shape, ...]:
    """`o_t = h_t = [N, 0]`: the plugin reads nothing, so num_output stays 0 (basic_rnn_cell_plugin.cc)."""
    x = site.shape("x")
    demand(len(x) == 2, f"x has dims {list(x)}, not 2 of them", _INNER, f"{_RNN}:724")
    return ((x[0], 0),) * 2


_LSTM = ir_inputs("x cont w_x bias w_h x_static? h_0? c_0? w_x_static?")
_RNN_INPUTS = ir_inputs("x cont x_static? h_0? w_xh bias_h w_sh? w_hh w_ho bias_o")
_CELL = ir_inputs("x cont? w_xh_x_static? h_0? w_xh bias_h w_hh? w_ho bias_o")

ROWS: Mapping[str, Row] = MappingProxyType(
    {
        "LSTM": Row("LSTM", _LSTM, 3, _lstm),
        "RNN": Row("RNN", _RNN_INPUTS, 2, _rnn),
        "BasicRNNCell": Row("BasicRNNCell", _CELL, 2, _cell),
    }
)
