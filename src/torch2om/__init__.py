"""torch2om: PyTorch to Caffe to Ascend om, every net proved equal and legal, or refused with the reason."""

from __future__ import annotations

__version__ = "0.1.0"
