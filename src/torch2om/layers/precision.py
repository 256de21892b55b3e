"""The width in which a layer computes, and rounding to half precision without leaving float32."""

from __future__ import annotations

import math

import numpy as np

from torch2om.ir.op import Array

LARGEST_HALF = 65504.0
LARGEST_SINGLE = 3.4028234663852886e38
SMALLEST_NORMAL_HALF = 2.0**-14
HALF_BITS = 10  # of the fraction
BLOCK = 1 << 16  # numbers that are rounded at a time, in a core's cache

_EXPONENT = np.uint32(0x7F800000)
_SIGN = np.uint32(0x80000000)
_LARGE = np.float32(2**15).view(np.uint32)  # the exponent of numbers that rounding may carry beyond the largest half
_LOWEST_POWERS = np.full(BLOCK, SMALLEST_NORMAL_HALF, np.float32)  # numpy's maximum with a scalar is four times slower
_SHIFT = np.float32(1.5 * 2 ** (np.finfo(np.float32).nmant - HALF_BITS))


def widened(values: Array) -> Array:
    """Return float16 values as float32 and all others as they are: sums and functions are computed in this width."""
    return values.astype(np.float32) if values.dtype == np.float16 else values


def rounded(values: Array, like: Array) -> Array:
    """Return `values` rounded to the width of `like`, as an array even where numpy made a scalar."""
    return np.asarray(values, dtype=like.dtype)


def opened(bound: float) -> float:
    """Return a bound on float32 numbers, infinite where none of them lies beyond it."""
    return math.copysign(math.inf, bound) if abs(bound) >= LARGEST_SINGLE else bound


def halved(values: Array) -> Array:
    """Return float32 values rounded to the nearest float16, halfway to even, still as float32; above 65504: infinity.

    (x + m) - m with m = 1.5 * 2^13 * max(2^e, 2^-14), where 2^e <= |x| < 2^(e+1): the sum's last bit is that of a
    float16 of x's size, subnormal ones included. It is what `astype(float16).astype(float32)` gives, in a third of the
    time.
    """
    flat = np.ascontiguousarray(values, np.float32).reshape(-1)
    result = np.empty_like(flat)
    buffer = np.empty(min(BLOCK, flat.size), np.float32)
    with np.errstate(all="ignore"):
        for start in range(0, flat.size, BLOCK):
            block = flat[start : start + BLOCK]
            halve(block, result[start : start + BLOCK], buffer[: block.size])
    return result.reshape(values.shape)


def halve(x: Array, y: Array, m: Array) -> Array:
    """Write float32 x, rounded as `halved` does it, to y and return y; m is room. All are flat, BLOCK long at most."""
    bits = m.view(np.uint32)
    np.bitwise_and(x.view(np.uint32), _EXPONENT, out=bits)
    is_large = np.maximum.reduce(bits) >= _LARGE  # or infinite, or NaN
    np.maximum(m, _LOWEST_POWERS[: m.size], out=m)
    np.multiply(m, _SHIFT, out=m)
    np.subtract(np.add(x, m, out=y), m, out=y)
    np.bitwise_and(x.view(np.uint32), _SIGN, out=bits)  # a sum that is zero has lost its sign
    np.bitwise_or(y.view(np.uint32), bits, out=y.view(np.uint32))
    if is_large:
        np.copyto(y, x.astype(np.float16), where=~(np.abs(y) <= LARGEST_HALF))
    return y
