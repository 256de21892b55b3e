"""A net in half precision of which some layers are kept in a higher one, as ATC compiles it.

A kept layer computes in float32 and its results stay float32; whoever else reads them rounds them. The units that
multiply matrices take half precision in any case, and give float32 on request: of such a layer the inputs and weights
stay half (ATC manual, --precision_mode, force_fp32: for matrix operators float16 in and float32 out comes first).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from torch2om.executor import HALF, Numbers, Width, fed, last_read, run_layer
from torch2om.ir.net import Layer, Net
from torch2om.ir.op import Array, Op
from torch2om.layers import BatchedMatMul, Convolution, Deconvolution, InnerProduct

PRODUCTS: tuple[type[Op], ...] = (Convolution, Deconvolution, InnerProduct, BatchedMatMul)

_FLOAT32 = np.dtype(np.float32)
FULL = Width(_FLOAT32, held=_FLOAT32, computing=_FLOAT32)


def in_higher_precision(layer: Layer, bottoms: Sequence[Array], halves: Sequence[Array]) -> dict[str, Array]:
    """Return the tops of a kept layer; `halves` are its weights in half precision."""
    if isinstance(layer.op, PRODUCTS):
        return run_layer(layer, [HALF.round(blob) for blob in bottoms], FULL, halves)
    return run_layer(layer, bottoms, FULL)


def outputs_with(net: Net, sample: Numbers, kept: Collection[str]) -> Mapping[str, Array]:
    """Return the outputs of the net in half precision, the layers named in `kept` in a higher one."""
    held = fed(net, sample, HALF)
    unrounded = set[str]()
    found = {name: blob for name, blob in held.items() if name in net.output_blobs}
    for layer, dying in zip(net.layers, last_read(net), strict=True):
        bottoms = [held[bottom] for bottom in layer.bottoms]
        if layer.name in kept:
            tops = in_higher_precision(layer, bottoms, HALF.weights(layer))
            unrounded.update(tops)
        else:
            pairs = zip(layer.bottoms, bottoms, strict=True)
            tops = run_layer(layer, [HALF.round(blob) if name in unrounded else blob for name, blob in pairs], HALF)
        held.update(tops)
        found.update((top, blob) for top, blob in tops.items() if top in net.output_blobs)
        for blob in dying:
            held.pop(blob)
    return found
