"""The model's door: PyTorch becomes a static graph (`capture`), and the graph takes few forms (`canonicalize`)."""

from __future__ import annotations

from torch2om.program.arguments import Inputs
from torch2om.program.canonicalize import canonicalize
from torch2om.program.capture import Model, capture, evaluating
from torch2om.program.graph import Program, ProgramInput, ProgramOutput

__all__ = ["Inputs", "Model", "Program", "ProgramInput", "ProgramOutput", "canonicalize", "capture", "evaluating"]
