"""What is known of a diagnostic code."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CodeInfo:
    """One code: its title, what it means, and the remedy."""

    title: str
    meaning: str
    remedy: str
