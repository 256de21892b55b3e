"""python -m benchmarks.sweep --count 20000 --seed 1 [--jobs 1] [--targets caffe,opencv] [--alone 200] [--json FILE]

Sweeps the nets of the numbers SEED, SEED + 1, ..., and prints what became of them; the exit status is 1 if one differs
silently or crashes. `--alone N` captures N of them once more, each as a program of its own, and compares the verdicts.
`--net NUMBER` shows one net and its verdicts.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.sweep.branch import draw
from benchmarks.sweep.run import Plan, alone, swept
from benchmarks.sweep.table import Table
from benchmarks.sweep.verdict import Verdict

from torch2om.targets import TARGETS


def main(words: Sequence[str] | None = None) -> int:
    given = _arguments(words)
    targets = tuple(given.targets.split(","))
    if given.net is not None:
        return _show(given.net, targets)
    begin, seconds = time.perf_counter(), 0.0
    table, found = Table(), {}
    apart = range(given.seed, given.seed + given.count)[:: max(1, given.count // max(1, given.alone))][: given.alone]
    for bundle in swept(Plan(range(given.seed, given.seed + given.count), targets), given.jobs):
        for verdict in bundle:
            table.add(verdict)
            if verdict.seed in apart:
                found[verdict.seed, verdict.target] = verdict
        seconds = time.perf_counter() - begin
        print(f"{len(table.seeds)} nets, {seconds:.0f} s", file=sys.stderr)
        _keep(given.json, table.as_json() | {"seed": given.seed, "seconds": seconds})
    unlike = _unlike(found, alone(apart, targets))
    print("\n".join([*table.lines(), "", *unlike, _sentence(len(apart), len(unlike), seconds)]))
    record = table.as_json() | {"seed": given.seed, "seconds": seconds, "alone": len(apart), "unlike": unlike}
    _keep(given.json, record)
    return 1 if table.faults or unlike else 0


def _keep(path: Path | None, record: dict[str, Any]) -> None:
    """Write what is known so far: a sweep takes long, and may be ended."""
    if path is not None:
        path.write_text(json.dumps(record, indent=1), encoding="utf-8")


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweep")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--alone", type=int, default=0)
    parser.add_argument("--targets", default=",".join(TARGETS))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--net", type=int)
    return parser.parse_args(words)


def _show(seed: int, targets: Collection[str]) -> int:
    print(draw(seed).text)
    for verdict in alone((seed,), targets):
        print(f"\n{verdict.target}: {verdict.outcome}\n{verdict.detail}")
    return 0


def _unlike(together: dict[tuple[int, str], Verdict], apart: Iterable[Verdict]) -> list[str]:
    """Return the nets whose verdict is another when they are captured one by one."""
    pairs = ((verdict, together[verdict.seed, verdict.target]) for verdict in apart)
    return [
        f"net {one.seed} at {one.target}: {other.outcome} {other.reason} together, {one.outcome} {one.reason} alone"
        for one, other in pairs
        if (one.outcome, one.reason) != (other.outcome, other.reason)
    ]


def _sentence(apart: int, unlike: int, seconds: float) -> str:
    return f"{apart} nets captured one by one as well: {unlike} verdicts differ; {seconds:.0f} s for the sweep"


if __name__ == "__main__":
    sys.exit(main())
