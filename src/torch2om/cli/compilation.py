"""The verb compile, and `convert --compile`: from Caffe files to the om with the vendor's compiler."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from torch2om.cli import figures
from torch2om.cli.answer import Answer
from torch2om.cli.findings import blocks, findings
from torch2om.cli.options import AsJson
from torch2om.cli.progress import Progress
from torch2om.cli.status import Status
from torch2om.cli.tables import pairs
from torch2om.errors import Diagnostic, OmFileError, Torch2omError

if TYPE_CHECKING:
    from torch2om.emission import Artifact
    from torch2om.toolchain import Compiled
    from torch2om.toolchain.settings import Settings

Soc = Annotated[str, typer.Option("--soc", metavar="S", help="The chip; the target's first if none is named.")]
Options = Annotated[
    list[str],
    typer.Option(
        "--option",
        "-O",
        metavar="NAME=VALUE",
        help="An option of atc or omg by its own name, as precision_mode=force_fp16. Repeatable.",
        show_default=False,
    ),
]
Extra = Annotated[
    list[str],
    typer.Option("--extra", metavar="ARG", help="An argument passed on unchecked, as --extra=--debug_dir=work."),
]
Runner = Annotated[str, typer.Option("--runner", metavar="R", help="Where the compiler is: local, container or ssh.")]
Tool = Annotated[str, typer.Option("--tool", metavar="PATH", help="The compiler's path there.")]
Image = Annotated[str, typer.Option("--image", metavar="I", help="The container's image.")]
Engine = Annotated[str, typer.Option("--engine", metavar="E", help="docker or podman.")]
Machine = Annotated[str, typer.Option("--host", metavar="H", help="The machine behind ssh, as user@board.")]
Timeout = Annotated[float, typer.Option("--timeout", metavar="S", min=0, help="Seconds that the compiler may take.")]
SettingsFile = Annotated[
    Path | None,
    typer.Option(
        "--settings",
        metavar="FILE",
        help="Settings with a table named toolchain; torch2om.toml if there is one.",
        show_default=False,
    ),
]
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a conversion.", show_default=False)]


def compile(  # noqa: A001 - the verb's name
    folder: Folder,
    target: Annotated[
        str, typer.Option("--target", "-t", metavar="T", help="The target, if not the conversion's.")
    ] = "",
    soc: Soc = "",
    option: Options = [],  # noqa: B006 - typer copies it
    extra: Extra = [],  # noqa: B006 - typer copies it
    runner: Runner = "",
    tool: Tool = "",
    image: Image = "",
    engine: Engine = "",
    host: Machine = "",
    timeout: Timeout = 0,
    settings: SettingsFile = None,
    as_json: AsJson = False,
) -> Answer:
    """Compile a conversion's files to the .om with atc or omg, here, in a container or over ssh.

    Writes compile.sh, which can be run by hand, compile.log, and the om, which is read back and compared with the
    files. Exit 0 if the om was made, 1 if the compiler refuses or is not found, each reason explained.
    """
    from torch2om.emission import artifact_in
    from torch2om.toolchain.settings import Settings

    said = Settings(runner, tool, image, engine, host, timeout, tuple(option), tuple(extra))
    artifact = artifact_in(folder)
    with Progress() as progress:
        made = compiled(artifact, target, soc, said, settings, progress)
    status = Status.REFUSED if made.om is None else Status.OK
    again = _read_back(artifact, made)
    return Answer(record(made, again), Group(*_shown(made, again)), status)


def compiled(
    artifact: Artifact, target: str, soc: str, said: Settings, file: Path | None, progress: Progress
) -> Compiled:
    """Return what the compiler makes of the files, its lines shown as they come."""
    from torch2om.toolchain import compile_files
    from torch2om.toolchain.settings import order, read_settings

    asked = order(said.over(read_settings(file)), target, soc)
    return progress.stage("compile", lambda: compile_files(artifact, asked, progress.line))


@dataclass(frozen=True)
class ReadBack:
    """What the om says of itself: a sentence, whether it holds the files, and what was not found or is not equal."""

    said: str = ""
    equal: bool = False
    findings: tuple[Diagnostic, ...] = ()


def _read_back(artifact: Artifact, made: Compiled) -> ReadBack:
    """Compare the om with the files. It does not judge: options may ask for other types, weights may be quantized."""
    if made.om is None:
        return ReadBack()
    from torch2om.matching import match
    from torch2om.om.reader import read_om

    try:
        found = match(artifact, read_om(made.om))
    except OmFileError as error:
        return ReadBack("the om was made, but it cannot be read back", findings=error.diagnostics)
    said = "its inputs, outputs and weights are those of the files" if found.equal else "not all of the files is in it"
    return ReadBack(f"read back: {said}", found.equal, found.diagnostics)


def record(made: Compiled, again: ReadBack) -> dict[str, object]:
    """Return the compilation for machines."""
    return {
        "om": None if made.om is None else str(made.om),
        "tool": made.tool,
        "compiler": made.compiler,
        "host": made.host,
        "command": made.command,
        "script": str(made.script),
        "log": str(made.log),
        "seconds": made.seconds,
        "holds_the_files": None if made.om is None else again.equal,
        "findings": findings((*made.notes, *again.findings)),
    }


@dataclass(frozen=True)
class Attempt:
    """What `convert --compile` tells of the compilation; without --compile nothing."""

    shown: RenderableType = ""
    payload: dict[str, object] | None = None
    status: Status = Status.OK


def check_order(soc: str, option: list[str], target: str) -> None:
    """Refuse options that no compiler takes, before a conversion begins."""
    from torch2om.toolchain.settings import Settings, order, read_settings

    order(Settings(option=tuple(option)).over(read_settings()), target, soc)


def attempt(artifact: Artifact | None, soc: str, option: list[str], progress: Progress) -> Attempt:
    """Compile what was converted, where ./torch2om.toml says; a missing compiler is no failure, a failing one is."""
    from torch2om.toolchain.settings import Settings

    if artifact is None:
        return Attempt()
    try:
        made = compiled(artifact, "", soc, Settings(option=tuple(option)), None, progress)
    except Torch2omError as error:
        failed = Group(Text("om: not compiled", "bold red"), blocks(error.diagnostics))
        return Attempt(failed, {"om": None, "findings": findings(error.diagnostics)}, Status.REFUSED)
    again = _read_back(artifact, made)
    return Attempt(Group(*_shown(made, again)), record(made, again))


def _shown(made: Compiled, again: ReadBack) -> Iterator[RenderableType]:
    if made.om is None:
        yield Text("om: not compiled", "bold yellow")
    else:
        yield Text.assemble(("om: compiled", "bold green"), f" by {made.compiler} on {made.host}")
        yield Text(again.said, "green" if again.equal else "yellow")
    yield Text(shlex.join(made.command), "dim")
    yield blocks((*made.notes, *again.findings))
    yield pairs((str(path), figures.size(path.stat().st_size)) for path in made.files)
