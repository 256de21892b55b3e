"""What the CLI's tests share: a small net, and what a finished command left."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

NET = """
name: "tiny"
layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 1 dim: 2 dim: 4 dim: 4 } } }
layer { name: "pool" type: "Pooling" bottom: "x" top: "pool" pooling_param { pool: MAX kernel_size: 2 stride: 2 } }
layer { name: "double" type: "Power" bottom: "pool" top: "double" power_param { scale: 2 } }
"""


@dataclass(frozen=True)
class Ran:
    """One finished command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # Any: parsed JSON
        """The one JSON object on stdout."""
        return json.loads(self.out)


Command = Callable[..., Ran]
