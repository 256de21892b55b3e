"""Every Caffe layer type that ATC takes, with its row (GE parser common/op_map.cc:25 and the registered plugins)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from torch2om.caffe.schema import CaffeMessage
from torch2om.frontend import (
    arrangement,
    channels,
    convolution,
    detection,
    pooling,
    products,
    recurrence,
    reshape,
    values,
)
from torch2om.frontend.row import Row, ir_inputs
from torch2om.frontend.site import CANN, GE, Rejected, Site, demand
from torch2om.ir.op import Shape


def _input(layer: CaffeMessage) -> None:
    """Its shape must be written; so must it be in DummyData's own message."""
    param, name = _data_message(layer)
    written = layer.HasField(name)
    demand(written, f"it has no {name}, so its dims are not known", "E11005", f"{GE} caffe/caffe_data_parser.cc:103")
    demand(len(param.shape) > 0, f"{name} names no shape", "E11027", f"{GE} caffe/caffe_data_parser.cc:76")


def _data_message(layer: CaffeMessage) -> tuple[CaffeMessage, str]:
    name = "input_param" if layer.type == "Input" else "dummy_data_param"
    return getattr(layer, name), name


def given_dims(layer: CaffeMessage) -> tuple[Shape, ...]:
    """Return the shapes that an Input or DummyData layer names, each of which is an input and an output of its node."""
    return tuple(tuple(shape.dim) for shape in _data_message(layer)[0].shape)


def _data(site: Site) -> tuple[Shape, ...]:
    """`y = x`: the first shape, or that of a bottom if the layer has one (op_proto array_ops.cc:1736)."""
    dims = given_dims(site.layer)
    read = len(site.layer.bottom) > 0 and len(dims) == 1
    return (site.shape_at(0),) if read else dims


def _control(layer: CaffeMessage) -> None:
    """If, Case, While and calls: their plugin reads a TensorFlow node, which a Caffe layer is not."""
    text = f"{layer.type} takes the graphs of its branches from a TensorFlow model, a Caffe layer has none"
    raise Rejected(text, "E19999", f"{CANN} framework/caffe_plugin/if_plugin.cc, metadef register/register.cpp:277")


def _nothing(_: Site) -> tuple[Shape, ...]:
    return ()


_DATA = Row("Data", ir_inputs("x"), 1, _data, _input, takes_weights=False)
_BUILT_IN: Mapping[str, Row] = {
    "Input": _DATA,
    "DummyData": _DATA,
    "NetOutput": Row("NetOutput", ir_inputs("x*"), 0, _nothing, takes_weights=False),
}
_CONTROL: Mapping[str, Row] = {
    name: Row(name, ir_inputs("x*"), 0, _nothing, _control)
    for name in (
        *("Case", "If", "_If", "StatelessIf", "While", "_While", "StatelessWhile"),
        *("PartitionedCall", "StatefulPartitionedCall"),
    )
}

TABLE: Mapping[str, Row] = MappingProxyType(
    {
        **_BUILT_IN,
        **_CONTROL,
        **arrangement.ROWS,
        **channels.ROWS,
        **convolution.ROWS,
        **detection.ROWS,
        **pooling.ROWS,
        **products.ROWS,
        **recurrence.ROWS,
        **reshape.ROWS,
        **values.ROWS,
    }
)
