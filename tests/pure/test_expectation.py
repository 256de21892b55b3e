from __future__ import annotations

import weakref
from collections.abc import Iterator

import numpy as np
import pytest

from torch2om.errors import VerificationError
from torch2om.expectation import Exact, Expectations
from torch2om.ir.op import Array

CALLS = ("a", "b", "c")


class Source:
    """Yields an array for each call, and knows which of them are still alive."""

    def __init__(self) -> None:
        self.made: dict[str, weakref.ref[Array]] = {}

    def __iter__(self) -> Iterator[tuple[str, Array]]:
        for index, call in enumerate(CALLS):
            value = np.full((2, 3), float(index))
            self.made[call] = weakref.ref(value)
            yield call, value
            del value

    @property
    def alive(self) -> list[str]:
        return [call for call, value in self.made.items() if value() is not None]


def test_a_value_is_computed_when_it_is_asked_for_and_forgotten_after_its_last_reading() -> None:
    source = Source()
    found = Expectations("PyTorch", source, {"a": 2, "b": 1, "c": 1})
    assert source.made == {}
    assert found.read("a").scale == 0
    assert source.alive == ["a"]
    assert found.read("b").scale == 1
    assert source.alive == ["a", "b"]  # the source itself still holds the last one
    found.read("a")
    assert found.read("c").scale == 2
    assert source.alive == ["c"]


def test_what_nobody_reads_is_never_held() -> None:
    source = Source()
    found = Expectations("PyTorch", source, {"c": 1})
    assert found.look("c").scale == 2
    assert source.alive == ["c"]


def test_a_value_that_is_not_finite_is_named() -> None:
    found = Expectations("PyTorch", iter([("a", np.array([np.nan]))]), {"a": 1})
    with pytest.raises(VerificationError) as caught:
        found.read("a")
    assert [(one.code, "in a" in one.message) for one in caught.value.diagnostics] == [("V703", True)]


def test_exact_values_come_in_the_blobs_dims_where_the_elements_are_as_many() -> None:
    expectations = Expectations("PyTorch", Source(), {"a": 1, "b": 1})
    exact = Exact(expectations, {"x": "b", "y": "a"}, {"x": (6, 1), "y": (2, 2)})
    assert "x" in exact
    assert "y" not in exact
    assert "z" not in exact
    assert exact["x"].shape == (6, 1)
