"""The only maker of layers: gives each a unique name, infers its shape, and stamps it with its origin."""

from __future__ import annotations

from collections import Counter

from torch2om.ir.blob import Blob
from torch2om.ir.net import Layer
from torch2om.ir.op import Op
from torch2om.ir.weight import Weight
from torch2om.origin import Origin


class Names:
    """Hands out names that are unique within one net: `relu`, `relu_1`, `relu_2`."""

    def __init__(self, taken: tuple[str, ...] = ()) -> None:
        self._taken = set(taken)
        self._next: Counter[str] = Counter()

    def unique(self, wish: str) -> str:
        """Return `wish`, or `wish_N` with the smallest free N."""
        name = wish
        while name in self._taken:
            self._next[wish] += 1
            name = f"{wish}_{self._next[wish]}"
        self._taken.add(name)
        return name


class Builder:
    """Collects new layers for one origin; `layers` are what was built so far, in order.

    Names are provisional (`passes.naming` gives the final ones): they only have to be unique.
    """

    def __init__(self, names: Names, origin: Origin) -> None:
        self._names = names
        self.origin = origin
        self.layers: list[Layer] = []

    def add(self, op: Op, *bottoms: Blob, weights: tuple[Weight, ...] = ()) -> Blob:
        """Append a layer with one top and return that top."""
        (top,) = self.add_all(op, *bottoms, weights=weights)
        return top

    def add_all(self, op: Op, *bottoms: Blob, weights: tuple[Weight, ...] = ()) -> tuple[Blob, ...]:
        """Append a layer and return its tops; raises `BadOp` if the op does not fit the bottoms."""
        shapes = op.infer([bottom.shape for bottom in bottoms], [weight.shape for weight in weights])
        kind = op.caffe_type or type(op).__name__
        name = self._names.unique(f"{self.origin.call or 'net'}/{kind.lower()}")
        tops = (name, *(self._names.unique(f"{name}.{index}") for index in range(1, len(shapes))))
        self.layers.append(Layer(name, op, tuple(bottom.name for bottom in bottoms), tops, weights, self.origin))
        return tuple(Blob(top, shape) for top, shape in zip(tops, shapes, strict=True))
