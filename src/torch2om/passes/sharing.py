"""What is computed twice of the same blobs is computed once."""

from __future__ import annotations

from torch2om.ir.assembly import Assembly
from torch2om.ir.blob import Blob
from torch2om.ir.net import Net
from torch2om.ir.op import Op


def share_equal(net: Net) -> Net:
    """f(x), f(x) = y, y: layers without weights of one op and the same bottoms are one layer."""
    assembly = Assembly(net)
    made: dict[tuple[Op, tuple[Blob, ...]], tuple[Blob, ...]] = {}
    for old in net.layers:
        layer = assembly.resolve(old)
        key = (layer.op, assembly.bottoms(layer))
        if layer.bottoms and not layer.weights and key in made:
            assembly.put(layer, (), made[key])
        else:
            assembly.keep(layer)
            made[key] = tuple(map(assembly.blob, layer.tops))
    return assembly.finish()
