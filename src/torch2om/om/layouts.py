"""The chip's layouts of weights, unpacked to the logical array.

The cube unit multiplies blocks of 16 x 16 numbers (16 x 32 of one byte), so weights are cut into such blocks and padded
with zeros: N0 = 16 outputs, C0 = 16 inputs (32 of one byte). Sources: the transfers between these layouts in GE,
base/common/formats/format_transfers. Real files agree: what is unpacked and packed again gives their bytes, zeros of
the padding included.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[Any]  # Any: the file chooses the number type
Dims = tuple[int, ...]
_Four = tuple[int, int, int, int]

N0 = 16
_SMALL_C0 = 4  # of the layouts named C04
_MATRIX = "FRACTAL_NZ"
_SPARE = 32  # bytes behind NC1HWC0 in the oldest files
PLAIN = frozenset(("ND", "NCHW", "NHWC", "HWCN", "CHWN", "NC", "CN", "NCL", "NCDHW", "NDHWC", "DHWCN"))
"""The layouts in which the numbers stand in the order of their dims."""


class Packed(ValueError):  # noqa: N818 - a finding about a weight, shown beside it
    """A weight that is not unpacked: the text says why."""


def is_known(layout: str) -> bool:
    """Whether weights of a layout are unpacked."""
    kind = layout.partition(":")[0]
    return kind in PLAIN or kind == _MATRIX or kind in _FOUR_AXES


def unpack(flat: Values, layout: str, dims: Dims, logical: str) -> Values:
    """Return the values of a layout in the shape `dims`, whose axes `logical` names (NCHW, HWCN, ND).

    `flat` is the weight as stored; a copy is made where the layout is not plain. Raises `Packed` if the layout is not
    known or the number of values is not what it needs.
    """
    if min(dims, default=1) < 1:
        raise Packed(f"it has the shape {list(dims)}")
    kind, _, suffix = layout.partition(":")
    groups = int(suffix) if suffix.isascii() and suffix.isdigit() and len(suffix) < 10 else 1
    if kind in PLAIN:
        return _exactly(flat, math.prod(dims)).reshape(dims)
    if kind == _MATRIX:
        return _unpack_matrix(flat, dims)
    if kind not in _FOUR_AXES:
        raise Packed(f"the layout {layout or 'without a name'} is not known")
    axes, four = _four_axes(dims, logical)
    values = _FOUR_AXES[kind](flat, four, max(groups, 1))
    return np.ascontiguousarray(values.transpose(["NCHW".index(axis) for axis in axes])).reshape(dims)


def _exactly(flat: Values, count: int) -> Values:
    if flat.size != count:
        raise Packed(f"it holds {flat.size} numbers, its shape and layout need {count}")
    return flat


def _four_axes(dims: Dims, logical: str) -> tuple[str, _Four]:
    """Return the axes' order and the dims as N, C, H, W; one dim counts channels, two count outputs and inputs."""
    match dims:
        case (channels,):
            return "NCHW", (1, channels, 1, 1)
        case outputs, inputs:
            return "NCHW", (outputs, inputs, 1, 1)
        case _ if len(dims) == 4 and sorted(logical) == sorted("NCHW"):
            n, c, h, w = (dims[logical.index(axis)] for axis in "NCHW")
            return logical, (n, c, h, w)
    raise Packed(f"it has the shape {list(dims)} in {logical or 'no named'} order")


def _c0(flat: Values) -> int:
    """C0: a row of a block has 32 bytes, or 16 numbers where those are wider than 2 bytes."""
    return 32 if flat.itemsize == 1 else 16


def _unpack_filters(flat: Values, dims: _Four, groups: int) -> Values:
    """FRACTAL_Z, [G1 C1 H W, N1, N0, C0]: e groups share a block, each on its own place of the diagonal.

    e is as many groups as fill whole blocks; with one group there is one block and no diagonal (GE
    format_transfer_fractal_z.cc, TransFormatHwcnToFzWithGroups).
    """
    n, cin, h, w = dims
    c0 = _c0(flat)
    cout, rest = divmod(n, groups)
    if rest:
        raise Packed(f"{n} outputs do not make {groups} equal groups")
    e = min(math.lcm(math.lcm(cin, c0) // cin, math.lcm(cout, N0) // cout), groups)
    g1, c1, n1 = -(-groups // e), -(-e * cin // c0), -(-e * cout // N0)
    blocks = _exactly(flat, g1 * c1 * h * w * n1 * N0 * c0).reshape(g1, c1, h, w, n1, N0, c0)
    wide = blocks.transpose(0, 4, 5, 1, 6, 2, 3).reshape(g1, n1 * N0, c1 * c0, h, w)[:, : e * cout, : e * cin]
    diagonal = wide.reshape(g1, e, cout, e, cin, h, w).diagonal(axis1=1, axis2=3)
    return np.moveaxis(diagonal, -1, 1).reshape(g1 * e, cout, cin, h, w)[:groups].reshape(n, cin, h, w)


def _unpack_small_filters(flat: Values, dims: _Four, _groups: int) -> Values:
    """FRACTAL_Z_C04, [ceil(H W 4 / C0), N1, N0, C0]: for up to 4 inputs (GE format_transfer_nchw_fz_c04.cc)."""
    n, c, h, w = dims
    if c > _SMALL_C0:
        raise Packed(f"it has {c} inputs, the layout is for up to {_SMALL_C0}")
    c0 = _c0(flat)
    depth, n1 = h * w * _SMALL_C0, -(-n // N0)
    k1 = -(-depth // c0)
    rows = _exactly(flat, k1 * n1 * N0 * c0).reshape(k1, n1, N0, c0).transpose(1, 2, 0, 3).reshape(n1 * N0, k1 * c0)
    return rows[:n, :depth].reshape(n, h, w, _SMALL_C0)[..., :c].transpose(0, 3, 1, 2)


def _unpack_channels(flat: Values, dims: _Four, _groups: int) -> Values:
    """NC1HWC0, [N, C1, H, W, C0]. Files older than CANN 20.x have 32 bytes more behind it."""
    return _channels(flat, dims, _c0(flat))


def _unpack_small_channels(flat: Values, dims: _Four, _groups: int) -> Values:
    """NC1HWC0_C04, [N, C1, H, W, 4]."""
    return _channels(flat, dims, _SMALL_C0)


def _channels(flat: Values, dims: _Four, c0: int) -> Values:
    n, c, h, w = dims
    c1 = -(-c // c0)
    count = n * c1 * h * w * c0
    given = flat[:count] if flat.nbytes == count * flat.itemsize + _SPARE else flat
    blocks = _exactly(given, count).reshape(n, c1, h, w, c0)
    return blocks.transpose(0, 1, 4, 2, 3).reshape(n, c1 * c0, h, w)[:, :c]


def _unpack_matrix(flat: Values, dims: Dims) -> Values:
    """FRACTAL_NZ, [..., N1, M1, M0, N0] for a matrix [..., M, N]."""
    if len(dims) < 2:
        raise Packed(f"it has the shape {list(dims)}, the layout is for matrices")
    *batch, m, n = dims
    n0 = _c0(flat)
    m1, n1 = -(-m // N0), -(-n // n0)
    many = math.prod(batch)
    blocks = _exactly(flat, many * n1 * m1 * N0 * n0).reshape(many, n1, m1, N0, n0)
    rows = blocks.transpose(0, 2, 3, 1, 4).reshape(many, m1 * N0, n1 * n0)
    return np.ascontiguousarray(rows[:, :m, :n]).reshape(dims)


_FOUR_AXES: Mapping[str, Callable[[Values, _Four, int], Values]] = {
    "FRACTAL_Z": _unpack_filters,
    "FRACTAL_Z_C04": _unpack_small_filters,
    "NC1HWC0": _unpack_channels,
    "NC1HWC0_C04": _unpack_small_channels,
}
