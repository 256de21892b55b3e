"""PyTorch models whose first lines normalize, in every way in which people write that: taken out, and proved."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from torch2om import convert
from torch2om.errors import PreprocessingError
from torch2om.ir.net import Input
from torch2om.manifest import read_manifest
from torch2om.preprocessing.normalization import NOTHING, PRESETS, Normalization
from torch2om.preprocessing.plan import Preprocessing
from torch2om.program import canonicalize, capture
from torch2om.reference import ProgramReference
from torch2om.verification import random_samples, verify

IMAGENET = PRESETS["imagenet"]
MEAN, STD = torch.tensor(IMAGENET.mean), torch.tensor(IMAGENET.std)


class Net(nn.Module):
    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.register_buffer("mean", MEAN.view(1, 3, 1, 1))
        self.register_buffer("std", STD.view(3, 1, 1))
        self.bn = nn.BatchNorm2d(3, eps=0)
        self.bn.running_mean = MEAN * 255
        self.bn.running_var = (STD * 255) ** 2

    def prepared(self, x: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.conv(self.prepared(x))
        return y


class Steps(Net):
    def prepared(self, x: torch.Tensor) -> torch.Tensor:
        return (x / 255 - self.mean) / self.std


class Pixels(Net):
    def prepared(self, x: torch.Tensor) -> torch.Tensor:
        return x.float().sub(self.mean * 255).div(self.std * 255)


class Factors(Net):
    def prepared(self, x: torch.Tensor) -> torch.Tensor:
        return (x - self.mean[0] * 255) * (1 / (255 * self.std))


class Norm(Net):
    def prepared(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.bn(x)
        return y


class ByChannel(Net):
    """As torchvision's Inception nets turn ImageNet's normalization into another one."""

    def prepared(self, x: torch.Tensor) -> torch.Tensor:
        pairs = enumerate(zip(IMAGENET.mean, IMAGENET.std, strict=True))
        return torch.cat([torch.unsqueeze(x[:, i], 1) * (1 / 255 / std) - mean / std for i, (mean, std) in pairs], 1)


class InPlace(Net):
    """As torchvision.transforms.functional.normalize writes it."""

    def prepared(self, x: torch.Tensor) -> torch.Tensor:
        mean = torch.as_tensor(IMAGENET.mean, dtype=x.dtype, device=x.device).view(-1, 1, 1)
        std = torch.as_tensor(IMAGENET.std, dtype=x.dtype, device=x.device).view(-1, 1, 1)
        return x.mul(1 / 255).clone().sub_(mean).div_(std)


def converted(model: nn.Module, wish: Preprocessing, out: Path) -> Normalization:
    found = convert(model.eval(), {"x": (1, 3, 6, 8)}, out=out, preprocessing=wish)
    assert found.verification is not None
    assert {run.title for run in found.verification.runs} == {"model", "meaning", "files"}
    for run in found.verification.runs[1:3]:
        assert [each.blob for each in run.comparisons] == ["x", "conv"]
    assert found.net is not None
    assert found.plan is not None
    assert [layer.op.caffe_type for layer in found.net.layers] == ["Convolution"]
    return found.plan.normalization


@pytest.mark.parametrize("form", [Steps, Pixels, Factors, Norm, ByChannel, InPlace])
def test_a_normalization_in_the_model_becomes_aipp(form: type[Net], tmp_path: Path) -> None:
    found = converted(form(), Preprocessing(NOTHING, from_model=True), tmp_path)
    assert found.mean == pytest.approx([255 * mean for mean in IMAGENET.mean], rel=1e-6)
    assert found.std == pytest.approx([255 * std for std in IMAGENET.std], rel=1e-6)
    assert "mean_chn_1: 116\n" in (tmp_path / "model.aipp.cfg").read_text()


class AfterToTensor(Net):
    def prepared(self, x: torch.Tensor) -> torch.Tensor:
        return (x - self.mean) / self.std


def test_the_callers_part_comes_before_the_models(tmp_path: Path) -> None:
    wish = Preprocessing(PRESETS["to-tensor"], from_model=True)
    found = converted(AfterToTensor(), wish, tmp_path)
    constants = found.constants(3)
    assert constants.mean == (123, 116, 103)
    assert constants.factor == pytest.approx([1 / 255 / std for std in IMAGENET.std], rel=1e-6)


def test_the_manifest_says_what_was_taken_out_and_verify_feeds_the_rest(tmp_path: Path) -> None:
    model = Steps().eval()
    artifact = convert(
        model, {"x": (1, 3, 6, 8)}, out=tmp_path, preprocessing=Preprocessing(NOTHING, from_model=True)
    ).artifact
    assert artifact is not None
    manifest = read_manifest(tmp_path)
    (record,) = manifest.pictures
    assert (record.input, record.file, record.pixels) == ("x", "model.aipp.cfg", "rgb888")
    assert (record.fed, record.bytes) == ((1, 6, 8, 3), 144)
    assert manifest.taken_out == {"x": record.taken_out}
    assert manifest.mirrors["x"] == "div_1"
    reference = ProgramReference(canonicalize(capture(model, {"x": (1, 3, 6, 8)})))
    samples = list(random_samples(manifest.inputs, 2, taken_out=manifest.taken_out))
    assert verify(reference, artifact, samples).equal

    slightly = replace(record.taken_out, mean=tuple(mean + 0.1 for mean in record.taken_out.mean))
    wrong = replace(artifact, manifest=replace(manifest, pictures=(replace(record, taken_out=slightly),)))
    found = verify(reference, wrong, samples)
    assert [each.blob for run in found.runs for each in run.comparisons if not each.equal][:2] == ["x", "conv"]


def test_samples_are_such_that_the_net_is_fed_usual_numbers() -> None:
    model = Normalization((123.0, 116.0, 103.0), (58.0, 57.0, 56.0), 1.0)
    inputs = (Input("x", (1, 3, 6, 8)),)
    plain, shifted = (list(random_samples(inputs, 2, taken_out=taken)) for taken in ({}, {"x": model}))
    for before, after in zip(plain, shifted, strict=True):
        assert np.allclose(model.applied(after["x"].astype(np.float64)), before["x"], atol=1e-5)


def test_a_model_that_does_not_normalize_is_refused_at_its_first_line(tmp_path: Path) -> None:
    with pytest.raises(PreprocessingError, match="is a Convolution") as refused:
        convert(nn.Conv2d(3, 4, 3), (1, 3, 6, 8), out=tmp_path, preprocessing=Preprocessing(NOTHING, from_model=True))
    assert refused.value.diagnostics[0].layer
    assert list(tmp_path.iterdir()) == []


def test_a_target_without_aipp_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PreprocessingError, match="P816"):
        convert(nn.Conv2d(3, 4, 3), (1, 3, 6, 8), "opencv", tmp_path, preprocessing=Preprocessing())
