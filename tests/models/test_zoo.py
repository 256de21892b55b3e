from __future__ import annotations

from pathlib import Path

import pytest
import torch
from judging import faults, settled, subject
from zoo import SIZES, build

AS_PYTORCH = ("resnet50", "mobilenet_v2")  # may not multiply once more than PyTorch


@pytest.mark.parametrize("name", SIZES)
def test_every_target_gets_files_that_mean_what_the_model_means(name: str, tmp_path: Path) -> None:
    size = SIZES[name]
    torch.manual_seed(0)
    model = settled(build(name), torch.randn(4, 3, 112, 112))
    found = subject(model, [(1, 3, size, size)])
    allowed = 1.0 if name in AS_PYTORCH else 1.02
    assert faults(found, tmp_path, allowed * found.macs) == []
