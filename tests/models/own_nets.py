"""Small nets of the kinds that people deploy."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


def block(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.1)
    )


class UNet(nn.Module):
    """Down twice, up twice by transposed convolutions, with the skipped features beside them."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Sequential(block(3, 8), block(8, 8))
        self.down = nn.ModuleList([nn.Sequential(nn.MaxPool2d(2), block(8 << i, 16 << i)) for i in range(2)])
        self.up = nn.ModuleList([nn.ConvTranspose2d(16 << i, 8 << i, 2, stride=2) for i in range(2)])
        self.merge = nn.ModuleList([block(16 << i, 8 << i) for i in range(2)])
        self.leave = nn.Conv2d(8, 2, 1)

    def forward(self, image: Tensor) -> Tensor:
        levels = [self.enter(image)]
        for down in self.down:
            levels.append(down(levels[-1]))
        x = levels[2]
        for index in (1, 0):
            x = self.merge[index](torch.cat([levels[index], self.up[index](x)], dim=1))
        scores: Tensor = self.leave(x)
        return scores


class YoloHead(nn.Module):
    """Two scales with a path from the coarse one to the fine one; boxes, objectness and classes of each."""

    def __init__(self, anchors: int = 3, classes: int = 5) -> None:
        super().__init__()
        self.per_anchor = 5 + classes
        self.fine = nn.Sequential(block(3, 8, 2), block(8, 16, 2))
        self.coarse = nn.Sequential(block(16, 32, 2), nn.Conv2d(32, 16, 1), nn.SiLU())
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.heads = nn.ModuleList(
            [nn.Conv2d(32, anchors * self.per_anchor, 1), nn.Conv2d(16, anchors * self.per_anchor, 1)]
        )

    def forward(self, image: Tensor) -> list[Tensor]:
        fine = self.fine(image)
        coarse = self.coarse(fine)
        merged = torch.cat([fine, self.up(coarse)], 1)
        return [self.decoded(head(x)) for head, x in zip(self.heads, (merged, coarse), strict=True)]

    def decoded(self, x: Tensor) -> Tensor:
        n, _, h, w = x.shape
        x = x.view(n, -1, self.per_anchor, h, w).permute(0, 1, 3, 4, 2)
        centers, sizes, rest = x[..., :2], x[..., 2:4], x[..., 4:]
        boxes = torch.cat([centers.sigmoid() * 2 - 0.5, sizes.exp(), rest.sigmoid()], -1)
        return boxes.reshape(n, -1, self.per_anchor)


class CRNN(nn.Module):
    """A line of text: columns of a feature map as a sequence, through a bidirectional LSTM, to scores per character."""

    def __init__(self, characters: int = 11) -> None:
        super().__init__()
        self.features = nn.Sequential(block(1, 8), nn.MaxPool2d(2), block(8, 16), nn.MaxPool2d((8, 1)))
        self.rnn = nn.LSTM(16, 12, bidirectional=True)
        self.scores = nn.Linear(24, characters)

    def forward(self, line: Tensor) -> Tensor:
        columns = self.features(line).squeeze(2).permute(2, 0, 1)
        hidden, _ = self.rnn(columns)
        return functional.log_softmax(self.scores(hidden), dim=2)


class MLP(nn.Module):
    """Rows of numbers: dropout, batch norm of vectors and a residual."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Linear(10, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.5))
        self.second = nn.Sequential(nn.Linear(16, 16), nn.Tanh())
        self.last = nn.Linear(16, 3)

    def forward(self, row: Tensor) -> Tensor:
        x = self.first(row)
        scores: Tensor = self.last(x + self.second(x))
        return scores.softmax(-1)


class Siamese(nn.Module):
    """Two images through one encoder, and the distance between what it makes of them."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            block(3, 8, 2), block(8, 16, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 8)
        )

    def forward(self, left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
        a = functional.normalize(self.encoder(left), dim=1)
        b = functional.normalize(self.encoder(right), dim=1)
        return (a - b).pow(2).sum(1), (a * b).sum(1, keepdim=True)


class NamedOutputs(nn.Module):
    """One feature map, returned under names of the user's, one of them nested."""

    def __init__(self) -> None:
        super().__init__()
        self.body = block(3, 4, 2)
        self.score = nn.Conv2d(4, 2, 1)

    def forward(self, image: Tensor) -> dict[str, Tensor | tuple[Tensor, Tensor]]:
        x = self.body(image)
        return {"score": self.score(x), "aux": (x.mean((2, 3)), x.amax((2, 3)))}


@dataclass
class Detection:
    boxes: Tensor
    scores: Tensor


class RecordOutput(nn.Module):
    """A dataclass, one field of which is read inside the net as well."""

    def __init__(self) -> None:
        super().__init__()
        self.body = block(3, 4, 2)
        self.boxes = nn.Conv2d(4, 4, 1)
        self.scores = nn.Conv2d(4, 2, 1)

    def forward(self, image: Tensor) -> Detection:
        boxes = self.boxes(self.body(image))
        return Detection(boxes, self.scores(boxes.relu()).sigmoid())
