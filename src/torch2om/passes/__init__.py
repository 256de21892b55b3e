"""Passes over nets that no target asks for: simplification and naming. They know no PyTorch and no target."""

from __future__ import annotations

from torch2om.passes.driver import simplify
from torch2om.passes.naming import name_layers

__all__ = ["name_layers", "simplify"]
