"""The net's ends: inputs must have dims, outputs must exist."""

from __future__ import annotations

from torch2om.frontend.graph import Graph
from torch2om.frontend.verdict import Findings

_OMG = "graphengine ge/session/omg.cc"
_NET_OUTPUT = "graphengine ge/graph/passes/net_output_pass.cc:120"


def check_inputs(graph: Graph, findings: Findings) -> None:
    """No dim of an input is negative: that needs --input_shape (omg.cc:103, CheckInputShapeNode)."""
    for node in graph.nodes.values():
        if node.row.ir == "Data" and min(node.outputs[0].shape, default=0) < 0:
            text = f"the input's dims {list(node.outputs[0].shape)} hold a negative one: ATC needs --input_shape"
            findings.refuse("F508", text, f"{_OMG}:103", layer=node.name, atc="E10001")


def check_outputs(graph: Graph, findings: Findings) -> None:
    """Every top that nobody reads is an output of its IR op (net_output_pass.cc:120; no code is printed)."""
    for link in graph.outputs:
        node = graph.nodes[link.node]
        if link.index >= len(node.outputs):
            text = f"its top {link.index} has no output: ATC's {node.row.ir} has {len(node.outputs)}"
            findings.refuse("T411", text, _NET_OUTPUT, layer=node.name)
