"""AIPP against PyTorch's own preprocessing, on real pictures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_sample_image

from torch2om.ir.blob import Blob
from torch2om.ir.builder import Builder, Names
from torch2om.ir.net import Input, Net, Output
from torch2om.layers import Pooling, PoolMethod
from torch2om.origin import NOWHERE
from torch2om.preprocessing.colours import Order, PixelFormat, Standard
from torch2om.preprocessing.difference import by_pytorch, difference, rounding
from torch2om.preprocessing.normalization import PRESETS, Normalization
from torch2om.preprocessing.plan import Margins, Preprocessing, planned
from torch2om.preprocessing.simulation import Bytes

IMAGENET = Preprocessing(PRESETS["imagenet"])
GRAY = Preprocessing(Normalization((0.1307,), (0.3081,)), pixels=PixelFormat.GRAY)


def net(channels: int = 3) -> Net:
    builder = Builder(Names(("x",)), NOWHERE)
    top = builder.add(Pooling(PoolMethod.AVE, (8, 8), stride=(8, 8)), Blob("x", (1, channels, 224, 224)))
    return Net("net", (Input("x", (1, channels, 224, 224)),), tuple(builder.layers), (Output(top.name),))


@pytest.fixture(scope="module", params=["china.jpg", "flower.jpg"])
def picture(request: pytest.FixtureRequest) -> Bytes:
    image = Image.fromarray(load_sample_image(request.param)).resize((224, 224), Image.Resampling.BILINEAR)
    return np.asarray(image, np.uint8)


@pytest.mark.parametrize("pixels", [PixelFormat.RGB, PixelFormat.BGR])
@pytest.mark.parametrize("order", Order)
def test_interleaved_pixels_differ_by_float16_alone(picture: Bytes, pixels: PixelFormat, order: Order) -> None:
    graph, plan = planned(net(), replace(IMAGENET, pixels=pixels, order=order))
    found = difference(plan, graph, picture)
    assert 0 < found.input.max_absolute <= rounding(plan) + 1e-6
    assert rounding(plan) < 2e-3
    (pooled,) = found.outputs.values()
    assert pooled.max_absolute < 2e-3


@pytest.mark.parametrize("pixels", [PixelFormat.NV12, PixelFormat.NV21])
@pytest.mark.parametrize("standard", Standard)
def test_yuv_differs_by_the_colour_that_four_pixels_share(
    picture: Bytes, pixels: PixelFormat, standard: Standard
) -> None:
    graph, plan = planned(net(), replace(IMAGENET, pixels=pixels, standard=standard))
    found = difference(plan, graph, picture)
    assert found.input.mean_absolute < 0.1
    assert found.input.cosine > 0.99
    (pooled,) = found.outputs.values()
    assert pooled.max_absolute < 0.1


def test_gray_differs_by_float16_alone(picture: Bytes) -> None:
    graph, plan = planned(net(1), GRAY)
    assert difference(plan, graph, picture).input.max_absolute <= rounding(plan) + 1e-6


def test_gray_of_colours_differs_by_the_weights_in_whole_numbers(picture: Bytes) -> None:
    for pixels in (PixelFormat.RGB, PixelFormat.BGR):
        graph, plan = planned(net(1), replace(GRAY, pixels=pixels))
        assert difference(plan, graph, picture).input.max_absolute < 0.03


def test_the_reference_is_pytorchs_arithmetic_bit_by_bit(picture: Bytes) -> None:
    _, plan = planned(net(), IMAGENET)
    tensor = torch.from_numpy(picture.copy()).permute(2, 0, 1).contiguous().to(torch.float32).div(255)
    mean, std = (
        torch.as_tensor(of, dtype=torch.float32).view(-1, 1, 1)
        for of in (PRESETS["imagenet"].mean, PRESETS["imagenet"].std)
    )
    assert np.array_equal(by_pytorch(plan, picture)[0], tensor.sub_(mean).div_(std).numpy())


def test_crop_and_margins_are_those_of_the_plan(picture: Bytes) -> None:
    wish = replace(IMAGENET, frame=(232, 224), crop=(16, 0), margins=Margins(8, 0, 0, 0, 0.5))
    frame = np.pad(picture, ((0, 0), (0, 8), (0, 0)))
    graph, plan = planned(net(), wish)
    assert difference(plan, graph, frame).input.max_absolute <= rounding(plan) + 1e-6
    assert (by_pytorch(plan, frame)[..., :8] == 0.5).all()


def test_outputs_of_a_net_with_other_inputs_are_not_compared(picture: Bytes) -> None:
    graph, plan = planned(net(), IMAGENET)
    assert difference(plan, replace(graph, inputs=(*graph.inputs, Input("y", (1, 2)))), picture).outputs == {}
