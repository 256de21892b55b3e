"""Random weights that hide nothing: no branch is 0, no norm is the identity, and activations keep their size."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F  # noqa: N812 - its usual name

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # what classifiers expect of images
SPREAD = 0.1  # of what is added to constants
LARGE = 10**8  # parameters, from which on fewer images must do


def settled(model: nn.Module, *sizes: Sequence[int]) -> nn.Module:
    """Return the model in eval mode, with statistics of real images of these sizes in every batch norm.

    Parameters that are the same everywhere (heads and gates of 0, layer scales of 1e-5, norms of 1) get numbers of
    their own: a branch times 0 would be equal whatever it computes. Gammas are uniform in 0.5 to 1 and betas in 0.5 to
    1.5: with betas around 0, deep nets of random weights are chaotic: PyTorch's own float32 is far from its float64.
    """
    norms = [module for module in model.modules() if getattr(module, "running_var", None) is not None]
    with torch.no_grad():
        for parameter in model.parameters():
            _disturb(parameter)
        model.eval()
        for norm in norms:
            _vary(norm)
            norm.train()
        count = 4 if sum(each.numel() for each in model.parameters()) < LARGE else 2
        model(*(images(count, size) for size in sizes))
    return model.eval()


def _disturb(parameter: nn.Parameter) -> None:
    if not parameter.is_floating_point() or parameter.min() != parameter.max():
        return
    if parameter.numel() > 1:
        scale = max(abs(float(parameter.max())), 1.0)
        parameter.add_(torch.empty_like(parameter).uniform_(-SPREAD, SPREAD) * scale)
    elif float(parameter) == 0:
        parameter.uniform_(0.3, 0.7)


def _vary(norm: nn.Module) -> None:
    """Give a norm a gamma and a beta of its own, and have it take the statistics of the next pass alone."""
    affine = getattr(norm, "weight", None), getattr(norm, "bias", None)
    for parameter, (low, high) in zip(affine, ((0.5, 1.0), (0.5, 1.5)), strict=True):
        if isinstance(parameter, nn.Parameter):
            parameter.uniform_(low, high)
    norm.momentum = None if isinstance(norm, nn.modules.batchnorm._BatchNorm) else 1.0  # type: ignore[assignment]  # noqa: SLF001 - PyTorch's common class of batch norms


def images(count: int, size: Sequence[int]) -> torch.Tensor:
    """Return so many photographs, normalized, as a batch of (C, H, W) or, each with steps in time, (C, T, H, W)."""
    turned = (torch.flip(each, dims) for dims in ((), (2,), (1,), (1, 2)) for each in photographs())
    chosen = torch.stack(
        [
            F.interpolate(each[None], size[-2:], mode="bilinear", antialias=True)[0]
            for each in islice(cycle(turned), count)
        ]
    )
    normal = (chosen - torch.tensor(MEAN).view(-1, 1, 1)) / torch.tensor(STD).view(-1, 1, 1)
    colours = normal[:, torch.arange(size[0]) % len(MEAN)]
    if len(size) == 3:
        return colours
    return torch.stack([colours.roll(step, -1) for step in range(size[1])], 2)


def photographs() -> list[torch.Tensor]:
    """Return the two photographs that scikit-learn brings, 0 to 1; importing it would take a second."""
    found = find_spec("sklearn")
    assert found is not None
    assert found.origin is not None
    folder = Path(found.origin).parent / "datasets" / "images"
    files = (np.array(Image.open(folder / name), np.float32) for name in ("china.jpg", "flower.jpg"))
    return [torch.from_numpy(each).permute(2, 0, 1) / 255 for each in files]
