"""The constants of a model: where their bytes stand, and the arrays that they mean."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from torch2om.om.container import Partition
from torch2om.om.datatypes import NUMBERS, item_size
from torch2om.om.definition import Op, Tensor, TensorDesc, integer
from torch2om.om.layouts import PLAIN, Packed, Values, is_known, unpack
from torch2om.wire import WireProblem

CONSTANTS = frozenset(("Const", "Constant"))
EXTERNAL = "FileConstant"
"""The operator that stands for a weight in a file of its own (atc --external_weight)."""


@dataclass(frozen=True, slots=True)
class Weight:
    """A constant: `shape` is the logical one, its axes in the order `axes` (NCHW, HWCN, ND); the bytes are a view."""

    name: str
    dtype: str
    layout: str
    shape: tuple[int, ...]
    axes: str
    data: memoryview = field(repr=False)

    @property
    def is_read(self) -> bool:
        """Whether its layout and its type of numbers are ones that `array` knows."""
        return is_known(self.layout) and item_size(self.dtype) > 0

    def array(self) -> Values:
        """Return the numbers in the logical shape; `Packed` if their layout is not one that is unpacked."""
        return unpack(self._flat(), self.layout, self.shape, self.axes)

    def filters(self) -> Values:
        """Return the numbers with four named axes in the order N, C, H, W; others as `array` does."""
        values = self.array()
        if values.ndim != 4 or sorted(self.axes) != sorted("NCHW"):
            return values
        return values.transpose([self.axes.index(axis) for axis in "NCHW"])

    def _flat(self) -> Values:
        size = item_size(self.dtype)
        if not size:
            raise Packed(f"numbers of type {self.dtype} are not read")
        if len(self.data) % size:
            raise Packed(f"{len(self.data)} bytes are no whole number of {self.dtype}")
        if self.dtype == "bfloat16":
            upper = np.frombuffer(self.data, "<u2").astype(np.uint32)
            return np.left_shift(upper, 16).view(np.float32)
        return np.frombuffer(self.data, NUMBERS[self.dtype])


def read_weights(ops: Iterable[Op], partition: Partition | None) -> tuple[Weight, ...]:
    """Return the constants among operators, in their order; WireProblem if one lies outside its partition."""
    return tuple(_weight(op, tensor, partition) for op, tensor in _constants(ops))


def _constants(ops: Iterable[Op]) -> Iterator[tuple[Op, Tensor]]:
    for op in ops:
        value = op.attributes.get("value")
        if op.type in CONSTANTS and isinstance(value, Tensor):
            yield op, value


def _weight(op: Op, tensor: Tensor, partition: Partition | None) -> Weight:
    desc = tensor.desc
    data = tensor.data if len(tensor.data) else _placed(op, desc, partition)
    shape, axes = _logical(desc, op)
    return Weight(op.name, desc.dtype, desc.layout, shape, axes, data)


def _placed(op: Op, desc: TensorDesc, partition: Partition | None) -> memoryview:
    """Return the bytes in the partition; Kirin's compiler notes a place of its own where it merged weights."""
    start = integer(desc.attributes.get("merged_offset"), desc.data_offset)
    stored = memoryview(b"") if partition is None else partition.data
    if start < 0 or desc.weight_size < 0 or start + desc.weight_size > len(stored):
        where = f"bytes {start} to {start + desc.weight_size} of {len(stored)}"
        raise WireProblem(0 if partition is None else partition.start, f"constant {op.name} would take {where}")
    return stored[start : start + desc.weight_size]


def _logical(desc: TensorDesc, op: Op) -> tuple[tuple[int, ...], str]:
    """Return the logical shape and its axes: of a plain layout the memory's own, else what the compiler noted.

    Before CANN 20.x the compiler noted nothing: there the shape itself is the logical one, in the order NCHW.
    """
    if desc.layout in PLAIN:
        return desc.shape, desc.layout
    noted = (desc, *op.output_descs[:1])
    for each in noted:
        if each.origin_shape:
            return each.origin_shape, each.origin_format
    return desc.shape, "NCHW"
