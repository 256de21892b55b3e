"""Scale, Bias, BatchNorm, PReLU and the normalizations: layers that work along the channels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from torch2om.caffe.schema import CaffeMessage
from torch2om.frontend.row import Row, described, elementwise, ir_inputs, same_as_first
from torch2om.frontend.site import CANN, Site, demand
from torch2om.ir.op import Shape

_SCALE = f"{CANN} op_proto/nn_norm_ops.cc:802"
_BIAS = f"{CANN} op_proto/elewise_calculation_ops.cc:3456"
_LRN = f"{CANN} framework/caffe_plugin/lrn_plugin.cc:64"
_INNER = "E89999"


@dataclass(frozen=True, slots=True)
class _Span:
    """Where the second operand stands on x: from which axis, over how many (-1: all that follow)."""

    x: Shape
    axis: int
    count: int
    source: str

    @classmethod
    def of(cls, x: Shape, param: CaffeMessage, source: str) -> _Span:
        """Return the span that the message names; refuse an axis outside x and a count below -1."""
        rank = len(x)
        demand(-rank <= param.axis < rank, f"axis {param.axis} does not fit dims {list(x)}", _INNER, source)
        demand(param.num_axes >= -1, f"num_axes is {param.num_axes}, not at least -1", _INNER, source)
        return cls(x, param.axis % rank, param.num_axes, source)

    def covered(self) -> Shape:
        """Return the dims of x that a blob of these parameters must cover: none for num_axes 0."""
        if self.count == -1:
            return self.x[self.axis :]
        inside = self.axis + self.count <= len(self.x)
        text = f"axis {self.axis} and num_axes {self.count} leave the dims {list(self.x)}"
        demand(inside, text, _INNER, self.source)
        return self.x[self.axis : self.axis + self.count]

    def begins_inside(self, other: Shape) -> None:
        """Refuse a second bottom that reaches past the end of x."""
        inside = not other or self.axis + len(other) <= len(self.x)
        demand(inside, f"{list(other)} from axis {self.axis} leaves the dims {list(self.x)}", _INNER, self.source)


def _scale(site: Site) -> tuple[Shape, ...]:
    """`y = x`. A blob's dims are those of x that axis and num_axes cover; a second bottom's, too, but for 1s behind."""
    x, scale = site.shape("x"), site.shape("scale")
    span = _Span.of(x, site.layer.scale_param, _SCALE)
    if len(site.layer.bottom) <= 1:
        covered = span.covered()
        text = f"the scale has dims {list(scale)}, those of x are {list(covered)}"
        demand(scale == covered, text, _INNER, _SCALE)
        return (x,)
    span.begins_inside(scale)
    trimmed = _trimmed(x[span.axis :], scale)
    alike = x[span.axis : span.axis + len(trimmed)] == trimmed
    text = f"the scale has dims {list(scale)}, x has {list(x)} from axis {span.axis}"
    demand(alike, text, _INNER, _SCALE)
    return (x,)


def _trimmed(x: Shape, scale: Shape) -> Shape:
    """Return the scale's dims without the 1s behind that meet another dim of x (nn_norm_ops.cc:862)."""
    end = len(scale)
    while end and scale[end - 1] <= 1 and x[end - 1] != scale[end - 1]:
        end -= 1
    return scale[:end]


def _bias(site: Site) -> tuple[Shape, ...]:
    """`y = x`. As for Scale, but only the number of dims is compared: the dims themselves are the kernel's."""
    x, bias = site.shape("x"), site.shape("bias")
    span = _Span.of(x, site.layer.bias_param, _BIAS)
    if len(site.layer.bottom) > 1:
        span.begins_inside(bias)
        return (x,)
    covered = span.covered()
    text = f"the bias has dims {list(bias)}, {len(covered)} of them are needed"
    demand(len(bias) == len(covered), text, _INNER, _BIAS)
    return (x,)


def _lrn(layer: CaffeMessage) -> None:
    size = layer.lrn_param.local_size
    demand(size % 2 == 1, f"local_size is {size}, an even number", "E70007", _LRN)


_BATCH_NORM = ir_inputs("x mean variance momentum scale? offset?")

ROWS: Mapping[str, Row] = MappingProxyType(
    {
        "Scale": Row("Scale", ir_inputs("x scale bias?"), 1, _scale),
        "Bias": Row("Bias", ir_inputs("x bias"), 1, _bias),
        "BatchNorm": Row("BNInference", _BATCH_NORM, 1, same_as_first),
        "PReLU": described("PRelu", "x weight"),
        "Normalize": Row("Normalize", ir_inputs("x1 x2"), 1, same_as_first),
        "LRN": elementwise("LRN", _lrn),
        "MVN": elementwise("MVN"),
        "Softmax": described("SoftmaxV2"),
    }
)
