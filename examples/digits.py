"""Trains a small CNN on real handwritten digits, converts it, and runs the Caffe files on the held-out images.

The accuracy of PyTorch and of the written files must be the same: the program ends with an error if it is not.
With torchvision, ResNet-18 is converted as well. The conversions are the commands that the screen shows.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

import torch2om

TARGET = "ascend310"


class DigitNet(nn.Module):
    """Three convolutions and a classifier, for images of 8x8."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(block(1, 16), block(16, 32), nn.MaxPool2d(2), block(32, 64))
        self.classifier = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(64, 10))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.features(image))


def block(channels_in: int, channels_out: int) -> nn.Sequential:
    convolution = nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(channels_out), nn.ReLU())


def digits() -> list[torch.Tensor]:
    """Return training images, held-out images, training labels, held-out labels."""
    data = load_digits()
    images = (data.images / 16).astype(np.float32)[:, None]
    return [torch.from_numpy(part) for part in train_test_split(images, data.target, test_size=0.25, random_state=0)]


def train(model: nn.Module, images: torch.Tensor, labels: torch.Tensor, epochs: int = 10) -> None:
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=epochs * -(-len(images) // 64))
    for _ in range(epochs):
        for batch in torch.randperm(len(images)).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(images[batch]), labels[batch]).backward()
            optimizer.step()
            schedule.step()
    model.eval()


def torch_classes(model: nn.Module, images: torch.Tensor) -> np.ndarray:
    with torch.no_grad():
        return model(images).argmax(dim=1).numpy()


def caffe_classes(folder: Path, images: torch.Tensor) -> np.ndarray:
    """Return the classes that the written files give, one image at a time, in float32 as Caffe computes."""
    net = torch2om.read_net(folder / "model.prototxt", folder / "model.caffemodel")
    (output,) = net.output_blobs
    runs = [torch2om.execute(net, {"image": image[None].numpy()}, "float32") for image in images]
    return np.array([run[output].argmax() for run in runs])


def convert(model: str, source: str, folder: Path, *more: str) -> None:
    """Run and show one command line of torch2om."""
    command = ["torch2om", "convert", model, "--input", source, "--target", TARGET, "-o", str(folder), *more]
    print(f"\n$ {shlex.join(command)}\n", flush=True)
    subprocess.run([sys.executable, "-m", *command], check=True)


def demo_digits(folder: Path) -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)  # the net is too small to share, and one thread always adds in the same order
    train_images, test_images, train_labels, test_labels = digits()
    model = DigitNet()
    begin = time.perf_counter()
    train(model, train_images, train_labels)
    print(f"trained on {len(train_images)} handwritten digits in {time.perf_counter() - begin:.1f} s")
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(model.state_dict(), folder / "digits.pth")
    np.save(folder / "digit.npy", test_images[:1].numpy())
    source = f"{os.path.relpath(__file__)}:DigitNet"
    own = ("--weights", str(folder / "digits.pth"), "--sample", str(folder / "digit.npy"))
    convert(source, "image=1x1x8x8", folder, *own)
    expected = torch_classes(model, test_images)
    found = caffe_classes(folder, test_images)
    truth = test_labels.numpy()
    print(f"\naccuracy on {len(truth)} held-out digits")
    print(f"  PyTorch      {(expected == truth).mean():.4%}")
    print(f"  Caffe files  {(found == truth).mean():.4%}  in {folder}")
    if not np.array_equal(expected, found):
        sys.exit("the Caffe files classify differently from PyTorch")


if __name__ == "__main__":
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "out")
    demo_digits(out / "digits")
    if find_spec("torchvision"):
        convert("torchvision.models:resnet18", "x=1x3x224x224", out / "resnet18")
