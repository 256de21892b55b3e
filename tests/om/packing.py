"""Weights laid out as the chip has them, number by number from the formulas of GE's format transfers.

Each function says which logical number stands at each place of the memory, so it shares nothing with the unpacking,
which cuts and transposes.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[Any]  # Any: whatever number type the test packs
Places = npt.NDArray[np.int64]


def c0_of(values: Values) -> int:
    return 32 if values.itemsize == 1 else 16


def ceil_div(count: int, size: int) -> int:
    return -(-count // size)


def split(places: Places, *sizes: int) -> list[Places]:
    """The digits of each place in the mixed base `sizes`, the first size the slowest."""
    found: list[Places] = []
    for size in reversed(sizes):
        found.insert(0, places % size)
        places = places // size
    return found


def pick(values: Values, *indices: Places) -> Values:
    """The numbers at the indices; zero outside the array."""
    inside = np.logical_and.reduce([index < size for index, size in zip(indices, values.shape, strict=True)])
    clipped = tuple(np.minimum(index, size - 1) for index, size in zip(indices, values.shape, strict=True))
    return np.where(inside, values[clipped], np.zeros((), values.dtype)).astype(values.dtype)


def fractal_z(nchw: Values, groups: int = 1) -> Values:
    """[G1, C1, H, W, N1 N0, C0]: group g is element g % e of block g // e, at its own place of the diagonal."""
    n, cin, h, w = nchw.shape
    cout, c0 = n // groups, c0_of(nchw)
    e = min(math.lcm(math.lcm(cin, c0) // cin, math.lcm(cout, 16) // cout), groups)
    g1, c1, rows = ceil_div(groups, e), ceil_div(e * cin, c0), ceil_div(e * cout, 16) * 16
    count = g1 * c1 * h * w * rows * c0
    gi, ci, hi, wi, row, lane = split(np.arange(count), g1, c1, h, w, rows, c0)
    column = ci * c0 + lane
    member, out, member_in, source = row // cout, row % cout, column // cin, column % cin
    group = gi * e + member
    mine = (member == member_in) & (member < e) & (group < groups)
    picked = pick(nchw, group * cout + out, source, hi, wi)
    return np.where(mine, picked, np.zeros((), nchw.dtype)).astype(nchw.dtype)


def fractal_z_c04(nchw: Values) -> Values:
    """[ceil(H W 4 / C0), N1, N0, C0]: the last two axes of N, (H, W, 4 channels)."""
    n, _, h, w = nchw.shape
    c0 = c0_of(nchw)
    k1, n1 = ceil_div(h * w * 4, c0), ceil_div(n, 16)
    ki, ni, row, lane = split(np.arange(k1 * n1 * 16 * c0), k1, n1, 16, c0)
    k = ki * c0 + lane
    place, channel = k // 4, k % 4
    return pick(nchw, ni * 16 + row, channel, place // w, place % w)


def nc1hwc0(nchw: Values, c0: int = 0) -> Values:
    """[N, C1, H, W, C0]."""
    n, c, h, w = nchw.shape
    c0 = c0 or c0_of(nchw)
    c1 = ceil_div(c, c0)
    ni, ci, hi, wi, lane = split(np.arange(n * c1 * h * w * c0), n, c1, h, w, c0)
    return pick(nchw, ni, ci * c0 + lane, hi, wi)


def fractal_nz(matrices: Values) -> Values:
    """[..., N1, M1, M0, N0]."""
    *batch, m, n = matrices.shape
    n0 = c0_of(matrices)
    many, n1, m1 = math.prod(batch), ceil_div(n, n0), ceil_div(m, 16)
    bi, ni, mi, row, lane = split(np.arange(many * n1 * m1 * 16 * n0), many, n1, m1, 16, n0)
    return pick(matrices.reshape(many, m, n), bi, mi * 16 + row, ni * n0 + lane)
