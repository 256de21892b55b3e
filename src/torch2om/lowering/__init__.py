"""Lowering: what each ATen call means in layers. Knows PyTorch, knows no target.

`lower(program) -> Net` is the driver; one file per family holds the lowerings.
"""

from __future__ import annotations

from torch2om.lowering import (  # noqa: F401 - importing a family registers its lowerings
    activation,
    arithmetic,
    casting,
    comparison,
    convolution,
    indexing,
    matmul,
    normalization,
    padding,
    pooling,
    rearrangement,
    recurrent,
    reduction,
    refusals,
    resizing,
    shape,
)
from torch2om.lowering.driver import lower
from torch2om.lowering.registry import Lowered, lowers
from torch2om.lowering.scope import Scope

__all__ = ["Lowered", "Scope", "lower", "lowers"]
