"""Gives blobs the dims that later layers count on, where the target infers others than Caffe does."""

from __future__ import annotations

from dataclasses import replace

from torch2om.ir.builder import Names
from torch2om.ir.net import Layer, Net, Output
from torch2om.ir.op import Shape
from torch2om.layers import Reshape
from torch2om.legalization.tidying import renames
from torch2om.targets.limits import Target
from torch2om.targets.ranks import reads_alike

RULE = "match_ranks"


def match_ranks(net: Net, target: Target) -> Net:
    """y = reshape(x, the dims that Caffe gives x), wherever a reader of x would see the target's other dims.

    Exact. In Caffe the Reshape changes nothing; in the target it makes the two agree. Outputs get it too, so that the
    compiled net's outputs have PyTorch's dims; where the target has no blobs of so few dims, they stay what it makes.
    """
    if not target.shapes and not target.least_dims:
        return net
    repair = _Repair(net, target)
    for layer in net.layers:
        repair.place(layer)
    return repair.finish()


def with_one_element(net: Net, target: Target) -> Net:
    """y = x as [1], for an output y of no dims where the target has none such.

    Exact: the element is the same one. The manifest says which dims the output has. ATC's Reduction makes [1] where
    Caffe's makes a blob of no dims; a Reduction of one element alone is not needed, and takes no int32 (ArgMax).
    """
    if not target.least_dims:
        return net
    bare = {blob for blob in net.output_blobs if not net.shapes[blob] and not net.users[blob]}
    return replace(
        net, layers=tuple(_as_one(net, layer, target) if bare & {*layer.tops} else layer for layer in net.layers)
    )


def _as_one(net: Net, layer: Layer, target: Target) -> Layer:
    """Return what only hands an element on to no dims as a Reshape to the fewest of the target; others as they are."""
    named = renames(layer.op, net.bottom_shapes(layer))
    return replace(layer, op=Reshape(target.seen(()))) if named else layer


class _Repair:
    """The net under construction, with the dims that the target has for each blob."""

    def __init__(self, net: Net, target: Target) -> None:
        self._net = net
        self._target = target
        self._shapes: dict[str, Shape] = {source.name: target.seen(source.shape) for source in net.inputs}
        self._names = Names((*net.shapes, *(layer.name for layer in net.layers)))
        self._producers = net.producers
        self._repaired: dict[str, str] = {}
        self._layers: list[Layer] = []

    def place(self, layer: Layer) -> None:
        """Append the layer, behind the Reshapes that its bottoms need."""
        theirs = tuple(self._shapes[bottom] for bottom in layer.bottoms)
        if not reads_alike(layer, self._net.bottom_shapes(layer), theirs):
            layer = replace(layer, bottoms=tuple(map(self._repair, layer.bottoms)))
            theirs = tuple(self._shapes[bottom] for bottom in layer.bottoms)
        self._layers.append(layer)
        self._shapes.update(zip(layer.tops, self._target.infer(layer, theirs), strict=True))

    def finish(self) -> Net:
        """Return the net with its outputs repaired too."""
        outputs = tuple(self._output(output) for output in self._net.outputs)
        mirrors = dict(self._net.mirrors)
        for blob, repaired in self._repaired.items():
            if blob in mirrors:
                mirrors[repaired] = mirrors[blob]
        return replace(self._net, layers=tuple(self._layers), outputs=outputs, mirrors=mirrors)

    def _output(self, output: Output) -> Output:
        return replace(output, blob=self._repair(output.blob))

    def _repair(self, blob: str) -> str:
        """Return a blob with our dims; the blob itself if the target has no blobs of so few dims."""
        ours = self._net.shapes[blob]
        if self._target.seen(ours) != ours or self._shapes[blob] == ours:
            return blob
        if blob not in self._repaired:
            name = self._names.unique(f"{blob}/reshape")
            origin = self._producers[blob].origin.through(RULE)
            self._layers.append(Layer(name, Reshape(_dims(ours, self._shapes[blob])), (blob,), (name,), (), origin))
            self._shapes[name] = ours
            self._repaired[blob] = name
        return self._repaired[blob]


def _dims(ours: Shape, theirs: Shape) -> Shape:
    """Return our dims, the first one copied (0) where both have it: the om may then be compiled for other batches."""
    return (0, *ours[1:]) if len(ours) > 1 and ours[0] == theirs[0] else ours
