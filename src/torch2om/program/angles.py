"""Angles by a polynomial: PyTorch's atan, asin and acos to 1e-11, where Caffe has layers for none of them."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.polynomial import Chebyshev, Polynomial

Tensor = torch.Tensor
DEGREE = 14  # atan(t) / t over t^2 has its pole at -1: each degree more is 5.8 times as exact


def _fitted() -> tuple[float, ...]:
    """Return the coefficients of atan(t) / t as a polynomial in t^2 over [0, 1], lowest first."""
    places = 0.5 - 0.5 * np.cos(np.pi * (np.arange(DEGREE + 1) + 0.5) / (DEGREE + 1))
    values = np.arctan(np.sqrt(places)) / np.sqrt(places)
    fitted = Chebyshev.fit(places, values, DEGREE, domain=[0, 1]).convert(kind=Polynomial)
    return tuple(map(float, fitted.coef))


COEFFICIENTS = _fitted()


def arc_tangent(x: Tensor) -> Tensor:
    """atan(x) = sign(x) * a(|x|), a(t) = t * p(t^2) up to 1 and pi / 2 - a(1 / t) beyond; within 1e-11."""
    size = x.abs()
    beyond = (size > 1).to(x.dtype)
    t = torch.clamp(size, max=1) / torch.clamp(size, min=1)
    square = t * t
    series = square * COEFFICIENTS[-1] + COEFFICIENTS[-2]
    for coefficient in COEFFICIENTS[-3::-1]:
        series = series * square + coefficient
    return torch.sign(x) * (beyond * (math.pi / 2) + (1 - 2 * beyond) * (series * t))


def arc_sine(x: Tensor) -> Tensor:
    """asin(x) = 2 * atan(x / (1 + sqrt(1 - x^2)))."""
    return 2 * arc_tangent(x / (1 + torch.sqrt(1 - x * x)))


def arc_cosine(x: Tensor) -> Tensor:
    """acos(x) = pi / 2 - asin(x)."""
    return math.pi / 2 - arc_sine(x)
