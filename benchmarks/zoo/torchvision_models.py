"""torchvision's models by name: `benchmarks.zoo.torchvision_models:resnet18` is a MODEL of `torch2om convert`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import ModuleType
from typing import Any

from benchmarks.zoo.settling import settled
from torch import nn

from torch2om.detection import PARTS
from torch2om.loading import repair_torchvision

repair_torchvision()

from torchvision import models  # noqa: E402 - it imports after the repair only

Sizes = tuple[Sequence[int], ...]

IMAGE = (3, 224, 224)
# Where the models of a kind stand; of the detectors, `torch2om.detection` names the parts that have fixed shapes.
KINDS: Mapping[str, ModuleType] = {
    "classification": models,
    "segmentation": models.segmentation,
    "video": models.video,
    "optical flow": models.optical_flow,
    "quantized": models.quantization,
}
# What a kind's constructors are told so that they download nothing and are what the kind's name says.
KIND_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "segmentation": {"weights_backbone": None},
    "quantized": {"quantize": True},
}
# The two with initializations of their own draw truncated normals for a minute.
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "googlenet": {"init_weights": False},
    "inception_v3": {"init_weights": False},
}
# Kinds with the weights that their constructors give: integers, and models that compute in no other precision.
AS_BUILT = ("quantized", "optical flow")
CLIP = (3, 16, 112, 112)
LARGE_CLIP = (3, 16, 224, 224)  # of the transformers and s3d
PAIR = ((3, 128, 128),) * 2  # the smallest that optical flow takes
DETECTION = "detection"
LARGEST = 320  # pixels of a detector's image: its usual 800 compute the same, and take six times as long
MOST = 16  # boxes, where a detector passes on up to 1000


def __getattr__(name: str) -> Callable[[], nn.Module]:
    if name not in kinds():
        raise AttributeError(f"torchvision has no model {name!r}")
    return partial(build, name)


def kinds() -> dict[str, str]:
    """Return name -> kind of every model."""
    whole = {name: kind for kind, module in KINDS.items() for name in models.list_models(module=module)}
    return {**whole, **dict.fromkeys(PARTS, DETECTION)}


def build(name: str) -> nn.Module:
    """Return the model with seeded weights, which hide nothing but in the kinds `AS_BUILT`."""
    kind = kinds()[name]
    if kind == DETECTION:
        return settled(PARTS[name](), *sizes_of(name))
    model: nn.Module = models.get_model(name, weights=None, **KIND_OPTIONS.get(kind, {}), **OPTIONS.get(name, {}))
    return model if kind in AS_BUILT else settled(model, *sizes_of(name))


def parameters_of(name: str) -> int:
    """Return how many parameters torchvision documents: of a detector's part, those of the whole detector."""
    whole = PARTS[name].detector if name in PARTS else name
    return min(int(weights.meta["num_params"]) for weights in models.get_model_weights(whole))


def batch_of(name: str) -> int:
    """Return how many images, or boxes, a model is fed at once."""
    return min(PARTS[name].shape[0], MOST) if kinds()[name] == DETECTION else 1


def sizes_of(name: str) -> Sizes:
    """Return the inputs of a model, without the batch."""
    match kinds()[name]:
        case "video":
            return (LARGE_CLIP if name.startswith(("mvit", "swin3d", "s3d")) else CLIP,)
        case "optical flow":
            return PAIR
        case "detection":
            return (tuple(min(each, LARGEST) for each in PARTS[name].shape[1:]),)
        case "segmentation":
            return (IMAGE,)
        case _:
            return ((3, *2 * (_documented(name),)),)


def _documented(name: str) -> int:
    """Return the smallest size at which torchvision evaluates weights of a classifier: what its constructor takes."""
    sizes: list[int] = [weights.transforms().crop_size[0] for weights in models.get_model_weights(name)]
    return min(sizes)
