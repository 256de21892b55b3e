"""Tables in one style: no frame, a thin line under the head, numbers to the right."""

from __future__ import annotations

from collections.abc import Iterable

from rich import box
from rich.table import Table


def table(*columns: str, title: str = "", numbers: Iterable[str] = ()) -> Table:
    """Return an empty table with these heads; the columns named in `numbers` are set to the right.

    Long cells are folded, never cut.
    """
    made = Table(title=title or None, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold", pad_edge=False)
    right = set(numbers)
    for column in columns:
        made.add_column(
            column, justify="right" if column in right else "left", overflow="fold", no_wrap=column in right
        )
    return made


def pairs(rows: Iterable[tuple[str, str]]) -> Table:
    """Return name and text side by side, without a head."""
    made = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    made.add_column(no_wrap=True, style="bold")
    made.add_column(overflow="fold")
    for name, text in rows:
        made.add_row(name, text)
    return made
