"""Every way of writing: what lowering makes of it computes what PyTorch computes, or is refused with the reason."""

from __future__ import annotations

from collections import Counter

import pytest
from rows import ACCEPTED, BY_NAME, REFUSED, canonical, group, row

from torch2om.errors import LoweringError
from torch2om.lowering import lower
from torch2om.lowering.registry import registered


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_row_computes_what_pytorch_computes(name: str) -> None:
    row(name).assert_equal()


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_row_says_why_where_and_what_to_write_instead(name: str) -> None:
    program = canonical(name)
    with pytest.raises(LoweringError) as caught:
        lower(program)
    (diagnostic, *_) = [d for d in caught.value.diagnostics if BY_NAME[name].refusal in d.message]
    assert diagnostic.code == "L302"
    assert diagnostic.origin.line > 0
    assert diagnostic.hint


def test_every_row_has_its_own_name() -> None:
    assert [name for name, count in Counter((*ACCEPTED, *REFUSED)).items() if count > 1] == []


def test_every_lowering_is_met_by_a_row() -> None:
    programs = [canonical(*names) for names in {group(name) for name in ACCEPTED} | {(name,) for name in REFUSED}]
    met = {call.target for program in programs for call in program.calls()}
    unmet = [str(target) for target, lowering in registered().items() if target not in met and not lowering.refusal]
    assert unmet == []
