"""Where text goes: results to stdout, progress and refusals to stderr, both in the reader's own width."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Mapping
from typing import NoReturn, TextIO

from rich.console import Console, RenderableType

from torch2om.cli.status import Status

UNWRAPPED = 10_000  # columns: more than any line has, so that a pipe gets each line whole


class Screen(Console):
    """A console that leaves without a word when its reader goes away (`torch2om ops | head`)."""

    def on_broken_pipe(self) -> NoReturn:
        """Point the stream at nothing, so that the interpreter's last flush is quiet too, and leave."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())
        raise SystemExit(Status.NO_READER)

    def show(self, what: RenderableType) -> None:
        """Print a renderable; a plain string is printed as it is, neither wrapped nor coloured."""
        if isinstance(what, str):
            self.print(what, markup=False, highlight=False, emoji=False, soft_wrap=True, end="")
        else:
            self.print(what, highlight=False, soft_wrap=False)


def results() -> Screen:
    """Return the console of stdout as it is now."""
    return _screen(sys.stdout)


def messages() -> Screen:
    """Return the console of stderr as it is now."""
    return _screen(sys.stderr)


def _screen(stream: TextIO) -> Screen:
    """Return the console of a stream: as wide as its terminal (or COLUMNS), and without line ends of ours in a pipe."""
    narrow = stream.isatty() or "COLUMNS" in os.environ
    return Screen(file=stream, width=None if narrow else UNWRAPPED)


def to_json(payload: Mapping[str, object]) -> str:
    """Return the payload as one JSON object; numbers that JSON does not have (NaN, infinity) become null."""
    return json.dumps(_finite(payload), ensure_ascii=False, allow_nan=False) + "\n"


def _finite(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
