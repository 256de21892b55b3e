"""Elementary functions that Caffe has no layer for: virtual elementwise ops with PyTorch's meaning."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from torch2om.ir.op import Array
from torch2om.layers.unary import Unary


@dataclass(frozen=True)
class Sqrt(Unary):
    """y = sqrt x; NaN for x < 0."""

    def value(self, x: Array) -> Array:
        """Return the function's values."""
        return np.sqrt(x)


@dataclass(frozen=True)
class Rsqrt(Unary):
    """y = 1 / sqrt x; infinity at 0, NaN for x < 0."""

    def value(self, x: Array) -> Array:
        """Return the function's values."""
        return 1 / np.sqrt(x)


@dataclass(frozen=True)
class Reciprocal(Unary):
    """y = 1 / x; an infinity at 0."""

    def value(self, x: Array) -> Array:
        """Return the function's values."""
        return 1 / x


@dataclass(frozen=True)
class Floor(Unary):
    """y = the largest whole number not above x."""

    def value(self, x: Array) -> Array:
        """Return the function's values."""
        return np.floor(x)


@dataclass(frozen=True)
class Ceil(Unary):
    """y = the smallest whole number not below x."""

    def value(self, x: Array) -> Array:
        """Return the function's values."""
        return np.ceil(x)


@dataclass(frozen=True)
class Round(Unary):
    """y = the whole number nearest to x; halves go to the even one (torch.round)."""

    def value(self, x: Array) -> Array:
        """Return the function's values."""
        return np.rint(x)


@dataclass(frozen=True)
class Trunc(Unary):
    """y = x without its fraction."""

    def value(self, x: Array) -> Array:
        """Return the function's values."""
        return np.trunc(x)


@dataclass(frozen=True)
class Sign(Unary):
    """y = 1 for x > 0, -1 for x < 0, 0 elsewhere, NaN included (torch.sign)."""

    def value(self, x: Array) -> Array:
        """Return the function's values."""
        return (x > 0).astype(x.dtype) - (x < 0).astype(x.dtype)


@dataclass(frozen=True)
class Sin(Unary):
    """y = sin x."""

    def value(self, x: Array) -> Array:
        """Return the function's values."""
        return np.sin(x)


@dataclass(frozen=True)
class Cos(Unary):
    """y = cos x."""

    def value(self, x: Array) -> Array:
        """Return the function's values."""
        return np.cos(x)


@dataclass(frozen=True)
class Log1p(Unary):
    """y = log(1 + x); accurate near 0."""

    def value(self, x: Array) -> Array:
        """Return the function's values."""
        return np.log1p(x)


@dataclass(frozen=True)
class Expm1(Unary):
    """y = exp(x) - 1; accurate near 0."""

    def value(self, x: Array) -> Array:
        """Return the function's values."""
        return np.expm1(x)
