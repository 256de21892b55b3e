"""ATC's graph while it is made: nodes with their IR inputs, what each input is linked to, and the net's outputs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from torch2om.caffe.schema import CaffeMessage
from torch2om.frontend.row import Row
from torch2om.frontend.site import Site, Tensor


@dataclass(frozen=True, slots=True)
class Link:
    """An output of another node."""

    node: str
    index: int


@dataclass(slots=True)
class Slot:
    """An IR input: its name, whether it must be linked, and what it is linked to (a Tensor is a weight)."""

    name: str
    optional: bool = False
    link: Link | Tensor | None = None

    @property
    def valid(self) -> bool:
        """Whether its description counts: an optional input has one only while it is linked (metadef op_desc.cc)."""
        return self.link is not None or not self.optional


@dataclass(slots=True)
class Node:
    """A layer as a node of ATC's graph; `outputs` hold what is known of each output."""

    name: str
    layer: CaffeMessage
    row: Row
    slots: list[Slot]
    outputs: list[Tensor]

    def valid_slot(self, index: int) -> Slot | None:
        """Return the index-th of the valid inputs, None if there are fewer (GetValidInputNameByIndex)."""
        valid = [slot for slot in self.slots if slot.valid]
        return valid[index] if index < len(valid) else None

    def links(self) -> Iterator[Link]:
        """Yield the outputs of other nodes that this one reads."""
        yield from (slot.link for slot in self.slots if isinstance(slot.link, Link))


@dataclass
class Graph:
    """The nodes by name, in the file's order; the outputs with the names of their tops; which weights are shared."""

    nodes: dict[str, Node] = field(default_factory=dict)
    outputs: dict[Link, str] = field(default_factory=dict)
    shared: list[tuple[str, ...]] = field(default_factory=list)

    def site(self, node: Node) -> Site:
        """Return the node with its inputs as they are known now."""
        names = tuple(slot.name for slot in node.slots)
        return Site(node.layer, names, tuple(self._tensor(slot) for slot in node.slots))

    def _tensor(self, slot: Slot) -> Tensor | None:
        match slot.link:
            case Tensor():
                return slot.link
            case Link(name, index):
                return self.nodes[name].outputs[index]
            case None:
                return None if slot.optional else Tensor(())
