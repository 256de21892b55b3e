"""Every rule on its page of the rulebook: it computes what its layers do, or says why it does not apply."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import numpy as np
import pytest
from legal import assert_computes_the_same

from torch2om.errors import Refuse
from torch2om.ir.op import BadOp
from torch2om.layers import Deconvolution, Permute, Reshape
from torch2om.legalization.rules import Rule, rules
from torch2om.passes.rules import Rewrite, all_rewrites
from torch2om.rulebook import RULEBOOK, Case, Chain, applied

LEGALIZATIONS = {rule.name: rule for family in rules().values() for rule in family}
REWRITES = {rewrite.name: rewrite for family in all_rewrites().values() for rewrite in family}
EVERY: dict[str, Rule | Rewrite] = {**LEGALIZATIONS, **REWRITES}
APPLIES = [
    (name, net)
    for name, entry in RULEBOOK.items()
    for net in (entry.applies, *entry.others)
    if not isinstance(net, str)
]
REFUSES = [(name, entry.refuses) for name, entry in RULEBOOK.items() if not isinstance(entry.refuses, str)]


def rule_of(name: str, net: Case | Chain) -> Rule | Rewrite:
    """Return the rule as it is registered for the type of the net's last layer."""
    op = type(net.net().layers[-1].op)
    family: Iterator[Rule | Rewrite] = chain(rules().get(op, []), all_rewrites().get(op, []))
    return next(rule for rule in family if rule.name == name)


@pytest.mark.parametrize(("name", "net"), APPLIES, ids=lambda value: value if isinstance(value, str) else "")
def test_a_rule_computes_what_its_layer_does(name: str, net: Case | Chain) -> None:
    rule = rule_of(name, net)
    made = applied(rule, net.net())
    assert [layer.op for layer in made.layers] != [layer.op for layer in net.net().layers]
    assert_computes_the_same(made, net, rule.bound if isinstance(rule, Rule) else 0.0)


@pytest.mark.parametrize(("name", "net"), REFUSES, ids=lambda value: value if isinstance(value, str) else "")
def test_a_rule_says_why_it_does_not_apply(name: str, net: Case | Chain) -> None:
    with pytest.raises((Refuse, BadOp)) as refusal:
        applied(rule_of(name, net), net.net())
    assert str(refusal.value)


def test_every_rule_has_its_page_and_no_name_stands_twice() -> None:
    assert not LEGALIZATIONS.keys() & REWRITES.keys()
    assert RULEBOOK.keys() == EVERY.keys()


def test_what_never_applies_or_never_refuses_has_a_stated_reason() -> None:
    for name, entry in RULEBOOK.items():
        reasons = [side for side in (entry.applies, entry.refuses) if isinstance(side, str)]
        assert all(len(reason.split()) >= 3 for reason in reasons), name
        assert len(reasons) < 2, name


def test_every_rule_states_an_equation_and_a_legalization_its_exactness() -> None:
    for name, rule in EVERY.items():
        lines = (rule.function.__doc__ or "").strip().splitlines()
        assert lines[0].endswith("."), name
        assert len(lines) >= (3 if name in LEGALIZATIONS else 1), name


def test_an_interleaving_that_only_moves_multiplies_nothing() -> None:
    places = np.tile(np.eye(6).reshape(6, 1, 2, 3), (2, 1, 1, 1))
    row = Case(Deconvolution(2, (2, 3), (2, 3), group=2, bias_term=False), ((2, 12, 3, 4),), (places,))
    made = applied(LEGALIZATIONS["deconvolve_by_phases"], row.net())
    assert {type(layer.op) for layer in made.layers} == {Reshape, Permute}
