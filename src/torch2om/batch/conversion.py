"""The process of one model: it is loaded and captured once, then converted for each of its targets.

`python -m torch2om.batch.conversion FOLDER` carries out the order in the folder and keeps its report there.
"""

from __future__ import annotations

import os
import resource
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import Any

from torch2om.batch.listing import Job
from torch2om.batch.order import Order, Report, read_order, write_report
from torch2om.batch.row import Outcome, SourceFile, Verdict, outcome_of
from torch2om.errors import Diagnostic, Torch2omError
from torch2om.manifest import Source, file_record
from torch2om.named_models import chosen
from torch2om.pipeline import Entered, Entry, Request, Stage, Timer, run

UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes
OWN = Path(__file__).parents[1]


class Reporter:
    """Keeps the report on disk in step with the work."""

    def __init__(self, room: Path) -> None:
        self._room = room
        self.report = Report()

    def tell(self, **changes: Any) -> None:  # Any: the fields of a report
        """Change fields of the report."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT
        self.report = replace(self.report, peak=peak, **changes)
        write_report(self.report, self._room)

    def begin(self, stage: str) -> None:
        """Tell which stage runs."""
        self.tell(doing=stage)


def main(room: Path) -> None:
    """Carry out the order in the folder."""
    Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    order = read_order(room)
    os.chdir(order.folder)
    place = order.place if order.keep_files else room / "files"
    convert(order, place, Reporter(room))


def _end_with(parent: int) -> None:
    """End this process when the one that watches over its limits is gone."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def convert(order: Order, place: Path, reporter: Reporter) -> None:
    """Convert the model for each target; what refuses it before there is a target refuses it for all."""
    job = order.job
    entered: list[Entry] = []

    def enter() -> Outcome | None:
        entered.append(_entry(job, reporter))
        return None

    failed = _judged(enter, "")
    if failed is not None:
        reporter.tell(outcomes=tuple(replace(failed, target=target) for target in job.targets))
        return
    for target in job.targets:
        reporter.tell(target=target)
        outcome = _outcome(Entered(entered[0]), job, target, place / target, reporter)
        reporter.tell(outcomes=(*reporter.report.outcomes, outcome))


def _entry(job: Job, reporter: Reporter) -> Entry:
    """Return the model as a net and a reference, after telling what it is made of and how large it is."""
    stages: list[Stage] = []
    stage = Timer(stages, reporter.begin, lambda _: reporter.tell(stages=_seconds(stages)))
    choice = chosen(Source(job.model, job.weights), job.fed, stage)
    reporter.tell(sources=tuple(_sources(job)))
    entry = choice.model.enter(stage)
    reporter.tell(size=stage("count", entry.reference.size), sources=tuple(_sources(job)))
    return replace(entry, notes=(*choice.notes, *entry.notes))


def _outcome(model: Entered, job: Job, target: str, place: Path, reporter: Reporter) -> Outcome:
    stages: list[Stage] = []
    request = Request(target, place, job.name, job.samples, source=Source(job.model, job.weights))

    def work() -> Outcome:
        conversion = run(model, request, reporter.begin, stages.append)
        return outcome_of(conversion, model.entry.net)

    outcome = _judged(work, target)
    assert outcome is not None
    return replace(outcome, stages=_seconds(stages))


def _judged(work: Callable[[], Outcome | None], target: str) -> Outcome | None:
    """Return what the work returns, or the outcome that its exception stands for."""
    try:
        return work()
    except Torch2omError as error:
        return Outcome(target, Verdict.REFUSED, findings=error.diagnostics)
    except MemoryError as error:
        found = Diagnostic("B952", f"no memory was left: {error}" if str(error) else "no memory was left")
        return Outcome(target, Verdict.OUT_OF_MEMORY, findings=(found,))
    except Exception as error:  # noqa: BLE001 - a defect of torch2om, or of the user's model while it runs, is a row too
        return Outcome(target, Verdict.DEFECT, findings=(_defect(error),))


def _defect(error: Exception) -> Diagnostic:
    frames = traceback.extract_tb(error.__traceback__)
    trace = tuple(f"{frame.filename}:{frame.lineno} in {frame.name}: {frame.line}" for frame in frames)
    return Diagnostic("B954", f"{type(error).__name__}: {error}".strip(), details=trace)


def _seconds(stages: Iterable[Stage]) -> dict[str, float]:
    return {stage.name: stage.seconds for stage in stages}


def _sources(job: Job) -> Iterable[SourceFile]:
    """Yield the files that the entry names, and the user's own modules: those below this folder or beside MODEL."""
    place = job.model.rpartition(":")[0]
    named = [Path(each) for each in (job.model, place, job.weights) if each]
    roots = (Path.cwd(), *(path.resolve().parent for path in named if path.is_file()))
    modules = (Path(file) for module in [*sys.modules.values()] if (file := _file(module)))
    own = (path for path in modules if any(path.is_relative_to(root) for root in roots) and _is_users(path))
    files = {path.resolve() for path in (*named, *own) if path.is_file()}
    return (SourceFile(str(path), file_record(path).digest) for path in sorted(files))


def _file(module: ModuleType) -> str:
    file = getattr(module, "__file__", None)
    return file if isinstance(file, str) and file.endswith(".py") else ""


def _is_users(path: Path) -> bool:
    return not path.is_relative_to(OWN) and not {"site-packages", "dist-packages"}.intersection(path.parts)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
