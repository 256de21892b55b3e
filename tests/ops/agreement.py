"""The comparison of an op's `run` with PyTorch, in float64."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from torch2om.ir.op import Op

Tensors = Sequence[torch.Tensor]


def assert_agrees(op: Op, bottoms: Tensors, wanted: Tensors, weights: Tensors = ()) -> None:
    """Assert that `infer` gives PyTorch's shapes and `run` its values, within 1e-12 of the largest value.

    The same inputs in float32 and float16 must give tops of that width.
    """
    arrays, constants = [x.numpy() for x in bottoms], [weight.numpy() for weight in weights]
    shapes = op.infer([x.shape for x in arrays], [weight.shape for weight in constants])
    assert shapes == tuple(tuple(want.shape) for want in wanted)
    for top, want in zip(op.run(arrays, constants), wanted, strict=True):
        assert top.dtype == np.float64
        expected = want.double().numpy()
        finite = np.abs(expected[np.isfinite(expected)])
        np.testing.assert_allclose(top, expected, rtol=1e-12, atol=1e-12 * finite.max(initial=0.0))
    for width in (np.float32, np.float16):
        tops = op.run([x.astype(width) for x in arrays], [weight.astype(width) for weight in constants])
        assert [(top.dtype, top.shape) for top in tops] == [(np.dtype(width), shape) for shape in shapes]


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    """Return float64 values drawn from the standard normal distribution."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
