"""One row per layer type: the IR op that ATC makes of it, its inputs and outputs, and the rules that judge it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch2om.caffe.schema import CaffeMessage
from torch2om.frontend.site import Site
from torch2om.ir.op import Shape

Plugin = Callable[[CaffeMessage], None]
"""What ParseParams refuses: raises `Rejected` for a layer that it does not take."""

Shapes = Callable[[Site], tuple[Shape, ...]]
"""Verify and InferShape: the outputs' dims in order (outputs left out stay without dims), or `Rejected`."""

Types = Callable[[Site], tuple[str, ...]]
"""The outputs' types, in order; the last one counts for all that follow."""


@dataclass(frozen=True, slots=True)
class IrInput:
    """An input of an IR op. A dynamic one stands for as many as the layer has bottoms: x0, x1, ..."""

    name: str
    optional: bool = False
    dynamic: bool = False


@dataclass(frozen=True)
class Row:
    """How ATC takes a layer type. `plugin` and `required` judge its message, `shapes` its place in the net.

    `outputs` is the number of IR outputs, 0 for as many as the layer has tops. `required` are fields (message and
    field) without which an attribute stays empty that the IR demands: Verify refuses the node (E19014).
    `keeps` tells that the rule writes the output's description itself, so that a dim of -2 stays what it is.
    `takes_weights` is false for the types with a parser of their own, which reads no blobs.
    """

    ir: str
    inputs: tuple[IrInput, ...]
    outputs: int
    shapes: Shapes
    plugin: Plugin | None = None
    required: tuple[str, ...] = ()
    types: Types | None = None
    keeps: bool = False
    takes_weights: bool = True


def ir_inputs(text: str) -> tuple[IrInput, ...]:
    """Return the inputs that "x filter bias?" names: `?` marks an optional one, `*` a dynamic one."""
    return tuple(IrInput(word.rstrip("?*"), word.endswith("?"), word.endswith("*")) for word in text.split())


def same_as_first(site: Site) -> tuple[Shape, ...]:
    """`y = x`: the output has the first input's dims, and nothing is verified."""
    return (site.described_at(0),)


def elementwise(ir: str, plugin: Plugin | None = None) -> Row:
    """Return the row of an op with one input x and one output of the same dims, written through Operator."""
    return Row(ir, ir_inputs("x"), 1, same_as_first, plugin)


def described(ir: str, inputs: str = "x", types: Types | None = None) -> Row:
    """Return the row of an op whose shape rule copies the description (op_proto util.cc:1147, one in, one out)."""
    return Row(ir, ir_inputs(inputs), 1, same_as_first, types=types, keeps=True)
