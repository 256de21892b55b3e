"""What a sweep found, as counts: by target, by operator, by reason; as JSON and as text."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from benchmarks.sweep.operators import OPERATORS
from benchmarks.sweep.verdict import Outcome, Verdict

FAULTS = (Outcome.DIFFERENT, Outcome.CRASH)


@dataclass
class Table:
    """Counts that grow by verdicts."""

    outcomes: Counter[tuple[str, Outcome]] = field(default_factory=Counter)
    used: Counter[tuple[str, str]] = field(default_factory=Counter)
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    examples: dict[tuple[str, str], Verdict] = field(default_factory=dict)
    faults: list[Verdict] = field(default_factory=list)
    seeds: set[int] = field(default_factory=set)

    def add(self, verdict: Verdict) -> None:
        """Count one verdict; a refusal counts for the operators that it blames."""
        self.seeds.add(verdict.seed)
        self.outcomes[verdict.target, verdict.outcome] += 1
        self.used.update((verdict.target, name) for name in {*verdict.operators})
        if verdict.outcome is Outcome.REFUSED:
            self.refused.update((verdict.target, name) for name in {*verdict.blamed})
            self.reasons[verdict.target, verdict.reason] += 1
            self.examples.setdefault((verdict.target, verdict.reason), verdict)
        elif verdict.outcome in FAULTS:
            self.faults.append(verdict)

    @property
    def targets(self) -> list[str]:
        """The targets, in the order in which they were swept."""
        return list(dict.fromkeys(target for target, _ in self.outcomes))

    def as_json(self) -> dict[str, Any]:
        """Return everything as lists and dicts."""
        shares: dict[str, dict[str, Any]] = defaultdict(dict)
        for operator in OPERATORS:
            for target in self.targets:
                key = (target, operator.name)
                if self.used[key]:
                    shares[operator.name][target] = {"nets": self.used[key], "refused": self.refused[key]}
        return {
            "nets": len(self.seeds),
            "outcomes": {
                target: {outcome.value: self.outcomes[target, outcome] for outcome in Outcome}
                for target in self.targets
            },
            "operators": shares,
            "reasons": {target: list(self._reasons(target)) for target in self.targets},
            "faults": [vars(fault) | {"outcome": fault.outcome.value} for fault in self.faults],
        }

    def _reasons(self, target: str) -> Iterator[dict[str, Any]]:
        """Yield every reason at a target, the most frequent first, with a net that has it and who states it."""
        for (name, reason), count in self.reasons.most_common():
            if name == target:
                example = self.examples[name, reason]
                yield {"reason": reason, "nets": count, "seed": example.seed, "source": example.source}

    def lines(self) -> Iterator[str]:
        """Yield the tables as text."""
        yield f"{len(self.seeds)} nets, {len({name for _, name in self.used})} operators"
        yield ""
        yield f"{'target':12}" + "".join(f"{outcome.value:>11}" for outcome in Outcome) + f"{'refused':>11}"
        for target in self.targets:
            counts = [self.outcomes[target, outcome] for outcome in Outcome]
            share = self.outcomes[target, Outcome.REFUSED] / sum(counts)
            yield f"{target:12}" + "".join(f"{count:11}" for count in counts) + f"{share:11.1%}"
        yield ""
        yield from self._shares()
        for target in self.targets:
            yield f"\nreasons of {target}"
            for row in self._reasons(target):
                blamed = ", ".join(self.examples[target, row["reason"]].blamed)
                yield f"{row['nets']:6}  {row['reason']}  ({blamed}; net {row['seed']})"
        for fault in self.faults:
            yield f"\n{fault.outcome} at {fault.target}, net {fault.seed} {fault.operators}: {fault.reason}"

    def _shares(self) -> Iterator[str]:
        yield f"{'share refused':34}{'nets':>7}" + "".join(f"{target:>12}" for target in self.targets)
        for operator in OPERATORS:
            nets = [self.used[target, operator.name] for target in self.targets]
            refused = [self.refused[target, operator.name] for target in self.targets]
            if any(refused):
                shares = (
                    f"{part / whole:12.1%}" if part else f"{'-':>12}" for part, whole in zip(refused, nets, strict=True)
                )
                yield f"{operator.name:34}{nets[0]:7}" + "".join(shares)
