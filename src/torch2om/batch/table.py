"""The table of a run: `table.json` with everything, `table.md` with a line for each model and target."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from torch2om.batch.row import Errors, Outcome, Row, Verdict

HEADS = (
    "model",
    "target",
    "verdict",
    "parameters",
    "MACs",
    "written MACs",
    "ratio",
    "layers",
    "seconds",
    "peak MiB",
    "float64 worst",
    "float64 outputs",
    "float32 worst",
    "float32 outputs",
    "reason",
)
NUMBERS = HEADS[3:-1]
LEGEND = """
MACs are PyTorch's own count of convolutions and matrix products, two operations being one (of a Caffe file, those of
its layers); written MACs are those of the written net. Seconds are those of the stages for the target, the seconds of
loading and capturing being in table.json. Peak is the memory of the model's process. Errors are the largest absolute
difference from PyTorch's float64 relative to the blob's largest value: of the worst blob, and of the outputs; float64
is the meaning of the layers, float32 the written files.
"""


def payload(rows: Iterable[Row]) -> dict[str, object]:
    """Return the table as a JSON object."""
    return {"models": [_model(row) for row in rows]}


def _model(row: Row) -> dict[str, object]:
    return {
        "name": row.job.name,
        "model": row.job.model,
        "weights": row.job.weights,
        "inputs": [{"name": each.name, "shape": each.shape} for each in row.job.inputs],
        "torch2om": row.version,
        "parameters": None if row.size is None else row.size.parameters,
        "macs": None if row.size is None else row.size.macs,
        "stages": dict(row.stages),
        "seconds": row.seconds,
        "peak_bytes": row.peak,
        "targets": [_target(row, outcome) for outcome in row.outcomes],
    }


def _target(row: Row, outcome: Outcome) -> dict[str, object]:
    net = outcome.net
    return {
        "target": outcome.target,
        "verdict": str(outcome.verdict),
        "layers": None if net is None else net.layers,
        "macs": None if net is None else net.macs,
        "ratio": ratio(row, outcome),
        "macs_by_type": {} if net is None else dict(net.by_type),
        "macs_meant": None if net is None else net.meant,
        "macs_added": {} if net is None else dict(net.added),
        "rules": {} if net is None else dict(net.rules),
        "stages": dict(outcome.stages),
        "errors": {title: _errors(found) for title, found in outcome.errors.items()},
        "findings": [found.record() for found in outcome.findings],
    }


def _errors(found: Errors) -> dict[str, float | None]:
    return {"worst": _finite(found.worst), "outputs": _finite(found.outputs)}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def ratio(row: Row, outcome: Outcome) -> float | None:
    """Return the written net's multiply-accumulates over the model's, where both are known and there are any."""
    if row.size is None or outcome.net is None or not row.size.macs:
        return None
    return outcome.net.macs / row.size.macs


def lines(rows: Iterable[Row]) -> Iterator[tuple[str, ...]]:
    """Yield the cells of the Markdown table, a line for each model and target."""
    for row in rows:
        for outcome in row.outcomes:
            yield _cells(row, outcome)


def _cells(row: Row, outcome: Outcome) -> tuple[str, ...]:
    share = ratio(row, outcome)
    return (
        row.job.name,
        outcome.target,
        str(outcome.verdict),
        "" if row.size is None else f"{row.size.parameters:,}",
        "" if row.size is None else f"{row.size.macs:,}",
        "" if outcome.net is None else f"{outcome.net.macs:,}",
        "" if share is None else f"{share:.3f}",
        "" if outcome.net is None else str(outcome.net.layers),
        f"{sum(outcome.stages.values()):.1f}" if outcome.stages else "",
        f"{row.peak / 2**20:,.0f}" if row.peak else "",
        *_error_cells(outcome.errors.get("meaning")),
        *_error_cells(outcome.errors.get("files")),
        reason(outcome),
    )


def _error_cells(found: Errors | None) -> tuple[str, str]:
    return ("", "") if found is None else (f"{found.worst:.1e}", f"{found.outputs:.1e}")


def reason(outcome: Outcome) -> str:
    """Return the first line of what stands against the outcome: empty for files that are equal."""
    if outcome.verdict is Verdict.EQUAL:
        return ""
    first = next((found for found in outcome.findings if found.severity == "error"), None)
    return "" if first is None else f"{first.code} {first.message.partition(chr(10))[0]}"


def markdown(rows: Sequence[Row]) -> str:
    """Return the table as Markdown."""
    head = [markdown_row(HEADS), markdown_row(["---:" if name in NUMBERS else "---" for name in HEADS])]
    return "\n".join([*head, *map(markdown_row, lines(rows)), LEGEND])


def markdown_row(cells: Iterable[str]) -> str:
    """Return cells as a line of a Markdown table."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def write_table(rows: Sequence[Row], out: Path) -> None:
    """Write `table.json` and `table.md`, each in one move."""
    texts = {"table.json": json.dumps(payload(rows), indent=1, allow_nan=False) + "\n", "table.md": markdown(rows)}
    for name, text in texts.items():
        draft = out / f".{name}.new"
        draft.write_text(text, encoding="utf-8")
        draft.replace(out / name)
