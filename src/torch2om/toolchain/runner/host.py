"""A host: a machine on which compile.sh can run. Tests put a recorded one in its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

Heard = Callable[[str], None]


@dataclass(frozen=True)
class Bundle:
    """What a host gets: compile.sh with all that it takes, and the folder that the om shall come into.

    `script` and `files` stand in `folder`, each file with the plain name that it may go by; `result` is the om's plain
    name; `compiler` is the path of the compiler on the host, empty to search it.
    """

    folder: Path
    script: str
    files: tuple[tuple[str, str], ...]
    into: Path
    result: str
    compiler: str = ""


class Unreachable(Exception):  # noqa: N818 - what the host is
    """The host cannot be used at all; the text says why."""


class Host(Protocol):
    """Runs compile.sh somewhere and brings the om back."""

    @property
    def title(self) -> str:
        """Where it is, for people."""

    def compile(self, bundle: Bundle, seconds: float, heard: Heard) -> int:
        """Run the script and return its exit code; with 0 the om stands in the bundle's `into`.

        Raises `Expired` at the time limit and `Unreachable`; leaves nothing behind on the host in any case.
        """
