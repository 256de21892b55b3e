"""How numbers look."""

from __future__ import annotations

import pytest

from torch2om.cli import figures


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1 k"),
        (55_300, "55.3 k"),
        (999_499, "999 k"),
        (999_500, "1 M"),
        (1_814_083_944, "1.81 G"),
        (4 * 10**15, "4000 T"),
    ],
)
def test_counts_have_three_digits_and_a_prefix(number: int, text: str) -> None:
    assert figures.count(number) == text


@pytest.mark.parametrize(
    ("duration", "text"), [(0.004, "0.00 s"), (9.99, "9.99 s"), (9.996, "10.0 s"), (75.04, "75.0 s")]
)
def test_seconds_have_two_digits_below_ten(duration: float, text: str) -> None:
    assert figures.seconds(duration) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "1.000000"), (1 - 3e-12, "1 - 3e-12"), (0.98, "0.980000"), (-1.0, "-1.000000"), (float("nan"), "nan")],
)
def test_a_cosine_shows_what_is_missing_to_one(value: float, text: str) -> None:
    assert figures.cosine(value) == text


@pytest.mark.parametrize(("value", "text"), [(0.0, "0"), (3.14e-7, "3.1e-07"), (float("inf"), "inf")])
def test_an_error_has_two_digits(value: float, text: str) -> None:
    assert figures.error(value) == text


@pytest.mark.parametrize(("number", "text"), [(0, "0 errors"), (1, "1 error"), (2, "2 errors")])
def test_one_is_singular(number: int, text: str) -> None:
    assert figures.counted(number, "error") == text
