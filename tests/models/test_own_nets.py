from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from judging import TARGETS as ZOO_TARGETS
from judging import faults, settled, subject, written
from own_nets import CRNN, MLP, NamedOutputs, RecordOutput, Siamese, UNet, YoloHead
from sample import TAKES
from torch import nn

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Row:
    """A net, the shapes of its inputs without the batch, and the places of its outputs in what forward returns."""

    build: Callable[[], nn.Module]
    inputs: Mapping[str, Shape]
    places: tuple[str, ...]

    def shapes(self, batch: int) -> dict[str, Shape]:
        return {name: (batch, *dims) for name, dims in self.inputs.items()}


TARGETS = (*ZOO_TARGETS, "hilens")
IMAGE = {"image": (3, 32, 32)}
ROWS = {
    "unet": Row(UNet, IMAGE, ("",)),
    "yolo": Row(YoloHead, IMAGE, ("[0]", "[1]")),
    "crnn": Row(CRNN, {"line": (1, 16, 24)}, ("",)),
    "mlp": Row(MLP, {"row": (10,)}, ("",)),
    "siamese": Row(Siamese, {"left": (3, 32, 32), "right": (3, 32, 32)}, ("[0]", "[1]")),
    "named": Row(NamedOutputs, IMAGE, ("['score']", "['aux'][0]", "['aux'][1]")),
    "record": Row(RecordOutput, IMAGE, (".boxes", ".scores")),
}


def built(row: Row) -> nn.Module:
    torch.manual_seed(0)
    return settled(row.build(), *(torch.randn(shape) for shape in row.shapes(8).values()))


@pytest.mark.parametrize("batch", [1, 4])
@pytest.mark.parametrize("name", ROWS)
def test_every_target_gets_files_that_mean_what_the_net_means(name: str, batch: int, tmp_path: Path) -> None:
    row = ROWS[name]
    assert faults(subject(built(row), row.shapes(batch)), tmp_path, targets=TARGETS, rules=TAKES.get(name, ())) == []


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", ROWS)
def test_outputs_are_known_by_their_place_in_what_forward_returns(name: str, target: str, tmp_path: Path) -> None:
    row = ROWS[name]
    found = written(subject(built(row), row.shapes(1)), target, tmp_path).artifact.manifest
    assert tuple(output.place for output in found.outputs) == row.places
    assert tuple(source.argument for source in found.inputs) == tuple(row.inputs)
