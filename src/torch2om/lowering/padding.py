"""Pads: PyTorch lists them from the last dim backwards, a negative one crops."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from torch2om.ir.blob import Blob
from torch2om.layers import Pad, PadMode
from torch2om.lowering.registry import lowers
from torch2om.lowering.scope import Scope
from torch2om.lowering.views import sliced

aten = torch.ops.aten


def padded(
    b: Scope, x: Blob, pads: Sequence[tuple[int, int]], mode: PadMode = PadMode.CONSTANT, value: float = 0.0
) -> Blob:
    """Return x with (before, after) elements more per dim; pads that only crop are slices."""
    if mode is PadMode.CONSTANT and all(max(pair) <= 0 for pair in pads):
        for axis, (before, after) in enumerate(pads):
            x = sliced(b, x, axis, -before, x.shape[axis] + after)
        return x
    return b.add(Pad(tuple(pads), mode, value), x)


@lowers(aten.pad.default)
def pad(b: Scope, self: Blob, pad: Sequence[int], mode: str, value: float | None) -> Blob:
    """Self with `pad` elements around: (last dim before, after, last but one before, after, ...)."""
    pairs = list(zip(pad[::2], pad[1::2], strict=True))[::-1]
    pads = [(0, 0)] * (self.rank - len(pairs)) + pairs
    return padded(b, self, pads, PadMode(mode.upper()), float(value or 0.0))
