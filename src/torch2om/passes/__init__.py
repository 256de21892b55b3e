"""Passes over nets that no target asks for: simplification and naming. They know no PyTorch and no target."""

from __future__ import annotations

from torch2om.passes import branches, cleanup, folding, layout, movement, padding, patterns, prescaling, squares
from torch2om.passes.driver import simplify
from torch2om.passes.naming import name_layers
from torch2om.passes.rules import Rewrite, all_rewrites

# Importing a family registers its rewrites.
FAMILIES = (branches, cleanup, folding, layout, movement, padding, patterns, prescaling, squares)

__all__ = ["Rewrite", "all_rewrites", "name_layers", "simplify"]
