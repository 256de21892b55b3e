"""Chips and boards by the names that people know, and which target is theirs, if any.

Sources. Which chips' ATC takes Caffe files: CANN's ATC guide, supported products of `--framework=0` (GE
docs/zh/user_guides/atc_tools, 2026). Which chip is on which board: the same guide, `--soc_version`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

# Soc and board names, plain (see `plain`): the longest that a name begins with decides.
TARGET_OF: Mapping[str, str] = MappingProxyType(
    {
        "310": "ascend310",
        "atlas200": "ascend310",
        "atlas200dk": "ascend310",
        "atlas300": "ascend310",
        "atlas300i": "ascend310",
        "atlas3003010": "ascend310",
        "atlas500": "ascend310",
        "hi1910": "ascend310",
        "hilenskit": "hilens",
        "310p": "ascend310p",
        "atlas200isoca1": "ascend310p",
        "atlas300ipro": "ascend310p",
        "atlas300iduo": "ascend310p",
        "atlas300v": "ascend310p",
        "310b": "ascend310b",
        "atlas200ia2": "ascend310b",
        "atlas200idka2": "ascend310b",
        "atlas500a2": "ascend310b",
        "orangepiaipro": "ascend310b",
    }
)

# Chips and boards whose ATC takes no Caffe files any more.
WITHOUT_CAFFE = (
    "910b",
    "910c",
    "91093",
    "a2",
    "a3",
    "atlas200ta2",
    "atlas800ta2",
    "atlas800ia2",
    "atlas900a2",
    "atlas300ia2",
    "atlas300ta2",
    "atlas800a3",
    "atlas800ta3",
    "atlas800ia3",
    "atlas900a3",
    "atlasa2",
    "atlasa3",
    "950",
    "035",
    "ipv350",
)

# Chips whose ATC takes Caffe files, but for which there is no table.
WITHOUT_TABLE = ("910", "910a", "910proa", "910prob", "910premiuma")


def plain(name: str) -> str:
    """Return the name in small letters and digits alone, without `ascend`: `310p3` of `Ascend310P3`."""
    return re.sub(r"[^a-z0-9]", "", name.lower()).removeprefix("ascend")


def dropped_caffe(name: str) -> bool:
    """Whether the chip or board of that name has a compiler that takes no Caffe files any more."""
    return _longest(name, WITHOUT_CAFFE) > max(_longest(name, TARGET_OF), _longest(name, WITHOUT_TABLE))


def has_no_table(name: str) -> bool:
    """Whether the chip's compiler takes Caffe files, but no target describes it."""
    return _longest(name, WITHOUT_TABLE) > max(_longest(name, TARGET_OF), _longest(name, WITHOUT_CAFFE))


def target_of(name: str) -> str | None:
    """Return the name of the target of a chip or board, None if it is not known."""
    length = _longest(name, TARGET_OF)
    return TARGET_OF[plain(name)[:length]] if length else None


def _longest(name: str, known: Mapping[str, str] | tuple[str, ...]) -> int:
    """Return the length of the longest known name that this one begins with, 0 if there is none."""
    return max((len(start) for start in known if plain(name).startswith(start)), default=0)
