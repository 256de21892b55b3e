"""A sample of the sweep over one- and two-operator nets: no net differs silently, none crashes (benchmarks/sweep)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from benchmarks.sweep.__main__ import main
from benchmarks.sweep.branch import draw
from benchmarks.sweep.page import OTHER, merged, page
from benchmarks.sweep.run import Plan, alone, swept
from benchmarks.sweep.table import Table
from benchmarks.sweep.verdict import Outcome, Verdict

from torch2om.targets import TARGETS

SAMPLE = range(1, 121)


@pytest.fixture(scope="module")
def verdicts() -> list[Verdict]:
    return [verdict for bundle in swept(Plan(SAMPLE)) for verdict in bundle]


def test_no_net_differs_and_none_crashes(verdicts: list[Verdict]) -> None:
    assert len(verdicts) == len(SAMPLE) * len(TARGETS)
    faults = [verdict for verdict in verdicts if verdict.outcome in {Outcome.DIFFERENT, Outcome.CRASH}]
    assert not faults


@pytest.mark.parametrize("target", [name for name in TARGETS if name != "hilens"])  # which takes few types and ranks
def test_most_nets_verify(target: str, verdicts: list[Verdict]) -> None:
    verified = sum(verdict.outcome is Outcome.VERIFIED for verdict in verdicts if verdict.target == target)
    assert verified > len(SAMPLE) / 2


def test_every_refusal_has_a_code_and_a_reason(verdicts: list[Verdict]) -> None:
    refusals = [verdict for verdict in verdicts if verdict.outcome is Outcome.REFUSED]
    assert refusals
    for verdict in refusals:
        code, _, reason = verdict.reason.partition(" ")
        assert code[0] in "CLT"
        assert reason


def test_a_net_is_drawn_alike_from_its_number() -> None:
    for seed in SAMPLE[:20]:
        one, other = draw(seed), draw(seed)
        assert one.text == other.text
        for first, second in zip(one.results, other.results, strict=True):
            np.testing.assert_array_equal(first, second)


def test_a_net_captured_alone_gets_the_verdict_that_it_gets_among_others(verdicts: list[Verdict]) -> None:
    seeds = SAMPLE[:4]
    together = {(one.seed, one.target): (one.outcome, one.reason) for one in verdicts if one.seed in seeds}
    assert {(one.seed, one.target): (one.outcome, one.reason) for one in alone(seeds, tuple(TARGETS))} == together


def test_the_table_counts_every_verdict(verdicts: list[Verdict]) -> None:
    table = Table()
    for verdict in verdicts:
        table.add(verdict)
    record = json.loads(json.dumps(table.as_json()))
    assert record["nets"] == len(SAMPLE)
    for target in TARGETS:
        assert sum(record["outcomes"][target].values()) == len(SAMPLE)
        assert sum(row["nets"] for row in record["reasons"][target]) == record["outcomes"][target]["refused"]
    assert f"{len(SAMPLE)} nets" in "\n".join(table.lines())


def test_the_command_prints_the_table_and_writes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--count", "3", "--alone", "1", "--targets", "caffe", "--json", str(tmp_path / "found.json")]) == 0
    assert "1 nets captured one by one as well: 0 verdicts differ" in capsys.readouterr().out
    assert json.loads((tmp_path / "found.json").read_text())["nets"] == 3


def test_the_page_shows_every_target_and_gives_a_reason_for_every_refusal(verdicts: list[Verdict]) -> None:
    table = Table()
    for verdict in verdicts:
        table.add(verdict)
    text = page(table.as_json() | {"seed": SAMPLE.start, "seconds": 60.0})
    assert all(f"| `{target}` |" in text for target in TARGETS)
    assert OTHER not in text


def test_the_parts_of_a_sweep_make_one_record(verdicts: list[Verdict]) -> None:
    tables = [Table() for _ in range(3)]
    for verdict in verdicts:
        tables[0].add(verdict)
        tables[1 if verdict.seed < SAMPLE.start + 40 else 2].add(verdict)
    whole, *parts = (table.as_json() | {"seed": min(table.seeds), "seconds": 60.0} for table in tables)
    made = merged(parts)
    assert {key: made[key] for key in ("nets", "outcomes", "operators", "seed", "seconds")} == {
        **{key: whole[key] for key in ("nets", "outcomes", "operators", "seed")},
        "seconds": 120.0,
    }
    assert sum(row["nets"] for row in made["reasons"]["caffe"]) == whole["outcomes"]["caffe"]["refused"]
