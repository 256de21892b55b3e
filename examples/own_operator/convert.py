"""Converts a model with an operator of its own; the lowering is given by argument."""

from __future__ import annotations

import sys

import torch
from photo_ops import Edges
from photo_ops.lowerings import LOWERINGS

import torch2om

if __name__ == "__main__":
    torch.manual_seed(0)
    folder = sys.argv[1] if len(sys.argv) > 1 else "out/own_operator"
    print(torch2om.convert(Edges(), {"image": (1, 3, 32, 32)}, out=folder, lowerings=LOWERINGS))
