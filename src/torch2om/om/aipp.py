"""AIPP inside an om: how the chip prepares the image before the first layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from torch2om.om.definition import Definition, NamedAttributes, Op, Value, integer, text, texts
from torch2om.preprocessing.text import enumerator

_SHOWN_ELSEWHERE = frozenset(("aipp_mode", "input_format"))


@dataclass(frozen=True, slots=True)
class Aipp:
    """One input's AIPP: `settings` are those that do something, under the names of the configuration file.

    `inputs` and `outputs` are what the compiler notes about the image and about what the model sees.
    """

    op: str
    mode: str
    input_format: str
    settings: Mapping[str, Value]
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


def read_aipp(definition: Definition) -> tuple[Aipp, ...]:
    """Return the AIPP of every operator that has its settings (GE proto/insert_op.proto, AippOpParams)."""
    return tuple(_found(definition))


def _found(definition: Definition) -> Iterator[Aipp]:
    for op in definition.main.ops:
        settings = op.attributes.get("aipp")
        if isinstance(settings, NamedAttributes):
            yield _aipp(op, settings.attributes)
        elif mode := text(op.attributes.get("_data_related_aipp_mode")):
            yield Aipp(op.name, mode.removesuffix("_aipp"), "", {}, *_notes(op))


def _aipp(op: Op, given: Mapping[str, Value]) -> Aipp:
    settings = {key: value for key, value in sorted(given.items()) if value and key not in _SHOWN_ELSEWHERE}
    mode, form = integer(given.get("aipp_mode")), integer(given.get("input_format"))
    named = enumerator("AippOpParams.AippMode", mode) or f"mode {mode}"
    layout = (enumerator("AippOpParams.InputFormat", form) or f"format {form}") if form else ""
    return Aipp(op.name, named, layout, settings, *_notes(op))


def _notes(op: Op) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return texts(op.attributes.get("_aipp_inputs")), texts(op.attributes.get("_aipp_outputs"))
