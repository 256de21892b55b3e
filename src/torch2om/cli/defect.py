"""How a defect of torch2om itself is shown: as such, with what to report; the traceback only on demand."""

from __future__ import annotations

import traceback
from pathlib import Path

from rich.console import Group
from rich.padding import Padding
from rich.text import Text

from torch2om.cli.screen import messages


def report(error: Exception, command: str, *, with_traceback: bool) -> None:
    """Print that torch2om has a defect, where it is, and the command whose output belongs into the report."""
    head = Text.assemble(("internal defect", "bold red"), f": {type(error).__name__}: {error}")
    text = "This is a fault of torch2om, not of your model. Please report it with the output of `torch2om doctor`"
    screen = messages()
    if with_traceback:
        screen.show("".join(traceback.format_exception(error)))
        lines = [_place(error), f"{text}."]
    else:
        lines = [_place(error), f"{text} and of", f"  {command}"]
    screen.show(Group(head, *(Padding(Text(line), (0, 0, 0, 2), expand=False) for line in lines)))


def _place(error: Exception) -> str:
    """Return `at torch2om/file.py:line in function`: the innermost frame of ours."""
    root = Path(__file__).parents[1]
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(root)]
    last = ours[-1]
    return f"at {Path(last.filename).relative_to(root.parent)}:{last.lineno} in {last.name}"
