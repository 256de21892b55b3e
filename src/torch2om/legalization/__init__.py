"""Legalization: makes each layer legal for a target. Knows limits, knows no PyTorch.

`legalize(net, target) -> Net` is the driver; one file per family holds the rules.
"""

from __future__ import annotations

from torch2om.legalization.driver import legalize
from torch2om.legalization.outputs import expose_outputs
from torch2om.legalization.rules import Rule, RuleBuilder, legalizes, rules

__all__ = ["Rule", "RuleBuilder", "expose_outputs", "legalize", "legalizes", "rules"]
