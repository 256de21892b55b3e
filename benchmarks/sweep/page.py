"""python -m benchmarks.sweep.page FOUND.json [FOUND.json ...] docs/sweep.md: the page of a sweep's results.

Several records are parts of one sweep, over numbers that follow each other.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

from benchmarks.sweep.operators import FAMILIES
from benchmarks.sweep.run import BUNDLE, CLOSELY
from benchmarks.sweep.verdict import BUT, OPENCV_TOLERANCE

Record = Mapping[str, Any]
LISTED = ("caffe", "ascend310", "hilens", "opencv")  # ascend310p and ascend310b have the rows of ascend310

# What a refusal says -> why no exact rule avoids it.
WHY = {
    r"layer (Floor|Ceil|Trunc|Round)\b|integer division|remainder": """\
Rounding has infinitely many jumps, a finite net of Caffe's layers finitely many (Threshold and ReLU have one each): the
equality can hold on a bounded range of inputs only, and no range is known.""",
    r"layer (Sin|Cos)\b": """\
A finite net of Caffe's layers (powers, exponentials, logarithms, pieces) has no period, and bringing the argument into
one period needs rounding.""",
    r"tangent or the angle": """\
tan has a period, as sin and cos, and poles without number; the angle of two numbers is no function of one of them.""",
    r"kind=POW": """\
x^y of two blobs is exp(y log x) for x > 0 alone, and what x is, the layer cannot know: the rule
`power_of_positive_base` runs when the user allows it.""",
    r"max_pool2d_with_indices|max_unpool|write to the places": """\
No Caffe layer writes elements to computed places: the way back of windows that overlap, or of places that no pooling of
the same net names.""",
    r"kind=PROD": """\
A product of more than 1024 elements over- or underflows float32 for nearly all inputs.""",
    r"one element wide": """\
PyTorch 2.13's own kernel of antialias=True reads wrong elements where the width becomes 1: there is no value to be
equal to.""",
    r"a blob has 1 to 4 dims": """\
omg has no blobs of more dims. Inside a net they are folded away (decision 009); what is left are the net's own inputs
and outputs, whose dims are the user's to choose: the hint says so.""",
    r"would pick": """\
The matrix that picks the elements would have more than 16 MiB.""",
    r"Caffe has no sorting": """\
Elements are put in order by comparing each with each, which is for at most 128.""",
}
OTHER = "A message without a reason here: older than a rule that was added while the sweep ran, or new"


def page(record: Record) -> str:
    """Return the page."""
    return "\n".join([*_head(record), *_outcomes(record), *_families(record), *_reasons(record), *_operators(record)])


def _head(record: Record) -> Iterator[str]:
    last = record["seed"] + record["nets"] - 1
    families = ", ".join(f"{len(family.operators)} of {family.name}" for family in FAMILIES)
    yield f"""# The sweep

Nets of one operator and of two in a row, drawn from a number each, at every target. `python -m benchmarks.sweep`
runs it, `python -m benchmarks.sweep --net NUMBER` shows one net and its verdicts; `tests/ops/test_sweep.py` runs a
sample. This page is written from the results by `python -m benchmarks.sweep.page`.

## What is swept

{sum(len(family.operators) for family in FAMILIES)} operators with their whole ranges of parameters: {families}.

Inputs have 1 to 6 dims (0-d blobs arise inside) of 1 to 33 elements, the batch mostly 1 to 3. Blobs, constants and
numbers stand on either side and broadcast in every pattern; one pair in seven returns the results of both operators.
Parameters that PyTorch itself refuses are drawn again, and so is a net whose float32 in PyTorch is 2e-6 or more of the
scale from its float64 (x - tanh x near 0): float32 files of such a net cannot be within 1e-5.

## How it is judged

As a conversion does it: prepared and checked for the target (for ATC by its front end's rules), written, read back,
run in float64 (1e-9, or an applied rule's declared bound) and in float32 (1e-5), every mirrored blob compared with
PyTorch's float64. Of every {CLOSELY}th net the files are also judged as `torch2om check` does, and OpenCV 4,
where it is the target, loads and runs them itself ({OPENCV_TOLERANCE:g}). What was not proved equal, or what its own
check refuses, counts as DIFFERENT; an error that is no diagnostic counts as CRASH.

{BUNDLE} nets are captured as branches of one program and cut apart after lowering, for torch.export takes half a second
for a net of its own. To show that this hides nothing, {record.get("alone", 0)} were captured one by one as well:
{len(record.get("unlike", []))} verdicts were others.

## Results

{record["nets"]} nets, numbers {record["seed"]} to {last}, in {record["seconds"] / 60:.0f} minutes of one process.
"""


def _outcomes(record: Record) -> Iterator[str]:
    yield "| target | verified | refused | DIFFERENT | CRASH | share refused |"
    yield "|---|---:|---:|---:|---:|---:|"
    for target, counts in record["outcomes"].items():
        share = counts["refused"] / sum(counts.values())
        yield f"| `{target}` | " + " | ".join(map(str, counts.values())) + f" | {share:.1%} |"
    yield from _faults(record)
    yield ""


def _faults(record: Record) -> Iterator[str]:
    """Yield one line for each net that differs or crashes, with the targets at which it does."""
    nets: dict[int, list[Record]] = {}
    for fault in record["faults"]:
        nets.setdefault(fault["seed"], []).append(fault)
    for seed, faults in nets.items():
        first, targets = faults[0], ", ".join(f"`{fault['target']}`" for fault in faults)
        yield f"\nNet {seed} ({' and '.join(first['operators'])}), {first['outcome']} at {targets}: {first['reason']}"


def _families(record: Record) -> Iterator[str]:
    yield "## Share refused, by family\n"
    targets = list(record["outcomes"])
    yield "| family | nets | " + " | ".join(f"`{target}`" for target in targets) + " |"
    yield "|---|---:|" + "---:|" * len(targets)
    for family in FAMILIES:
        rows = [record["operators"].get(operator.name, {}) for operator in family.operators]
        used = {target: sum(row.get(target, {}).get("nets", 0) for row in rows) for target in targets}
        refused = {target: sum(row.get(target, {}).get("refused", 0) for row in rows) for target in targets}
        shares = (_share(refused[target], used[target]) for target in targets)
        yield f"| {family.name} | {used[targets[0]]} | " + " | ".join(shares) + " |"
    yield ""


def _reasons(record: Record) -> Iterator[str]:
    yield """## What remains refused, and why

Every refusal, by its code and what it says; # stands for a net's numbers, the limit's own are written out. The last
column is the number of the reason below why no exact rule avoids it.
"""
    given: list[str] = []
    for target in LISTED:
        rows = list(_limits(record["reasons"].get(target, [])))
        given = list(dict.fromkeys([*given, *(why for _, _, why in rows)]))
        yield f"`{target}`:\n\n| nets | code | limit or reason | stated by | for example net | why |"
        yield "|---:|---|---|---|---:|---:|"
        for count, first, why in rows:
            code, _, text = _limit(first["reason"]).partition(" ")
            cells = (count, code, text, first["source"], first["seed"], given.index(why) + 1)
            yield f"| {' | '.join(map(str, cells))} |"
        yield ""
    yield from (f"{number}. {why}" for number, why in enumerate(given, 1))
    yield ""


def _limits(rows: Iterable[Record]) -> list[tuple[int, Record, str]]:
    """Return the refusals that name one limit as one: how many there are, the most frequent of them, and why."""
    counts, first = Counter[str](), dict[str, Record]()
    for row in rows:
        counts[_limit(row["reason"])] += row["nets"]
        first.setdefault(_limit(row["reason"]), row)
    return [(count, first[limit], _why(first[limit]["reason"])) for limit, count in counts.most_common()]


def _limit(reason: str) -> str:
    """Return the code and the limit that a refusal names, without what the net has there."""
    code, _, text = reason.partition(" ")
    return f"{code} {text.partition(BUT)[2] or text}"


def _why(reason: str) -> str:
    return next((" ".join(why.split()) for pattern, why in WHY.items() if re.search(pattern, reason)), OTHER)


def _operators(record: Record) -> Iterator[str]:
    yield "## Share refused, by operator\n"
    yield "A refusal counts for the operators that its diagnostics name. What no target refuses is left out.\n"
    targets = list(record["outcomes"])
    yield "| operator | nets | " + " | ".join(f"`{target}`" for target in targets) + " |"
    yield "|---|---:|" + "---:|" * len(targets)
    for name, row in record["operators"].items():
        if any(cell["refused"] for cell in row.values()):
            shares = (_share(row[target]["refused"], row[target]["nets"]) for target in targets)
            yield f"| {name} | {row[targets[0]]['nets']} | " + " | ".join(shares) + " |"
    yield ""


def _share(refused: int, nets: int) -> str:
    return f"{refused / nets:.1%}" if refused else "-"


def merged(parts: Sequence[Record]) -> Record:
    """Return the record of all parts: counts and seconds added up, lists one after the other."""
    whole = reduce(_sum, parts)
    reasons = {target: _counted(rows) for target, rows in whole["reasons"].items()}
    return {**whole, "reasons": reasons, "seed": min(part["seed"] for part in parts)}


def _sum(one: Any, other: Any) -> Any:  # Any: numbers, lists, and dicts of them
    if isinstance(one, Mapping):
        both = {key: _sum(value, other[key]) for key, value in one.items() if key in other}
        return {**one, **other, **both}
    return one + other


def _counted(rows: Iterable[Record]) -> list[Record]:
    """Return every reason once, the most frequent first."""
    counts, first = Counter[str](), dict[str, Record]()
    for row in rows:
        counts[row["reason"]] += row["nets"]
        first.setdefault(row["reason"], row)
    return [{**first[reason], "nets": count} for reason, count in counts.most_common()]


def main(*paths: str) -> None:
    *sources, place = map(Path, paths)
    record = merged([json.loads(source.read_text(encoding="utf-8")) for source in sources])
    place.write_text(page(record), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
