"""Runs one order in a process of its own, within its limits, and makes a row of whatever comes of it."""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from signal import Signals
from threading import Event

from torch2om.batch.order import Order, Report, read_report, write_order
from torch2om.batch.row import Outcome, Row, Verdict
from torch2om.errors import Diagnostic
from torch2om.toolchain.runner.process import Call, Expired, run
from torch2om.version import __version__

PREFIX = ".torch2om-"
LAST_WORDS = 20  # lines of what a process wrote before it died
EVER = float("inf")
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class Stopped(Exception):  # noqa: N818 - the run is, and nothing is wrong
    """Whoever wanted the rows wants no more of them."""


class Exceeded(Exception):  # noqa: N818 - the limit is
    """The process has more memory than it may."""


@dataclass
class Watch:
    """Looks at a process from time to time: how much memory it has, and whether it is still wanted."""

    most: int | None
    stop: Event
    seen: int = 0

    def __call__(self, process: int) -> None:
        """Look; raises `Stopped` and `Exceeded`."""
        if self.stop.is_set():
            raise Stopped
        self.seen = max(self.seen, resident(process))
        if self.most is not None and self.seen > self.most:
            raise Exceeded


@dataclass(frozen=True)
class End:
    """How a process ended before its work was done: the verdict on what it left, the code of it, and the text."""

    verdict: Verdict
    code: str
    text: str
    words: tuple[str, ...] = field(default=())


def can_watch_memory() -> bool:
    """Whether this system tells how much memory a process has: Linux does."""
    return Path("/proc/self/statm").exists()


def resident(process: int) -> int:
    """Return the bytes of memory that a process has now; 0 where that is not told, or the process has ended."""
    try:
        pages = Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * resource.getpagesize()


def converted(order: Order, stop: Event | None = None) -> Row:
    """Return the row of an order, whatever happens to its process; raises `Stopped`."""
    begin = time.monotonic()
    out = Path(order.folder, order.out)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=out, ignore_cleanup_errors=True) as folder:
        room = Path(folder)
        write_order(order, room)
        watch = Watch(order.limits.memory, stop or Event())
        end = _ended(order, room, watch)
        report = read_report(room)
    return _row(order, report, end, time.monotonic() - begin, watch.seen)


def _ended(order: Order, room: Path, watch: Watch) -> End:
    """Run the process and return how it would have ended what is not in its report."""
    words: deque[str] = deque(maxlen=LAST_WORDS)
    command = [sys.executable, "-P", "-m", "torch2om.batch.conversion", str(room)]
    limits = order.limits
    try:
        code = run(Call(command, _environment(order)), limits.seconds or EVER, words.append, watch)
    except Expired:
        return End(Verdict.OUT_OF_TIME, "B951", f"{limits.seconds:g} seconds had passed")
    except Exceeded:
        assert limits.memory is not None
        return End(Verdict.OUT_OF_MEMORY, "B952", f"it had more than {limits.memory / 2**30:.3g} GiB of memory")
    return End(Verdict.DIED, "B953", f"its process ended by {_how(code)}", tuple(words))


def _environment(order: Order) -> dict[str, str]:
    """Return as many threads for each process as there are processors for it; what the user has set stays."""
    share = str(max(1, (os.cpu_count() or 1) // order.processes))
    return {name: os.environ.get(name, share) for name in THREADS}


def _how(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    known = {each.value: each.name for each in Signals}
    by_system = ", which the system also sends when memory runs out" if -code == Signals.SIGKILL else ""
    return f"{known.get(-code, f'signal {-code}')}{by_system}"


def _row(order: Order, report: Report, end: End, seconds: float, seen: int) -> Row:
    """Return the row: the outcomes that were reported, and the end for each target that has none."""
    job = order.job
    done = {outcome.target: outcome for outcome in report.outcomes}
    outcomes = tuple(done.get(target) or _unfinished(target, report, end) for target in job.targets)
    return Row(
        job=job,
        limits=order.limits,
        version=__version__,
        size=report.size,
        stages=report.stages,
        seconds=seconds,
        peak=max(report.peak, seen),
        sources=report.sources,
        outcomes=outcomes,
    )


def _unfinished(target: str, report: Report, end: End) -> Outcome:
    where = f"in {report.doing} for {report.target}" if report.target else f"in {report.doing}"
    return Outcome(target, end.verdict, findings=(Diagnostic(end.code, f"{end.text}, {where}", details=end.words),))
