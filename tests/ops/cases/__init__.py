"""The case table: one row per way of writing something in PyTorch; every stage and target runs the same rows."""

from __future__ import annotations

from cases import activations, arithmetic, filters, images, sequences, shapes, statistics
from cases.case import Case

CASES: tuple[Case, ...] = (
    *arithmetic.CASES,
    *activations.CASES,
    *filters.CASES,
    *images.CASES,
    *shapes.CASES,
    *statistics.CASES,
    *sequences.CASES,
)
