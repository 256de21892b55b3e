"""The edges between nodes, as blob names make them: in-place layers, what is read, what the net gives back."""

from __future__ import annotations

from torch2om.frontend.graph import Graph, Link, Node
from torch2om.frontend.site import GE
from torch2om.frontend.verdict import Findings

_PARSER = f"{GE} caffe/caffe_parser.cc"

Ends = dict[str, list[Link]]
"""Blob -> the inputs (or outputs) of nodes that bear its name."""


def connect(graph: Graph, findings: Findings) -> None:
    """Link every bottom to its blob's producers, name the net's outputs and look for circles.

    The place of a layer in the file does not matter, except that an in-place layer renames its top for those behind.
    """
    producers, readers = _ends(graph)
    for blob in sorted(readers):
        if blob not in producers:
            _dangling(blob, readers[blob][0], findings)
            continue
        for source in producers[blob]:
            for reader in readers[blob]:
                _link(graph, source, reader, findings)
    read = readers.keys()
    for blob, sources in producers.items():
        for source in sources:
            if blob not in read:
                graph.outputs[source] = graph.nodes[source.node].layer.top[source.index]
    places = {name: place for place, name in enumerate(graph.nodes)}
    graph.outputs = dict(sorted(graph.outputs.items(), key=lambda item: (places[item[0].node], item[0].index)))
    if not findings.refused:
        _find_circle(graph, findings)


def _ends(graph: Graph) -> tuple[Ends, Ends]:
    """Return the producers and the readers of each blob (caffe_parser.cc:668, AddBlobsToMap)."""
    producers: Ends = {}
    readers: Ends = {}
    renamed: dict[str, str] = {}
    for node in graph.nodes.values():
        for index, bottom in enumerate(node.layer.bottom):
            readers.setdefault(renamed.get(bottom, bottom), []).append(Link(node.name, index))
        for index, top in enumerate(node.layer.top):
            blob = top
            if top in node.layer.bottom:
                blob = renamed[top] = f"{top}_{node.name}_{index}"
            producers.setdefault(blob, []).append(Link(node.name, index))
    return producers, readers


def _dangling(blob: str, reader: Link, findings: Findings) -> None:
    text = f"bottom {reader.index} is {blob!r}, which no layer produces"
    findings.refuse("F503", text, f"{_PARSER}:1006", layer=reader.node, atc="E11012")


def _link(graph: Graph, source: Link, reader: Link, findings: Findings) -> None:
    producer, node = graph.nodes[source.node], graph.nodes[reader.node]
    place = f"{_PARSER}:1030-1038"
    if source.index >= len(producer.outputs):
        text = f"its top {source.index} is read, but {_op(producer)} has {len(producer.outputs)} outputs"
        findings.refuse("T411", text, place, layer=producer.name)
    elif reader.index >= len(node.slots):
        text = f"it has {len(node.layer.bottom)} bottoms, {_op(node)} has {len(node.slots)} inputs"
        findings.refuse("T411", text, place, layer=node.name)
    elif node.slots[reader.index].link is not None:
        text = f"bottom {reader.index} would be linked twice: two layers write the blob, or it stands for a constant"
        findings.refuse("T411", text, place, layer=node.name, atc="E19999")
    else:
        node.slots[reader.index].link = source


def _op(node: Node) -> str:
    return f"ATC's {node.row.ir}"


def _find_circle(graph: Graph, findings: Findings) -> None:
    placed = {node.name for node in in_order(graph)}
    names = [name for name in graph.nodes if name not in placed]
    if names:
        text = f"layers depend on each other in a circle, or on one: {', '.join(names)}"
        findings.refuse("F504", text, f"{_PARSER} (TopologicalSorting)")


def in_order(graph: Graph) -> list[Node]:
    """Return the nodes so that each stands behind those it reads; those of a circle are left out."""
    waiting = {name: {link.node for link in node.links()} for name, node in graph.nodes.items()}
    readers: dict[str, list[str]] = {}
    for name, sources in waiting.items():
        for source in sources:
            readers.setdefault(source, []).append(name)
    ready = [name for name, sources in waiting.items() if not sources]
    found: list[Node] = []
    while ready:
        name = ready.pop()
        found.append(graph.nodes[name])
        for reader in readers.get(name, ()):
            waiting[reader].discard(name)
            if not waiting[reader]:
                ready.append(reader)
    return found
