"""Layers that map elements alone: activations, powers, clamps, and Eltwise over several blobs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

import numpy as np

from torch2om.ir.op import Array, Arrays, Op, Shape, Shapes, need, only
from torch2om.ir.spelling import Spelling, spelled
from torch2om.layers.arity import check_weights
from torch2om.layers.precision import rounded, widened
from torch2om.layers.unary import Unary

E = -1.0  # Caffe's spelling of Euler's number as a base


def sigmoid(x: Array) -> Array:
    """Return 1 / (1 + exp(-x))."""
    y = np.negative(x, out=np.empty_like(x))
    np.exp(y, out=y)
    y += 1
    return np.reciprocal(y, out=y)


def softplus(x: Array) -> Array:
    """Return log(1 + exp(x)), without overflow."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


@dataclass(frozen=True)
class ReLU(Unary):
    """y = max(x, 0) + negative_slope * min(x, 0)."""

    caffe_type: ClassVar[str | None] = "ReLU"
    message: ClassVar[str] = "relu_param"

    negative_slope: float = 0.0

    def value(self, x: Array) -> Array:
        """Return the rectified values."""
        positive = np.maximum(x, 0)
        return positive + self.negative_slope * np.minimum(x, 0) if self.negative_slope else positive


@dataclass(frozen=True)
class PReLU(Op):
    """y = max(x, 0) + slope[c] * min(x, 0), c the index on axis 1.

    Weights: slope (C), or one number [] if channel_shared. The blob has at least 2 axes.
    """

    caffe_type: ClassVar[str | None] = "PReLU"
    message: ClassVar[str] = "prelu_param"

    channel_shared: bool = False

    def expected_weights(self, bottoms: Shapes) -> tuple[Shape, ...]:
        """Return the shape of the slopes."""
        bottom = only(bottoms)
        need(len(bottom) >= 2, f"needs a blob of rank 2 or more, not {list(bottom)}")
        return ((),) if self.channel_shared else ((bottom[1],),)

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return the bottom's shape."""
        check_weights(weights, self.expected_weights(bottoms))
        return (bottoms[0],)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:
        """Return the rectified values."""
        x = widened(bottoms[0])
        slope = widened(weights[0]).reshape(-1, *(1,) * (x.ndim - 2))
        return (rounded(np.maximum(x, 0) + slope * np.minimum(x, 0), bottoms[0]),)


@dataclass(frozen=True)
class ReLU6(Unary):
    """y = min(max(x, 0), 6)."""

    caffe_type: ClassVar[str | None] = "ReLU6"

    def value(self, x: Array) -> Array:
        """Return the clamped values."""
        return np.clip(x, 0, 6)


@dataclass(frozen=True)
class ELU(Unary):
    """y = max(x, 0) + alpha * (exp(min(x, 0)) - 1)."""

    caffe_type: ClassVar[str | None] = "ELU"
    message: ClassVar[str] = "elu_param"

    alpha: float = 1.0

    def value(self, x: Array) -> Array:
        """Return the values."""
        return np.maximum(x, 0) + self.alpha * np.expm1(np.minimum(x, 0))


@dataclass(frozen=True)
class Sigmoid(Unary):
    """y = 1 / (1 + exp(-x))."""

    caffe_type: ClassVar[str | None] = "Sigmoid"

    def value(self, x: Array) -> Array:
        """Return the values."""
        return sigmoid(x)


@dataclass(frozen=True)
class TanH(Unary):
    """y = tanh(x)."""

    caffe_type: ClassVar[str | None] = "TanH"

    def value(self, x: Array) -> Array:
        """Return the values."""
        return np.tanh(x)


@dataclass(frozen=True)
class AbsVal(Unary):
    """y = |x|."""

    caffe_type: ClassVar[str | None] = "AbsVal"

    def value(self, x: Array) -> Array:
        """Return the values."""
        return np.abs(x)


@dataclass(frozen=True)
class BNLL(Unary):
    """y = log(1 + exp(x))."""

    caffe_type: ClassVar[str | None] = "BNLL"

    def value(self, x: Array) -> Array:
        """Return the values."""
        return softplus(x)


@dataclass(frozen=True)
class Mish(Unary):
    """y = x * tanh(log(1 + exp(x))) (ATC's; BVLC Caffe has none)."""

    caffe_type: ClassVar[str | None] = "Mish"

    def value(self, x: Array) -> Array:
        """Return the values."""
        return x * np.tanh(softplus(x))


@dataclass(frozen=True)
class Swish(Unary):
    """y = x / (1 + exp(-beta * x)) (BVLC Caffe's master has it, ATC not)."""

    caffe_type: ClassVar[str | None] = "Swish"
    message: ClassVar[str] = "swish_param"

    beta: float = 1.0

    def value(self, x: Array) -> Array:
        """Return the values."""
        return x * sigmoid(x * self.beta if self.beta != 1 else x)


@dataclass(frozen=True)
class Threshold(Unary):
    """y = 1 where x > threshold, else 0."""

    caffe_type: ClassVar[str | None] = "Threshold"
    message: ClassVar[str] = "threshold_param"

    threshold: float = 0.0

    def value(self, x: Array) -> Array:
        """Return ones and zeros."""
        return np.greater(x, self.threshold).astype(x.dtype)


@dataclass(frozen=True)
class Clip(Unary):
    """y = min(max(x, min), max); both bounds must be written (BVLC's proto requires them)."""

    caffe_type: ClassVar[str | None] = "Clip"
    message: ClassVar[str] = "clip_param"

    min: float = spelled(Spelling("min", always=True))
    max: float = spelled(Spelling("max", always=True))

    def __post_init__(self) -> None:
        need(self.min <= self.max, f"min {self.min} is above max {self.max}")

    def value(self, x: Array) -> Array:
        """Return the clamped values."""
        return np.clip(x, self.min, self.max)


def _natural_log(base: float) -> float:
    """Return log(base); -1 stands for e. Raise `BadOp` for a base that has no logarithm."""
    need(base == E or base > 0, f"base {base} is neither positive nor -1 (e)")
    return 1.0 if base == E else math.log(base)


@dataclass(frozen=True)
class Exp(Unary):
    """y = base^(shift + scale * x); base -1 means e."""

    caffe_type: ClassVar[str | None] = "Exp"
    message: ClassVar[str] = "exp_param"

    base: float = E
    scale: float = 1.0
    shift: float = 0.0

    def __post_init__(self) -> None:
        _natural_log(self.base)

    def value(self, x: Array) -> Array:
        """Return the powers."""
        logarithm = _natural_log(self.base)
        exponent: Array = logarithm * self.scale * x + logarithm * self.shift
        return np.exp(exponent)


@dataclass(frozen=True)
class Log(Unary):
    """y = log_base(shift + scale * x); base -1 means e. NaN below 0, -inf at 0."""

    caffe_type: ClassVar[str | None] = "Log"
    message: ClassVar[str] = "log_param"

    base: float = E
    scale: float = 1.0
    shift: float = 0.0

    def __post_init__(self) -> None:
        need(_natural_log(self.base) != 0, "base 1 has no logarithm")

    def value(self, x: Array) -> Array:
        """Return the logarithms."""
        argument: Array = self.scale * x + self.shift
        return np.log(argument) / _natural_log(self.base)


@dataclass(frozen=True)
class Power(Unary):
    """y = (shift + scale * x)^power; NaN for a broken power of a negative number.

    With power 0 or scale 0 the top is the constant 1 or shift^power, whatever x holds (BVLC Caffe: PowerLayer).
    """

    caffe_type: ClassVar[str | None] = "Power"
    message: ClassVar[str] = "power_param"

    power: float = 1.0
    scale: float = 1.0
    shift: float = 0.0

    def value(self, x: Array) -> Array:
        """Return the powers."""
        if self.power * self.scale == 0:
            return np.full_like(x, x.dtype.type(self.shift) ** self.power)
        y = x * self.scale
        if self.shift:
            y += self.shift
        if self.power != 1:
            y **= self.power
        return y


@dataclass(frozen=True)
class Dropout(Unary):
    """y = x: a deployed net drops nothing (Caffe scales while training)."""

    caffe_type: ClassVar[str | None] = "Dropout"
    message: ClassVar[str] = "dropout_param"

    dropout_ratio: float = 0.5

    def value(self, x: Array) -> Array:
        """Return the bottom itself."""
        return x


class EltwiseOperation(StrEnum):
    """How Eltwise combines its bottoms."""

    PROD = "PROD"
    SUM = "SUM"
    MAX = "MAX"


@dataclass(frozen=True)
class Eltwise(Op):
    """y = sum over i of coeff[i] * x_i, or the product, or the maximum; two or more bottoms of equal shape.

    `coeff` is empty (all 1) or has one number per bottom; a product takes none, a maximum ignores them (BVLC Caffe:
    EltwiseLayer).
    """

    caffe_type: ClassVar[str | None] = "Eltwise"
    message: ClassVar[str] = "eltwise_param"

    operation: EltwiseOperation = EltwiseOperation.SUM
    coeff: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        need(self.operation is not EltwiseOperation.PROD or not self.coeff, "a product takes no coefficients")

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return the bottoms' shape."""
        check_weights(weights, ())
        need(len(bottoms) >= 2, f"needs 2 bottoms or more, has {len(bottoms)}")
        need(len(self.coeff) in {0, len(bottoms)}, f"has {len(self.coeff)} coefficients for {len(bottoms)} bottoms")
        need(len(set(bottoms)) == 1, f"bottoms differ in shape: {', '.join(str(list(b)) for b in bottoms)}")
        return (bottoms[0],)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - has no weights
        """Return the bottoms combined, from left to right."""
        terms = [widened(x) for x in bottoms]
        match self.operation:
            case EltwiseOperation.PROD:
                y = _gathered(np.multiply, terms)
            case EltwiseOperation.MAX:
                y = _gathered(np.maximum, terms)
            case EltwiseOperation.SUM:
                factors = self.coeff or (1.0,) * len(terms)
                y = _gathered(np.add, [x if c == 1 else c * x for c, x in zip(factors, terms, strict=True)])
        return (rounded(y, bottoms[0]),)


def _gathered(combine: Callable[..., Array], terms: Arrays) -> Array:
    """Return the terms combined from left to right, two or more, in one new array."""
    y = np.asarray(combine(terms[0], terms[1]))  # of blobs of no dims numpy makes a number, which holds no result
    for term in terms[2:]:
        combine(y, term, out=y)
    return y
