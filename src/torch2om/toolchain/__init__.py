"""The vendor's compilers: finds atc or omg wherever it runs, says the exact command, and explains what fails.

Works on a conversion's files alone; needs no torch.
"""

from __future__ import annotations

from torch2om.toolchain.compilation import Compiled, Order, compile_files
from torch2om.toolchain.options import CompileOptions

__all__ = ["CompileOptions", "Compiled", "Order", "compile_files"]
