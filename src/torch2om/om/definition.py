"""The model definition: graphs of operators with typed attributes, frozen.

The messages are those of GE graph_metadef/proto/ge_ir.proto; Kirin's and the oldest files have the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

Value: TypeAlias = (
    "bool | int | float | str | memoryview | Tensor | TensorDesc | NamedAttributes | Graph | tuple[Value, ...]"
)
Attributes: TypeAlias = "Mapping[str, Value]"


@dataclass(frozen=True, slots=True)
class TensorDesc:
    """What an operator reads or makes, or a constant is.

    `shape` is that of the memory: the logical one where `layout` is plain, and in files older than CANN 20.x always.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    layout: str
    size: int
    weight_size: int
    data_offset: int
    attributes: Attributes = field(default_factory=dict)

    @property
    def origin_shape(self) -> tuple[int, ...] | None:
        """The logical shape, where the compiler noted it."""
        return integers(self.attributes.get("origin_shape"))

    @property
    def origin_format(self) -> str:
        """What the dims of `origin_shape` mean (NCHW, HWCN, ND), where the compiler noted it."""
        return text(self.attributes.get("origin_format"))


@dataclass(frozen=True, slots=True)
class Tensor:
    """A constant: its description, and its bytes if they stand here and not in the partition of weights."""

    desc: TensorDesc
    data: memoryview = field(repr=False)


@dataclass(frozen=True, slots=True)
class NamedAttributes:
    """A named group of attributes, as AIPP's settings are."""

    name: str
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class Op:
    """One operator of the compiled graph. `inputs` are `source:index`; index -1 is a control edge."""

    name: str
    type: str
    inputs: tuple[str, ...]
    attributes: Attributes
    id: int
    stream: int
    sources: tuple[str, ...]
    source_indices: tuple[int, ...]
    input_descs: tuple[TensorDesc, ...]
    output_descs: tuple[TensorDesc, ...]
    workspace_bytes: tuple[int, ...]
    subgraphs: tuple[str, ...]

    @property
    def original_names(self) -> tuple[str, ...]:
        """The layers of the source model that this operator computes, where the compiler noted them."""
        for key in ("_datadump_original_op_names", "original_op_names"):
            found = tuple(name for name in texts(self.attributes.get(key)) if name)
            if found:
                return found
        return ()


@dataclass(frozen=True, slots=True)
class Graph:
    """A graph: its operators in the order in which the file has them."""

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    ops: tuple[Op, ...]
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class Definition:
    """A whole model: `graphs[0]` is the main one, the others are called by operators."""

    name: str
    version: int
    platform: str
    graphs: tuple[Graph, ...]
    attributes: Attributes
    is_compressed: bool

    @property
    def main(self) -> Graph:
        """The graph that runs; an empty one in a file without any."""
        return self.graphs[0] if self.graphs else Graph("", (), (), (), {})

    def all_graphs(self) -> Iterator[Graph]:
        """Yield every graph, those inside attributes of operators (Kirin's partitioned files) included."""
        pending = list(reversed(self.graphs))
        while pending:
            graph = pending.pop()
            yield graph
            inside = [value for op in graph.ops for value in op.attributes.values() if isinstance(value, Graph)]
            pending.extend(reversed(inside))

    def all_ops(self) -> Iterator[Op]:
        """Yield every operator of every graph."""
        for graph in self.all_graphs():
            yield from graph.ops


def integers(value: Value | None) -> tuple[int, ...] | None:
    """Return an attribute that is a list of whole numbers; None if it is something else."""
    if not isinstance(value, tuple):
        return None
    found = tuple(item for item in value if isinstance(item, int))
    return found if len(found) == len(value) else None


def integer(value: Value | None, default: int = 0) -> int:
    """Return an attribute that is a whole number."""
    return int(value) if isinstance(value, int) else default


def text(value: Value | None) -> str:
    """Return an attribute that is a text; empty if it is something else."""
    return value if isinstance(value, str) else ""


def texts(value: Value | None) -> tuple[str, ...]:
    """Return the texts of an attribute that is a list."""
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, tuple) else ()
