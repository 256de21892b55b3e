"""What a lowering builds with: a builder that also knows the call's result and makes blobs of constants."""

from __future__ import annotations

from torch2om.ir.blob import Blob
from torch2om.ir.builder import Builder, Names
from torch2om.ir.op import Shape
from torch2om.ir.weight import Weight
from torch2om.layers import Constant
from torch2om.origin import Origin


class Scope(Builder):
    """The builder of one call's layers. `expected` are the shapes of PyTorch's results, one for each."""

    def __init__(self, names: Names, origin: Origin, expected: tuple[Shape, ...]) -> None:
        super().__init__(names, origin)
        self.expected = expected

    def constant(self, weight: Weight) -> Blob:
        """Return a blob that always holds the weight's numbers."""
        return self.add(Constant(weight.shape), weights=(weight,))
