"""Half precision against float64, layer by layer.

Each layer runs three times. On exact blobs in float64: that is the reference. On the blobs of the half-precision run:
its error against the reference is what has accumulated so far. On the exact blobs rounded to half precision: its error
is the layer's own, whatever came before. An error is ||half - exact|| / ||exact|| over all tops of the layer; one
rounding of evenly spread numbers makes about 2e-4.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from torch2om.errors import DeviceError, Diagnostic
from torch2om.executor import DOUBLE, HALF, Numbers, fed, last_read, run_layer
from torch2om.ir.net import Layer, Net
from torch2om.ir.op import Array
from torch2om.layers.selection import selects
from torch2om.metrics import Measures, Verdict, measures, verdict_of
from torch2om.precision.kept import FULL, in_higher_precision
from torch2om.precision.span import HALF_ROUNDING, Span, span_of
from torch2om.precision.tally import Tally, error_of, tallied

AMPLIFIED = 16 * HALF_ROUNDING  # an own error that roundings alone do not explain: 0.8 %


@dataclass(frozen=True, slots=True)
class LayerStudy:
    """What half precision does to one layer: the worst of all samples, and all samples' numbers counted together.

    `error` has accumulated up to here, `own` is the layer's alone. `kept` is the own error that is left if the layer
    runs in higher precision on rounded inputs (None unless the own error calls for it).
    """

    layer: Layer
    error: float
    own: float
    kept: float | None
    tops: Span
    weights: Span

    @property
    def stands_out(self) -> bool:
        """Whether the layer's own error is more than roundings explain."""
        return not self.own <= AMPLIFIED

    def joined(self, other: LayerStudy) -> LayerStudy:
        """Return the study of this layer on the samples of both."""
        kept = max((value for value in (self.kept, other.kept) if value is not None), default=None)
        worst = max(self.error, other.error), max(self.own, other.own)
        return LayerStudy(self.layer, *worst, kept, self.tops + other.tops, self.weights)


@dataclass(frozen=True, slots=True)
class OutputStudy:
    """One output on one sample: half precision against float64."""

    blob: str
    sample: int
    measures: Measures

    @property
    def verdict(self) -> Verdict:
        """What the thresholds say."""
        return verdict_of(self.measures)


@dataclass(frozen=True, slots=True)
class Study:
    """What half precision does to a net."""

    layers: tuple[LayerStudy, ...]
    outputs: tuple[OutputStudy, ...]
    samples: int


def study(net: Net, samples: Iterable[Numbers]) -> Study:
    """Return what half precision does to each layer and to the outputs on these samples.

    Raises `DeviceError` (D851) if the net computes a number that is not finite in float32: there is nothing to compare.
    """
    layers: tuple[LayerStudy, ...] = ()
    outputs: list[OutputStudy] = []
    count = 0
    for index, sample in enumerate(samples):
        run = _Run(net, sample)
        found = tuple(run.step(layer, dying) for layer, dying in zip(net.layers, last_read(net), strict=True))
        layers = tuple(a.joined(b) for a, b in zip(layers, found, strict=True)) if layers else found
        outputs += [OutputStudy(blob, index, run.outputs[blob]) for blob in net.output_blobs]
        count = index + 1
    return Study(layers, tuple(outputs), count)


@dataclass(frozen=True, slots=True)
class _Blob:
    """A blob three times: exact, as the half-precision run has it, and the exact one rounded to half precision."""

    exact: Array
    half: Array
    best: Array


class _Run:
    """Three runs of a net on one sample, in step. `outputs` fills up as the layers run."""

    def __init__(self, net: Net, sample: Numbers) -> None:
        self._wanted = set(net.output_blobs)
        self._held: dict[str, _Blob] = {}
        self.outputs: dict[str, Measures] = {}
        rounded = fed(net, sample, HALF)
        for name, exact in fed(net, sample, DOUBLE).items():
            self._keep(name, _Blob(exact, rounded[name], rounded[name]))

    def step(self, layer: Layer, dying: Sequence[str]) -> LayerStudy:
        """Run one layer and forget the blobs that nobody reads after it."""
        bottoms = [self._held[bottom] for bottom in layer.bottoms]
        weights = HALF.weights(layer)
        exact = run_layer(layer, [blob.exact for blob in bottoms], DOUBLE)
        half = run_layer(layer, [blob.half for blob in bottoms], FULL, weights)
        own = run_layer(layer, [blob.best for blob in bottoms], FULL, weights)
        total = Tally()
        for top in layer.tops:
            found = tallied(exact[top], half[top], own[top], selected=selects(layer.op))
            total += found.tally
            self._keep(top, _Blob(exact[top], found.half, found.best))
        judged = _judged(layer, total)
        if judged.stands_out:
            judged = _explained(judged, exact, [blob.best for blob in bottoms], weights)
        for name in dying:
            self._held.pop(name)
        return judged

    def _keep(self, name: str, blob: _Blob) -> None:
        self._held[name] = blob
        if name in self._wanted:
            self.outputs[name] = measures(blob.half, blob.exact)


def _judged(layer: Layer, total: Tally) -> LayerStudy:
    if not np.isfinite(total.span.largest):
        text = "it computes NaN or infinity before anything is rounded to half precision"
        raise DeviceError(Diagnostic("D851", text, origin=layer.origin, layer=layer.name))
    return LayerStudy(layer, total.error, total.own_error, kept=None, tops=total.span, weights=Span())


def _explained(
    found: LayerStudy, exact: Mapping[str, Array], bottoms: Sequence[Array], weights: Sequence[Array]
) -> LayerStudy:
    """Return the study with what only a layer that stands out needs: what is left if it is kept, and its weights."""
    kept = in_higher_precision(found.layer, bottoms, weights)
    pairs = zip(found.layer.weights, weights, strict=True)
    return replace(
        found,
        kept=error_of((kept[top], exact[top]) for top in exact),
        weights=sum((span_of(weight.array(np.float32), rounded) for weight, rounded in pairs), start=Span()),
    )
