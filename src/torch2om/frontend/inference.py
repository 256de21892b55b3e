"""Verify and InferShape, node by node in the order of the graph, as GE's preparation of the graph runs them."""

from __future__ import annotations

from collections.abc import Callable

from torch2om.caffe.schema import CaffeMessage
from torch2om.frontend.edges import in_order
from torch2om.frontend.graph import Graph, Node
from torch2om.frontend.site import METADEF, Rejected, Site, Tensor, collapsed, demand
from torch2om.frontend.verdict import Findings

_NODE = f"{METADEF} graph/node.cc"
_OP_DESC = f"{METADEF} graph/op_desc.cc"


Completion = Callable[[Node, Site], None]
"""What is done to a node before it is verified, with its inputs as they are known."""


def leave(_: Node, __: Site) -> None:
    """Do nothing: every weight is there that will be."""


def infer(graph: Graph, findings: Findings, complete: Completion = leave) -> None:
    """Give every node's outputs their dims; nodes behind one that is refused are not looked at."""
    unknown: set[str] = set()
    for node in in_order(graph):
        if any(link.node in unknown for link in node.links()):
            unknown.add(node.name)
            continue
        try:
            complete(node, graph.site(node))
            _infer(graph.site(node), node)
        except Rejected as rejected:
            unknown.add(node.name)
            findings.refuse("T414", rejected.reason, rejected.source, layer=node.name, atc=rejected.atc)


def _infer(site: Site, node: Node) -> None:
    _verify(site, node)
    shapes = node.row.shapes(site)
    first = site.inputs[0].dtype if site.inputs and site.inputs[0] is not None else "float32"
    types = node.row.types(site) if node.row.types is not None else (first,)
    for index, shape in enumerate(shapes[: len(node.outputs)]):
        dims = shape if node.row.keeps else collapsed(shape)
        node.outputs[index] = Tensor(dims, types[min(index, len(types) - 1)])


def _verify(site: Site, node: Node) -> None:
    """No dim below -2 comes in, and every attribute that the IR demands is there (op_desc.cc:1839, CommonVerify)."""
    for name, tensor in zip(site.names, site.inputs, strict=True):
        dims = () if tensor is None else tensor.shape
        text = f"its input {name} has dims {list(dims)}: the layer before it is too large for its own input"
        demand(min(dims, default=0) >= -2, text, "E19014", f"{_OP_DESC}:1844")
    for path in node.row.required:
        demand(_written(node.layer, path), f"{path} is not written", "E19014", f"{_OP_DESC}:1854")


def _written(layer: CaffeMessage, path: str) -> bool:
    message, field = path.split(".")
    param = getattr(layer, message)
    repeated = not param.DESCRIPTOR.fields_by_name[field].has_presence
    return bool(len(getattr(param, field))) if repeated else bool(param.HasField(field))
