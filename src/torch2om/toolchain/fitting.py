"""Does the net itself take the sizes that it shall be compiled for? It was converted for fixed ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from torch2om.errors import Diagnostic
from torch2om.ir.net import Layer, Net
from torch2om.ir.op import BadOp, Shape
from torch2om.origin import NOWHERE, Origin
from torch2om.toolchain.gears import gear_shapes
from torch2om.toolchain.options import CompileOptions
from torch2om.toolchain.subject import Subject


def misfits(options: CompileOptions, subject: Subject, net: Net, origins: Mapping[str, Origin]) -> Iterator[Diagnostic]:
    """Yield, for each gear, the first layer that does not take it, or whose batch is fixed (K912)."""
    for gear, shapes in gear_shapes(options, subject):
        wrong = _misfit(net, shapes)
        if wrong is not None:
            layer, why = wrong
            text = f"the net does not take {gear}: {why}"
            hint = "it was converted for fixed shapes: convert it once for each size"
            yield Diagnostic("K912", text, origins.get(layer.name, NOWHERE), layer.name, hint)


def _misfit(net: Net, inputs: Mapping[str, Shape]) -> tuple[Layer, str] | None:
    """Return the first layer that cannot have its bottoms, or does not carry the batch on, and why."""
    sources = tuple(replace(source, shape=inputs[source.name]) for source in net.inputs)
    factors = {new.shape[0] / old.shape[0] for new, old in zip(sources, net.inputs, strict=True) if old.shape}
    shapes = {source.name: source.shape for source in sources}
    for layer in net.layers:
        try:
            tops = layer.op.infer(tuple(shapes[bottom] for bottom in layer.bottoms), layer.weight_shapes)
        except BadOp as error:
            return layer, str(error)
        shapes.update(zip(layer.tops, tops, strict=True))
        for top, before in zip(tops, net.top_shapes(layer), strict=True):
            if len(factors) == 1 and top and top[0] != before[0] * next(iter(factors)):
                return layer, f"its top is {list(top)}, whatever the batch"
    return None
