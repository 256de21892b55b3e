"""What a verb answers, and how the answer or the refusal reaches people and machines."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec

import typer
from rich.console import RenderableType

from torch2om.cli.findings import blocks, findings
from torch2om.cli.screen import messages, results, to_json
from torch2om.cli.status import Status
from torch2om.errors import Torch2omError, UsageError

P = ParamSpec("P")


@dataclass(frozen=True)
class Answer:
    """The result of a verb: an object for machines, something to look at for people, and the exit code."""

    payload: Mapping[str, object]
    shown: RenderableType
    status: Status = Status.OK


def verb(function: Callable[P, Answer]) -> Callable[P, None]:
    """Make a command of a function that answers: print the answer on stdout, or the refusal, and leave with its code.

    With `--json` (or `--format json`) the answer or the refusal is the one JSON object on stdout; otherwise a refusal
    goes to stderr, as does what the user's own model prints.
    """

    @wraps(function)
    def command(*args: P.args, **kwargs: P.kwargs) -> None:
        as_json = bool(kwargs.get("as_json")) or kwargs.get("form") == "json"
        try:
            with redirect_stdout(sys.stderr):
                answer = function(*args, **kwargs)
        except Torch2omError as error:
            raise typer.Exit(_refuse(error, as_json)) from error
        results().show(to_json(answer.payload) if as_json else answer.shown)
        raise typer.Exit(answer.status)

    return command


def _refuse(error: Torch2omError, as_json: bool) -> Status:
    if as_json:
        results().show(to_json({"error": type(error).__name__, "findings": findings(error.diagnostics)}))
    else:
        messages().show(blocks(error.diagnostics))
    return Status.USAGE if isinstance(error, UsageError) else Status.REFUSED
