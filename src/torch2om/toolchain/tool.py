"""The two compilers: atc of CANN, omg of the DDK that came before it."""

from __future__ import annotations

from typing import Literal, get_args

Tool = Literal["atc", "omg"]
TOOLS: tuple[Tool, ...] = get_args(Tool)


def tool_named(name: str) -> Tool | None:
    """Return the compiler of that name; None if there is none (`Target.compiler` is empty for Caffe itself)."""
    return next((tool for tool in TOOLS if tool == name), None)
