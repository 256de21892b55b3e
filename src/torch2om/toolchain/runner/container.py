"""A container of docker or podman, made for the one compilation and removed with everything in it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from torch2om.toolchain.runner.host import Bundle, Heard, Unreachable
from torch2om.toolchain.runner.process import Call, Expired, run
from torch2om.toolchain.runner.staging import parcel, unpack

JOB, OUT = "/tmp/torch2om_job", "/tmp/torch2om_out"  # noqa: S108 - in the container, which is ours alone
CONTROL = 600.0  # seconds for a step that only copies or removes


@dataclass(frozen=True)
class Container:
    """Files go in and out by `cp`, so that neither mounts nor the owner of files in the container matter."""

    image: str
    engine: str = "docker"

    @property
    def title(self) -> str:
        """The engine and the image."""
        return f"a {self.engine} container of {self.image}"

    def compile(self, bundle: Bundle, seconds: float, heard: Heard) -> int:
        """Run the script as the container's only program; ending the container ends whatever it started."""
        script = f"{JOB}/{bundle.script}"
        with parcel(bundle) as folder, self._created([script, bundle.compiler, OUT], seconds, heard) as name:
            self._control("cp", f"{folder}/.", f"{name}:{JOB}")
            code = self._run(Call([self.engine, "start", "--attach", name]), seconds, heard)
            if code == 0:
                self._control("cp", f"{name}:{OUT}/.", str(_made(folder.parent / "out")))
                unpack(folder.parent / "out", bundle)
            return code

    @contextmanager
    def _created(self, command: Sequence[str], seconds: float, heard: Heard) -> Iterator[str]:
        """Yield the name of a new container that would run bash so; it is gone at the end in any case.

        Where the image is not there yet, the engine fetches it now, within the time limit of the compiler itself.
        """
        name = f"torch2om_{secrets.token_hex(8)}"
        try:
            created = ("create", "--name", name, "--entrypoint", "bash", self.image, *command)
            self._control(*created, seconds=seconds, heard=heard)
            yield name
        finally:
            with suppress(Expired, OSError):
                run(Call([self.engine, "rm", "--force", name]), CONTROL)

    def _control(self, *arguments: str, seconds: float = CONTROL, heard: Heard = lambda _: None) -> None:
        lines: list[str] = []

        def listen(line: str) -> None:
            lines.append(line)
            heard(line)

        code = self._run(Call([self.engine, *arguments]), seconds, listen)
        if code:
            raise Unreachable(f"{self.engine} {arguments[0]}: {lines[-1] if lines else f'exit code {code}'}")

    def _run(self, call: Call, seconds: float, heard: Heard) -> int:
        try:
            return run(call, seconds, heard)
        except OSError as error:
            raise Unreachable(f"{self.engine} cannot be started: {error.strerror}") from error


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
