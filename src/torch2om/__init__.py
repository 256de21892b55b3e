"""torch2om: PyTorch to Caffe to Ascend om, every net proved equal and legal, or refused with the reason.

`convert` does it all; the stages stand one by one in their modules. What needs PyTorch is imported when it is first
used, so that everything about Caffe files works without it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from torch2om.version import __version__

if TYPE_CHECKING:
    from torch2om.analysis import analyze
    from torch2om.caffe.reader import read_net
    from torch2om.caffe_models import convert_caffe
    from torch2om.emission import emit
    from torch2om.errors import Torch2omError
    from torch2om.executor import execute
    from torch2om.legalization import legalize
    from torch2om.lowering import lower, lowers
    from torch2om.om.reader import read_om
    from torch2om.passes import simplify
    from torch2om.pipeline import Conversion
    from torch2om.program import canonicalize, capture
    from torch2om.pytorch_models import convert
    from torch2om.targets import TARGETS, check, target
    from torch2om.verification import verify

_HOMES = {
    "Conversion": "pipeline",
    "TARGETS": "targets",
    "Torch2omError": "errors",
    "analyze": "analysis",
    "canonicalize": "program",
    "capture": "program",
    "check": "targets",
    "convert": "pytorch_models",
    "convert_caffe": "caffe_models",
    "emit": "emission",
    "execute": "executor",
    "legalize": "legalization",
    "lower": "lowering",
    "lowers": "lowering",
    "read_net": "caffe.reader",
    "read_om": "om.reader",
    "simplify": "passes",
    "target": "targets",
    "verify": "verification",
}

__all__ = [
    "TARGETS",
    "Conversion",
    "Torch2omError",
    "__version__",
    "analyze",
    "canonicalize",
    "capture",
    "check",
    "convert",
    "convert_caffe",
    "emit",
    "execute",
    "legalize",
    "lower",
    "lowers",
    "read_net",
    "read_om",
    "simplify",
    "target",
    "verify",
]


def __getattr__(name: str) -> Any:  # Any: a public name of whatever type
    """Import a public name from its home when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'torch2om' has no attribute {name!r}")
    return getattr(import_module(f"torch2om.{_HOMES[name]}"), name)
