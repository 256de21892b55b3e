"""examples/detection decodes what the files give as torchvision decodes what the model gives."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import detectors
import numpy as np
import pytest
import torch
from examples.detection import decode
from torch import nn

from torch2om import convert, execute, read_net
from torch2om.detection import dense_part
from torch2om.ir.op import Array

from torchvision.ops import boxes as box_ops  # isort: skip - after detectors, which repairs torchvision

IMAGE = (64, 64)
GRIDS = ((16, 16), (8, 8))


def ssd(raw: dict[str, Array]) -> decode.Candidates:
    anchors = decode.default_boxes(((2,), (2, 3)), (0.15, 0.9, 1.0), GRIDS, IMAGE)
    boxes = decode.decoded(raw["bbox_regression"][0], anchors, (10, 10, 5, 5))
    return decode.by_class(decode.softmax(raw["cls_logits"][0]), decode.clipped(boxes, IMAGE))


def retinanet(raw: dict[str, Array]) -> decode.Candidates:
    anchors = decode.grid_anchors(((16, 24), (32, 48)), (0.5, 1.0, 2.0), GRIDS, IMAGE)
    boxes = decode.clipped(decode.decoded(raw["bbox_regression"][0], anchors), IMAGE)
    return decode.by_level(decode.sigmoid(raw["cls_logits"][0]), boxes, (16 * 16 * 6, 8 * 8 * 6))


def fcos(raw: dict[str, Array]) -> decode.Candidates:
    anchors = decode.grid_anchors(((4,), (8,)), (1.0,), GRIDS, IMAGE)
    boxes = decode.clipped(decode.decoded_distances(raw["bbox_regression"][0], anchors), IMAGE)
    scores = np.sqrt(decode.sigmoid(raw["cls_logits"][0]) * decode.sigmoid(raw["bbox_ctrness"][0]))
    return decode.by_level(scores, boxes, (16 * 16, 8 * 8), threshold=0.2)


def lively(detector: nn.Module) -> nn.Module:
    """Return the detector in float64, where rounding swaps no ranks, its scores and boxes different in each place."""
    for name, parameter in detector.named_parameters():
        if name.startswith("head."):
            nn.init.normal_(parameter, std=0.06 if parameter.ndim > 1 else 0.2)
    return detector.double().eval()


@pytest.mark.parametrize(
    ("make", "candidates"), [(detectors.ssd, ssd), (detectors.retinanet, retinanet), (detectors.fcos, fcos)]
)
def test_candidates_of_the_files_are_torchvisions(
    make: Callable[[], nn.Module],
    candidates: Callable[[dict[str, Array]], decode.Candidates],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    torch.manual_seed(1)
    detector = lively(make())
    wanted: list[Any] = []  # Any: the arguments of torchvision's suppression
    fed: list[torch.Tensor] = []

    def keep_all(*candidates: Any) -> torch.Tensor:  # Any: as above
        wanted.extend(candidates)
        return torch.arange(len(candidates[0]))

    monkeypatch.setattr(box_ops, "batched_nms", keep_all)
    detector.get_submodule("backbone").register_forward_pre_hook(lambda _module, args: fed.append(args[0]))
    with torch.no_grad():
        detector([torch.rand(3, *IMAGE, dtype=torch.float64)])

    artifact = convert(dense_part(detector), {"x": (1, 3, *IMAGE)}, out=tmp_path / "out", samples=0).artifact
    assert artifact is not None
    net = read_net(artifact.prototxt, artifact.caffemodel)
    found = candidates(dict(execute(net, {"x": fed[0].numpy()}, np.float64)))

    boxes, scores, labels = (value.numpy() for value in wanted[:3])
    assert len(scores) > 100
    assert np.allclose(found.scores, scores, atol=1e-5)
    assert np.array_equal(found.labels, labels)
    assert np.allclose(found.boxes, boxes, atol=1e-3)


def test_suppression_keeps_the_best_of_overlapping_boxes_of_one_label() -> None:
    generator = np.random.default_rng(0)
    corner = generator.uniform(0, 40, (200, 2))
    boxes = np.concatenate([corner, corner + generator.uniform(5, 20, (200, 2))], axis=1).astype(np.float32)
    found = decode.Candidates(
        boxes, generator.uniform(size=200).astype(np.float32), generator.integers(0, 3, 200).astype(np.int64)
    )
    left = decode.suppressed(found, overlap=0.5, most=200)
    assert all(before >= after for before, after in pairwise(left.scores))
    for box, score, label in zip(*found, strict=True):
        rivals = (left.labels == label) & (left.scores > score)
        beaten = bool((decode.intersection_over_union(box, left.boxes[rivals]) > 0.5).any())
        assert beaten != bool((left.scores == score).any())
    assert len(decode.suppressed(found, overlap=0.5, most=7).scores) == 7
