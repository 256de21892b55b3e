"""This machine."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass

from torch2om.toolchain.runner.host import Bundle, Heard, Unreachable
from torch2om.toolchain.runner.process import Call, run

PREFIX = "torch2om_"  # letters and underscores: omg takes nothing else in a path


@dataclass(frozen=True)
class Local:
    """Runs the script here, with a temporary folder that goes with all that the compiler left in it."""

    title: str = "this machine"

    def compile(self, bundle: Bundle, seconds: float, heard: Heard) -> int:
        """Run the script in place; the om comes into the bundle's folder directly."""
        script = bundle.folder / bundle.script
        with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as room:
            arguments = ["bash", str(script.absolute()), bundle.compiler, str(bundle.into.absolute())]
            try:
                return run(Call(arguments, {"TMPDIR": room}), seconds, heard)
            except OSError as error:
                raise Unreachable(f"bash cannot be started: {error.strerror}") from error
