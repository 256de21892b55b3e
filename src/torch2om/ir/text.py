"""A net as text: one line per layer, for eyes, tests and diffs."""

from __future__ import annotations

from dataclasses import MISSING, fields

from torch2om.ir.net import Layer, Net
from torch2om.ir.op import Op, Shape


def to_text(net: Net) -> str:
    """Return `name(inputs) -> outputs` and one line per layer: `top: shape = Op(changed fields)(bottoms) [weights]`."""
    sources = ", ".join(f"{source.name}: {shape_text(source.shape)}" for source in net.inputs)
    lines = [f"{net.name}({sources}) -> {', '.join(net.output_blobs)}"]
    lines += [f"  {_layer_line(net, layer)}" for layer in net.layers]
    return "\n".join(lines) + "\n"


def shape_text(shape: Shape) -> str:
    """Return `1x3x224x224`; a 0-d blob is `scalar`."""
    return "x".join(map(str, shape)) or "scalar"


def op_text(op: Op) -> str:
    """Return `Pooling(pool=MAX, kernel=(3, 3))`: the fields that differ from their defaults."""
    changed = [f for f in fields(op) if f.default is MISSING or getattr(op, f.name) != f.default]
    return f"{type(op).__name__}({', '.join(f'{f.name}={getattr(op, f.name)}' for f in changed)})"


def _layer_line(net: Net, layer: Layer) -> str:
    tops = ", ".join(f"{top}: {shape_text(net.shapes[top])}" for top in layer.tops)
    weights = f" [{', '.join(map(shape_text, layer.weight_shapes))}]" if layer.weights else ""
    return f"{tops} = {op_text(layer.op)}({', '.join(layer.bottoms)}){weights}"
