"""An operator of one's own: `photo::gray`, and a model that uses it."""

from __future__ import annotations

import torch
from torch import nn


@torch.library.custom_op("photo::gray", mutates_args=())
def gray(image: torch.Tensor, red: float, green: float, blue: float) -> torch.Tensor:
    """red * R + green * G + blue * B, for images (N, 3, H, W); the result is (N, 1, H, W)."""
    shares = image.new_tensor([red, green, blue]).view(1, 3, 1, 1)
    return (image * shares).sum(dim=1, keepdim=True)


@gray.register_fake
def _(image: torch.Tensor, red: float, green: float, blue: float) -> torch.Tensor:
    return image.new_empty(image.shape[0], 1, *image.shape[2:])


class Edges(nn.Module):
    """Finds edges in the gray image."""

    def __init__(self) -> None:
        super().__init__()
        self.find = nn.Conv2d(1, 8, 3, padding=1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.find(gray(image, 0.299, 0.587, 0.114)))
