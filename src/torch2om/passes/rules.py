"""The registry of rewrites: a function that makes a net smaller or faster, looking back from one layer.

`@rewrites(Scale)` over `def rule(b, op: Scale, x: Blob) -> Blob | None`: the layer and what produced its bottoms are
seen through `b`; None means that the rule does not match here. A layer with several tops becomes as many blobs. The
docstring's first line is an equation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from torch2om.ir.assembly import Assembly
from torch2om.ir.blob import Blob
from torch2om.ir.builder import Builder
from torch2om.ir.net import Layer
from torch2om.ir.op import Op
from torch2om.ir.weight import Weight

RewriteFunction = Callable[..., Blob | tuple[Blob, ...] | None]


class RewriteBuilder(Builder):
    """Builds the layers that replace `layer`, and looks back at what produced its bottoms."""

    def __init__(self, assembly: Assembly, layer: Layer, rule: str) -> None:
        super().__init__(assembly.names, layer.origin.through(rule))
        self._assembly = assembly
        self._rule = rule
        self.layer = layer

    @property
    def weights(self) -> tuple[Weight, ...]:
        """The weights of the layer that is rewritten."""
        return self.layer.weights

    def producer(self, blob: Blob) -> Layer | None:
        """Return the layer that makes a blob, None for a net input."""
        return self._assembly.producer(blob)

    def bottoms(self, layer: Layer) -> tuple[Blob, ...]:
        """Return the bottoms of a producer."""
        return self._assembly.bottoms(layer)

    def read_once(self, blob: Blob) -> bool:
        """Whether one layer alone (and no output) reads the blob, so that its producer may be absorbed."""
        return self._assembly.read_once(blob)

    def reads(self, blob: str) -> int:
        """Return how many layers and outputs read the blob."""
        return self._assembly.reads(blob)

    def readers(self, blob: str) -> tuple[Layer, ...]:
        """Return the layers that read a top of this layer, or of one behind it, as they were before the pass."""
        return self._assembly.readers(blob)

    def come_from(self, layer: Layer) -> None:
        """Let the layers to come bear the origin of `layer` (the convolution that absorbs a batch norm)."""
        self.origin = layer.origin.through(self._rule)


@dataclass(frozen=True)
class Rewrite:
    """A rewrite and its name."""

    name: str
    function: RewriteFunction

    @property
    def equation(self) -> str:
        """The first line of the rule's docstring."""
        return (self.function.__doc__ or "").strip().splitlines()[0]


_REWRITES: defaultdict[type[Op], list[Rewrite]] = defaultdict(list)


def rewrites(*ops: type[Op]) -> Callable[[RewriteFunction], RewriteFunction]:
    """Register the decorated function for layers of these op classes, tried in the order of registration."""

    def register(function: RewriteFunction) -> RewriteFunction:
        for op in ops:
            _REWRITES[op].append(Rewrite(function.__name__, function))
        return function

    return register


def all_rewrites() -> Mapping[type[Op], list[Rewrite]]:
    """Return all rewrites by op class."""
    return MappingProxyType(_REWRITES)
