"""Builds a net out of another one, layer by layer, with blobs replaced on the way.

A pass walks the old net in order and, for each layer, either keeps it or puts other layers in its place. Readers of a
replaced top are pointed to the new blob; mirrors and outputs follow; layers that nobody needs any more disappear.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch2om.ir.blob import Blob
from torch2om.ir.builder import Builder, Names
from torch2om.ir.net import Layer, Net
from torch2om.ir.op import Shape
from torch2om.origin import Origin


class Assembly:
    """The net under construction: what was placed so far, and how often each blob is still read.

    The only mutable thing of a pass; the nets before and after are frozen.
    """

    def __init__(self, net: Net) -> None:
        self._old = net
        self._layers: dict[str, Layer] = {}
        self._producers: dict[str, Layer] = {}
        self._shapes: dict[str, Shape] = {source.name: source.shape for source in net.inputs}
        self._aliases: dict[str, str] = {}
        self._uses = {blob: len(users) for blob, users in net.users.items()}
        for output in net.outputs:
            self._uses[output.blob] += 1
        self._mirrors = {source.name: net.mirrors[source.name] for source in net.inputs if source.name in net.mirrors}
        self.names = Names((*net.shapes, *(layer.name for layer in net.layers)))

    def current(self, blob: str) -> str:
        """Return the blob that stands for an old net's blob now."""
        while blob in self._aliases:
            blob = self._aliases[blob]
        return blob

    def resolve(self, layer: Layer) -> Layer:
        """Return an old layer with its bottoms as they are called now."""
        bottoms = tuple(self.current(bottom) for bottom in layer.bottoms)
        return layer if bottoms == layer.bottoms else replace(layer, bottoms=bottoms)

    def blob(self, name: str) -> Blob:
        """Return the handle of a blob that was placed."""
        return Blob(name, self._shapes[name])

    def bottoms(self, layer: Layer) -> tuple[Blob, ...]:
        """Return the handles of a resolved layer's bottoms."""
        return tuple(self.blob(bottom) for bottom in layer.bottoms)

    def producer(self, blob: Blob) -> Layer | None:
        """Return the layer that makes a blob, or None for a net input."""
        return self._producers.get(blob.name)

    def read_once(self, blob: Blob) -> bool:
        """Whether exactly one layer (and no output of the net) reads the blob."""
        return self._uses.get(blob.name, 0) == 1

    def reads(self, blob: str) -> int:
        """Return how many layers and outputs of the net read the blob."""
        return self._uses.get(blob, 0)

    def readers(self, blob: str) -> tuple[Layer, ...]:
        """Return the old net's layers that read an old blob."""
        return self._old.users[blob]

    def is_read(self, blob: str) -> bool:
        """Whether a layer or an output of the net reads the blob; one that is not placed yet is taken to be read."""
        return self._uses.get(blob, 1) > 0

    def builder(self, origin: Origin) -> Builder:
        """Return a builder of layers that can stand in this net."""
        return Builder(self.names, origin)

    def keep(self, layer: Layer) -> None:
        """Place a resolved layer of the old net as it is."""
        self._place(layer)
        for top in layer.tops:
            self._mirror(top, top)

    def put(self, layer: Layer, fragment: Sequence[Layer], results: Sequence[Blob]) -> None:
        """Place `fragment` instead of the resolved old `layer`; `results` stand for its tops, one for each.

        A result may be a blob that already exists: then the old layer was not needed at all. What stands for a top
        that nobody reads may be any blob.
        """
        for new in fragment:
            for bottom in set(new.bottoms):
                self._uses[bottom] = self._uses.get(bottom, 0) + 1
            self._place(new)
        for top, result in zip(layer.tops, results, strict=True):
            if self.is_read(top):
                self._mirror(top, result.name)
            self._uses[result.name] = self._uses.get(result.name, 0) + self._uses.pop(top, 0)
            self._aliases[top] = result.name
        self._release(layer.bottoms)

    def finish(self) -> Net:
        """Return the new net: dead layers removed, outputs and mirrors carried over."""
        outputs = tuple(replace(output, blob=self.current(output.blob)) for output in self._old.outputs)
        mirrors = {blob: call for blob, call in self._mirrors.items() if blob in self._shapes}
        return Net(self._old.name, self._old.inputs, tuple(self._layers.values()), outputs, mirrors)

    def _place(self, layer: Layer) -> None:
        self._layers[layer.name] = layer
        shapes = layer.op.infer([self._shapes[bottom] for bottom in layer.bottoms], layer.weight_shapes)
        for top, shape in zip(layer.tops, shapes, strict=True):
            self._producers[top] = layer
            self._shapes[top] = shape

    def _mirror(self, old_top: str, new_top: str) -> None:
        call = self._old.mirrors.get(old_top)
        if call is not None:
            self._mirrors.setdefault(new_top, call)

    def _release(self, bottoms: Sequence[str]) -> None:
        """Count one reader less of each bottom; a layer whose tops nobody reads goes, and releases its own bottoms."""
        pending = list(dict.fromkeys(bottoms))
        while pending:
            blob = pending.pop()
            self._uses[blob] -= 1
            layer = self._producers.get(blob)
            if layer is None or any(self._uses.get(top, 0) for top in layer.tops):
                continue
            del self._layers[layer.name]
            for top in layer.tops:
                del self._producers[top], self._shapes[top]
            pending.extend(dict.fromkeys(layer.bottoms))
