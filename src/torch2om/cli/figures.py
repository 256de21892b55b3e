"""How numbers look in tables: short, with their unit."""

from __future__ import annotations

from rich.filesize import decimal

_STEPS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def count(number: int) -> str:
    """Return `1.82 G`: three significant digits and a decimal prefix; numbers below 1000 as they are."""
    rounded = float(f"{number:.3g}")
    for step, prefix in _STEPS:
        if rounded >= step:
            return f"{rounded / step:.{3 if rounded < 1000 * step else 15}g} {prefix}"
    return str(number)


def size(count_of_bytes: int) -> str:
    """Return `46.8 MB`."""
    return decimal(count_of_bytes)


def seconds(duration: float) -> str:
    """Return `12.3 s`, with two digits below ten seconds."""
    return f"{duration:.1f} s" if round(duration, 2) >= 10 else f"{duration:.2f} s"


def error(value: float) -> str:
    """Return `3.1e-15`; an exact zero is `0`."""
    return f"{value:.1e}" if value else "0"


def cosine(value: float) -> str:
    """Return how far the cosine is from 1 where that can be seen: `1 - 3e-12`, else the cosine itself."""
    missing = 1 - value
    if not 0 < missing < 1e-3:
        return f"{value:.6f}"
    return f"1 - {missing:.0e}"


def counted(number: int, what: str) -> str:
    """Return `1 error`, `2 errors`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
