"""The width in which a layer computes: the bottoms' own, but never less than float32."""

from __future__ import annotations

import numpy as np

from torch2om.ir.op import Array


def widened(values: Array) -> Array:
    """Return float16 values as float32 and all others as they are: sums and functions are computed in this width."""
    return values.astype(np.float32) if values.dtype == np.float16 else values


def rounded(values: Array, like: Array) -> Array:
    """Return `values` rounded to the width of `like`, as an array even where numpy made a scalar."""
    return np.asarray(values, dtype=like.dtype)
