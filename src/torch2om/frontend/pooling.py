"""Pooling, SPP and Upsample: windows over an image, as their plugins read them and op_proto sizes them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from torch2om.caffe.schema import CaffeMessage
from torch2om.frontend.row import Row, ir_inputs
from torch2om.frontend.site import CANN, Site, demand
from torch2om.ir.op import Shape

_POOLING = f"{CANN} framework/caffe_plugin/pooling_plugin.cc"
_POOLING_PROTO = f"{CANN} op_proto/nn_pooling_ops.cc"
_SPP_PROTO = f"{CANN} op_proto/nn_detect_ops.cc"
_SHAPE, _VALUE, _INNER = "E70009", "E70007", "E89999"
_CEIL, _MAX, _AVE = 0, 0, 1
_LEAST_INT64 = -(2**63)


def _pair(param: CaffeMessage, name: str) -> tuple[int, int]:
    """Return `name_h` and `name_w` if the first is given, otherwise `name` for both (its default if need be)."""
    if param.HasField(f"{name}_h"):
        return getattr(param, f"{name}_h"), getattr(param, f"{name}_w")
    return (getattr(param, name),) * 2


def _kernel(param: CaffeMessage) -> tuple[int, int]:
    if param.global_pooling:
        return 1, 1
    return (param.kernel_size,) * 2 if param.HasField("kernel_size") else (param.kernel_h, param.kernel_w)


def _pooling(layer: CaffeMessage) -> None:
    """A kernel spelled one way (none if global), pad and stride too; global without pad and stride; pad <= kernel."""
    param = layer.pooling_param
    if param.global_pooling:
        given = param.HasField("kernel_size") or param.HasField("kernel_h") or param.HasField("kernel_w")
        demand(not given, "global_pooling takes no kernel", _SHAPE, f"{_POOLING}:51")
    else:
        by_side = param.HasField("kernel_h") and param.HasField("kernel_w")
        one_way = param.HasField("kernel_size") != by_side
        demand(one_way, "the kernel must be kernel_size, or kernel_h and kernel_w", _SHAPE, f"{_POOLING}:61")
    for name in ("pad", "stride"):
        sides = param.HasField(f"{name}_h"), param.HasField(f"{name}_w")
        one_way = not any(sides) or (all(sides) and not param.HasField(name))
        demand(one_way, f"it must be {name}, or {name}_h and {name}_w", _SHAPE, f"{_POOLING}:81,91")
    pad, stride = _pair(param, "pad"), _pair(param, "stride")
    if param.global_pooling:
        plain = pad == (0, 0) and stride == (1, 1)
        demand(plain, "global_pooling takes no pad and no stride but 1", _SHAPE, f"{_POOLING}:189")
    if pad != (0, 0):
        demand(param.pool in (_MAX, _AVE), "only MAX and AVE take a pad", _SHAPE, f"{_POOLING}:205")
        small = all(side <= kernel for side, kernel in zip(pad, _kernel(param), strict=True))
        demand(small, f"the pad {pad} is larger than the kernel {_kernel(param)}", _VALUE, f"{_POOLING}:212,219")


def _pooled(site: Site) -> tuple[Shape, ...]:
    """`ceil or floor((H + 2 pad - k) / stride) + 1` in float32; with a pad the last window begins inside the image."""
    x, param = site.shape("x"), site.layer.pooling_param
    demand(len(x) == 4, f"x has dims {list(x)}, not 4 of them", _INNER, f"{_POOLING_PROTO}:1235")
    pad, stride = _pair(param, "pad"), _pair(param, "stride")
    kernel = x[2:] if param.global_pooling else _kernel(param)
    sizes = [
        _size(size + 2 * side - k, step, param.round_mode == _CEIL)
        for size, side, k, step in zip(x[2:], pad, kernel, stride, strict=True)
    ]
    if pad != (0, 0):
        sizes = [_clipped(*each) for each in zip(sizes, x[2:], pad, stride, strict=True)]
    return ((*x[:2], *sizes),)


def _size(rest: int, stride: int, ceil: bool) -> int:
    """Return the number of windows as C++ computes it: a stride of 0 gives an infinity, cast to the least int64."""
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = float(np.float32(rest) / np.float32(stride))
    if not math.isfinite(steps):
        return _LEAST_INT64 + 1
    return (math.ceil(steps) if ceil else math.floor(steps)) + 1


def _clipped(size: int, image: int, pad: int, stride: int) -> int:
    """Drop one window that begins behind the image and its first pad; more than one is refused."""
    clipped = size - 1 if (size - 1) * stride >= image + pad else size
    inside = (clipped - 1) * stride <= image + pad
    demand(inside, "several windows begin behind the image", _INNER, f"{_POOLING_PROTO}:1179-1200")
    return clipped


def _spp(site: Site) -> tuple[Shape, ...]:
    """`y = [N, C (1 + 4 + 16 + ...), 1, 1]` of 1 to 6 levels, no more than the height has halves."""
    x, levels = site.shape("x"), site.layer.spp_param.pyramid_height
    source = f"{_SPP_PROTO}:435"
    demand(len(x) >= 4, f"x has dims {list(x)}, not at least 4 of them", "E70015", source)
    demand(1 <= levels <= 6, f"pyramid_height is {levels}, not 1 to 6", _VALUE, source)
    most = _halvings(x[2])
    demand(levels <= most, f"pyramid_height is {levels}, more than {most} for a height of {x[2]}", _VALUE, source)
    small = levels == 1 or max(x[2:4]) <= 510
    demand(small, f"the image is {x[2]} x {x[3]}, more than 510 x 510", _VALUE, source)
    return ((x[0], x[1] * sum(4**level for level in range(levels)), 1, 1),)


def _halvings(size: int) -> int:
    """Return 1 + ceil(log2(size)) (op_proto nn_detect_ops.cc:396, GetLogN); 1 for a size of at most 1."""
    return 1 + max(size - 1, 0).bit_length()


def _upsample(site: Site) -> tuple[Shape, ...]:
    """`H, W` times the stride; a negative stride does not fit the rule's type and counts as 2."""
    param = site.layer.upsample_param
    strides = (param.stride,) * 2 if param.HasField("stride") else (param.stride_h, param.stride_w)
    steps = [stride if stride >= 0 else 2 for stride in strides]
    factors = {2: steps[0], 3: steps[1]}
    return (tuple(size * factors.get(axis, 1) for axis, size in enumerate(site.shape("x"))),)


_X = ir_inputs("x")

ROWS: Mapping[str, Row] = MappingProxyType(
    {
        "Pooling": Row("Pooling", _X, 1, _pooled, _pooling),
        "SPP": Row("SPP", _X, 1, _spp, required=("spp_param.pyramid_height",)),
        "Upsample": Row("Upsample", _X, 1, _upsample),
    }
)
