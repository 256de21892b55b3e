"""What ATC takes without a word and then computes otherwise, or stops at later: warnings, layer by layer."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from torch2om.frontend.graph import Graph, Node
from torch2om.frontend.site import CANN, GE, Site, Tensor, dim
from torch2om.frontend.verdict import Findings

SILENT, LATER = "T403", "T415"

_PLUGINS = f"{CANN} framework/caffe_plugin"
_PROTO = f"{CANN} op_proto"
_KERNELS = f"{CANN} tbe/impl"
_FLOOR, _STOCHASTIC = 1, 2


@dataclass(frozen=True, slots=True)
class Trap:
    """One thing that goes wrong behind the front end: the code, what happens, who says so, what to do."""

    code: str
    text: str
    source: str
    hint: str = ""


Traps = Callable[[Node, Site], Iterator[Trap]]


def find_traps(graph: Graph, findings: Findings) -> None:
    """Warn of every trap in a net that the front end takes."""
    for node in graph.nodes.values():
        site = graph.site(node)
        for trap in (*_general(node), *_TRAPS.get(node.layer.type, _none)(node, site)):
            findings.warn(trap.code, trap.text, trap.source, layer=node.name, hint=trap.hint)


def _none(_: Node, __: Site) -> Iterator[Trap]:
    yield from ()


def _general(node: Node) -> Iterator[Trap]:
    """Dims of 0 or less, and blobs beyond the inputs of the IR op."""
    for index, output in enumerate(node.outputs):
        if min(output.shape, default=1) <= 0:
            text = f"its output {index} has dims {list(output.shape)}: the compiler stops at it"
            yield Trap(LATER, text, f"{_PROTO} (E50060 is reported, not returned)")
    extra = [slot for slot in node.slots if slot.name.startswith("__input")]
    if extra:
        text = f"{len(extra)} blobs of the caffemodel are inputs that ATC's {node.row.ir} does not have"
        yield Trap(SILENT, text, f"{GE} caffe/caffe_custom_parser_adapter.cc:104-150")


def _pooling(node: Node, site: Site) -> Iterator[Trap]:
    param = node.layer.pooling_param
    if param.HasField("ceil_mode") and not param.ceil_mode and param.round_mode != _FLOOR:
        text = "ceil_mode: false is not read: ATC rounds the output's size up"
        yield Trap(SILENT, text, f"{_PLUGINS}/pooling_plugin.cc:101", "write round_mode: FLOOR")
    if param.pool == _STOCHASTIC:
        yield Trap(LATER, "the kernel knows MAX and AVE only", f"{_KERNELS}/pooling.py:284")
    kernel = site.shape("x")[2:] if param.global_pooling else (param.kernel_h, param.kernel_w)
    if param.HasField("kernel_size"):
        kernel = (param.kernel_size,) * 2
    pad = (param.pad_h, param.pad_w) if param.HasField("pad_h") else (param.pad,) * 2
    if any(side >= size for side, size in zip(pad, kernel, strict=True)):
        yield Trap(LATER, f"the pad {pad} must be smaller than the kernel {kernel}", f"{_KERNELS}/pooling.py:158")


def _convolution(node: Node, site: Site) -> Iterator[Trap]:
    param, kernel, x = node.layer.convolution_param, site.described("filter"), site.described("x")
    named = list(param.kernel_size) or [param.kernel_h, param.kernel_w]
    said = (param.num_output, named[0], named[-1])
    if node.layer.type != "Deconvolution" and said != (kernel[0], *kernel[2:]):
        text = f"num_output and kernel {said} are not those of the blob {list(kernel)}: the blob counts"
        yield Trap(SILENT, text, f"{_PROTO}/nn_calculation_ops.cc:4152")
    if node.layer.type != "Deconvolution" and param.group == 1 and kernel[1] != dim(x, 1):
        text = f"the filter takes {kernel[1]} of {dim(x, 1)} channels: ATC makes {dim(x, 1) // kernel[1]} groups of it"
        yield Trap(SILENT, text, f"{_PROTO}/nn_calculation_ops.cc:4295")
    yield from _bias_term(site, "bias", param.bias_term)


def _bias_term(site: Site, name: str, said: bool) -> Iterator[Trap]:
    """bias_term is not read: there is a bias if the caffemodel has a blob for it."""
    linked = site.tensor(name) is not None
    if linked != said:
        text = f"bias_term is {str(said).lower()}, but the caffemodel has {'a' if linked else 'no'} bias: that counts"
        yield Trap(SILENT, text, f"{_PLUGINS} (bias_term is not read)")


def _inner_product(node: Node, site: Site) -> Iterator[Trap]:
    param, weight = node.layer.inner_product_param, site.shape("w")
    outputs = weight[1 if param.transpose else 0]
    if param.num_output != outputs:
        text = f"num_output is {param.num_output}, the blob has {outputs} outputs: the blob counts"
        yield Trap(SILENT, text, f"{_PLUGINS}/inner_product_plugin.cc:44")
    yield from _bias_term(site, "b", param.bias_term)


def _scale(node: Node, site: Site) -> Iterator[Trap]:
    if len(node.layer.bottom) <= 1:
        yield from _bias_term(site, "bias", node.layer.scale_param.bias_term)


def _batch_norm(node: Node, site: Site) -> Iterator[Trap]:
    param = node.layer.batch_norm_param
    if param.HasField("use_global_stats") and not param.use_global_stats:
        yield Trap(LATER, "use_global_stats: false ends in the kernel", f"{_KERNELS}/bninference_d.py:483")
    if site.linked not in (4, 6):
        source = f"{CANN} fusion_pass/graph_fusion/ai_core/hostbn_fusion_pass.cc:75"
        yield Trap(LATER, f"it has {site.linked - 1} blobs, 3 or 5 are needed", source)


def _prelu(node: Node, site: Site) -> Iterator[Trap]:
    count, shared = math.prod(site.shape("weight")), node.layer.prelu_param.channel_shared
    if shared != (count == 1) and dim(site.shape("x"), 1) != 1:
        text = f"channel_shared is {str(shared).lower()} and is not read: the blob's {count} values decide"
        yield Trap(SILENT, text, f"{_PLUGINS}/caffe_prelu_plugin.cc")


def _eltwise(node: Node, site: Site) -> Iterator[Trap]:
    shapes = {tensor.shape for tensor in site.inputs if tensor is not None}
    if len(shapes) > 1:
        text = f"its bottoms have the dims {', '.join(str(list(shape)) for shape in sorted(shapes))}: all must be equal"
        yield Trap(LATER, text, f"{_KERNELS}/eltwise.py:146")
    given, count = len(node.layer.eltwise_param.coeff), len(node.layer.bottom)
    if given not in (0, count):
        yield Trap(LATER, f"there are {given} coeff for {count} bottoms", f"{_KERNELS}/eltwise.py:146")


def _arg_max(node: Node, _: Site) -> Iterator[Trap]:
    param = node.layer.argmax_param
    if param.out_max_val and not param.HasField("axis"):
        text = "with out_max_val and no axis the top holds the indices only, not Caffe's pairs"
        yield Trap(SILENT, text, f"{_PROTO}/elewise_calculation_ops.cc:3643", "name an axis")


def _slice(node: Node, _: Site) -> Iterator[Trap]:
    points, tops = len(node.layer.slice_param.slice_point), len(node.layer.top)
    source = f"{_PROTO}/split_combination_ops.cc:496-540"
    if points and points + 1 != tops:
        yield Trap(SILENT, f"{tops} tops need {tops - 1} slice points, there are {points}", source)
    elif points and node.outputs[-1] == Tensor((), node.outputs[-1].dtype):
        yield Trap(SILENT, "the points leave nothing for the last top: it has no dims", source)


def _crop(node: Node, site: Site) -> Iterator[Trap]:
    """The kernel compares dims and offsets (tbe/impl/crop.py:898-980)."""
    x, size, axis = site.shape("x"), site.shape("size"), node.layer.crop_param.axis % len(site.shape("x"))
    offsets = list(node.layer.crop_param.offset) or [0]
    source = f"{_KERNELS}/crop.py:898-980"
    if len(x) != len(size) or x[:axis] != size[:axis]:
        yield Trap(LATER, f"the dims {list(x)} and {list(size)} must be equal up to axis {axis}", source)
    elif len(offsets) not in (1, len(x) - axis):
        yield Trap(LATER, f"there are {len(offsets)} offsets for {len(x) - axis} axes", source)
    else:
        each = offsets if len(offsets) > 1 else offsets * (len(x) - axis)
        if any(a - o < b for a, o, b in zip(x[axis:], each, size[axis:], strict=True)):
            yield Trap(LATER, f"offsets {offsets} move {list(size)} out of {list(x)}", source)


def _reorg(_: Node, site: Site) -> Iterator[Trap]:
    if len(site.shape("x")) == 3:
        text = "the rule reads 4 dims, x has 3: the output's width is whatever lies behind them in memory"
        yield Trap(SILENT, text, f"{_PROTO}/selection_ops.cc:3327")


def _relu6(node: Node, _: Site) -> Iterator[Trap]:
    if node.layer.relu_param.negative_slope:
        yield Trap(SILENT, "negative_slope is not read", f"{_PLUGINS}/relu6_plugin.cc")


def _roi_align(node: Node, _: Site) -> Iterator[Trap]:
    mode = node.layer.roi_align_param.roi_end_mode
    if mode not in (0, 1):
        yield Trap(SILENT, f"roi_end_mode {mode} is not known: 0 is taken", f"{_PLUGINS}/roi_align_plugin.cc")


def _prior_box(node: Node, _: Site) -> Iterator[Trap]:
    count = len(node.layer.prior_box_param.variance)
    if count not in (0, 1, 4):
        source = f"{CANN} fusion_pass (prior_box)"
        yield Trap(LATER, f"there are {count} variances, not 1 or 4", source)


_TRAPS: Mapping[str, Traps] = MappingProxyType(
    {
        "Pooling": _pooling,
        "Convolution": _convolution,
        "DepthwiseConvolution": _convolution,
        "Deconvolution": _convolution,
        "InnerProduct": _inner_product,
        "Scale": _scale,
        "BatchNorm": _batch_norm,
        "PReLU": _prelu,
        "Eltwise": _eltwise,
        "ArgMax": _arg_max,
        "Slice": _slice,
        "Crop": _crop,
        "Reorg": _reorg,
        "ReLU6": _relu6,
        "ROIAlign": _roi_align,
        "PriorBox": _prior_box,
    }
)
