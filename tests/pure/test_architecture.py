"""The import law: which room may know which, and where torch, protobuf and subprocess may stand."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "torch2om"
MODULES = sorted(SOURCE.rglob("*.py"))

# A room may import the rooms of its own row and of the rows above it.
ROWS = (
    {"version", "codes", "errors", "origin", "publication", "records", "wire"},
    {"ir"},
    {"layers"},
    {"caffe", "om", "passes", "executor", "analysis", "preprocessing", "metrics"},
    {"precision", "expectation"},
    {"targets", "frontend"},
    {"legalization", "program", "loading", "lowering", "detection", "manifest"},
    {"emission", "acceptance", "matching", "rulebook", "leeway"},
    {"verification", "device", "toolchain"},
    {"pipeline", "reference", "catalog"},
    {"pytorch_models", "caffe_models", "doctor"},
    {"named_models"},
    {"batch"},
    {"cli", "reference_docs", "__main__", "__init__"},
)
RANK = {room: rank for rank, row in enumerate(ROWS) for room in row}
TORCH = {"program", "reference", "loading", "lowering", "detection"}
ALLOWED = {
    "torch": TORCH,
    "google": {"caffe"},
    "subprocess": {"toolchain"},
    "typer": {"cli"},
    "rich": {"cli"},
    "distributed": {"batch"},
}


def room_of(path: Path) -> str:
    return path.relative_to(SOURCE).with_suffix("").parts[0]


@cache
def imports(path: Path) -> tuple[str, ...]:
    return tuple(imported(path))


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own_room(name: str) -> str | None:
    parts = name.split(".")
    return parts[1] if parts[0] == "torch2om" and len(parts) > 1 else None


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_room_imports_only_what_stands_before_it(path: Path) -> None:
    room = room_of(path)
    later = [
        name
        for name in imports(path)
        if (other := own_room(name)) in RANK and other != room and RANK[other or ""] > RANK[room]
    ]
    assert later == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_foreign_packages_stay_in_their_rooms(path: Path) -> None:
    for package, rooms in ALLOWED.items():
        if room_of(path) not in rooms:
            assert [name for name in imports(path) if name.split(".")[0] == package] == []


def test_every_room_has_its_place_in_the_law() -> None:
    assert {room_of(path) for path in MODULES} - RANK.keys() == set()


def test_programs_are_started_in_one_place_of_the_toolchain() -> None:
    starting = {path.relative_to(SOURCE).as_posix() for path in MODULES if "subprocess" in imports(path)}
    assert starting == {"toolchain/runner/process.py"}
