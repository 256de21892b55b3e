"""Runs one program: its lines as they come, a time limit, and nothing left behind when it ends, however it ends."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

GRACE = 5.0  # seconds between the request to end and the end
TICK = 0.2  # seconds between two looks at the program while it is silent
CHUNK = 1 << 16  # bytes read at once, and the longest line handed on whole


class Expired(Exception):  # noqa: N818 - the time is, and the program is not wrong
    """The time limit passed; the program was ended."""


@dataclass(frozen=True)
class Call:
    """A program's call: its arguments, its environment beside ours, and a text on its stdin, which then stays open."""

    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    script: str = ""


def run(
    call: Call,
    seconds: float,
    heard: Callable[[str], None] = lambda _: None,
    watch: Callable[[int], None] = lambda _: None,
) -> int:
    """Run a program to its end and return its exit code (negative: the signal); `heard` gets each line.

    `watch` gets its process's number again and again while it runs; what it raises ends the program.

    The program leads a process group of its own. The whole group is ended when the program ends, when the time limit
    passes (`Expired`), and when this process is interrupted. Raises OSError where the program cannot be started.
    """
    deadline = time.monotonic() + seconds
    with _started(call) as process:
        for line in _lines(process, deadline, watch):
            heard(line)
    return process.returncode


@contextmanager
def _started(call: Call) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(  # noqa: S603 - no shell: the arguments are the program's own
        list(call.arguments),
        stdin=subprocess.PIPE if call.script else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, **call.environment},
        start_new_session=True,
    )
    try:
        if process.stdin is not None:
            with suppress(BrokenPipeError):
                process.stdin.write(call.script.encode())
                process.stdin.flush()
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the whole group: ask, wait, then kill; closing stdin tells a remote end that we are gone."""
    try:
        if process.stdin is not None:
            with suppress(BrokenPipeError):
                process.stdin.close()
        if not _has_ended(process):
            _signal(process, signal.SIGTERM)
            deadline = time.monotonic() + GRACE
            while not _has_ended(process) and time.monotonic() < deadline:
                time.sleep(TICK / 4)
    finally:
        _signal(process, signal.SIGKILL)
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether the program has ended; it is not reaped, so that its group's number stays its own."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _lines(process: subprocess.Popen[bytes], deadline: float, watch: Callable[[int], None]) -> Iterator[str]:
    """Yield the program's lines; what its stragglers write after its end is not waited for."""
    rest = b""
    for chunk in _chunks(process, deadline, watch):
        *whole, rest = (rest + chunk).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        yield from map(_text, whole)
        if len(rest) >= CHUNK:
            yield _text(rest)
            rest = b""
    if rest:
        yield _text(rest)


def _chunks(process: subprocess.Popen[bytes], deadline: float, watch: Callable[[int], None]) -> Iterator[bytes]:
    assert process.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if time.monotonic() > deadline:
                raise Expired
            watch(process.pid)
            ended = _has_ended(process)
            if selector.select(0 if ended else TICK):
                chunk = os.read(process.stdout.fileno(), CHUNK)
                if not chunk:
                    return
                yield chunk
            elif ended:
                return


def _text(line: bytes) -> str:
    return line.decode(errors="replace")
