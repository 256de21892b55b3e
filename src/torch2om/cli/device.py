"""verify --outputs: what the board computed against what was expected of it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from torch2om.cli import figures
from torch2om.cli.answer import Answer
from torch2om.cli.findings import blocks, findings
from torch2om.cli.status import Status
from torch2om.cli.tables import table

if TYPE_CHECKING:
    from torch2om.device import DeviceComparison, OutputComparison
    from torch2om.device.record import Expectation
    from torch2om.metrics import Verdict

FOLDER = "device_in"  # below the conversion's folder: what torch2om inputs writes
STYLES = {"pass": "bold green", "warn": "bold yellow", "fail": "bold red"}
HEADS = ("cosine", "distance", "largest", "top-1")


def device_run(folder: Path, outputs: Path, golden: Path | None) -> Answer:
    """Compare what a runner left in `outputs` with what `inputs` wrote; exit 1 if a threshold of failure is crossed."""
    from torch2om.device import compare, read_record
    from torch2om.emission import artifact_in
    from torch2om.metrics import Verdict

    manifest = artifact_in(folder).manifest
    place = golden or folder / FOLDER
    found = compare(read_record(place, manifest.files), place, outputs)
    shown = Group(_headline(manifest.net, found.verdict), _comparisons(found), blocks(found.diagnostics))
    payload = {
        "verdict": found.verdict,
        "outputs": [_comparison(each) for each in found.outputs],
        "findings": findings(found.diagnostics),
    }
    return Answer(payload, shown, Status.REFUSED if found.verdict is Verdict.FAIL else Status.OK)


def _headline(net: str, verdict: Verdict) -> Text:
    words = {"pass": "as expected", "warn": "nearly as expected", "fail": "NOT as expected"}
    return Text.assemble((net, "bold"), " on the device: ", (words[verdict], STYLES[verdict]))


def _comparisons(found: DeviceComparison) -> RenderableType:
    shown = table("output", "sample", "against", *HEADS, "", numbers=("sample", *HEADS))
    for each in found.outputs:
        verdict = Text(each.verdict, STYLES[each.verdict]) if each.expectation.decides else Text()
        number = each.sample.removeprefix("sample_")
        shown.add_row(each.port.name, number, each.expectation.key, *_numbers(each), verdict)
    reasons = [f"{each.port.name}, {each.sample}: {reason}" for each in found.warned for reason in each.reasons]
    return Group(shown, _legend(found), *map(Text, reasons))


def _legend(found: DeviceComparison) -> Text:
    titles = {each.expectation.key: each.expectation for each in found.outputs}
    named = (f"{key}: {_authority(each)}" for key, each in titles.items())
    text = "distance: relative to the norm of what is expected; largest: absolute error; --json has all metrics.\n"
    return Text(text + "; ".join(named) + ".", "dim")


def _authority(expectation: Expectation) -> str:
    return expectation.title if expectation.decides else f"{expectation.title}, which explains and does not judge"


def _numbers(each: OutputComparison) -> tuple[str, ...]:
    found = each.measures
    errors = map(figures.error, (found.relative_euclidean, found.max_absolute))
    return (figures.cosine(found.cosine), *errors, "" if found.top1 is None else f"{found.top1:.0%}")


def _comparison(each: OutputComparison) -> dict[str, object]:
    return {
        "sample": each.sample,
        "index": each.port.index,
        "output": each.port.name,
        "file": str(each.path),
        "against": each.expectation.key,
        "title": each.expectation.title,
        "decides": each.expectation.decides,
        "verdict": each.verdict,
        **asdict(each.measures),
        "reasons": each.reasons,
    }
