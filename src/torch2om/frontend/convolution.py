"""Convolution, DepthwiseConvolution and Deconvolution: what their plugins read and how Conv2D's shape follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from torch2om.caffe.schema import CaffeMessage
from torch2om.frontend.row import Row, ir_inputs
from torch2om.frontend.site import CANN, UNKNOWN_DIM, UNKNOWN_RANK, Site, as_int32, demand, quotient
from torch2om.ir.op import Shape

_CONV = f"{CANN} framework/caffe_plugin/caffe_conv2d_plugin.cc"
_DECONV = f"{CANN} framework/caffe_plugin/caffe_deconv_plugin.cc"
_PROTO = f"{CANN} op_proto/nn_calculation_ops.cc"
_TWICE, _COUNT, _SHAPE, _PROTO_RULE = "E50057", "E50029", "E50058", "E50060"
_LARGEST_INT32 = 2**31 - 1

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Window:
    """The attributes that a plugin sets, height first."""

    pad: Pair
    stride: Pair
    dilation: Pair

    @classmethod
    def of(cls, layer: CaffeMessage) -> Window:
        """Return the attributes of a layer that its plugin takes."""
        param = layer.convolution_param
        return cls(_pair(param, "pad", 0), _pair(param, "stride", 1), _pair(param, "dilation", 1))


def _pair(param: CaffeMessage, name: str, default: int) -> Pair:
    """Return what `name_h`, `name_w` or the list `name` say; of the first two a missing one is 0."""
    if name != "dilation" and (param.HasField(f"{name}_h") or param.HasField(f"{name}_w")):
        return getattr(param, f"{name}_h"), getattr(param, f"{name}_w")
    values = list(getattr(param, name))
    return (values[0], values[-1]) if values else (default, default)


def _convolution(layer: CaffeMessage) -> None:
    """One bottom, one top, an output count, groups that divide it, a kernel, and every size spelled one way."""
    param = layer.convolution_param
    demand(len(layer.bottom) == 1, f"it has {len(layer.bottom)} bottoms, not 1", _SHAPE, f"{_CONV}:223")
    demand(len(layer.top) == 1, f"it has {len(layer.top)} tops, not 1", _SHAPE, f"{_CONV}:230")
    count, group = as_int32(param.num_output), as_int32(param.group)
    demand(count >= 1, f"num_output is {count}, not at least 1", _COUNT, f"{_CONV}:145")
    divides = group >= 1 and count % group == 0
    demand(divides, f"group {group} does not divide num_output {count}", _SHAPE, f"{_CONV}:152")
    _kernel(param)
    demand((param.axis + 4) % 4 == 1, f"axis is {param.axis}, not 1", _SHAPE, f"{_CONV}:192")
    demand(not param.force_nd_im2col, "force_nd_im2col is set", _SHAPE, f"{_CONV}:199")
    _spelled(param, ("pad", "stride"), _SHAPE, _CONV)


def _kernel(param: CaffeMessage) -> None:
    """kernel_size once or twice, or kernel_h and kernel_w; each at least 1."""
    by_side = param.HasField("kernel_h") or param.HasField("kernel_w")
    sizes = list(param.kernel_size)
    demand(not (by_side and sizes), "both kernel_size and kernel_h or kernel_w are given", _TWICE, f"{_CONV}:162")
    counted = by_side or len(sizes) in (1, 2)
    demand(counted, f"kernel_size is given {len(sizes)} times, not once or twice", _COUNT, f"{_CONV}:174")
    kernel = (param.kernel_h, param.kernel_w) if by_side else (sizes[0], sizes[-1])
    positive = all(as_int32(size) >= 1 for size in kernel)
    demand(positive, f"the kernel is {kernel[0]} x {kernel[1]} (a side that is not given is 0)", _COUNT, f"{_CONV}:182")


def _deconvolution(layer: CaffeMessage) -> None:
    """One bottom, one top, and every size spelled one way; num_output and the kernel are not read."""
    demand(len(layer.bottom) == 1, f"it has {len(layer.bottom)} bottoms, not 1", _COUNT, f"{_DECONV}:130")
    demand(len(layer.top) == 1, f"it has {len(layer.top)} tops, not 1", _COUNT, f"{_DECONV}:137")
    _spelled(layer.convolution_param, ("pad", "stride"), _COUNT, _DECONV)


def _spelled(param: CaffeMessage, names: tuple[str, ...], too_many: str, source: str) -> None:
    """Each of pad and stride by side or as a list, lists and dilation with at most two values."""
    for name in names:
        by_side = param.HasField(f"{name}_h") or param.HasField(f"{name}_w")
        both = by_side and len(getattr(param, name)) > 0
        demand(not both, f"both {name} and {name}_h or {name}_w are given", _TWICE, f"{source} (SetPads, SetStrides)")
    for name in (*names, "dilation"):
        count = len(getattr(param, name))
        demand(count <= 2, f"{name} is given {count} times, not at most twice", too_many, source)


def _conv2d(site: Site) -> tuple[Shape, ...]:
    """`y = [N, filter's N, (H + 2 pad - dilation (k - 1) - 1) / stride + 1, ...]`, rounded towards zero.

    The blob decides: num_output and kernel_size are not compared with it. A kernel larger than the padded image is
    reported (E50060) and not refused: the output's size then is 0 or less.
    """
    x, kernel = site.described("x"), site.described("filter")
    if x == UNKNOWN_RANK:
        x = (UNKNOWN_DIM,) * 4
    _four_dims(x, "x")
    _four_dims(kernel, "the filter")
    unset = not site.shape("offset_w")
    demand(unset, "a fourth input (offset_w) is linked: too many blobs", _PROTO_RULE, f"{_PROTO}:4470")
    bias = site.described("bias")
    demand(len(bias) <= 1, f"the bias has dims {list(bias)}, not 1", _PROTO_RULE, f"{_PROTO}:4247")
    fits = len(bias) == 0 or bias[0] == kernel[0]
    demand(fits, f"the bias has {list(bias)} values for {kernel[0]} outputs", _PROTO_RULE, f"{_PROTO}:4239")
    _check_groups(site, x, kernel)
    window = Window.of(site.layer)
    _check_window(window)
    sides = zip(x[2:], kernel[2:], window.pad, window.dilation, window.stride, strict=True)
    sizes = (
        UNKNOWN_DIM if size == UNKNOWN_DIM else quotient(size + 2 * pad - dilation * (k - 1) - 1, stride) + 1
        for size, k, pad, dilation, stride in sides
    )
    return ((x[0], kernel[0], *sizes),)


def _four_dims(shape: Shape, what: str) -> None:
    demand(len(shape) == 4, f"{what} has dims {list(shape)}, not 4 of them", _PROTO_RULE, f"{_PROTO}:4461")


def _check_groups(site: Site, x: Shape, kernel: Shape) -> None:
    """Cin = groups * the filter's Cin; groups 1 becomes Cin / the filter's Cin without a word."""
    groups, channels = site.layer.convolution_param.group, x[1]
    if channels == UNKNOWN_DIM:
        channels = kernel[1] * groups
    if groups == 1:
        text = f"{channels} channels are not a multiple of the filter's {kernel[1]}"
        demand(channels > 0 and channels % kernel[1] == 0, text, _PROTO_RULE, f"{_PROTO}:4297")
        groups = channels // kernel[1]
    text = f"x has {channels} channels, the filter {kernel[1]} in {groups} groups"
    demand(channels == kernel[1] * groups, text, "E50059", f"{_PROTO}:4308")
    text = f"{groups} groups do not divide the filter's {kernel[0]} outputs"
    demand(kernel[0] % groups == 0, text, _PROTO_RULE, f"{_PROTO}:4328")


def _check_window(window: Window) -> None:
    """Strides and dilations are positive, pads fit an int."""
    positive = all(1 <= stride <= _LARGEST_INT32 for stride in window.stride)
    demand(positive, f"the stride is {window.stride} (a side that is not given is 0)", _COUNT, f"{_PROTO}:4012")
    positive = all(1 <= step <= _LARGEST_INT32 for step in window.dilation)
    demand(positive, f"the dilation is {window.dilation}", _COUNT, f"{_PROTO}:4026")
    demand(max(window.pad) <= _LARGEST_INT32, f"the pad is {window.pad}", _COUNT, f"{_PROTO}:3902")


def _deconv(site: Site) -> tuple[Shape, ...]:
    """`y = [N, filter's C * groups, stride (H - 1) + dilation (k - 1) + 1 - 2 pad, ...]`."""
    x, kernel = site.described("x"), site.described("filter")
    if x == UNKNOWN_RANK:
        x = (UNKNOWN_DIM,) * 4
    for shape, what in ((x, "x"), (kernel, "the filter")):
        demand(len(shape) == 4, f"{what} has dims {list(shape)}, not 4 of them", _COUNT, f"{_PROTO}:5884")
    same = site.dtype("x") == site.dtype("filter")
    demand(same, f"x is {site.dtype('x')}, the filter {site.dtype('filter')}", "E50004", f"{_PROTO}:5912")
    text = f"x has {x[1]} channels, the filter takes {kernel[0]}"
    demand(x[1] in (UNKNOWN_DIM, kernel[0]), text, "E50031", f"{_PROTO}:5737")
    window = Window.of(site.layer)
    positive = all(1 <= stride <= _LARGEST_INT32 for stride in window.stride)
    demand(positive, f"the stride is {window.stride} (a side that is not given is 0)", _COUNT, f"{_PROTO}:5506")
    demand(max(window.pad) <= _LARGEST_INT32, f"the pad is {window.pad}", _SHAPE, f"{_PROTO}:5766")
    sides = zip(x[2:], kernel[2:], window.pad, window.dilation, window.stride, strict=True)
    sizes = (
        UNKNOWN_DIM if size == UNKNOWN_DIM else stride * (size - 1) + dilation * (k - 1) + 1 - 2 * pad
        for size, k, pad, dilation, stride in sides
    )
    return ((x[0], kernel[1] * site.layer.convolution_param.group, *sizes),)


def widened(site: Site) -> tuple[str, ...]:
    """int8 gives int32, any other type itself (op_proto: Conv2D, Deconvolution, FullyConnection, BatchMatMul)."""
    first = site.inputs[0].dtype if site.inputs and site.inputs[0] else ""
    return ("int32" if first == "int8" else first,)


_INPUTS = ir_inputs("x filter bias? offset_w?")

ROWS: Mapping[str, Row] = MappingProxyType(
    {
        "Convolution": Row("Conv2D", _INPUTS, 1, _conv2d, _convolution, types=widened, keeps=True),
        "DepthwiseConvolution": Row("Conv2D", _INPUTS, 1, _conv2d, _convolution, types=widened, keeps=True),
        "Deconvolution": Row("Deconvolution", _INPUTS, 1, _deconv, _deconvolution, types=widened, keeps=True),
    }
)
