"""Stand-ins for ssh, scp, docker and podman, test doubles: what would run elsewhere runs here, in a folder of its own.

The name under which it is called says which one it is. STAND_IN_REMOTE is the folder that the other machine's (or the
containers') files lie in; STAND_IN_CALLS collects the command lines. Like the real ones, an ended client leaves what it
started running: the other end must notice by itself, or be told.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

REMOTE = Path(os.environ["STAND_IN_REMOTE"])
SHELL = "/bin/sh"


def without_options(arguments: list[str], flags: set[str]) -> list[str]:
    """Drop `-o X` and known flags; an unknown one is a usage error, as with the real clients."""
    rest = iter(arguments)
    words: list[str] = []
    for word in rest:
        if word == "-o":
            next(rest)
        elif word.startswith("-") and not words:
            if word not in flags:
                sys.exit(f"unknown option {word}")
        else:
            words.append(word)
    return words


def ssh(arguments: list[str]) -> int:
    host, *command = without_options(arguments, {"-T"})
    if host == "nowhere":
        print("ssh: Could not resolve hostname nowhere", file=sys.stderr)
        return 255
    environment = {**os.environ, "TMPDIR": str(REMOTE)}
    return subprocess.call([SHELL, "-c", " ".join(command)], env=environment, start_new_session=True)


def scp(arguments: list[str]) -> int:
    source, target = without_options(arguments, {"-q", "-r", "-B"})
    there = [path for path in (source, target) if path.startswith("board:")]
    if len(there) != 1:
        sys.exit("one of the paths must be the board's")
    copy(source.removeprefix("board:"), target.removeprefix("board:"))
    return 0


def copy(source: str, target: str) -> None:
    """Copy as `cp -r` does; SOURCE/. means what is in it."""
    command = ["/bin/cp", "-r", source, target]
    if source.endswith("/."):
        Path(target).mkdir(exist_ok=True)
    subprocess.run(command, check=True)


class Container:
    """A container is a folder: its /tmp, its command, and the process that runs it."""

    def __init__(self, name: str) -> None:
        self.folder = REMOTE / name

    def inside(self, path: str) -> str:
        """Return where a path of the container lies."""
        return re.sub("^(?=/tmp/torch2om_)", str(self.folder), path)

    def create(self, image: str, command: list[str]) -> int:
        if image == "missing":
            print("Unable to find image 'missing' locally", file=sys.stderr)
            return 125
        (self.folder / "tmp").mkdir(parents=True)
        (self.folder / "command").write_text(json.dumps(command))
        return 0

    def start(self) -> int:
        command = [self.inside(word) for word in json.loads((self.folder / "command").read_text())]
        environment = {**os.environ, "TMPDIR": f"{self.folder}/tmp"}
        with subprocess.Popen(["/bin/bash", *command], env=environment, start_new_session=True) as process:
            (self.folder / "pid").write_text(str(process.pid))
            return process.wait()

    def remove(self) -> int:
        with suppress(ProcessLookupError, FileNotFoundError):
            os.killpg(int((self.folder / "pid").read_text()), signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)
        return 0


def engine(arguments: list[str]) -> int:
    match arguments:
        case ["create", "--name", name, "--entrypoint", "bash", image, *command]:
            return Container(name).create(image, command)
        case ["cp", source, target]:
            copy(*(located(path) for path in (source, target)))
            return 0
        case ["start", "--attach", name]:
            return Container(name).start()
        case ["rm", "--force", name]:
            return Container(name).remove()
    sys.exit(f"unknown command {arguments}")


def located(path: str) -> str:
    name, colon, inside = path.partition(":")
    return Container(name).inside(inside) if colon else path


if __name__ == "__main__":
    program = Path(sys.argv[0]).name
    with Path(os.environ["STAND_IN_CALLS"]).open("a", encoding="utf-8") as calls:
        calls.write(json.dumps([program, *sys.argv[1:]]) + "\n")
    sys.exit({"ssh": ssh, "scp": scp, "docker": engine, "podman": engine}[program](sys.argv[1:]))
