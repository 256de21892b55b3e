"""python -m benchmarks.zoo.page FOLDER [FOLDER ...] docs/coverage.md: the page of the zoo's results."""

from __future__ import annotations

import re
import sys
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median, quantiles

from benchmarks.zoo.entry import TIMM, TORCHVISION, Entry
from benchmarks.zoo.record import Record, read_record

from torch2om.batch.row import Outcome, Row, Verdict
from torch2om.batch.state import State
from torch2om.batch.table import markdown_row, ratio, reason

CLOSE = 1.05  # of MACs: what the written net may have over PyTorch's count
CHIP = "ascend310"  # the target whose MACs are judged
MUST = ("caffe", CHIP)  # the targets for which every family is wanted
RULES = "## Rules"
SHOWN = 3  # reasons of more MACs, and models of a refusal by name beside its number
_NUMBER = re.compile(r"(?<![\w.])-?\d+(\.\d+)?(e-?\d+)?")  # a number of its own, not a part of a name


@dataclass(frozen=True)
class Zoo:
    """All rows of the entries that were asked for, and what they were made with."""

    rows: Mapping[Entry, Row]
    records: tuple[Record, ...]

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Every entry that was asked for, in the order of the asking."""
        return tuple(dict.fromkeys(entry for record in self.records for entry in record.entries))

    @property
    def targets(self) -> tuple[str, ...]:
        """Every target that a row has."""
        return tuple(dict.fromkeys(outcome.target for row in self.rows.values() for outcome in row.outcomes))

    def outcomes(self, target: str) -> Iterator[tuple[Entry, Row, Outcome]]:
        """Yield the outcomes for one target."""
        for entry, row in self.rows.items():
            yield from ((entry, row, outcome) for outcome in row.outcomes if outcome.target == target)


def read(folders: Sequence[Path]) -> Zoo:
    """Return what the folders hold together; of a model in several, the last one's outcome for each target."""
    records = tuple(read_record(folder) for folder in folders)
    rows: dict[str, Row] = {}
    for folder in folders:
        for name, row in State(folder).rows().items():
            rows[name] = joined(rows[name], row) if name in rows else row
    entries = dict.fromkeys(entry for record in records for entry in record.entries)
    return Zoo({entry: rows[entry.title] for entry in entries if entry.title in rows}, records)


def joined(before: Row, row: Row) -> Row:
    """Return a row with the outcomes of an earlier one for the targets that it has not; they took their time too."""
    own = {outcome.target for outcome in row.outcomes}
    kept = tuple(outcome for outcome in before.outcomes if outcome.target not in own)
    if not kept:
        return row
    seconds, peak = before.seconds + row.seconds, max(before.peak, row.peak)
    return replace(row, outcomes=(*kept, *row.outcomes), seconds=seconds, peak=peak, size=row.size or before.size)


def page(zoo: Zoo) -> str:
    """Return the page."""
    parts = (_head, _results, _libraries, _errors, _macs, _rules, _refusals, _table)
    return "\n".join(line for part in parts for line in part(zoo)) + "\n"


def _head(zoo: Zoo) -> Iterator[str]:
    last = zoo.records[-1]
    commands = "\n".join(dict.fromkeys(command for record in zoo.records for command in record.commands))
    missing = len(zoo.entries) - len(zoo.rows)
    yield f"""# The zoo: torchvision and timm

What becomes of the models that people use, each at its default input (segmentation at 224 x 224, detectors' parts at
320 pixels and 16 boxes at most), with seeded random weights: every batch norm has statistics of real passes, and no
parameter is the same number everywhere, so that no branch is hidden. Rows were made one after the other, beside other
work on the machine, while torch2om went on changing; of a model that ran again the last result for each target counts.
Each model is captured once and converted for each target as `torch2om convert` does it: the net is held against
PyTorch's float64 in float64 (1e-9 of each blob's scale, or an applied rule's declared bound), and the written files in
float32 (1e-5).

```
{commands}
python -m benchmarks.zoo.page FOLDER docs/coverage.md
```

Made with {", ".join(last.versions)}, on {last.machine}. This page is written from the rows that these commands keep.
{len(zoo.rows)} models of {len(zoo.entries)} that were asked for have a row{_missing(missing)}
"""


def _missing(count: int) -> str:
    return "." if not count else f"; {count} were not reached in the time there was, and are not counted here."


def _results(zoo: Zoo) -> Iterator[str]:
    yield "## Results\n"
    yield markdown_row(["target", "models", *(str(verdict) for verdict in Verdict)])
    yield markdown_row(["---", *["---:"] * (1 + len(Verdict))])
    for target in zoo.targets:
        counts = Counter(outcome.verdict for _, _, outcome in zoo.outcomes(target))
        yield markdown_row([f"`{target}`", str(counts.total()), *(str(counts[verdict]) for verdict in Verdict)])
    yield ""


def _libraries(zoo: Zoo) -> Iterator[str]:
    """Yield which families and kinds are covered, and what those that are not say."""
    yield "## Families\n"
    for target in zoo.targets:
        covered = {entry.family for entry in _equal(zoo, target) if entry.library == TIMM}
        wanted = {entry.family for entry in zoo.entries if entry.library == TIMM}
        idle = len(wanted) - len({entry.family for entry, _, _ in zoo.outcomes(target) if entry.library == TIMM})
        if wanted:
            left = f"; {idle} were not run for it" if idle else ""
            said = f"{len(covered)} of {len(wanted)} families of timm's have a model that is proved equal{left}"
            yield f"- `{target}`: {said}."
    yield ""
    yield from _kinds(zoo)
    yield from _uncovered(zoo)


def _equal(zoo: Zoo, target: str) -> list[Entry]:
    return [entry for entry, _, outcome in zoo.outcomes(target) if outcome.verdict is Verdict.EQUAL]


def _kinds(zoo: Zoo) -> Iterator[str]:
    kinds = dict.fromkeys(entry.family for entry in zoo.entries if entry.library == TORCHVISION)
    if not kinds:
        return
    yield markdown_row(["torchvision", "models", *(f"equal for `{target}`" for target in zoo.targets)])
    yield markdown_row(["---", *["---:"] * (1 + len(zoo.targets))])
    for kind in kinds:
        of_kind = [entry for entry in zoo.entries if (entry.library, entry.family) == (TORCHVISION, kind)]
        counts = (_count(zoo, target, of_kind) for target in zoo.targets)
        yield markdown_row([kind, str(len(of_kind)), *counts])
    yield ""


def _count(zoo: Zoo, target: str, entries: Collection[Entry]) -> str:
    """Return how many of the entries are equal for a target, if any of them was run for it."""
    ran = any(entry in entries for entry, _, _ in zoo.outcomes(target))
    return str(len(set(entries) & set(_equal(zoo, target)))) if ran else "not run"


def _uncovered(zoo: Zoo) -> Iterator[str]:
    """Yield the families without an equal model for a target that must have one, each with a reason."""
    lines = []
    for target in (target for target in zoo.targets if target in MUST):
        covered = {entry.family for entry in _equal(zoo, target)}
        for entry, _, outcome in zoo.outcomes(target):
            if entry.library == TIMM and entry.family not in covered:
                said = f"{outcome.verdict}: {reason(outcome)}"
                lines.append(markdown_row([entry.family, entry.name, f"`{target}`", said]))
    if lines:
        yield "Families without a model that is proved equal:\n"
        yield markdown_row(["family", "model", "target", "reason"])
        yield markdown_row(["---"] * 4)
        yield from lines
        yield ""


def _errors(zoo: Zoo) -> Iterator[str]:
    """Yield the largest errors of the models that are equal."""
    yield "## Errors\n"
    yield "The largest differences from PyTorch's float64, relative to a blob's scale, of the models that are equal.\n"
    yield markdown_row(["target", "run", "worst blob", "of", "worst output", "of", "median of worst blobs"])
    yield markdown_row(["---", "---", "---:", "---", "---:", "---", "---:"])
    for target in zoo.targets:
        for title, precision in (("meaning", "the layers in float64"), ("files", "the files in float32")):
            found = [
                (outcome.errors[title].worst, outcome.errors[title].outputs, entry.title)
                for entry, _, outcome in zoo.outcomes(target)
                if outcome.verdict is Verdict.EQUAL
            ]
            if found:
                worst, output = max(found), max(found, key=lambda each: each[1])
                middle = median(each[0] for each in found)
                cells = (f"{worst[0]:.1e}", worst[2], f"{output[1]:.1e}", output[2], f"{middle:.1e}")
                yield markdown_row([f"`{target}`", precision, *cells])
    yield ""


def _macs(zoo: Zoo) -> Iterator[str]:
    """Yield how the ratios are spread, and why the large ones are large."""
    yield "## Multiply-accumulates\n"
    yield "Those of the written net over PyTorch's own count of the model (`torch.utils.flop_counter`, with attention"
    yield "as the CPU computes it counted too), of the models that are equal.\n"
    yield markdown_row(["target", "models", f"at most {CLOSE}", "share", "median", "9 of 10", "largest"])
    yield markdown_row(["---", *["---:"] * 6])
    for target in zoo.targets:
        found = [share for _, share, _ in _ratios(zoo, target)]
        if len(found) > 1:
            close = sum(share <= CLOSE for share in found)
            tail = (f"{median(found):.3f}", f"{quantiles(found, n=10)[-1]:.3f}", f"{max(found):.3f}")
            yield markdown_row([f"`{target}`", str(len(found)), str(close), f"{close / len(found):.1%}", *tail])
    yield ""
    yield from _excess(zoo)


def _ratios(zoo: Zoo, target: str) -> list[tuple[Entry, float, str]]:
    """Return entry, ratio and why it is what it is, of the models that are equal."""
    return [
        (entry, share, why(row, outcome))
        for entry, row, outcome in zoo.outcomes(target)
        if outcome.verdict is Verdict.EQUAL and (share := ratio(row, outcome)) is not None
    ]


def _excess(zoo: Zoo) -> Iterator[str]:
    large = [found for found in _ratios(zoo, CHIP) if found[1] > CLOSE]
    if not large:
        return
    yield f"Models of more than {CLOSE} for `{CHIP}`, and what the multiply-accumulates beyond PyTorch's are, in shares"
    yield "of PyTorch's count: the operator and the rules that were applied to it.\n"
    yield markdown_row(["model", "ratio", "reason"])
    yield markdown_row(["---", "---:", "---"])
    for entry, share, text in sorted(large, key=lambda found: -found[1]):
        yield markdown_row([entry.title, f"{share:.3f}", text])
    yield ""


def why(row: Row, outcome: Outcome) -> str:
    """Return what the written net multiplies beyond PyTorch's count, the largest first."""
    assert row.size is not None
    assert outcome.net is not None
    parts = dict(outcome.net.added)
    uncounted = outcome.net.meant - row.size.macs
    if uncounted > 0:
        parts["what PyTorch does not count"] = uncounted
    ranked = sorted(parts.items(), key=lambda part: -part[1])
    return "; ".join(f"{macs / row.size.macs:+.1%} {what}" for what, macs in ranked[:SHOWN])


def _rules(zoo: Zoo) -> Iterator[str]:
    """Yield how many models take each rule."""
    counts = {target: _taken(zoo, target) for target in zoo.targets}
    yield f"{RULES}\n"
    yield "The rules that made layers of the models that are equal ([what each does](rules.md)), and in how many models"
    yield "they did. A rule that only takes layers away leaves no trace; rows from before rules were kept have none."
    yield f"The sample of the zoo that the tests run takes every one of those for {' and '.join(map(_quoted, MUST))}.\n"
    yield markdown_row(["rule", *(f"`{target}`" for target in zoo.targets)])
    yield markdown_row(["---", *["---:"] * len(zoo.targets)])
    for rule in sorted({rule for taken in counts.values() for rule in taken}):
        yield markdown_row([f"`{rule}`", *(str(taken[rule]) for taken in counts.values())])
    yield ""


def _quoted(target: str) -> str:
    return f"`{target}`"


def _taken(zoo: Zoo, target: str) -> Counter[str]:
    nets = (outcome.net for _, _, outcome in zoo.outcomes(target) if outcome.verdict is Verdict.EQUAL)
    return Counter(rule for net in nets if net is not None for rule in net.rules)


def rules_on(text: str, target: str) -> frozenset[str]:
    """Return the rules that models take for a target, as the text of the page says."""
    section = text.partition(f"{RULES}\n")[2].partition("\n## ")[0]
    head, *rows = (line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| "))
    column = head.index(f"`{target}`")
    return frozenset(row[0].strip("`") for row in rows if row[column].isdigit() and int(row[column]))


def _refusals(zoo: Zoo) -> Iterator[str]:
    """Yield what is not equal, by reason."""
    yield "## What is not converted, and why\n"
    for target in zoo.targets:
        found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for entry, _, outcome in zoo.outcomes(target):
            if outcome.verdict is not Verdict.EQUAL:
                found[outcome.verdict, _NUMBER.sub("#", reason(outcome))].append(entry.title)
        if not found:
            yield f"`{target}`: nothing.\n"
            continue
        yield f"`{target}`, by the first reason (# stands for a number):\n"
        yield markdown_row(["models", "verdict", "reason", "which"])
        yield markdown_row(["---:", "---", "---", "---"])
        for (verdict, text), names in sorted(found.items(), key=lambda item: -len(item[1])):
            yield markdown_row([str(len(names)), verdict, text, ", ".join(names)])
        yield ""


def _table(zoo: Zoo) -> Iterator[str]:
    """Yield a line for each model."""
    yield "## Every model\n"
    yield "Seconds and peak memory are those of the model's whole process, all targets together; errors are relative to"
    yield "a blob's scale, the largest of all blobs and targets. A target's cell has the ratio of multiply-accumulates"
    yield "and the number of layers, or the verdict with its codes. A product of two blobs is one layer here and"
    yield "four in the files for `caffe`.\n"
    numbers = ("parameters", "MACs", "seconds", "peak MiB", "float64", "float32")
    yield markdown_row(["model", "family", "input", *numbers, *(f"`{target}`" for target in zoo.targets)])
    yield markdown_row(["---", "---", "---", *["---:"] * len(numbers), *["---"] * len(zoo.targets)])
    for entry, row in sorted(zoo.rows.items(), key=lambda item: (item[0].library, item[0].family, item[0].name)):
        yield markdown_row(_line(zoo, entry, row))


def _line(zoo: Zoo, entry: Entry, row: Row) -> Sequence[str]:
    by_target = {outcome.target: outcome for outcome in row.outcomes}
    cells = (_cell(row, by_target[target]) if target in by_target else "" for target in zoo.targets)
    size = row.size
    return (
        entry.title,
        entry.family,
        ", ".join(map(str, row.job.inputs)),
        "" if size is None else f"{size.parameters / 1e6:.2f} M",
        "" if size is None else f"{size.macs / 1e9:.3f} G",
        f"{row.seconds:.0f}",
        f"{row.peak / 2**20:.0f}",
        _worst(row.outcomes, "meaning"),
        _worst(row.outcomes, "files"),
        *cells,
    )


def _worst(outcomes: Iterable[Outcome], title: str) -> str:
    found = [outcome.errors[title].worst for outcome in outcomes if title in outcome.errors]
    return f"{max(found):.1e}" if found else ""


def _cell(row: Row, outcome: Outcome) -> str:
    share = ratio(row, outcome)
    if outcome.verdict is Verdict.EQUAL and outcome.net is not None:
        return f"{'' if share is None else f'{share:.3f}, '}{outcome.net.layers} layers"
    codes = dict.fromkeys(found.code for found in outcome.findings if found.severity == "error")
    return " ".join([str(outcome.verdict), *codes])


def main(*paths: str) -> None:
    *folders, place = map(Path, paths)
    place.write_text(page(read(folders)), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
