"""A machine behind the system's ssh and scp; whatever login it needs is theirs, no password passes through here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from shlex import quote

from torch2om.toolchain.runner.host import Bundle, Heard, Unreachable
from torch2om.toolchain.runner.local import PREFIX
from torch2om.toolchain.runner.process import Call, Expired, run
from torch2om.toolchain.runner.staging import parcel, unpack

CONTROL = 600.0  # seconds for a step that only copies or removes
OPTIONS = ("-o", "BatchMode=yes", "-o", "ConnectTimeout=20")
BASH = "exec bash -s"  # what any login shell understands; the script comes on stdin

# Runs the job in a process group of its own, and ends the group and the folder when the connection ends.
_SUPERVISOR = r"""
cd -- @FOLDER@ || exit 1
export TMPDIR=@FOLDER@
exec 3<&0
set -m
bash job/@SCRIPT@ @COMPILER@ @FOLDER@/out </dev/null 3<&- &
job=$!
{
  while read -r _; do :; done <&3
  trap '' TERM
  kill -TERM -- "-$job"
  for _ in {1..50}; do kill -0 -- "-$job" || break; sleep 0.1; done
  kill -KILL -- "-$job"
  rm -rf -- @FOLDER@
} >/dev/null 2>&1 &
watch=$!
set +m
exec 3<&-
wait "$job"; code=$?
kill -TERM "$watch" 2>/dev/null
kill -KILL -- "-$job" 2>/dev/null
exit "$code"
"""


@dataclass(frozen=True)
class Ssh:
    """Works in a folder of its own on the other machine, which goes even when the connection breaks."""

    host: str

    @property
    def title(self) -> str:
        """The machine."""
        return self.host

    def compile(self, bundle: Bundle, seconds: float, heard: Heard) -> int:
        """Send the files, run the script, fetch the om."""
        with parcel(bundle) as folder, self._room() as room:
            self._copy(str(folder), f"{self.host}:{room}/")
            values = {"FOLDER": room, "SCRIPT": bundle.script, "COMPILER": bundle.compiler}
            script = re.sub("@([A-Z]+)@", lambda match: quote(values[match[1]]), _SUPERVISOR)
            code = self._run(self._call(script), seconds, heard)
            if code == 0:
                self._copy(f"{self.host}:{room}/out", str(folder.parent))
                unpack(folder.parent / "out", bundle)
            return code

    @contextmanager
    def _room(self) -> Iterator[str]:
        """Yield a new folder there; it is removed at the end in any case."""
        lines: list[str] = []
        script = f'umask 077; mktemp -d "${{TMPDIR:-/tmp}}/{PREFIX}XXXXXX"'
        code = self._run(self._call(script), CONTROL, lines.append)
        room = lines[-1] if lines else ""
        if code or not re.fullmatch(rf"/[A-Za-z0-9_./-]*{PREFIX}[A-Za-z0-9]+", room):
            raise Unreachable(f"ssh {self.host}: {room or f'exit code {code}'}")
        try:
            yield room
        finally:
            with suppress(Expired, OSError):
                run(self._call(f"rm -rf -- {quote(room)}"), CONTROL)

    def _call(self, script: str) -> Call:
        """Return the call for a script; bash reads it whole before it runs, because stdin stays open behind it."""
        return Call(["ssh", "-T", *OPTIONS, self.host, BASH], script=f"{{\n{script}\nexit\n}}\n")

    def _copy(self, source: str, target: str) -> None:
        """Copy a folder; the two paths are ours, of plain characters."""
        lines: list[str] = []
        code = self._run(Call(["scp", "-q", "-r", "-B", *OPTIONS, source, target]), CONTROL, lines.append)
        if code:
            raise Unreachable(f"scp: {lines[-1] if lines else f'exit code {code}'}")

    def _run(self, call: Call, seconds: float, heard: Heard) -> int:
        try:
            return run(call, seconds, heard)
        except OSError as error:
            raise Unreachable(f"{call.arguments[0]} cannot be started: {error.strerror}") from error
