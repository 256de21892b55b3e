"""PyTorch's activation functions that Caffe has no layer for: virtual elementwise ops with PyTorch's formulas."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from torch2om.ir.op import Array, need
from torch2om.layers.erf import erf
from torch2om.layers.unary import Unary

# The constants of self-normalizing networks (Klambauer et al. 2017), as torch.nn.SELU documents them.
SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946

# The cubic term of the tanh form of GELU (Hendrycks and Gimpel 2016), as torch.nn.GELU documents it.
GELU_CUBIC = 0.044715


@dataclass(frozen=True)
class Gelu(Unary):
    """y = x * (1 + erf(x / sqrt 2)) / 2, or with `tanh` x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))) / 2."""

    tanh: bool = False

    def value(self, x: Array) -> Array:
        """Return the function's values."""
        if self.tanh:
            return x * (0.5 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + GELU_CUBIC * x * x * x))))
        return x * (0.5 * (1 + erf(x * math.sqrt(0.5))))


@dataclass(frozen=True)
class Erf(Unary):
    """y = 2 / sqrt(pi) * integral of exp(-t^2) from 0 to x."""

    def value(self, x: Array) -> Array:
        """Return the function's values."""
        return erf(x)


@dataclass(frozen=True)
class HardSwish(Unary):
    """y = x * min(max(x + 3, 0), 6) / 6."""

    def value(self, x: Array) -> Array:
        """Return the function's values."""
        return x * np.clip(x + 3, 0, 6) / 6


@dataclass(frozen=True)
class HardSigmoid(Unary):
    """y = min(max(x + 3, 0), 6) / 6."""

    def value(self, x: Array) -> Array:
        """Return the function's values."""
        return np.clip(x + 3, 0, 6) / 6


@dataclass(frozen=True)
class Softplus(Unary):
    """y = log(1 + exp(beta * x)) / beta, and x itself where beta * x > threshold."""

    beta: float = 1.0
    threshold: float = 20.0

    def __post_init__(self) -> None:
        need(self.beta != 0, "beta must not be 0")

    def value(self, x: Array) -> Array:
        """Return the function's values."""
        scaled = x * self.beta
        return np.where(scaled > self.threshold, x, np.log1p(np.exp(scaled)) / self.beta)


@dataclass(frozen=True)
class Selu(Unary):
    """y = scale * x for x > 0, scale * alpha * (exp(x) - 1) elsewhere."""

    def value(self, x: Array) -> Array:
        """Return the function's values."""
        return SELU_SCALE * np.where(x > 0, x, SELU_ALPHA * np.expm1(x))


@dataclass(frozen=True)
class Celu(Unary):
    """y = x for x > 0, alpha * (exp(x / alpha) - 1) elsewhere."""

    alpha: float = 1.0

    def __post_init__(self) -> None:
        need(self.alpha != 0, "alpha must not be 0")

    def value(self, x: Array) -> Array:
        """Return the function's values."""
        return np.where(x > 0, x, self.alpha * np.expm1(x / self.alpha))


@dataclass(frozen=True)
class Softsign(Unary):
    """y = x / (1 + |x|)."""

    def value(self, x: Array) -> Array:
        """Return the function's values."""
        magnitude: Array = np.abs(x)
        return x / (1 + magnitude)


@dataclass(frozen=True)
class Tanhshrink(Unary):
    """y = x - tanh x."""

    def value(self, x: Array) -> Array:
        """Return the function's values."""
        return x - np.tanh(x)


@dataclass(frozen=True)
class Hardshrink(Unary):
    """y = 0 for |x| <= lambd, x elsewhere."""

    lambd: float = 0.5

    def value(self, x: Array) -> Array:
        """Return the function's values."""
        return np.where(np.abs(x) <= self.lambd, x.dtype.type(0), x)


@dataclass(frozen=True)
class Softshrink(Unary):
    """y = x - lambd for x > lambd, x + lambd for x < -lambd, 0 elsewhere."""

    lambd: float = 0.5

    def __post_init__(self) -> None:
        need(self.lambd >= 0, f"lambd must not be negative, is {self.lambd}")

    def value(self, x: Array) -> Array:
        """Return the function's values."""
        return x - np.clip(x, -self.lambd, self.lambd)


@dataclass(frozen=True)
class LogSigmoid(Unary):
    """y = log(1 / (1 + exp(-x))), computed as min(x, 0) - log(1 + exp(-|x|))."""

    def value(self, x: Array) -> Array:
        """Return the function's values."""
        return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))


@dataclass(frozen=True)
class Hardtanh(Unary):
    """y = minimum of `max` and the maximum of x and `min`; either bound may be infinite (any clamp is this op)."""

    min: float = -1.0
    max: float = 1.0

    def __post_init__(self) -> None:
        need(not math.isnan(self.min) and not math.isnan(self.max), "min and max must be numbers")

    def value(self, x: Array) -> Array:
        """Return the function's values."""
        return np.minimum(np.maximum(x, x.dtype.type(self.min)), x.dtype.type(self.max))
