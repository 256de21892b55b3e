"""Attributes: values of ten kinds, under names that CANN 7 and later replace by numbers.

Source: GE graph_metadef/graph/utils/enum_attr_utils.cc and base/common/model/model_compress_manager.cc. A replaced
name is a zero byte and then digits of base 127, the lowest first, each one more than it counts. The tables that give
the names back are attributes of the model itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch2om.om.definition import Value, integer, texts
from torch2om.wire import WireProblem

_MARK = "\0"
_BASE = 127
_MOST_DIGITS = 5  # 127 ** 5 names: more than a file can hold


@dataclass(frozen=True, slots=True)
class Names:
    """The tables of one model: names, texts that stand for numbers, and which name's value is such a number."""

    names: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    is_text: tuple[bool, ...] = ()

    @classmethod
    def of_model(cls, attributes: Mapping[str, Value]) -> Names | None:
        """Return the tables among a model's attributes; None if its names are written out."""
        if integer(attributes.get("om_compress_version")) != 1:
            return None
        flags = attributes.get("attrs_use_string_value")
        return cls(
            texts(attributes.get("attr_name_enum")),
            texts(attributes.get("attr_value_enum")),
            tuple(map(bool, flags)) if isinstance(flags, tuple) else (),
        )

    def restored(self, key: str, value: Value, at: int) -> tuple[str, Value]:
        """Return an attribute as it was before its name became a number; WireProblem for a number without a name."""
        if not key.startswith(_MARK):
            return key, value
        index = _number(key, at)
        if index >= len(self.names):
            raise WireProblem(at, f"an attribute's name is number {index}, the table has {len(self.names)}")
        name = self.names[index]
        return name, self._restored_value(value, at) if index < len(self.is_text) and self.is_text[index] else value

    def _restored_value(self, value: Value, at: int) -> Value:
        if isinstance(value, tuple):
            return tuple(self._text(item, at) for item in value)
        return self._text(value, at)

    def _text(self, value: Value, at: int) -> Value:
        if not isinstance(value, int) or not 0 <= value < len(self.texts):
            raise WireProblem(at, f"an attribute's value is not the number of one of {len(self.texts)} texts")
        return self.texts[value]


def _number(key: str, at: int) -> int:
    digits = [ord(character) - 1 for character in key[1:]]
    if not 1 <= len(digits) <= _MOST_DIGITS or not all(0 <= digit < _BASE for digit in digits):
        raise WireProblem(at, "an attribute's name is no number")
    return sum(digit * _BASE**place for place, digit in enumerate(digits))
