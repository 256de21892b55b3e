"""Is an om the compiled form of these Caffe files? Inputs, outputs and weights are compared; no device is needed.

What an operator of the om computes is not executed: that is for the chip. But an om whose inputs, outputs and weights
are those of the files was compiled from them, and from nothing older.
"""

from __future__ import annotations

from torch2om.matching.match import Matching, match
from torch2om.matching.weights import State

__all__ = ["Matching", "State", "match"]
