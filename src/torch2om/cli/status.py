"""What the exit codes mean: the one table, shown in `--help` and in the README."""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """The exit codes of every verb."""

    OK = 0
    REFUSED = 1
    USAGE = 2
    DEFECT = 3
    INTERRUPTED = 130
    NO_READER = 141
    TERMINATED = 143

    @property
    def meaning(self) -> str:
        """The code in words."""
        return MEANINGS[self]


MEANINGS = {
    Status.OK: "done, and everything asked for holds",
    Status.REFUSED: "refused or different; every reason is printed",
    Status.USAGE: "the command line is wrong: an option, a name or a file",
    Status.DEFECT: "a defect of torch2om; --debug before the verb shows the traceback",
    Status.INTERRUPTED: "interrupted with Ctrl-C",
    Status.NO_READER: "the program that read the output went away",
    Status.TERMINATED: "ended by kill",
}
