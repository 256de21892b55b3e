"""What a net costs: multiply-accumulates, parameters and bytes, per layer and in all; for any Caffe net."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from torch2om.ir.net import Layer, Net
from torch2om.ir.op import Op, Shape, Shapes, elements
from torch2om.layers import Flatten, Reshape, Split

BYTES = 4  # Caffe computes in float32
MACS_PER_BYTE = 4  # what a CPU's core does while it moves a byte; accelerators do more
SHARING: tuple[type[Op], ...] = (Reshape, Flatten, Split)  # their tops share the bottom's memory


@dataclass(frozen=True, slots=True)
class Cost:
    """What rules are compared by: multiply-accumulates, and bytes read and written (docs/decisions/005)."""

    macs: int = 0
    moved: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.macs + other.macs, self.moved + other.moved)

    def __lt__(self, other: Cost) -> bool:
        return self.time < other.time

    @property
    def time(self) -> int:
        """An estimate of the time, in multiply-accumulates: moving a byte takes as long as MACS_PER_BYTE of them."""
        return self.macs + MACS_PER_BYTE * self.moved


def cost_of(layer: Layer, bottoms: Shapes) -> Cost:
    """Return the cost of a layer whose bottoms have these shapes; one that only renames dims moves nothing."""
    weights = layer.weight_shapes
    tops = layer.op.infer(bottoms, weights)
    moved = 0 if isinstance(layer.op, SHARING) else sum(map(elements, (*bottoms, *tops, *weights)))
    return Cost(layer.op.macs(bottoms, weights), BYTES * moved)


@dataclass(frozen=True, slots=True)
class Size:
    """How large a model is before it is converted: its parameters and the multiply-accumulates of one run."""

    parameters: int
    macs: int


@dataclass(frozen=True, slots=True)
class LayerReport:
    """One layer's line: output shapes, multiply-accumulates, parameters, bytes of its activations."""

    name: str
    kind: str
    shapes: tuple[Shape, ...]
    macs: int
    parameters: int
    activation_bytes: int


@dataclass(frozen=True, slots=True)
class Analysis:
    """All layers' lines and their totals."""

    layers: tuple[LayerReport, ...]

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one run."""
        return sum(line.macs for line in self.layers)

    @property
    def parameters(self) -> int:
        """Numbers in all weights."""
        return sum(line.parameters for line in self.layers)

    @property
    def activation_bytes(self) -> int:
        """Bytes of all blobs that layers produce, in float32."""
        return sum(line.activation_bytes for line in self.layers)


def analyze(net: Net) -> Analysis:
    """Return what each layer of the net costs."""
    return Analysis(tuple(_line(net, layer) for layer in net.layers))


def applied_rules(net: Net) -> Mapping[str, int]:
    """Return the rules that made the net's layers, legalizations and rewrites, and how many layers each made."""
    return Counter(rule for layer in net.layers for rule in dict.fromkeys(layer.origin.via))


def _line(net: Net, layer: Layer) -> LayerReport:
    bottoms, tops = net.bottom_shapes(layer), net.top_shapes(layer)
    return LayerReport(
        name=layer.name,
        kind=layer.op.caffe_type or type(layer.op).__name__,
        shapes=tops,
        macs=layer.op.macs(bottoms, layer.weight_shapes),
        parameters=sum(weight.size for weight in layer.weights),
        activation_bytes=BYTES * sum(map(elements, tops)),
    )
