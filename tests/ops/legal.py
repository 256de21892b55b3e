"""What a legal net must compute: what the net it was made of does."""

from __future__ import annotations

import numpy as np

from torch2om.executor import execute
from torch2om.ir.net import Net
from torch2om.rulebook import Case, Chain


def assert_computes_the_same(found: Net, case: Case | Chain, bound: float = 0.0) -> None:
    """Assert that the outputs equal the case's, within 1e-9 (or the bound) of the largest value."""
    feed, net = case.feed(), case.net()
    wanted, got = execute(net, feed), execute(found, feed)
    for output, place in zip(net.outputs, found.outputs, strict=True):
        expected, value = wanted[output.blob], got[place.blob]
        assert value.shape == expected.shape or (value.size, expected.shape) == (1, ())
        scale = np.abs(expected[np.isfinite(expected)]).max(initial=0.0)
        np.testing.assert_allclose(value.reshape(expected.shape), expected, rtol=0, atol=max(1e-9, bound) * scale)
