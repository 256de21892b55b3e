"""What the value of a compiler's option may be: each kind says it in words and names what is wrong with a text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class Kind(Protocol):
    """The values that an option takes."""

    @property
    def sentence(self) -> str:
        """The values in words."""

    def problem(self, text: str) -> str:
        """Return what is wrong with a value, or nothing."""


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of some words."""

    words: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The words."""
        return "one of " + ", ".join(self.words)

    def problem(self, text: str) -> str:
        """Return that the text is none of the words."""
        return "" if text in self.words else f"{text!r} is not {self.sentence}"


@dataclass(frozen=True, slots=True)
class Written:
    """A text of a certain form: the words that say it, and the pattern that it matches as a whole."""

    sentence: str
    pattern: str

    def problem(self, text: str) -> str:
        """Return that the text has another form."""
        return "" if re.fullmatch(self.pattern, text) else f"{text!r} is not {self.sentence}"


@dataclass(frozen=True, slots=True)
class ExistingFile:
    """A file on this machine; it travels with the net to where the compiler runs."""

    sentence: str = "a file"

    def problem(self, text: str) -> str:
        """Return that there is no such file."""
        return "" if Path(text).is_file() else f"there is no file {text}"


def one_of(*words: str) -> OneOf:
    """Return the kind whose values are these words."""
    return OneOf(words)


_NAME = r"[^:;,\s\"]+"
_DIM = r"(?:-1|[1-9]\d*(?:~[1-9]\d*)?)"
_POSITIVE = r"[1-9]\d*"
_TYPES = "FP32|FP16|INT8|UINT8|INT16|UINT16|INT32|UINT32|INT64|UINT64|DOUBLE"

SWITCH = one_of("0", "1")
TRUTH = one_of("true", "false")
TRUTHS = Written("true or false for each, as true,false", r"(?:true|false)(?:,(?:true|false))*")
SHAPES = Written(
    "NAME:DIMS, as x:1,3,224,224; several separated by ';'",
    rf"{_NAME}:(?:{_DIM}(?:,{_DIM})*)?(?:;{_NAME}:(?:{_DIM}(?:,{_DIM})*)?)*",
)
NAMES = Written("names separated by ';'", rf"{_NAME}(?:;{_NAME})*")
NODES = Written("LAYER:INDEX or tops, separated by ';'", rf"{_NAME}(?::\d+)?(?:;{_NAME}(?::\d+)?)*")
NUMBERS = Written("positive numbers, as 1,2,4", rf"{_POSITIVE}(?:,{_POSITIVE})*")
GEARS = Written(
    "groups of positive numbers, as 416,416;832,832", rf"{_POSITIVE}(?:,{_POSITIVE})*(?:;{_POSITIVE}(?:,{_POSITIVE})*)*"
)
OUTPUT_TYPE = Written(
    f"a type ({_TYPES.replace('|', ', ')}) or LAYER:INDEX:TYPE, separated by ';'",
    rf"(?:{_TYPES})|{_NAME}:\d+:(?:{_TYPES})(?:;{_NAME}:\d+:(?:{_TYPES}))*",
)
WORD = Written("a word", r"[\w.+-]+")
WORDS = Written("words separated by ','", r"[\w.+-]+(?:,[\w.+-]+)*")
FILE = ExistingFile()
