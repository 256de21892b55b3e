"""The advice for a net: what half precision does, which layers to keep, what that brings, and how to ask for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch2om.executor import Numbers, execute
from torch2om.ir.net import Net
from torch2om.metrics import Verdict, gravest, measures
from torch2om.precision.choice import Kept, choose
from torch2om.precision.kept import outputs_with
from torch2om.precision.options import (
    KEEP_DTYPE,
    OMG_HIGH_PRECISION,
    OP_PRECISION_MODE,
    WHOLE_NET,
    Option,
    op_precision_mode_file,
)
from torch2om.precision.runs import OutputStudy, Study, study

WORTHWHILE = 0.5  # of the error: what keeping layers must bring where the outputs pass without


@dataclass(frozen=True, slots=True)
class Advice:
    """What half precision does (`study`), the layers to `keep`, and the outputs with those kept (none without).

    `harmless` are layers that stand out, but the outputs pass all the same, and are no better if they are kept.
    """

    study: Study
    keep: tuple[Kept, ...]
    after: tuple[OutputStudy, ...]
    harmless: tuple[Kept, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The gravest verdict on an output in half precision."""
        return gravest(output.verdict for output in self.study.outputs)

    @property
    def verdict_after(self) -> Verdict:
        """The gravest verdict on an output with the named layers kept."""
        return gravest(output.verdict for output in self.after or self.study.outputs)

    def options(self, compiler: str = "") -> tuple[Option, ...]:
        """Return the options that help, of one compiler or of all, the most specific first; none if none is needed."""
        return tuple(option for option in self._options() if compiler in ("", option.compiler))

    def _options(self) -> Iterator[Option]:
        if self.keep:
            yield KEEP_DTYPE
            if op_precision_mode_file([kept.layer for kept in self.keep]):
                yield OP_PRECISION_MODE
        if self.verdict_after is not Verdict.PASS:
            yield from WHOLE_NET
        if self.keep or self.verdict_after is not Verdict.PASS:
            yield OMG_HIGH_PRECISION


def advise(net: Net, samples: Sequence[Numbers]) -> Advice:
    """Return the advice on these samples; raises what `study` raises."""
    found = study(net, samples)
    named = choose(net, found)
    if not named:
        return Advice(found, (), ())
    names = {kept.layer.name for kept in named}
    after = tuple(each for index, sample in enumerate(samples) for each in _with_kept(net, index, sample, names))
    advice = Advice(found, named, after)
    if advice.verdict is Verdict.PASS and not _worst(after) < WORTHWHILE * _worst(found.outputs):
        return Advice(found, (), (), harmless=named)
    return advice


def _worst(outputs: Sequence[OutputStudy]) -> float:
    return max(output.measures.relative_euclidean for output in outputs)


def _with_kept(net: Net, index: int, sample: Numbers, names: set[str]) -> Iterator[OutputStudy]:
    exact = execute(net, sample)
    for blob, values in outputs_with(net, sample, names).items():
        yield OutputStudy(blob, index, measures(values, exact[blob]))
