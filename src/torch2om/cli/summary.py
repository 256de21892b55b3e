"""The final screen of a conversion: what was made, how long it took, how equal it is, and where it lies."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from torch2om.cli import figures
from torch2om.cli.tables import pairs, table

if TYPE_CHECKING:
    from torch2om.analysis import Analysis
    from torch2om.emission import Artifact
    from torch2om.pipeline import Conversion
    from torch2om.verification import Comparison, Run, Verification

WORST = 3  # blobs beside the outputs that a screen has room for


def verdict(name: str, target: str, verification: Verification | None) -> Text:
    """Return the headline: `resnet18 for ascend310: equal to PyTorch`."""
    if verification is None:
        said = Text("not verified", "bold yellow")
    elif verification.equal:
        said = Text(f"equal to {verification.reference}", "bold green")
    else:
        said = Text(f"DIFFERS from {verification.reference}", "bold red")
    return Text.assemble((name, "bold"), f" for {target}: ", said)


def stages_and_costs(times: Sequence[tuple[str, float]], cost: Analysis) -> RenderableType:
    """Return the stages' times on the left, the net's numbers on the right."""
    total = ("total", sum(duration for _, duration in times))
    shown = [(name, figures.seconds(duration)) for name, duration in (*times, total)]
    numbers = [
        ("layers", str(len(cost.layers))),
        ("MACs", figures.count(cost.macs)),
        ("parameters", figures.count(cost.parameters)),
        ("activations", figures.size(cost.activation_bytes)),
    ]
    grid = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for justify in ("left", "right", "left", "left", "right"):
        grid.add_column(justify=justify, no_wrap=True)
    for left, right in zip_longest(shown, numbers, fillvalue=("", "")):
        grid.add_row(Text(left[0], "bold"), left[1], "", Text(right[0], "bold"), right[1])
    return grid


@dataclass
class _Worst:
    """A blob's largest error per kind of run, over all samples, and its smallest cosine."""

    errors: dict[str, Comparison]
    cosine: float = 1.0

    def take(self, kind: str, found: Comparison) -> None:
        before = self.errors.get(kind)
        if before is None or not found.error <= before.error:
            self.errors[kind] = found
        self.cosine = min(self.cosine, found.cosine)

    @property
    def is_output(self) -> bool:
        return any(found.is_output for found in self.errors.values())

    @property
    def rank(self) -> float:
        """How near the worst error is to what is allowed."""
        return max(found.error / found.tolerance for found in self.errors.values())


def comparison(verification: Verification) -> RenderableType:
    """Return the table of errors: every output, and the worst of the other blobs."""
    kinds = tuple(dict.fromkeys(run.title for run in verification.runs))
    shown = table("blob", *kinds, "cosine", numbers=(*kinds, "cosine"))
    for name, found in _rows(_by_blob(verification.runs)):
        shown.add_row(name, *(_error(found.errors.get(kind)) for kind in kinds), figures.cosine(found.cosine))
    shown.add_row("allowed", *(_allowed(verification, kind) for kind in kinds), "", style="dim")
    return Group(shown, Text(_legend(verification, kinds), "dim"))


def _allowed(verification: Verification, kind: str) -> str:
    """Return what is allowed in the runs of a kind: the smallest and the largest tolerance where they differ."""
    found = {each.tolerance for run in verification.runs if run.title == kind for each in run.comparisons}
    return " to ".join(f"{tolerance:.0e}" for tolerance in sorted({min(found), max(found)})) if found else ""


def _legend(verification: Verification, kinds: Iterable[str]) -> str:
    samples = len({run.sample for run in verification.runs})
    blobs = max((len(run.comparisons) for run in verification.runs), default=0)
    what = "; ".join(f"{kind}: {_KINDS[kind]}" for kind in kinds)
    compared = f"{figures.counted(blobs, 'blob')} on {figures.counted(samples, 'sample')}"
    return f"{compared}; errors relative to the blob's largest value.\n{what}."


# What a run compares with the reference in float64.
_KINDS = {
    "model": "your model itself",
    "meaning": "the layers in float64",
    "files": "the written files in float32",
}


def _by_blob(runs: Iterable[Run]) -> Mapping[str, _Worst]:
    found: defaultdict[str, _Worst] = defaultdict(lambda: _Worst({}))
    for run in runs:
        for each in run.comparisons:
            found[each.blob].take(run.title, each)
    return found


def _rows(found: Mapping[str, _Worst]) -> Iterator[tuple[str, _Worst]]:
    yield from ((f"{name} (output)", worst) for name, worst in found.items() if worst.is_output)
    others = [(name, worst) for name, worst in found.items() if not worst.is_output]
    yield from sorted(others, key=lambda item: -item[1].rank)[:WORST]


def _error(found: Comparison | None) -> Text:
    if found is None:
        return Text("")
    return Text(figures.error(found.error), "" if found.equal else "bold red")


def applied_rules(conversion: Conversion) -> RenderableType:
    """Return what was rewritten by which rules, legalizations and rewrites apart: `3 layers rewritten for hilens: ...`.

    The numbers count the model's calls (an old file's layers), whatever number of layers they became.
    """
    from torch2om.passes import all_rewrites

    assert conversion.net is not None
    wished = {rewrite.name for family in all_rewrites().values() for rewrite in family}
    trail = {(rule, layer.origin.call) for layer in conversion.net.layers for rule in layer.origin.via}
    needed, simplified = ({step for step in trail if (step[0] in wished) is wish} for wish in (False, True))
    groups = ((f"rewritten for {conversion.target.name}", needed), ("simplified", simplified))
    return Group(*(_rules(what, steps) for what, steps in groups if steps))


def _rules(what: str, steps: Collection[tuple[str, str]]) -> Text:
    """Return how many calls these (rule, call) concern, and how many of them each rule."""
    counts = Counter(rule for rule, _ in steps)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    head = f"{figures.counted(len({call for _, call in steps}), 'layer')} {what}"
    return Text.assemble((head, "bold"), ": ", ", ".join(f"{name} ({number})" for name, number in ranked))


def files(artifact: Artifact) -> RenderableType:
    """Return the written files with their sizes."""
    return pairs((str(path), figures.size(path.stat().st_size)) for path in artifact.files)
