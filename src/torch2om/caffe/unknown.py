"""What to do about a layer type that is not known: by what the type is for."""

from __future__ import annotations

from difflib import get_close_matches

from torch2om.layers import CAFFE_TYPES

# BVLC's layers that feed or judge a net while it is trained (src/caffe/layers of 1.0).
_FEEDS = {"Data", "HDF5Data", "ImageData", "MemoryData", "WindowData", "AnnotatedData"}
_JUDGES = {"Accuracy", "HDF5Output", "DetectionEvaluate"}


def unknown_type_hint(kind: str) -> str:
    """Return what the user can do about a layer of this type."""
    if kind in _FEEDS:
        return 'it reads a data base: write type: "Input" with input_param { shape { dim: ... } } in its place'
    if kind in _JUDGES or kind.endswith("Loss"):
        return "it belongs to training: a deployed net ends before it"
    close = get_close_matches(kind, CAFFE_TYPES, n=1, cutoff=0.75)
    if close:
        return f"did you mean {close[0]}? Types are case-sensitive"
    return "a layer must be known to be judged or computed: end the net before this one"
