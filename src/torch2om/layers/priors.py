"""The prior boxes of SSD: where, and in which sizes, a net looks for objects."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt

from torch2om.ir.op import Array, Arrays, Op, Shape, Shapes, need
from torch2om.ir.spelling import Spatial, spelled
from torch2om.layers.arity import exactly

Floats = npt.NDArray[np.float64]

_SAME = 1e-6  # ratios closer than this are one (SSD's fork of Caffe, prior_box_layer.cpp)


@dataclass(frozen=True)
class PriorBox(Op):
    """y[0, 0] = (center - size / 2, center + size / 2) / image of each prior of each place; y[0, 1] = the variances.

    The place (h, w) of the first bottom has its center at ((w + offset) * step, (h + offset) * step) of the image, the
    second bottom. Its priors, for each min_size: that square; the square of side sqrt(min_size * max_size), if there
    are max_sizes; min_size * sqrt(r) x min_size / sqrt(r) for each ratio r that is not 1, and with `flip` for 1 / r
    behind it. A size loses what is behind its decimal point. The bottoms' numbers play no part (SSD's fork of Caffe,
    prior_box_layer.cpp; canndev fusion_pass/graph_fusion/ai_core/prior_box_fusion_pass.cc does the same).
    """

    caffe_type = "PriorBox"
    message = "prior_box_param"

    min_size: tuple[float, ...] = ()
    max_size: tuple[float, ...] = ()
    aspect_ratio: tuple[float, ...] = ()
    flip: bool = True
    clip: bool = False
    variance: tuple[float, ...] = ()
    image: tuple[int, int] = spelled(Spatial("img_size", height="img_h", width="img_w"), default=(0, 0))
    step: tuple[float, float] = spelled(Spatial("step", height="step_h", width="step_w"), default=(0, 0))
    offset: float = 0.5

    def __post_init__(self) -> None:
        need(min(self.min_size, default=1) > 0, f"min_size {list(self.min_size)} is not positive")
        if self.max_size:
            as_many = len(self.max_size) == len(self.min_size)
            need(as_many, f"there are {len(self.max_size)} max_size for {len(self.min_size)} min_size")
            larger = all(most > least for least, most in zip(self.min_size, self.max_size, strict=True))
            need(larger, f"max_size {list(self.max_size)} is not above min_size {list(self.min_size)}")
        need(min(self.aspect_ratio, default=1) > 0, f"aspect_ratio {list(self.aspect_ratio)} is not positive")
        need(len(self.variance) in (0, 1, 4), f"there are {len(self.variance)} variances, not 1 or 4")
        need(min((*self.image, *self.step)) >= 0, "the image's size or the step is negative")

    @property
    def ratios(self) -> tuple[float, ...]:
        """The ratios that are not 1, each once, with `flip` each followed by its inverse."""
        found: list[float] = []
        for ratio in self.aspect_ratio:
            if all(abs(ratio - known) >= _SAME for known in (1.0, *found)):
                found += [ratio, 1 / ratio] if self.flip else [ratio]
        return tuple(found)

    @property
    def priors(self) -> int:
        """How many priors a place has."""
        return len(self.min_size) * (1 + len(self.ratios)) + len(self.max_size)

    def infer(self, bottoms: Shapes, weights: Shapes) -> tuple[Shape, ...]:
        """Return (1, 2, H * W * priors * 4)."""
        exactly(weights, 0, "weight")
        need(len(self.min_size) > 0, "it has no min_size")
        places, image = exactly(bottoms, 2)
        for bottom in (places, image):
            need(len(bottom) == 4, f"needs bottoms (N, C, H, W), not {list(bottom)}")
        return ((1, 2, places[2] * places[3] * self.priors * 4),)

    def run(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, ...]:  # noqa: ARG002 - has no weights
        """Return the priors and their variances."""
        places, image = (bottom.shape for bottom in bottoms)
        return (self.boxes(places, image).astype(bottoms[0].dtype),)

    def boxes(self, places: Shape, image: Shape) -> Floats:
        """Return the top for bottoms of these shapes."""
        (top,) = self.infer((places, image), ())
        size = np.array(image[2:] if 0 in self.image else self.image, np.float64)
        step = size / places[2:] if 0 in self.step else np.array(self.step, np.float64)
        grid = np.stack(np.meshgrid(*map(np.arange, places[2:]), indexing="ij"), axis=-1)
        centers = ((grid + self.offset) * step)[..., np.newaxis, ::-1]
        halves = self._sizes() / 2
        corners = np.concatenate((centers - halves, centers + halves), axis=-1) / np.tile(size[::-1], 2)
        corners = np.clip(corners, 0, 1) if self.clip else corners
        variances = np.broadcast_to(self.variance or (0.1,), corners.shape)
        return np.stack((corners.ravel(), variances.ravel())).reshape(top)

    def _sizes(self) -> Floats:
        """Return the width and height of each prior of a place."""
        found: list[tuple[float, float]] = []
        for index, least in enumerate(map(int, self.min_size)):
            found.append((least, least))
            if self.max_size:
                found.append((sqrt(least * int(self.max_size[index])),) * 2)
            found += [(least * sqrt(ratio), least / sqrt(ratio)) for ratio in self.ratios]
        return np.array(found, np.float64)
