"""One line per stage on stderr: live on a terminal, where it gives way to the final screen; plain in a pipe."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from rich.console import Group
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from torch2om.cli import figures
from torch2om.cli.screen import messages

if TYPE_CHECKING:
    from torch2om.pipeline import Stage

T = TypeVar("T")


def stage_line(name: str, duration: float) -> Text:
    """Return `capture        2.31 s`."""
    return Text.assemble((f"{name:<13}", "bold"), f"{figures.seconds(duration):>8}")


class LiveScreen:
    """Lines on stderr, and below them, on a terminal and while the context lasts, what runs."""

    def __init__(self) -> None:
        self._screen = messages()
        self._live = Live(console=self._screen, transient=True, auto_refresh=self._screen.is_terminal)

    def __enter__(self) -> Self:
        if self._screen.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def running(self, *above: Text, name: str) -> None:
        """Show what runs, below lines that go with it."""
        if self._screen.is_terminal:
            self._live.update(Group(*above, Spinner("dots", Text(name, "bold"))), refresh=True)


class Progress(LiveScreen):
    """Shows the stages while they run; use as a context, and give `start` and `end` to the pipeline."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[tuple[str, float]] = []

    def start(self, name: str) -> None:
        """Show that a stage is running."""
        self.running(*(stage_line(*stage) for stage in self.times), name=name)

    def end(self, stage: Stage) -> None:
        """Show how long a stage took."""
        self._end(stage.name, stage.seconds)

    def line(self, text: str) -> None:
        """Show a line of a program that a stage runs; on a terminal it stays above the stages."""
        self._screen.show(Text(text, "dim"))

    def stage(self, name: str, work: Callable[[], T]) -> T:
        """Run, show and time a stage that is not the pipeline's."""
        self.start(name)
        begin = time.perf_counter()
        result = work()
        self._end(name, time.perf_counter() - begin)
        return result

    def _end(self, name: str, duration: float) -> None:
        self.times.append((name, duration))
        if not self._screen.is_terminal:
            self._screen.show(stage_line(name, duration))
