"""What the host does after the dense part of a one-stage detector: anchors, boxes, scores, suppression. NumPy alone.

It follows torchvision's SSD, RetinaNet and FCOS (torchvision/models/detection: anchor_utils.py, _utils.py, ssd.py,
retinanet.py, fcos.py), in their order of anchors. Boxes are x1, y1, x2, y2 in pixels of the net's input.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Size = tuple[int, int]  # rows, columns

LARGEST = np.log(1000 / 16)  # of the logarithm of a box's growth: torchvision's BoxCoder clips there


class Candidates(NamedTuple):
    """Boxes [n, 4] with their scores and labels [n]: what non-maximum suppression chooses from."""

    boxes: Array
    scores: Array
    labels: NDArray[np.int64]


def grid_anchors(sizes: Sequence[Sequence[int]], ratios: Sequence[float], grids: Sequence[Size], image: Size) -> Array:
    """Return RetinaNet's (and an RPN's) anchors [sum(rows * columns * A), 4]; a ratio is height over width.

    Level by level, row by row, cell by cell; in a cell ratio by ratio, and for each ratio size by size.
    """
    roots = np.sqrt(np.asarray(ratios, np.float32))[:, None]
    found = []
    for level, (rows, columns) in zip(sizes, grids, strict=True):
        widths, heights = (1 / roots * np.asarray(level)).ravel(), (roots * np.asarray(level)).ravel()
        cell = np.round(np.stack([-widths, -heights, widths, heights], axis=1) / 2)
        y, x = np.meshgrid(
            np.arange(rows) * (image[0] // rows), np.arange(columns) * (image[1] // columns), indexing="ij"
        )
        found.append((np.stack([x, y, x, y], axis=-1).reshape(-1, 1, 4) + cell).reshape(-1, 4))
    return np.concatenate(found).astype(np.float32)


def default_boxes(
    ratios: Sequence[Sequence[float]],
    scales: Sequence[float],
    grids: Sequence[Size],
    image: Size,
    steps: Sequence[float] = (),
) -> Array:
    """Return SSD's default boxes [sum(rows * columns * A), 4]; without steps a cell is the image over the grid.

    Level by level, row by row, cell by cell; in a cell the square of this scale, the square between this scale and
    the next, and for each ratio r the box r times as wide as high and the one r times as high as wide.
    """
    found = []
    for level, (rows, columns) in enumerate(grids):
        between = np.sqrt(scales[level] * scales[level + 1])
        sides = [(scales[level], scales[level]), (between, between)]
        for root in np.sqrt(ratios[level]):
            sides += [(scales[level] * root, scales[level] / root), (scales[level] / root, scales[level] * root)]
        cells = (image[0] / steps[level], image[1] / steps[level]) if steps else (rows, columns)
        y, x = np.meshgrid((np.arange(rows) + 0.5) / cells[0], (np.arange(columns) + 0.5) / cells[1], indexing="ij")
        centre = np.stack([x, y], axis=-1).reshape(-1, 1, 2)
        half = np.clip(sides, 0, 1)[None] / 2
        corners = np.concatenate([centre - half, centre + half], axis=2).reshape(-1, 4)
        found.append(corners * (image[1], image[0], image[1], image[0]))
    return np.concatenate(found).astype(np.float32)


def decoded(deltas: Array, anchors: Array, weights: Sequence[float] = (1, 1, 1, 1)) -> Array:
    """Return the boxes [n, 4] of bbox_regression [n, 4]; SSD's weights are 10, 10, 5, 5, a box head's as well."""
    sides = anchors[:, 2:] - anchors[:, :2]
    scaled = deltas / np.asarray(weights, np.float32)
    centre = scaled[:, :2] * sides + anchors[:, :2] + sides / 2
    half = np.exp(np.minimum(scaled[:, 2:], LARGEST)) * sides / 2
    return np.concatenate([centre - half, centre + half], axis=1)


def decoded_distances(distances: Array, anchors: Array) -> Array:
    """Return FCOS' boxes [n, 4] of bbox_regression [n, 4]: distances to the four sides in units of the anchor's."""
    sides = anchors[:, 2:] - anchors[:, :2]
    centre = (anchors[:, :2] + anchors[:, 2:]) / 2
    return np.concatenate([centre - distances[:, :2] * sides, centre + distances[:, 2:] * sides], axis=1)


def clipped(boxes: Array, image: Size) -> Array:
    """Return the boxes within the image."""
    return np.clip(boxes, 0, (image[1], image[0], image[1], image[0])).astype(np.float32)


def sigmoid(x: Array) -> Array:
    """Return 1 / (1 + exp(-x))."""
    result: Array = np.reciprocal(1 + np.exp(-x))
    return result


def softmax(x: Array) -> Array:
    """Return exp(x) over its sum along the last axis."""
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    result: Array = powers / powers.sum(axis=-1, keepdims=True)
    return result


def by_class(scores: Array, boxes: Array, threshold: float = 0.01, most: int = 400) -> Candidates:
    """Return SSD's candidates: of each class but the background (0) the best above the threshold.

    `scores` [n, K] are softmax(cls_logits).
    """
    found = []
    for label in range(1, scores.shape[1]):
        best = _best(scores[:, label], threshold, most)
        found.append(Candidates(boxes[best], scores[best, label], np.full(len(best), label)))
    return _joined(found)


def by_level(
    scores: Array, boxes: Array, counts: Sequence[int], threshold: float = 0.05, most: int = 1000
) -> Candidates:
    """Return RetinaNet's and FCOS' candidates: of each level the best pairs of anchor and class above the threshold.

    `scores` [n, K] are sigmoid(cls_logits), for FCOS sqrt(sigmoid(cls_logits) * sigmoid(bbox_ctrness)) and a threshold
    of 0.2; `counts` says how many anchors each level has.
    """
    found = []
    ends = np.cumsum(counts)
    for begin, end in zip(ends - counts, ends, strict=True):
        best = _best(scores[begin:end].ravel(), threshold, most)
        anchor, label = np.divmod(best, scores.shape[1])
        found.append(Candidates(boxes[begin + anchor], scores[begin + anchor, label], label))
    return _joined(found)


def suppressed(found: Candidates, overlap: float, most: int) -> Candidates:
    """Return what is left when every box that overlaps a better one of its label is taken out, the best first."""
    order = np.argsort(-found.scores, kind="stable")
    kept: list[int] = []
    while len(order) and len(kept) < most:
        best, rest = order[0], order[1:]
        kept.append(int(best))
        apart = intersection_over_union(found.boxes[best], found.boxes[rest]) <= overlap
        order = rest[apart | (found.labels[rest] != found.labels[best])]
    return Candidates(found.boxes[kept], found.scores[kept], found.labels[kept])


def intersection_over_union(box: Array, boxes: Array) -> Array:
    """Return what a box [4] has in common with each of boxes [n, 4], over what they cover together."""
    sides = np.maximum(np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2]), 0)
    common = sides.prod(axis=1)
    result: Array = common / ((box[2:] - box[:2]).prod() + (boxes[:, 2:] - boxes[:, :2]).prod(axis=1) - common)
    return result


def _best(scores: Array, threshold: float, most: int) -> NDArray[np.int64]:
    """Return where the highest scores above the threshold are, the highest first."""
    (above,) = np.nonzero(scores > threshold)
    return above[np.argsort(-scores[above], kind="stable")][:most]


def _joined(parts: Sequence[Candidates]) -> Candidates:
    boxes, scores, labels = zip(*parts, strict=True)
    return Candidates(np.concatenate(boxes), np.concatenate(scores), np.concatenate(labels))
