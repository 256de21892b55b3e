"""The options of ATC and omg that keep layers, or all of them, in a higher precision, as their manuals state them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch2om.ir.net import Layer
from torch2om.precision.kept import PRODUCTS


@dataclass(frozen=True, slots=True)
class Option:
    """A compiler's option: what to write on its command line, what it does, who says so."""

    compiler: str
    text: str
    effect: str
    source: str


KEEP_DTYPE = Option(
    "atc",
    "--precision_mode=force_fp16 --keep_dtype=FILE",
    "the layers that FILE names, one a line, keep float32; where the chip has none for a layer, its highest precision",
    "ATC manual, --keep_dtype",
)

OP_PRECISION_MODE = Option(
    "atc",
    "--op_precision_mode=FILE.ini",
    "the layers that FILE.ini names take their closest approximation; numbers between layers stay half precision",
    "ATC manual, --op_precision_mode",
)

# From the mildest to the most costly; the order of precision is the manual's.
WHOLE_NET = (
    Option(
        "atc",
        "--op_select_implmode=high_precision_for_all",
        "every layer takes its closest approximation; numbers between layers stay half precision",
        "ATC manual, --op_select_implmode",
    ),
    Option(
        "atc",
        "--precision_mode=allow_fp32_to_fp16",
        "matrix products in half precision, everything else in float32 where the chip has it",
        "ATC manual, --precision_mode",
    ),
    Option(
        "atc",
        "--precision_mode=cube_fp16in_fp32out",
        "matrix products read half precision and give float32, everything else float32; force_fp32 in older versions",
        "ATC manual, --precision_mode",
    ),
)

OMG_HIGH_PRECISION = Option(
    "omg",
    "--fp16_high_prec=1",
    "a higher precision for convolutions, inner products and average poolings of the whole net; omg names no layers",
    "Atlas 300 omg manual, --fp16_high_prec",
)


def keep_dtype_file(layers: Sequence[Layer]) -> str:
    """Return the text of a --keep_dtype file: a layer's name on each line (ATC manual, --keep_dtype)."""
    return "".join(f"{layer.name}\n" for layer in layers)


def op_precision_mode_file(layers: Sequence[Layer]) -> str:
    """Return the text of an --op_precision_mode file; empty if the layers are all matrix products.

    The modes choose between approximations of functions, and a product has none (ATC manual, --op_precision_mode and
    --op_select_implmode).
    """
    named = [layer.name for layer in layers if not isinstance(layer.op, PRODUCTS)]
    return "".join(("[ByNodeName]\n", *(f"{name}=high_precision\n" for name in named))) if named else ""
