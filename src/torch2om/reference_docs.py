"""The generated pages of docs/: operators.md, rules.md, diagnostics.md and one for each target.

`python -m torch2om.reference_docs docs` writes them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from torch2om.catalog import (
    CallEntry,
    LayerEntry,
    RuleEntry,
    call_entries,
    layer_entries,
    limit_entries,
    rule_entries,
)
from torch2om.codes import CODES, FAMILIES
from torch2om.targets import TARGETS, Target

NOTICE = "<!-- Generated: `make docs` writes this page. -->"


def documents() -> dict[str, str]:
    """Return file name -> text of every generated page. Needs torch."""
    return {
        "diagnostics.md": _page(_diagnostics()),
        "operators.md": _page(_operators(call_entries(), layer_entries())),
        "rules.md": _page(_rules(rule_entries())),
        **{f"targets/{target.name}.md": _page(_target(target)) for target in TARGETS.values()},
    }


def write(folder: Path) -> None:
    """Write the pages into a folder."""
    (folder / "targets").mkdir(parents=True, exist_ok=True)
    for name, text in documents().items():
        (folder / name).write_text(text, encoding="utf-8")


def _page(lines: Iterable[str]) -> str:
    return "\n".join((NOTICE, "", *lines)) + "\n"


def _diagnostics() -> Iterator[str]:
    yield "# Diagnostics"
    yield ""
    yield "Every refusal has a code. `torch2om explain CODE` prints the same texts."
    for letter, family in FAMILIES.items():
        yield f"\n## {letter}: {family}\n"
        rows = [(code, info.title, info.meaning, info.remedy) for code, info in CODES.items() if code[0] == letter]
        yield from _table(("code", "title", "what it means", "what to do"), rows)


def _operators(calls: Sequence[CallEntry], layers: Sequence[LayerEntry]) -> Iterator[str]:
    yield "# What is supported"
    taken = [entry for entry in calls if not entry.refused]
    yield f"\n## {len(taken)} PyTorch operators\n"
    yield "What a model calls (`nn.`, `F.` and `torch.` forms alike) arrives as one of these operators; the rest is"
    yield "refused by name, at the user's line.\n"
    yield from _table(("operator", "in layers"), map(_call, taken))
    yield "\n## Operators that no target can express\n"
    yield "Refused with this reason, and with a hint what to write instead.\n"
    yield from _table(("operator", "because"), (_call(entry) for entry in calls if entry.refused))
    yield f"\n## {len(layers)} Caffe layers\n"
    yield "Which targets have the layer; its limits there: `torch2om limits TARGET`.\n"
    heads = ("layer", "computes", *TARGETS)
    yield from _table(heads, [_layer(entry) for entry in layers])


def _rules(rules: Sequence[RuleEntry]) -> Iterator[str]:
    yield "# Rules\n"
    yield "What one layer, or a few, may be replaced by. `torch2om explain RULE` shows a net before and after. The last"
    yield "column says for whose readers the equation holds, where they disagree on what a layer computes."
    for kind, intent in _INTENTS.items():
        chosen = [entry for entry in rules if entry.kind == kind]
        yield f"\n## {len(chosen)} {kind}s\n"
        yield f"{intent}\n"
        yield from _table(_RULE_HEADS, [_rule(entry) for entry in chosen])


def _target(target: Target) -> Iterator[str]:
    yield f"# {target.name}: {target.title}\n"
    if target.socs:
        yield f"Compiled by {target.compiler} for {', '.join(target.socs)}.\n"
    yield f"`torch2om limits {target.name}` prints the same. A layer type that is not here is refused"
    yield f"(source: {target.source}).\n"
    yield "## Limits\n"
    entries = limit_entries(target)
    yield from _table(("layer", "limit", "source"), [(e.layer, e.limit, e.source) for e in entries if e.limit])
    yield "\n## In any form\n"
    yield ", ".join(f"`{entry.layer}`" for entry in entries if not entry.limit) + "."


_INTENTS = {
    "rewrite": "They make any net smaller, before a target is known.",
    "legalization": "They run where a target refuses a layer; of several the cheapest legal one is taken.",
    "repair": "They run on a net whose layers are legal, for what a target's reader does with blobs and neighbours.",
}


def _call(entry: CallEntry) -> tuple[str, str]:
    return f"`{entry.name}`", entry.sentence


def _layer(entry: LayerEntry) -> tuple[str, ...]:
    return (f"`{entry.name}`", entry.sentence, *("yes" if name in entry.targets else "" for name in TARGETS))


_RULE_HEADS = ("rule", "of", "equation", "exact", "for")


def _rule(entry: RuleEntry) -> tuple[str, ...]:
    readers = ", ".join(entry.dialects) or "all"
    return f"`{entry.name}`", ", ".join(entry.layers), entry.sentence, entry.exactness, readers


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield _row(heads)
    yield _row(["---"] * len(heads))
    yield from map(_row, rows)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    write(Path(sys.argv[1]))
