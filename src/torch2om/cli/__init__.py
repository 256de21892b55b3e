"""The command line: the only room that prints.

One file per group of verbs; each verb is a function from its options to an `Answer`, and imports what it works with
when it is called, so that `--help` is quick and the verbs for Caffe files run where torch is not installed.
"""

from __future__ import annotations

import shlex
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from types import FrameType
from typing import NoReturn

from typer.exceptions import TyperException

from torch2om.cli.application import Settings, application
from torch2om.cli.defect import report
from torch2om.cli.findings import findings
from torch2om.cli.screen import messages, results, to_json
from torch2om.cli.status import Status
from torch2om.errors import Diagnostic

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command line and leave with its exit code (`status.MEANINGS`)."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    settings = Settings()
    try:
        with _termination_unwinds():
            _run(given, settings)
    except KeyboardInterrupt:
        sys.exit(_interrupted())
    except SystemExit as end:
        sys.exit(_interrupted() if end.code == Status.INTERRUPTED else end.code)
    except Exception as error:  # noqa: BLE001 - whatever is not foreseen is a defect, and is reported as one
        if _asks_json(given):
            results().show(to_json({"error": "Defect", "findings": [], "defect": f"{type(error).__name__}: {error}"}))
        report(error, shlex.join(["torch2om", "--debug", *given]), with_traceback=settings.debug)
        sys.exit(Status.DEFECT)
    raise AssertionError("the application always leaves with a code")


def _run(given: Sequence[str], settings: Settings) -> NoReturn:
    """Run the command and leave; who asked for JSON gets a wrong command line as JSON too."""
    if not _asks_json(given):
        application(given, prog_name="torch2om", obj=settings)
    try:
        status = application(given, prog_name="torch2om", obj=settings, standalone_mode=False)
    except TyperException as error:
        found = Diagnostic(
            "U100", error.format_message(), hint="torch2om --help lists the verbs, VERB --help its options"
        )
        results().show(to_json({"error": "UsageError", "findings": findings([found])}))
        status = Status.USAGE
    sys.exit(status)


def _asks_json(given: Sequence[str]) -> bool:
    return "--json" in given or "--format=json" in given or ("--format", "json") in pairwise(given)


def _interrupted() -> Status:
    messages().show("torch2om: interrupted\n")
    return Status.INTERRUPTED


@contextmanager
def _termination_unwinds() -> Iterator[None]:
    """Let `kill` unwind as Ctrl-C does, so that half-written files are removed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(Status.TERMINATED)
