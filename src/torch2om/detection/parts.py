"""The convolutional parts of torchvision's detectors, as modules: tensors in, raw outputs by name.

A part has the detector's own submodules and parameters under their own names: the state dict of a whole detector, as
training saves it, is the part's state dict.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from torch2om.errors import Diagnostic, UsageError
from torch2om.program.detectors import detector_class

Outputs = Mapping[str, torch.Tensor | Mapping[str, torch.Tensor]]


class Part(nn.Module):
    """A part of a detector: has all that the detector has, and calls the part alone."""

    def __init__(self, detector: nn.Module) -> None:
        super().__init__()
        for name, parameter in detector.named_parameters(recurse=False):
            self.register_parameter(name, parameter)
        for name, buffer in detector.named_buffers(recurse=False):
            self.register_buffer(name, buffer)
        for name, child in detector.named_children():
            self.add_module(name, child)
        self.train(detector.training)

    def levels(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return the backbone's feature maps by level; torchvision calls the only one of a plain backbone 0."""
        features = self.get_submodule("backbone")(x)
        return {"0": features} if isinstance(features, torch.Tensor) else dict(features)

    def predicted(self, name: str, pooled: torch.Tensor) -> Any:  # Any: what the predictor returns
        """Return what the head and the predictor of this name make of pooled features."""
        heads = self.get_submodule("roi_heads")
        return heads.get_submodule(f"{name}_predictor")(heads.get_submodule(f"{name}_head")(pooled))


class TwoStageDense(Part):
    """x [N, 3, H, W] -> features; objectness [N, A, h, w] and pred_bbox_deltas [N, 4A, h, w]: each by level."""

    def forward(self, x: torch.Tensor) -> Outputs:
        """Return what the RPN's decoding and the RoI pooling read."""
        features = self.levels(x)
        objectness, deltas = self.get_submodule("rpn.head")(list(features.values()))
        return {
            "features": features,
            "objectness": dict(zip(features, objectness, strict=True)),
            "pred_bbox_deltas": dict(zip(features, deltas, strict=True)),
        }


class OneStageDense(Part):
    """x [N, 3, H, W] -> cls_logits [N, anchors, K], bbox_regression [N, anchors, 4]; bbox_ctrness [N, anchors, 1]."""

    def forward(self, x: torch.Tensor) -> Outputs:
        """Return the head's outputs by the head's own names."""
        outputs: Outputs = self.get_submodule("head")(list(self.levels(x).values()))
        return outputs


class BoxPart(Part):
    """x [R, C, 7, 7] of R proposals -> class_logits [R, K], box_regression [R, 4K]."""

    def forward(self, x: torch.Tensor) -> Outputs:
        """Return the classes' logits and a box for each class."""
        class_logits, box_regression = self.predicted("box", x)
        return {"class_logits": class_logits, "box_regression": box_regression}


class MaskPart(Part):
    """x [R, C, 14, 14] of R boxes -> mask_logits [R, K, 28, 28]."""

    def forward(self, x: torch.Tensor) -> Outputs:
        """Return a mask for each class."""
        return {"mask_logits": self.predicted("mask", x)}


class KeypointPart(Part):
    """x [R, C, 14, 14] of R boxes -> keypoint_logits [R, keypoints, 56, 56]."""

    def forward(self, x: torch.Tensor) -> Outputs:
        """Return a heat map for each keypoint."""
        return {"keypoint_logits": self.predicted("keypoint", x)}


def dense_part(detector: nn.Module) -> nn.Module:
    """Return the backbone and the dense heads: a batch of normalized images -> raw outputs, before any anchor.

    Takes a GeneralizedRCNN, RetinaNet, FCOS or SSD of torchvision's classes, with any backbone and number of classes.
    Shares the detector's parameters. Raises `UsageError` (U105) for any other model.
    """
    return (TwoStageDense if _base(detector).__name__ == "GeneralizedRCNN" else OneStageDense)(detector)


def box_part(detector: nn.Module) -> nn.Module:
    """Return the box head and predictor of a two-stage detector: pooled features -> class logits and boxes' deltas.

    Raises `UsageError` (U105) where there are none.
    """
    return BoxPart(_with_heads(detector, "box"))


def mask_part(detector: nn.Module) -> nn.Module:
    """Return the mask head and predictor of a two-stage detector: pooled features -> mask logits.

    Raises `UsageError` (U105) where there are none.
    """
    return MaskPart(_with_heads(detector, "mask"))


def keypoint_part(detector: nn.Module) -> nn.Module:
    """Return the keypoint head and predictor of a two-stage detector: pooled features -> heat maps.

    Raises `UsageError` (U105) where there are none.
    """
    return KeypointPart(_with_heads(detector, "keypoint"))


def _base(detector: nn.Module) -> type[Any]:  # Any: a class of torchvision's
    """Return the detector's class among torchvision's, if its forward() is that class's own."""
    kind = type(detector)
    base = detector_class(kind)
    if base is None:
        text = f"{kind.__name__} is none of torchvision's GeneralizedRCNN, RetinaNet, FCOS and SSD"
        hint = "write the part of the model up to its raw outputs as a module of your own, and convert that"
        raise UsageError(Diagnostic("U105", text, hint=hint))
    if kind.forward is not base.forward:
        text = f"{kind.__name__} has a forward() of its own, so its parts are not those of {base.__name__}"
        hint = "write the part of the model up to its raw outputs as a module of your own, and convert that"
        raise UsageError(Diagnostic("U105", text, hint=hint))
    return base


def _with_heads(detector: nn.Module, name: str) -> nn.Module:
    """Return the detector, which must have a head and a predictor of this name."""
    heads = getattr(detector, "roi_heads", None) if _base(detector).__name__ == "GeneralizedRCNN" else None
    if getattr(heads, f"{name}_head", None) is None or getattr(heads, f"{name}_predictor", None) is None:
        text = f"{type(detector).__name__} has no {name} head"
        raise UsageError(Diagnostic("U105", text, hint="docs/detection.md lists the parts of each detector"))
    return detector
