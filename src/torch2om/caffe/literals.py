r"""The values that protobuf's text format spells: 0x1f = 037 = 31, 1.5f = 1.5, "\344\270\255" = "\u4e2d"."""

from __future__ import annotations

import re

_ESCAPE = re.compile(
    r"\\(?:(?P<octal>[0-7]{1,3})|[xX](?P<hex>[0-9A-Fa-f]{1,2})|(?P<code>u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8})|(?P<plain>.))",
    re.DOTALL,
)
_PLAIN = {
    "a": b"\a",
    "b": b"\b",
    "f": b"\f",
    "n": b"\n",
    "r": b"\r",
    "t": b"\t",
    "v": b"\v",
    "\\": b"\\",
    "?": b"?",
    "'": b"'",
    '"': b'"',
}


def whole(text: str) -> int | None:
    """Return the value of a signed integer, decimal, 0x hex or 0 octal; None for "08" or thousands of digits."""
    digits = text.removeprefix("-").lower()
    base = 16 if digits.startswith("0x") else 8 if digits.startswith("0") else 10
    try:
        return int(text, base)
    except ValueError:
        return None


def number(text: str) -> float | None:
    """Return the value of a decimal integer, a float ("1.5f" too), or inf, infinity or nan in any case.

    None for hex and octal: the C++ parser takes them for integer fields only.
    """
    if re.match(r"0[0-9xX]", text):
        return None
    word = text.lower()
    return float(word if word in ("inf", "infinity", "nan") else word.removesuffix("f"))


def text_bytes(token: str) -> bytes:
    """Return the bytes of a string token, quotes off and escapes resolved.

    Raises ValueError at an escape that C does not have.
    """
    pieces = []
    done = 1
    for found in _ESCAPE.finditer(token, 1, len(token) - 1):
        pieces += [token[done : found.start()].encode("utf-8", "surrogateescape"), _escaped(found)]
        done = found.end()
    return b"".join([*pieces, token[done:-1].encode("utf-8", "surrogateescape")])


def _escaped(found: re.Match[str]) -> bytes:
    if found["octal"]:
        return bytes([int(found["octal"], 8) & 0xFF])
    if found["hex"]:
        return bytes([int(found["hex"], 16)])
    if found["code"] and (code := int(found["code"][1:], 16)) <= 0x10FFFF:
        return chr(code).encode("utf-8", "surrogatepass")
    if found["plain"] not in _PLAIN:
        raise ValueError(f"the escape {found[0]} has no meaning in a string")
    return _PLAIN[found["plain"]]
