"""The captured model: a static graph of functional ATen calls with named inputs, outputs and constants."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

import torch
from torch import fx
from torch.export import ExportedProgram

from torch2om.errors import Diagnostic
from torch2om.ir.op import Shape
from torch2om.origin import NOWHERE, Origin
from torch2om.program.lineage import trace_origins

Tree = Any  # any nesting of tuples, lists and dicts, as PyTorch models take and return them


@dataclass(frozen=True, slots=True)
class ProgramInput:
    """A tensor that the user feeds: forward's argument name (`x`, `x.0`, `x.key`), its static shape, its node's name.

    `dtype` is what the model computes in; every float width stands for the same numbers.
    """

    name: str
    shape: Shape
    node: str
    dtype: torch.dtype = torch.float32


@dataclass(frozen=True, slots=True)
class ProgramOutput:
    """A tensor that forward() returns: its place (`['out']`, `[0]`, `.logits`, empty if bare) and its node's name.

    `name` is the dict key or the field name, joined by dots where nested (`aux.0`), and empty for plain sequences.
    The node may be a call, an input or a constant.
    """

    place: str
    name: str
    node: str


@dataclass(frozen=True)
class Program:
    """A model as a static graph; `capture` makes it, `canonicalize` brings it to the few forms that lowering knows.

    `constants` maps the names of constant nodes (parameters, buffers, literals, and after `canonicalize` computed
    constant subgraphs) to tensors; parameters share the model's memory. `arguments` is (args, kwargs) of forward with
    input names as leaves, `module` is the user's own callable, for an end-to-end comparison. `notes` informs.
    """

    name: str
    exported: ExportedProgram
    graph_module: fx.GraphModule
    inputs: tuple[ProgramInput, ...]
    outputs: tuple[ProgramOutput, ...]
    constants: Mapping[str, torch.Tensor]
    arguments: tuple[Tree, Tree]
    module: Callable[..., Tree]
    notes: tuple[Diagnostic, ...] = field(default=())

    def __post_init__(self) -> None:
        object.__setattr__(self, "constants", MappingProxyType(dict(self.constants)))

    def calls(self) -> Iterator[fx.Node]:
        """Yield the calls in order of execution."""
        return (node for node in self.graph_module.graph.nodes if node.op == "call_function")

    def origin(self, node: fx.Node) -> Origin:
        """Return where in the user's PyTorch a call comes from (`NOWHERE` for inputs and constants)."""
        return self._origins.get(node.name, NOWHERE)

    @cached_property
    def _origins(self) -> Mapping[str, Origin]:
        return trace_origins(self.calls(), self._owners)

    @cached_property
    def _owners(self) -> Mapping[str, str]:
        """Constant node -> path of the module that owns the parameter or buffer."""
        signature = self.exported.graph_signature
        targets = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
        return {node: target.rpartition(".")[0] for node, target in targets.items()}
