"""The net: frozen layers in topological order, every blob produced once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from torch2om.ir.op import Op, Shape
from torch2om.ir.weight import Weight
from torch2om.origin import NOWHERE, Origin


@dataclass(frozen=True, slots=True)
class Input:
    """A named tensor that the user feeds."""

    name: str
    shape: Shape
    origin: Origin = NOWHERE


@dataclass(frozen=True, slots=True)
class Layer:
    """One Caffe layer: a typed op between named blobs, with its weights and its origin."""

    name: str
    op: Op
    bottoms: tuple[str, ...]
    tops: tuple[str, ...]
    weights: tuple[Weight, ...] = ()
    origin: Origin = NOWHERE

    @property
    def weight_shapes(self) -> tuple[Shape, ...]:
        """The shapes of the layer's weights, in blob order."""
        return tuple(weight.shape for weight in self.weights)


@dataclass(frozen=True, slots=True)
class Output:
    """A value that forward() returns: the blob that holds it, and its place in PyTorch's result (`['out']`, `[0]`).

    `name` is the user's name for it (a dict key, a dataclass field), empty where Python gives none.
    """

    blob: str
    place: str = ""
    name: str = ""


@dataclass(frozen=True)
class Net:
    """A net: inputs, layers in topological order, outputs, and which PyTorch value each blob must equal.

    `mirrors` maps a blob to the name of the exported call whose value it equals. Every blob has one producer;
    `validator.validate` checks this and the shapes. Never mutated: a stage builds a new net.
    """

    name: str
    inputs: tuple[Input, ...]
    layers: tuple[Layer, ...]
    outputs: tuple[Output, ...]
    mirrors: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "mirrors", MappingProxyType(dict(self.mirrors)))

    @cached_property
    def producers(self) -> Mapping[str, Layer]:
        """Blob -> the layer that produces it (net inputs have none)."""
        return {top: layer for layer in self.layers for top in layer.tops}

    @cached_property
    def users(self) -> Mapping[str, tuple[Layer, ...]]:
        """Blob -> the layers that read it, in order; a layer that reads it twice stands there once."""
        found: dict[str, dict[str, Layer]] = {blob: {} for blob in self.shapes}
        for layer in self.layers:
            for bottom in layer.bottoms:
                found[bottom][layer.name] = layer
        return {blob: tuple(users.values()) for blob, users in found.items()}

    @cached_property
    def shapes(self) -> Mapping[str, Shape]:
        """Blob -> shape, inferred layer by layer."""
        shapes: dict[str, Shape] = {source.name: source.shape for source in self.inputs}
        for layer in self.layers:
            bottoms = tuple(shapes[bottom] for bottom in layer.bottoms)
            shapes.update(zip(layer.tops, layer.op.infer(bottoms, layer.weight_shapes), strict=True))
        return MappingProxyType(shapes)

    @cached_property
    def output_blobs(self) -> tuple[str, ...]:
        """The blobs that are outputs, each once, in the user's order."""
        return tuple(dict.fromkeys(output.blob for output in self.outputs))

    def bottom_shapes(self, layer: Layer) -> tuple[Shape, ...]:
        """The shapes of a layer's bottoms."""
        return tuple(self.shapes[bottom] for bottom in layer.bottoms)

    def top_shapes(self, layer: Layer) -> tuple[Shape, ...]:
        """The shapes of a layer's tops."""
        return tuple(self.shapes[top] for top in layer.tops)

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)
