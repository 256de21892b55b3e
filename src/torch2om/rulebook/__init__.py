"""Every rule on a small net: where it applies, and where it says why not.

One entry per rule, by the rule's name. `explain RULE`, docs/rules.md and the tests read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from torch2om.rulebook import (
    activation,
    affine,
    arithmetic,
    dims,
    elementary,
    folding,
    linear,
    normalization,
    padding,
    pooling,
    recurrence,
    reduction,
    removal,
    resizing,
    shape,
    windows,
)
from torch2om.rulebook.application import applied
from torch2om.rulebook.case import Case, Chain, Entry

_PAGES = (
    activation,
    affine,
    arithmetic,
    dims,
    elementary,
    folding,
    linear,
    normalization,
    padding,
    pooling,
    recurrence,
    reduction,
    removal,
    resizing,
    shape,
    windows,
)

RULEBOOK: Mapping[str, Entry] = MappingProxyType(
    {name: entry for page in _PAGES for name, entry in page.ENTRIES.items()}
)

__all__ = ["RULEBOOK", "Case", "Chain", "Entry", "applied"]
