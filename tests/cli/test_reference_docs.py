"""The generated pages of docs/ are up to date."""

from __future__ import annotations

from pathlib import Path

import pytest

from torch2om.cli.application import application
from torch2om.cli.status import Status
from torch2om.reference_docs import documents, write
from torch2om.targets import TARGETS

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", ["diagnostics.md", "operators.md", *(f"targets/{name}.md" for name in TARGETS)])
def test_a_generated_page_is_fresh(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == documents()[name], "run `make docs`"


def test_pages_are_written_where_asked(tmp_path: Path) -> None:
    write(tmp_path)
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.md")} == documents().keys()


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_readme_lists_every_verb_target_and_exit_code(name: str) -> None:
    text = (DOCS.parent / name).read_text(encoding="utf-8")
    verbs = [command.callback.__name__ for command in application.registered_commands if command.callback]
    assert all(f"| `{verb}" in text for verb in verbs)
    assert all(f"| `{target}` |" in text for target in TARGETS)
    assert all(f"| {int(status)} |" in text for status in Status)


def test_the_readme_has_the_exit_codes_meanings() -> None:
    text = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    assert all(f"| {int(status)} | {status.meaning} |" in text for status in Status)
