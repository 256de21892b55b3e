"""torchvision's detectors: their convolutional parts convert, and the whole is refused with the part's name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import detectors
import pytest
import torch
from judging import faults, settled, subject
from torch import nn

from torch2om import convert
from torch2om.detection import PARTS, box_part, dense_part, keypoint_part, mask_part
from torch2om.detection.catalog import NamedPart
from torch2om.errors import Diagnostic, Torch2omError
from torch2om.loading import load_model, load_weights

from torchvision.models import detection  # isort: skip - after detectors, which repairs it

DENSE = [name for name, part in PARTS.items() if part.cut is dense_part and part.eps is None]
BOTH = ("caffe", "ascend310")
# A part of each structure that the small detectors below have not.
CONVERTED = {
    "fasterrcnn_resnet50_fpn": BOTH,
    "fasterrcnn_mobilenet_v3_large_320_fpn": BOTH,
    "maskrcnn_resnet50_fpn_v2_mask": BOTH,
    "keypointrcnn_resnet50_fpn_keypoint": BOTH,
    "retinanet_resnet50_fpn_v2": BOTH,
    "ssd300_vgg16": ("ascend310",),
    "ssdlite320_mobilenet_v3_large": BOTH,
}
LEAST = {"ssd300_vgg16": 268}  # its last convolutions have no padding: less is too small for them


def small(part: NamedPart) -> tuple[int, ...]:
    _, channels, *size = part.shape
    return (1, channels, *size) if part.cut is not dense_part else (1, channels, *[LEAST.get(part.name, 64)] * 2)


def lively(model: nn.Module, shape: tuple[int, ...]) -> nn.Module:
    """Return the part settled, its group norms too with gamma and beta of their own."""
    for module in model.modules():
        if isinstance(module, nn.GroupNorm):
            nn.init.uniform_(module.weight, 0.5, 1.0)
            nn.init.uniform_(module.bias, 0.5, 1.5)
    normed = any(isinstance(module, nn.BatchNorm2d) for module in model.modules())
    return settled(model, torch.randn(4, *shape[1:])) if normed else model.eval()


@pytest.mark.parametrize("name", CONVERTED)
def test_a_part_becomes_files_that_mean_what_it_means(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    shape = small(PARTS[name])
    found = subject(lively(PARTS[name](), shape), [shape])
    assert faults(found, tmp_path, 1.05 * found.macs, CONVERTED[name]) == []


MADE: dict[Callable[[], nn.Module], set[str]] = {
    detectors.retinanet: {"cls_logits", "bbox_regression"},
    detectors.fcos: {"cls_logits", "bbox_regression", "bbox_ctrness"},
    detectors.ssd: {"cls_logits", "bbox_regression"},
    detectors.keypoint_rcnn: {
        f"{kind}.{level}" for kind in ("features", "objectness", "pred_bbox_deltas") for level in "01"
    },
    detectors.faster_rcnn: {"features.0", "objectness.0", "pred_bbox_deltas.0"},
}


@pytest.mark.parametrize("make", MADE, ids=lambda make: make.__name__)
def test_outputs_are_named_as_the_detector_names_them(make: Callable[[], nn.Module], tmp_path: Path) -> None:
    for target in BOTH:
        conversion = convert(dense_part(make().eval()), {"x": (1, 3, 64, 64)}, target, tmp_path / target)
        assert conversion.artifact is not None
        assert {output.blob for output in conversion.artifact.manifest.outputs} == MADE[make]


class Seen(Exception):  # noqa: N818 - what the head returned, thrown past anchors and suppression
    def __init__(self, raw: Any) -> None:  # Any: what a head returns
        self.raw = raw


@pytest.mark.parametrize("make", MADE, ids=lambda make: make.__name__)
def test_a_dense_part_computes_what_the_whole_detector_decodes(make: Callable[[], nn.Module]) -> None:
    torch.manual_seed(0)
    detector = make().eval()
    images: list[torch.Tensor] = []

    def stop(_head: nn.Module, _args: object, raw: object) -> None:
        raise Seen(raw)

    two_stage = hasattr(detector, "rpn")
    detector.get_submodule("backbone").register_forward_pre_hook(lambda _module, args: images.append(args[0]))
    hook = detector.get_submodule("rpn.head" if two_stage else "head").register_forward_hook(stop)
    with torch.no_grad(), pytest.raises(Seen) as seen:
        detector([torch.rand(3, 50, 64)])
    hook.remove()
    with torch.no_grad():
        raw = dense_part(detector)(images[0])
    if two_stage:
        raw = [list(raw[name].values()) for name in ("objectness", "pred_bbox_deltas")]
    torch.testing.assert_close(raw, list(seen.value.raw) if two_stage else seen.value.raw, rtol=0, atol=0)


def test_the_second_parts_compute_what_the_heads_compute() -> None:
    detector = detectors.keypoint_rcnn().eval()
    heads: Any = detector.get_submodule("roi_heads")  # Any: torchvision has no types here
    pooled, wide = torch.randn(2, 8, 7, 7), torch.randn(2, 8, 14, 14)
    logits, boxes = heads.box_predictor(heads.box_head(pooled))
    assert torch.equal(box_part(detector)(pooled)["class_logits"], logits)
    assert torch.equal(box_part(detector)(pooled)["box_regression"], boxes)
    maps = heads.keypoint_predictor(heads.keypoint_head(wide))
    assert torch.equal(keypoint_part(detector)(wide)["keypoint_logits"], maps)


def test_a_part_takes_the_weights_of_the_whole_detector(tmp_path: Path) -> None:
    detector, other = detectors.keypoint_rcnn(), detectors.keypoint_rcnn()
    torch.save(detector.state_dict(), tmp_path / "best.pth")
    x = torch.randn(1, 3, 64, 64)
    part = dense_part(other.eval())
    assert not torch.equal(part(x)["objectness"]["0"], dense_part(detector.eval())(x)["objectness"]["0"])
    assert load_weights(part, tmp_path / "best.pth").tensors == len(detector.state_dict())
    assert torch.equal(part(x)["objectness"]["0"], dense_part(detector)(x)["objectness"]["0"])


def of_version_1(name: str) -> str:
    """Return the name that a parameter of a dense head had when its convolutions stood in no blocks."""
    head, conv, rest = name.partition("rpn.head.conv." if name.startswith("rpn.") else "_head.conv.")
    index, _, kind = rest.partition(".0.")
    if not conv or not kind:
        return name
    return f"{conv}{kind}" if name.startswith("rpn.") else f"{head}{conv}{2 * int(index)}.{kind}"


@pytest.mark.parametrize("make", [detectors.keypoint_rcnn, detectors.retinanet], ids=lambda make: make.__name__)
def test_weights_of_older_versions_are_taken(make: Callable[[], nn.Module], tmp_path: Path) -> None:
    state = make().state_dict()
    old = {of_version_1(name): value for name, value in state.items()}
    assert len(set(old) - set(state)) == (2 if make is detectors.keypoint_rcnn else 16)
    torch.save(old, tmp_path / "old.pth")
    part = dense_part(make())
    load_weights(part, tmp_path / "old.pth")
    assert all(torch.equal(value, state[name]) for name, value in part.state_dict().items())


def test_norms_of_the_first_coco_weights_have_no_eps() -> None:
    def eps(name: str) -> set[float]:
        part = PARTS[name]()
        return {module.eps for module in part.modules() if isinstance(module, nn.BatchNorm2d)}

    assert eps("retinanet_resnet50_fpn_coco_v1") == {0.0}
    assert eps("retinanet_resnet50_fpn") == {1e-5}


def test_a_named_part_has_the_detectors_parameters_and_as_many_classes_as_wanted() -> None:
    part = PARTS["ssdlite320_mobilenet_v3_large"](num_classes=3)
    whole = detection.ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=3)
    assert {name: value.shape for name, value in part.state_dict().items()} == {
        name: value.shape for name, value in whole.state_dict().items()
    }


def test_a_part_for_ones_own_number_of_classes_is_one_line(tmp_path: Path) -> None:
    whole = detection.ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=3)
    torch.save(whole.state_dict(), tmp_path / "best.pth")
    part = load_model("torch2om.detection:ssdlite320_mobilenet_v3_large(num_classes=3)")
    assert load_weights(part, tmp_path / "best.pth").tensors == len(whole.state_dict())
    assert isinstance(part, nn.Module)
    assert not part.training


def test_near_names_of_parts_are_offered() -> None:
    found = refusal(lambda: load_model("torch2om.detection:ssd300_vgg"))
    assert (found.code, found.hint) == ("U101", "did you mean torch2om.detection:ssd300_vgg16?")


def refusal(action: Callable[[], object]) -> Diagnostic:
    with pytest.raises(Torch2omError) as caught:
        action()
    (found,) = caught.value.diagnostics
    return found


@pytest.mark.parametrize("name", DENSE)
def test_a_whole_detector_is_refused_before_it_is_built_and_its_part_is_named(name: str) -> None:
    found = refusal(lambda: load_model(f"torchvision.models.detection:{name}"))
    assert found.code == "C208"
    assert f"convert torch2om.detection:{name}," in found.hint
    assert found.origin.code.startswith(("def postprocess_detections", "def filter_proposals"))


def test_a_detector_of_ones_own_is_refused_and_the_way_is_shown(tmp_path: Path) -> None:
    found = refusal(lambda: load_model(f"{Path(detectors.__file__)}:retinanet"))
    assert (found.code, "dense_part(retinanet())" in found.hint) == ("C208", True)
    found = refusal(lambda: convert(detectors.fcos(), {"x": (1, 3, 64, 64)}, out=tmp_path))
    assert (found.code, "dense_part(model)" in found.hint) == ("C208", True)


class Wrapped(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.detector = detectors.ssd()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        boxes: torch.Tensor = self.detector([x[0]])[0]["boxes"]
        return boxes


def test_a_detector_inside_a_model_is_refused_where_it_is_called(tmp_path: Path) -> None:
    model = Wrapped()
    found = refusal(lambda: convert(model, {"x": (1, 3, 64, 64)}, out=tmp_path))
    assert found.code == "C208"
    assert (found.origin.file, found.origin.code) == (
        __file__,
        'boxes: torch.Tensor = self.detector([x[0]])[0]["boxes"]',
    )
    assert not model.detector._forward_pre_hooks


class Twisted(detection.FCOS):  # type: ignore[misc]  # torchvision has no types here
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images


@pytest.mark.parametrize(
    ("cut", "words"),
    [
        (lambda: dense_part(nn.Linear(2, 2)), "Linear is none of"),
        (lambda: dense_part(Twisted(detectors.Pyramid(32), 2)), "forward() of its own"),
        (lambda: mask_part(detectors.keypoint_rcnn()), "KeypointRCNN has no mask head"),
        (lambda: box_part(detectors.ssd()), "SSD has no box head"),
    ],
)
def test_what_has_no_such_part_is_refused(cut: Callable[[], nn.Module], words: str) -> None:
    found = refusal(cut)
    assert (found.code, words in found.message) == ("U105", True)
