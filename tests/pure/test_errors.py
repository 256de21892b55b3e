"""Diagnostics as a stage raises them: all at once, errors first, each problem of a line once."""

from __future__ import annotations

import pytest

from torch2om.errors import Diagnostic, LoweringError, Problems, Severity
from torch2om.origin import Origin


def at(line: int, module: str, message: str = "no such layer") -> Diagnostic:
    return Diagnostic("L302", message, origin=Origin(call=f"call_{module}", module=module, file="net.py", line=line))


def raised(*diagnostics: Diagnostic) -> tuple[Diagnostic, ...]:
    problems = Problems()
    for diagnostic in diagnostics:
        problems.add(diagnostic)
    with pytest.raises(LoweringError) as caught:
        problems.raise_as(LoweringError)
    return caught.value.diagnostics


def test_notes_alone_raise_nothing() -> None:
    problems = Problems()
    problems.add(Diagnostic("C204", "in training mode", severity=Severity.NOTE))
    problems.raise_as(LoweringError)
    assert len(problems.found) == 1


def test_errors_come_first() -> None:
    note = Diagnostic("C204", "in training mode", severity=Severity.NOTE)
    assert [found.severity for found in raised(note, at(1, "a"))] == [Severity.ERROR, Severity.NOTE]


def test_a_problem_of_one_line_is_told_once_with_the_modules_that_share_it() -> None:
    first, other = raised(at(3, "a"), at(3, "b"), at(5, "a"), at(3, "c"))
    assert (first.origin.module, first.details) == ("a", ("the same 2 times more from this line, in b, c",))
    assert (other.origin.line, other.details) == (5, ())


def test_of_many_modules_some_are_named() -> None:
    (found,) = raised(*(at(3, f"m{index}") for index in range(9)))
    assert found.details == ("the same 8 times more from this line, in m1, m2, m3, m4, m5, m6, ...",)


def test_a_repetition_within_one_module_is_counted() -> None:
    call, again = at(3, ""), Diagnostic("L302", "no such layer", origin=Origin(call="again", file="net.py", line=3))
    (found,) = raised(call, again)
    assert found.details == ("the same 1 time more from this line",)


def test_what_differs_or_has_no_line_stays_apart() -> None:
    nowhere = [Diagnostic("L302", "no such layer", origin=Origin(module=name)) for name in "ab"]
    assert len(raised(at(3, "a"), at(3, "a", "too large"), *nowhere)) == 4
