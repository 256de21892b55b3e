"""Views, transpositions, repetitions, concatenations and splits."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from torch2om.ir.blob import Blob
from torch2om.lowering.registry import lowers
from torch2om.lowering.scope import Scope
from torch2om.lowering.views import expanded, joined, parts, permuted, reshaped, tiled, with_one

aten = torch.ops.aten


@lowers(aten.view.default)
def view(b: Scope, self: Blob, size: Sequence[int]) -> Blob:  # noqa: ARG001 - the result's shape is known
    """Self under other dims."""
    return reshaped(b, self, b.expected[0])


@lowers(aten.unsqueeze.default)
def unsqueeze(b: Scope, self: Blob, dim: int) -> Blob:  # noqa: ARG001 - the result's shape is known
    """Self with a dim of length 1 more."""
    return reshaped(b, self, b.expected[0])


@lowers(aten.squeeze.dims)
def squeeze(b: Scope, self: Blob, dim: Sequence[int]) -> Blob:  # noqa: ARG001 - the result's shape is known
    """Self without dims of length 1."""
    return reshaped(b, self, b.expected[0])


@lowers(aten.permute.default)
def permute(b: Scope, self: Blob, dims: Sequence[int]) -> Blob:
    """Self with dim dims[k] at k."""
    return permuted(b, self, dims)


@lowers(aten.expand.default)
def expand(b: Scope, self: Blob, size: Sequence[int], implicit: bool) -> Blob:  # noqa: ARG001 - the shape is known
    """Self repeated along dims of length 1 and new leading dims."""
    return expanded(b, self, b.expected[0])


@lowers(aten.repeat.default)
def repeat(b: Scope, self: Blob, repeats: Sequence[int]) -> Blob:
    """Self copied repeats[k] times along dim k, under new leading dims where there are more repeats than dims."""
    x = reshaped(b, self, (1,) * (len(repeats) - self.rank) + self.shape)
    for axis, tiles in enumerate(repeats):
        x = tiled(b, x, axis, tiles)
    return x


@lowers(aten.cat.default)
def cat(b: Scope, tensors: Sequence[Blob], dim: int) -> Blob:
    """The tensors one after the other along `dim`."""
    return joined(b, tensors, dim % tensors[0].rank)


@lowers(aten.stack.default)
def stack(b: Scope, tensors: Sequence[Blob], dim: int) -> Blob:
    """The tensors one after the other along a new dim."""
    axis = dim % (tensors[0].rank + 1)
    return joined(b, [reshaped(b, x, with_one(x.shape, axis)) for x in tensors], axis)


@lowers(aten.split_with_sizes.default)
def split_with_sizes(b: Scope, self: Blob, split_sizes: Sequence[int], dim: int) -> tuple[Blob, ...]:
    """Self cut into pieces along `dim`."""
    return parts(b, self, dim % self.rank, split_sizes)
