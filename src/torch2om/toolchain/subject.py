"""What is compiled, as far as options must agree with it: the net's inputs, its outputs, its AIPP file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from torch2om.ir.op import Shape
from torch2om.toolchain.tool import Tool

UNKNOWN = -1  # a dim that gears decide


@dataclass(frozen=True, slots=True)
class Node:
    """A net output as the compiler calls it: the layer that makes it, which of its tops, and the blob."""

    layer: str
    index: int
    blob: str

    def __str__(self) -> str:
        return f"{self.layer}:{self.index}"


@dataclass(frozen=True)
class Subject:
    """A net before a compiler: who compiles it, its inputs by name, its outputs in order, the AIPP file's text.

    `layers` are the tops of every layer, inputs among them; what may be an output.
    """

    tool: Tool
    inputs: Mapping[str, Shape]
    outputs: tuple[Node, ...]
    aipp: str = ""
    layers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def input_shape(self) -> str:
        """The inputs as --input_shape has them."""
        return ";".join(f"{name}:{','.join(map(str, shape))}" for name, shape in self.inputs.items())

    @property
    def out_nodes(self) -> str:
        """The outputs as --out_nodes has them."""
        return ";".join(map(str, self.outputs))

    def aipp_says(self, name: str, pattern: str) -> bool:
        """Whether the AIPP file gives a field such a value."""
        text = re.sub(r"#.*", "", self.aipp)
        return bool(re.search(rf"\b{name}\s*:\s*{pattern}\b", text))


def given_shapes(text: str) -> dict[str, tuple[str, ...]]:
    """Return input name -> dims of an --input_shape; a dim stays a text, because it may be a range."""
    named = (part.rpartition(":") for part in text.split(";") if part)
    return {name: tuple(dims.split(",")) if dims else () for name, _, dims in named}


def groups(text: str) -> tuple[tuple[int, ...], ...]:
    """Return the gears of `416,416;832,832`."""
    return tuple(tuple(map(int, group.split(","))) for group in text.split(";"))
