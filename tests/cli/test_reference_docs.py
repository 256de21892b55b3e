"""The generated pages of docs/ are up to date."""

from __future__ import annotations

from pathlib import Path

import pytest

from torch2om.reference_docs import documents, write

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", ["diagnostics.md", "operators.md"])
def test_a_generated_page_is_fresh(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == documents()[name], "run `make docs`"


def test_pages_are_written_where_asked(tmp_path: Path) -> None:
    write(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == documents().keys()
