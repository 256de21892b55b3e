"""Casts: all blobs are floating point, so only those that change values need layers."""

from __future__ import annotations

import torch

from torch2om.errors import Refuse
from torch2om.ir.blob import Blob
from torch2om.lowering.comparison import truth
from torch2om.lowering.registry import lowers
from torch2om.lowering.scope import Scope

aten = torch.ops.aten


@lowers(aten._to_copy.default)  # noqa: SLF001 - an operator's name
def to_copy(
    b: Scope,
    self: Blob,
    dtype: torch.dtype | None,
    layout: torch.layout | None,  # noqa: ARG001 - where and how the tensor lies in memory, not what it holds
    device: torch.device | None,  # noqa: ARG001 - the same
    pin_memory: bool | None,  # noqa: ARG001 - the same
    non_blocking: bool,  # noqa: ARG001 - the same
    memory_format: torch.memory_format | None,  # noqa: ARG001 - the same
) -> Blob:
    """Self: 0 and 1 of a condition are floats already, and so are indices; a cast to bool compares with 0."""
    if dtype is torch.bool:
        return truth(b, self)
    if dtype is not None and not dtype.is_floating_point and self.kind == "float":
        raise Refuse(f"a cast to {dtype} cuts the fraction off", hint="write x.trunc(), and stay in float")
    return self
