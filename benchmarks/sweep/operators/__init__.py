"""The operators of the sweep, by family."""

from __future__ import annotations

from benchmarks.sweep.operator import Operator
from benchmarks.sweep.operators.activation import ACTIVATION
from benchmarks.sweep.operators.arithmetic import ARITHMETIC
from benchmarks.sweep.operators.attention import ATTENTION
from benchmarks.sweep.operators.convolution import CONVOLUTION
from benchmarks.sweep.operators.normalization import NORMALIZATION
from benchmarks.sweep.operators.padding import PADDING
from benchmarks.sweep.operators.pooling import POOLING
from benchmarks.sweep.operators.recurrent import RECURRENT
from benchmarks.sweep.operators.reduction import REDUCTION
from benchmarks.sweep.operators.resizing import RESIZING
from benchmarks.sweep.operators.shape import SHAPE

FAMILIES = (
    NORMALIZATION,
    POOLING,
    RESIZING,
    CONVOLUTION,
    PADDING,
    ARITHMETIC,
    SHAPE,
    ACTIVATION,
    REDUCTION,
    RECURRENT,
    ATTENTION,
)
OPERATORS: tuple[Operator, ...] = tuple(operator for family in FAMILIES for operator in family.operators)
