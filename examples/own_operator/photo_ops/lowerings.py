"""What `photo::gray` means in Caffe's layers: one function."""

from __future__ import annotations

import numpy as np
import torch

import photo_ops  # noqa: F401 - defines the operator
from torch2om.ir.blob import Blob
from torch2om.ir.weight import constant
from torch2om.layers import Convolution
from torch2om.lowering import Scope


def gray(b: Scope, image: Blob, red: float, green: float, blue: float) -> Blob:
    """gray(x) = Convolution(x) with the one filter (red, green, blue) of 1x1."""
    shares = constant(np.array([red, green, blue]).reshape(1, 3, 1, 1))
    return b.add(Convolution(num_output=1, kernel=(1, 1), bias_term=False), image, weights=(shares,))


LOWERINGS = {torch.ops.photo.gray.default: gray}
