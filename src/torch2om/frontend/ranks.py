"""Where ATC's dims of an InnerProduct at batch 1, [1, C, 1, 1], mean something else to what follows."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from torch2om.frontend.edges import in_order
from torch2om.frontend.graph import Graph, Link, Node
from torch2om.frontend.site import CANN
from torch2om.frontend.verdict import Findings

_SOURCE = f"{CANN} op_proto/matrix_calculation_ops.cc:288"

# Where the axis of a layer stands that counts the dims of its first bottom.
_AXES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "Softmax": ("softmax_param", "axis"),
        "Concat": ("concat_param", "axis"),
        "Slice": ("slice_param", "axis"),
        "Tile": ("tile_param", "axis"),
        "Reduction": ("reduction_param", "axis"),
        "ArgMax": ("argmax_param", "axis"),
        "Scale": ("scale_param", "axis"),
        "Bias": ("bias_param", "axis"),
        "InnerProduct": ("inner_product_param", "axis"),
    }
)
_BY_RANK = ("Permute", "BatchedMatMul", "MatrixInverse", "Crop")


def find_widened(graph: Graph, findings: Findings) -> None:
    """Warn of layers that count the dims of a blob to which ATC gives two more than Caffe does."""
    widened: set[Link] = set()
    for node in in_order(graph):
        reads = [link for link in node.links() if link in widened]
        if node.layer.type == "InnerProduct" and node.outputs[0].shape[2:] == (1, 1):
            widened.add(Link(node.name, 0))
        elif reads:
            first = graph.nodes[reads[0].node].outputs[reads[0].index].shape
            widened |= {
                Link(node.name, index) for index, out in enumerate(node.outputs) if len(out.shape) == len(first)
            }
        if reads and _counts_dims(node):
            text = "it counts the dims of a blob that has [1, C, 1, 1] for ATC and [1, C] for Caffe"
            hint = "put a Reshape to [1, C] before it, or count from the front"
            findings.warn("T403", text, _SOURCE, layer=node.name, hint=hint)


def _counts_dims(node: Node) -> bool:
    """Whether the layer counts dims from behind, or all of them."""
    if node.layer.type in _BY_RANK:
        return True
    if node.layer.type not in _AXES:
        return False
    message, field = _AXES[node.layer.type]
    return int(getattr(getattr(node.layer, message), field)) < 0
