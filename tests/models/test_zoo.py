from __future__ import annotations

from pathlib import Path

import pytest
import torch
from judging import TARGETS, faults, settled, subject, written
from sample import TAKES
from zoo import SIZES, build

FOR_HILENS = ("mobilenet_v3_small", "shufflenet_v2_x1_0", "squeezenet1_1")  # all 25: benchmarks/legality.py
AS_PYTORCH = ("resnet50", "mobilenet_v2")  # may not multiply once more than PyTorch


@pytest.mark.parametrize("name", SIZES)
def test_every_target_gets_files_that_mean_what_the_model_means(name: str, tmp_path: Path) -> None:
    size = SIZES[name]
    torch.manual_seed(0)
    model = settled(build(name), torch.randn(4, 3, 112, 112))
    found = subject(model, [(1, 3, size, size)])
    allowed = 1.0 if name in AS_PYTORCH else 1.02
    targets = (*TARGETS, "hilens") if name in FOR_HILENS else TARGETS
    assert faults(found, tmp_path, allowed * found.macs, targets, TAKES.get(name, ())) == []


def test_the_auxiliary_output_of_segmentation_bears_its_name(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = settled(build("deeplabv3_mobilenet_v3_large", aux_loss=True), torch.randn(4, 3, 64, 64))
    result = written(subject(model, [(1, 3, 64, 64)]), "ascend310", tmp_path)
    assert result.verification.equal
    outputs = result.artifact.manifest.outputs
    assert [(output.blob, output.place) for output in outputs] == [("out", "['out']"), ("aux", "['aux']")]
