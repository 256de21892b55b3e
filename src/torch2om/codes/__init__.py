"""The table of diagnostic codes: what each means and what to do; `explain CODE` and docs/diagnostics.md read it.

A code's letter names its family (`FAMILIES`).
"""

from torch2om.codes.compiling import COMPILING
from torch2om.codes.devices import DEVICES
from torch2om.codes.info import CodeInfo
from torch2om.codes.models import MODELS
from torch2om.codes.nets import NETS
from torch2om.codes.usage import USAGE

__all__ = ["CODES", "FAMILIES", "CodeInfo"]

FAMILIES = {
    "U": "usage",
    "C": "capture",
    "L": "lowering",
    "T": "targets",
    "F": "Caffe files",
    "P": "preprocessing",
    "E": "emit",
    "V": "verification",
    "O": "om files",
    "D": "device runs",
    "K": "compiling",
    "B": "lists of models",
}

CODES: dict[str, CodeInfo] = {**USAGE, **MODELS, **NETS, **DEVICES, **COMPILING}
