"""How far AIPP's picture, and the net's outputs on it, are from those of PyTorch's preprocessing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from torch2om.executor import execute
from torch2om.ir.net import Net
from torch2om.ir.op import Array
from torch2om.metrics import Measures, measures
from torch2om.preprocessing.colours import Order, encoded, gray_of
from torch2om.preprocessing.geometry import geometry_of
from torch2om.preprocessing.normalization import NOTHING
from torch2om.preprocessing.plan import Plan
from torch2om.preprocessing.simulation import Bytes, normalized, simulate


@dataclass(frozen=True)
class Difference:
    """The net's input by AIPP against the same by PyTorch, and the outputs that the net makes of the two."""

    input: Measures
    outputs: Mapping[str, Measures]


def difference(plan: Plan, net: Net, rgb: Bytes) -> Difference:
    """Return the difference on one picture (h, w, 3), as large as the frame; the net runs in float32 on both.

    The outputs of a net with other inputs are not compared.
    """
    made, wanted = by_aipp(plan, rgb), by_pytorch(plan, rgb)
    if len(net.inputs) > 1:
        return Difference(measures(made, wanted), {})
    ours, theirs = (execute(net, {plan.input.name: values}, np.float32) for values in (made, wanted))
    return Difference(measures(made, wanted), {name: measures(ours[name], theirs[name]) for name in theirs})


def by_aipp(plan: Plan, rgb: Bytes) -> Array:
    """Return what AIPP makes of the picture in the plan's pixel format, in float16; each sample of a batch the same."""
    fed = encoded(rgb, plan.wish.pixels, plan.wish.standard)
    shape = plan.input.shape
    return simulate(plan.config, np.ascontiguousarray(np.repeat(fed, shape[0], axis=0)), shape)


def by_pytorch(plan: Plan, rgb: Bytes) -> Array:
    """Return what PyTorch's preprocessing makes of the picture: crop, ToTensor and Normalize in float32, then Pad."""
    place, shape = geometry_of(plan.config, plan.input.shape), plan.input.shape
    box = place.box
    seen = rgb[box.top : box.top + box.height, box.left : box.left + box.width]
    pixels = gray_of(seen)[..., None] if shape[1] == 1 else seen[..., :: -1 if plan.wish.order is Order.BGR else 1]
    blob = pixels.transpose(2, 0, 1)[None].astype(np.float32)
    values = plan.wish.normalization.applied(blob)
    values = values if plan.taken_out == NOTHING else plan.taken_out.applied(values)
    margins = ((0, 0), (0, 0), (place.top, place.bottom), (place.left, place.right))
    return np.pad(values, margins, constant_values=plan.config.padding_value).repeat(shape[0], axis=0)


def rounding(plan: Plan) -> float:
    """Return the largest |AIPP in float16 - the normalization itself| over all 256 values that a channel can have."""
    ramp = np.arange(256, dtype=np.uint8)[:, None].repeat(plan.input.shape[1], axis=1)
    exact = plan.normalization.applied(ramp.astype(np.float64))
    return float(np.abs(normalized(plan.config, ramp, np.dtype(np.float16)) - exact).max())
