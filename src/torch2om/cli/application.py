"""The command `torch2om`: its verbs, its help, and the table of exit codes at the help's end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from torch2om.cli import caffe_files, compilation, conversion, knowledge, om_files
from torch2om.cli.answer import verb
from torch2om.cli.batch import batch
from torch2om.cli.device_inputs import inputs
from torch2om.cli.precision import precision
from torch2om.cli.screen import results
from torch2om.cli.status import Status
from torch2om.version import __version__


@dataclass
class Settings:
    """What was said before the verb."""

    debug: bool = False


def exit_codes() -> str:
    """Return the table of exit codes as help text, one line each."""
    return "\n".join(["Exit codes:", *(f"{status:>3}  {status.meaning}" for status in Status)])


application = typer.Typer(
    name="torch2om",
    help="PyTorch to Caffe to Ascend om: every net proved equal and legal, or refused with the reason.",
    epilog=exit_codes(),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for panel, verbs in {
    "Models (PyTorch ones need torch)": (conversion.convert, conversion.verify, batch),
    "Caffe files": (caffe_files.check, caffe_files.run, caffe_files.analyze, precision),
    "Om files": (compilation.compile, om_files.inspect, om_files.diff),
    "Runs on the board": (inputs,),
    "Knowledge": (knowledge.ops, knowledge.limits, knowledge.explain, knowledge.doctor),
}.items():
    for function in verbs:
        application.command(rich_help_panel=panel)(verb(function))


def _version(asked: bool) -> None:
    if asked:
        results().show(f"torch2om {__version__}\n")
        raise typer.Exit


@application.callback()
def begin(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and leave.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of a defect.")] = False,
) -> None:
    """Keep what was said before the verb."""
    context.obj.debug = debug
