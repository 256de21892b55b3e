"""Which layers to keep in a higher precision, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from torch2om.ir.net import Layer, Net
from torch2om.layers.selection import selects
from torch2om.precision.kept import PRODUCTS
from torch2om.precision.runs import AMPLIFIED, LayerStudy, Study
from torch2om.precision.span import HALF_ROUNDING, Span

MUCH = 0.01  # the share of small numbers that explains an error


@dataclass(frozen=True, slots=True)
class Kept:
    """A layer to keep, and the reason in words."""

    layer: Layer
    reason: str


def choose(net: Net, study: Study) -> tuple[Kept, ...]:
    """Return, in order, the layers whose own error stands out and those that must hand them unrounded numbers.

    A layer that is kept and still errs amplifies the rounding of its inputs: then the layers before it are kept as
    well, back to those that compute. The inputs of a matrix product stay half precision (`kept`), so there this helps
    nothing.
    """
    studies = {found.layer.name: found for found in study.layers}
    reasons = {found.layer.name: _reason(net, studies, found) for found in study.layers if found.stands_out}
    for found in study.layers:
        if found.stands_out and not _enough(found) and not isinstance(found.layer.op, PRODUCTS):
            for feeder in _feeders(net, found.layer):
                reasons.setdefault(feeder.name, f"{found.layer.name} needs its numbers unrounded")
    return tuple(Kept(layer, reasons[layer.name]) for layer in net.layers if layer.name in reasons)


def _enough(found: LayerStudy) -> bool:
    return found.kept is not None and found.kept <= AMPLIFIED


def _feeders(net: Net, layer: Layer) -> Iterator[Layer]:
    """Yield the layers before this one, through those that add no rounding back to those that do."""
    seen = {layer.name}
    waiting = [layer]
    while waiting:
        for bottom in waiting.pop().bottoms:
            producer = net.producers.get(bottom)
            if producer is None or producer.name in seen:
                continue
            seen.add(producer.name)
            yield producer
            if selects(producer.op):
                waiting.append(producer)


def _reason(net: Net, studies: dict[str, LayerStudy], found: LayerStudy) -> str:
    """Return the plainest cause of the layer's own error."""
    before = [studies[net.producers[b].name] for b in found.layer.bottoms if b in net.producers]
    causes = (
        (found.tops.overflowed, f"its results reach {found.tops.largest:.3g}, half precision ends at 65504"),
        (any(each.tops.overflowed for each in before), "it reads numbers beyond half precision's 65504"),
        (found.weights.overflowed, f"its weights reach {found.weights.largest:.3g}, half precision ends at 65504"),
        (_much(found.weights), f"{found.weights.lost:.1%} of its weights become zero or subnormal"),
        (_much(found.tops), f"{found.tops.lost:.1%} of its numbers become zero or subnormal"),
        (found.own == float("inf"), "it computes infinity or NaN from rounded numbers"),
    )
    plain = f"its own error is that of {found.own / HALF_ROUNDING:.0f} roundings"
    return next((text for holds, text in causes if holds), plain)


def _much(span: Span) -> bool:
    return span.lost > MUCH
