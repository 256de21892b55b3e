"""The dialects of Caffe's file formats: one name for each reader that spells things its own way."""

from __future__ import annotations

from typing import Literal

Dialect = Literal["caffe", "ascend", "opencv", "any"]
"""`caffe` is BVLC's, `ascend` is ATC's, `opencv` is OpenCV 4's, `any` the union that our reader takes."""
