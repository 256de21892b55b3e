"""Legalization: makes each layer legal for a target. Knows limits, knows no PyTorch.

`legalize(net, target) -> Net` is the driver; one file per family holds the rules.
"""

from __future__ import annotations

from torch2om.legalization import (
    activation,
    affine,
    arithmetic,
    clamp,
    constant,
    dims,
    elementary,
    filters,
    gaussian,
    large_windows,
    linear,
    linear_map,
    matmul,
    normalization,
    padding,
    permutation,
    places,
    pooling,
    rectifier,
    recurrent,
    reduction,
    resizing,
    shape,
    softmax,
    transposed,
    unrolling,
)
from torch2om.legalization.driver import legalize
from torch2om.legalization.fusions import keep_apart
from torch2om.legalization.outputs import expose_outputs
from torch2om.legalization.rules import Rule, RuleBuilder, legalizes, rules

# Importing a family registers its rules.
FAMILIES = (
    activation,
    affine,
    arithmetic,
    clamp,
    constant,
    dims,
    elementary,
    filters,
    gaussian,
    large_windows,
    linear,
    linear_map,
    matmul,
    normalization,
    padding,
    permutation,
    places,
    pooling,
    rectifier,
    recurrent,
    reduction,
    resizing,
    shape,
    softmax,
    transposed,
    unrolling,
)

__all__ = ["Rule", "RuleBuilder", "expose_outputs", "keep_apart", "legalize", "legalizes", "rules"]
