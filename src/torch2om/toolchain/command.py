"""From options to the exact command line of atc or omg."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from torch2om.errors import Problems, UsageError
from torch2om.toolchain.gears import shape_with_gears
from torch2om.toolchain.options import CompileOptions
from torch2om.toolchain.rules import contradictions
from torch2om.toolchain.subject import Subject

CAFFE = 0  # --framework


@dataclass(frozen=True)
class Names:
    """The files' names where the compiler runs: the net, the om without its suffix, and the options' files."""

    prototxt: str
    caffemodel: str
    om: str
    files: Mapping[str, str]


def completed(options: CompileOptions, subject: Subject) -> CompileOptions:
    """Return the options with what the net itself says: input shapes, their format, the outputs in their order.

    Raises `UsageError` with every wrong value (K911) and every contradiction (K912).
    """
    wrong = Problems()
    for problem in options.problems(subject.tool):
        wrong.add(problem)
    wrong.raise_as(UsageError)
    shape = "" if options.dynamic_dims else shape_with_gears(options, subject)
    full = options.with_default("input_shape", shape).with_default("out_nodes", subject.out_nodes)
    if subject.tool == "atc":
        flat = any(len(shape) != 4 for shape in subject.inputs.values())
        full = full.with_default("input_format", "ND" if flat or options.dynamic_dims else "NCHW")
    for problem in contradictions(full, subject):
        wrong.add(problem)
    wrong.raise_as(UsageError)
    return full


def arguments(options: CompileOptions, names: Names) -> tuple[str, ...]:
    """Return the compiler's arguments for completed options; atc and omg differ in the options alone."""
    own = (
        f"--model={names.prototxt}",
        f"--weight={names.caffemodel}",
        f"--framework={CAFFE}",
        f"--output={names.om}",
    )
    local = replace(options, **{name: names.files[name] for name, _ in options.files()})  # type: ignore[arg-type]  # str
    return (*own, *(f"--{name}={value}" for name, value in local.given()), *options.extra)
