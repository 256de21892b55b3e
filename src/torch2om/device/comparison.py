"""What the device computed against the golden outputs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from torch2om.device.outputs import OutputFile, find_outputs
from torch2om.device.record import DeviceRecord, Expectation, Port, golden_path
from torch2om.errors import Diagnostic
from torch2om.metrics import Measures, Verdict, crossed, gravest, measures, verdict_of


@dataclass(frozen=True, slots=True)
class OutputComparison:
    """One output of one sample against one golden output."""

    sample: str
    port: Port
    path: Path
    expectation: Expectation
    measures: Measures

    @property
    def verdict(self) -> Verdict:
        """What the thresholds say."""
        return verdict_of(self.measures)

    @property
    def reasons(self) -> tuple[str, ...]:
        """The thresholds that are crossed, as sentences."""
        return tuple(threshold.sentence(self.measures) for threshold in crossed(self.measures))


@dataclass(frozen=True, slots=True)
class DeviceComparison:
    """Every output of every sample against every golden output; the verdict is that of those that decide."""

    outputs: tuple[OutputComparison, ...]

    @property
    def deciding(self) -> tuple[OutputComparison, ...]:
        """The comparisons that the verdict counts on."""
        return tuple(found for found in self.outputs if found.expectation.decides)

    @property
    def verdict(self) -> Verdict:
        """The gravest verdict."""
        return gravest(found.verdict for found in self.deciding)

    @property
    def warned(self) -> tuple[OutputComparison, ...]:
        """The comparisons that warn; those that fail are in the diagnostics."""
        return tuple(found for found in self.deciding if found.verdict is Verdict.WARN)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """One diagnostic per comparison that fails."""
        failed = [found for found in self.deciding if found.verdict is Verdict.FAIL]
        return tuple(Diagnostic("D857", _sentence(found), details=found.reasons) for found in failed)


def _sentence(found: OutputComparison) -> str:
    port = found.port
    return f"output {port.index} ({port.name}) of {found.sample} differs from {found.expectation.title}"


def compare(record: DeviceRecord, golden: Path, outputs: Path) -> DeviceComparison:
    """Return the comparison of a runner's output folder with what lies in `golden`, the folder of inputs.json.

    Raises `DeviceError` (D854, D855, D856).
    """
    files = find_outputs(record, outputs)
    return DeviceComparison(tuple(each for file in files for each in _compared(record, golden, file)))


def _compared(record: DeviceRecord, golden: Path, file: OutputFile) -> Iterator[OutputComparison]:
    found = file.numbers()
    for expectation in record.expectations:
        expected = np.load(golden / golden_path(expectation.key, file.port, file.sample, "npy"), allow_pickle=False)
        yield OutputComparison(file.sample, file.port, file.path, expectation, measures(found, expected))
