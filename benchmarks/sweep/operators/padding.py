"""Pads of every mode, on any dim and side, negative too."""

from __future__ import annotations

from random import Random

from benchmarks.sweep.operator import Call, Family, Shape
from torch import nn
from torch.nn import functional as F  # noqa: N812 - everybody's name for it

PADDING = Family("padding")


def _side(random: Random, most: int) -> int:
    return random.choice((0, 1, 2, 3, -1)) if most > 2 else random.choice((0, 0, 1, 2))


@PADDING("F.pad constant", 1, 2, 3, 4, 5)
def constant(random: Random, shape: Shape) -> nn.Module:
    axes = random.randint(1, len(shape))
    sides = [_side(random, size) for size in reversed(shape[-axes:]) for _ in range(2)]
    return Call(F.pad, pad=sides, value=random.choice((0.0, 0.0, 1.5, -2.0)))


def _pad(mode: str) -> None:
    """Register a mode that repeats the blob's own elements: on one dim of rank 2 or 3, on two of rank 3 or 4."""

    @PADDING(f"F.pad {mode}", 2, 3, 4)
    def build(random: Random, shape: Shape) -> nn.Module:
        axes = {2: 1, 3: random.choice((1, 2)), 4: 2}[len(shape)]
        most = [size - 1 if mode == "reflect" else size for size in reversed(shape[-axes:])]
        sides = [random.randint(0, min(3, size)) for size in most for _ in range(2)]
        return Call(F.pad, pad=sides, mode=mode)


for _mode in ("reflect", "replicate", "circular"):
    _pad(_mode)
